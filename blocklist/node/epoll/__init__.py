"""Plain sockets in one edge-triggered epoll. Without it the node runs on the transports of uvloop."""
