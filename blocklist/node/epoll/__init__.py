"""Plain connections within the epoll of the event loop; Linux only. Elsewhere asyncio's transports carry them."""
