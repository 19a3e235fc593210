"""The client address behind trusted and untrusted proxies."""

from __future__ import annotations

from typing import Any

import pytest

from blocklist.web.proxies import TrustedProxies

_TRUSTED = ("10.0.0.0/8", "2001:db8::/32", "127.0.0.1")


def seen(peer: str, forwarded: str | None = None, scheme: str | None = None, https: bool = False) -> tuple[str, str]:
    """Return address and scheme as the application sees them."""
    environ: dict[str, Any] = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    if scheme is not None:
        environ["HTTP_X_FORWARDED_PROTO"] = scheme
    list(TrustedProxies(lambda environ, start_response: [], _TRUSTED, https)(environ, lambda *_: lambda _: None))
    return environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "scheme", "expected"),
    [
        ("10.0.0.1", "203.0.113.7", "https", ("203.0.113.7", "https")),
        ("203.0.113.9", "198.51.100.1", "https", ("203.0.113.9", "http")),
        ("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "https", ("203.0.113.7", "https")),
        ("10.0.0.1", "spoofed, 203.0.113.7", "http, https", ("203.0.113.7", "https")),
        ("10.0.0.1", "203.0.113.7, junk", None, ("10.0.0.1", "http")),
        ("10.0.0.1", "203.0.113.7:4711", None, ("203.0.113.7", "http")),
        ("10.0.0.1", "[2001:db9::7]:4711", None, ("2001:db9::7", "http")),
        ("2001:db8::1", "2001:db9::7", None, ("2001:db9::7", "http")),
        ("::ffff:10.0.0.1", "203.0.113.7", None, ("203.0.113.7", "http")),
        ("10.0.0.1", None, "gopher", ("10.0.0.1", "http")),
        ("10.0.0.1", "10.0.0.3", None, ("10.0.0.3", "http")),
        ("", "203.0.113.7", None, ("", "http")),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_trusted_proxy(
    peer: str, forwarded: str | None, scheme: str | None, expected: tuple[str, str]
) -> None:
    assert seen(peer, forwarded, scheme) == expected


def test_behind_an_https_proxy_the_scheme_is_https_unless_a_trusted_proxy_says_otherwise() -> None:
    assert seen("203.0.113.9", https=True) == ("203.0.113.9", "https")
    assert seen("203.0.113.9", scheme="http", https=True) == ("203.0.113.9", "https")
    assert seen("10.0.0.1", scheme="http", https=True) == ("10.0.0.1", "http")
