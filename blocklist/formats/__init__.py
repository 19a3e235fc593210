"""Formats: bytes to entries, and nothing else; :mod:`.registry` has the table of them."""
