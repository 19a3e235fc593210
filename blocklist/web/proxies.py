"""Who really asks, where trusted proxies stand in front: the last address that none of them vouches for itself."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """WSGI: believes ``X-Forwarded-For`` and ``X-Forwarded-Proto`` of the proxies named, and of nobody else.

    The chain is read from its end: each trusted proxy wrote the address before its own, and what stands before the
    first that is not trusted may be made up.
    """

    def __init__(self, app: WSGIApplication, trusted: Sequence[str], https: bool = False) -> None:
        """Trust these addresses and networks; ``https``: whatever comes was sent over HTTPS, unless one says else."""
        self._app = app
        self._https = https
        self._trusted = [ipaddress.ip_network(text) for text in trusted]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request as that of whoever sent it first."""
        if self._https:
            environ["wsgi.url_scheme"] = "https"
        if self._is_trusted(_address(environ.get("REMOTE_ADDR", ""))):
            self._believe(environ)
        return self._app(environ, start_response)

    def _believe(self, environ: WSGIEnvironment) -> None:
        for text in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = _address(text)
            if address is None:
                break
            environ["REMOTE_ADDR"] = str(address)
            if not self._is_trusted(address):
                break
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme

    def _is_trusted(self, address: _Address | None) -> bool:
        return address is not None and any(address in network for network in self._trusted)


def _address(text: str) -> _Address | None:
    """Return an address, with or without a port behind it."""
    text = text.strip()
    bracketed = text.startswith("[")
    host = text[1:].partition("]")[0] if bracketed else text
    if not bracketed and host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        known = ipaddress.ip_address(host)
    except ValueError:
        return None
    return known.ipv4_mapped or known if isinstance(known, ipaddress.IPv6Address) else known
