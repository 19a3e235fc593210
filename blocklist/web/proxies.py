"""The address of the client behind trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """WSGI middleware that accepts ``X-Forwarded-For`` and ``X-Forwarded-Proto`` from the given proxies only.

    ``X-Forwarded-For`` is read from its end: each trusted proxy appended the address of its client. Addresses before
    the first one that is not a trusted proxy can be forged.
    """

    def __init__(self, app: WSGIApplication, trusted: Sequence[str], https: bool = False) -> None:
        """``https``: requests were sent over HTTPS unless ``X-Forwarded-Proto`` says otherwise."""
        self._app = app
        self._https = https
        self._trusted = [ipaddress.ip_network(text) for text in trusted]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the application with the address and the scheme of the client."""
        if self._https:
            environ["wsgi.url_scheme"] = "https"
        if self._is_trusted(_address(environ.get("REMOTE_ADDR", ""))):
            self._apply_forwarded(environ)
        return self._app(environ, start_response)

    def _apply_forwarded(self, environ: WSGIEnvironment) -> None:
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
    """Return the IP address in a text, which may have a port; None if it is not an address."""
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
