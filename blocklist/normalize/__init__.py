"""Canonical forms of hosts, URLs, apps and published entries, in which they are compared.

Everything that reads a host uses :func:`.hosts.parse_target` or a shortcut that is tested against it, so that a list, a
request and an admin's search never disagree about a host. What lookups judge comes from :mod:`.candidates`: the page or
app that a text names, and what stands within.
"""
