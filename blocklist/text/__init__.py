"""Small helpers on text that belong to no domain: sanitizing, CSV cells, bounded regular expressions, JSON."""
