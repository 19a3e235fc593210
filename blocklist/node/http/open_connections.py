"""The open connections of one worker: their limit, their time limits, and their end."""

from __future__ import annotations

import asyncio

from blocklist.node.http.connection import Connection
from blocklist.node.http.request_handler import RequestHandler

#: Connections are checked in groups, so many at each tick of 0.2 seconds: each connection every 1.6 seconds. Requests
#: are answered between two groups: idle connections are in no processor cache, so a check of all takes long.
_GROUPS, _GROUPS_PER_TICK = 64, 8


class OpenConnections:
    """Creates connections and keeps those that are open."""

    def __init__(self, handler: RequestHandler, limit: int) -> None:
        """``limit`` is the most connections that may be open; further ones are refused."""
        self._handler = handler
        self._limit = limit
        self._values = handler.counters.values
        self._values["connections"] = 0
        self._groups: list[set[Connection]] = [set() for _ in range(_GROUPS)]
        self._next_group = 0

    def new(self) -> Connection:
        """Return a connection that adds and removes itself as its transport opens and closes."""
        return Connection(self._handler, self._add, self._remove)

    def _add(self, connection: Connection) -> bool:
        self._values["connections"] += 1
        self._groups[id(connection) // 64 % _GROUPS].add(connection)
        if self._values["connections"] > self._limit:
            self._values["refused_connections"] += 1
            return False
        return True

    def _remove(self, connection: Connection) -> None:
        self._values["connections"] -= 1
        self._groups[id(connection) // 64 % _GROUPS].discard(connection)

    def check_deadlines(self, groups: int = _GROUPS_PER_TICK) -> None:
        """Check the next groups, one now and the others after the requests that wait."""
        for connection in list(self._groups[self._next_group]):
            connection.check_deadline()
        self._next_group = (self._next_group + 1) % _GROUPS
        if groups > 1:
            asyncio.get_running_loop().call_soon(self.check_deadlines, groups - 1)

    def close_idle(self) -> int:
        """Close all connections without a request under way; return how many are left."""
        for group in self._groups:
            for connection in list(group):
                connection.close_if_idle()
        return sum(map(len, self._groups))
