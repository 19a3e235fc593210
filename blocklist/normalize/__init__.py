"""Hosts, URLs and published text brought to one canonical form, and compared in it.

Everything that reads a host goes through :func:`.hosts.parse_target`, so that a list, a request and an admin's search
can never disagree on what a host is.
"""
