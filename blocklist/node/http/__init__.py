"""HTTP/1.1 for the lookup node: one connection, what all connections of a worker share, and caches of responses."""
