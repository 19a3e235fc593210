"""Guessing, slowed to a crawl: who failed too often is told to wait, and nothing waits for them meanwhile."""

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
    """Counts failures by who failed, in the memory of this process; a restart forgives."""

    def __init__(self, *limits: str) -> None:
        """Allow so many failures: ``10/minute`` and the like, each of which must hold."""
        self._limits = limits
        self._lock = threading.Lock()
        self._made: MovingWindowRateLimiter | None = None

    def check(self, who: str) -> None:
        """Refuse a further try of somebody who failed too often.

        :raises TooManyError: when to try again.
        """
        seconds = self.retry_after(who)
        if seconds:
            raise TooManyError(f"too many tries failed: try again in {seconds} seconds", seconds)

    def retry_after(self, who: str) -> int:
        """Return the seconds until somebody may try again; 0: now."""
        limiter = self._limiter()
        spent = (item for item in self._items if not limiter.test(item, who))
        resets = [limiter.get_window_stats(item, who).reset_time - time.time() for item in spent]
        return max(1, math.ceil(max(resets))) if resets else 0

    def record_failure(self, who: str) -> None:
        """Count a failure."""
        limiter = self._limiter()
        for item in self._items:
            limiter.hit(item, who)

    def _limiter(self) -> MovingWindowRateLimiter:
        # Made when first needed: commands never are, and the library starts a thread.
        with self._lock:
            if self._made is None:
                from limits import parse  # noqa: PLC0415 - see above
                from limits.storage import MemoryStorage  # noqa: PLC0415
                from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

                self._items = [parse(limit) for limit in self._limits]
                self._made = MovingWindowRateLimiter(MemoryStorage())
            return self._made


def client_network(address: str | None) -> str:
    """Return whom an address stands for: itself, or its /64, of which one sender has every address.

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
