"""Limits failed sign-ins: a client with too many failures is refused for a time."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from typing import TYPE_CHECKING

from blocklist.domain.errors import TooManyError

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter


class Throttle:
    """Counts failures by client, in the memory of this process: a restart resets the counts."""

    def __init__(self, *limits: str) -> None:
        """``limits`` are the failures allowed, such as ``10/minute``; each of them applies."""
        self._limits = limits
        self._lock = threading.Lock()
        self._made: MovingWindowRateLimiter | None = None

    def check(self, client: str) -> None:
        """Refuse another attempt by a client that failed too often.

        :raises TooManyError: too many attempts failed; the error says when to try again.
        """
        limiter = self._limiter()
        spent = (item for item in self._items if not limiter.test(item, client))
        resets = [limiter.get_window_stats(item, client).reset_time - time.time() for item in spent]
        if resets:
            seconds = max(1, math.ceil(max(resets)))
            raise TooManyError(f"too many failed attempts: try again in {seconds} seconds", seconds)

    def record_failure(self, client: str) -> None:
        """Count a failure."""
        limiter = self._limiter()
        for item in self._items:
            limiter.hit(item, client)

    def _limiter(self) -> MovingWindowRateLimiter:
        # Created on first use: the library starts a thread, and commands do not need it.
        with self._lock:
            if self._made is None:
                from limits import parse  # noqa: PLC0415 - see above
                from limits.storage import MemoryStorage  # noqa: PLC0415
                from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

                self._items = [parse(limit) for limit in self._limits]
                self._made = MovingWindowRateLimiter(MemoryStorage())
            return self._made


def client_network(address: str | None) -> str:
    """Return the network of a client: its IPv4 address, or the /64 of its IPv6 address, which usually is one client.

    >>> client_network("203.0.113.7"), client_network("2001:db8:1:2:3:4:5:6"), client_network("::ffff:203.0.113.7")
    ('203.0.113.7', '2001:db8:1:2::/64', '203.0.113.7')
    """
    try:
        known = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or "unknown"
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((known, 64), strict=False))
    return str(known)
