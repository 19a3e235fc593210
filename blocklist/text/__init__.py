"""Helpers for text that belong to no domain: sanitizing, CSV cells, regular expressions with a time limit, JSON.

They import nothing but :mod:`blocklist.domain`. :mod:`.validation` loads pydantic, so nothing that a lookup node or an
embedding program loads may import it.
"""
