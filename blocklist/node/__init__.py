"""The lookup node: processes that answer ad servers from a memory-mapped snapshot.

:mod:`.supervisor` runs in the control plane's process: it starts the workers and replaces those that end.
:mod:`.worker` is the program of one worker, :mod:`.node` its state. In a worker, :mod:`.http` reads requests and writes
responses over transports of asyncio or of :mod:`.epoll`, and :mod:`.metrics` counts. Workers share their counts through
:mod:`.scoreboard`. Verdicts come from :mod:`blocklist.lookup`.
"""
