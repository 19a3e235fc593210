"""The lookup node: processes that answer ad servers from a mapped snapshot, with nothing slow on the way.

:mod:`.supervisor` runs in the control plane's process and keeps the workers alive; :mod:`.worker` is the program of
one. In a worker, :mod:`.node` is what its connections share, :mod:`.connection` speaks HTTP/1.1 over a transport of
:mod:`.epoll_server` (or of asyncio), :mod:`.response_cache` answers the commonest requests, and :mod:`.scoreboard`
and :mod:`.metrics` count. Answers come from :mod:`blocklist.lookup`.
"""
