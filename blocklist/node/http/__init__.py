"""HTTP/1.1 as the lookup node speaks it."""
