"""The vocabulary of the domain as types (feeds, entries, rules, runs, verdicts, roles), its errors, and its clock.

Nothing here imports another room or a library outside Python.
"""
