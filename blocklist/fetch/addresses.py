"""Which addresses a feed may be fetched from: public ones, checked after the name is resolved."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

from blocklist.config import FetchSettings
from blocklist.errors import FetchError

#: All of IPv6 that is given out for use on the internet (RFC 4291, 2.5.4). What lies outside (loopback, IPv4 in its old
#: and new clothes, NAT64, site-local, segment routing, …) leads inward or nowhere, whatever registers say of it.
_IPV6_INTERNET = ipaddress.ip_network("2000::/3")
#: What ``ipaddress`` of Python 3.11 calls global although it leads inward or to many.
_INWARD = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID and its successor (RFC 2928)
        "2002::/16",  # 6to4: the IPv4 address is inside (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet.

    One with a scope (``fe80::1%eth0``) names an interface of this machine, and is none.

    >>> [is_public(a) for a in ("93.184.215.14", "127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "224.0.0.1")]
    [True, False, False, False, False]
    """
    if "%" in address:
        return False
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in _IPV6_INTERNET:
        return False
    return not any(parsed in network for network in _INWARD if network.version == parsed.version)


def public_addresses(host: str, port: int, settings: FetchSettings, within: float | None = None) -> list[str]:
    """Return the addresses of a host that feeds may be fetched from; ``within`` are the seconds to resolve its name.

    :raises FetchError: the name does not resolve, or leads to no public address and is not allowed by name.
    :raises TimeoutError: it did not resolve in time.
    """
    try:
        addresses = _resolved(host, port, within)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host}: the name cannot be resolved: {error}") from None
    if host.lower() in {allowed.lower() for allowed in settings.allow_private_hosts}:
        return addresses
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise FetchError(
            f"{host}: leads to {addresses[0]}, which is not a public address; if the feed really is there, "
            "add the host to fetch.allow_private_hosts"
        )
    return public


def _resolved(host: str, port: int, within: float | None) -> list[str]:
    """Return every address of a host.

    On a thread of its own: ``getaddrinfo`` takes no time limit, and a name server may be as slow as it likes.
    """
    found: list[str] = []
    failed: list[Exception] = []

    def resolve() -> None:
        try:
            found.extend(_numeric(info[4]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            failed.append(error)

    thread = threading.Thread(target=resolve, name="resolve", daemon=True)
    thread.start()
    thread.join(within)
    if thread.is_alive():
        raise TimeoutError
    if failed:
        raise failed[0]
    return list(dict.fromkeys(found))


def _numeric(address: tuple[Any, ...]) -> str:
    """Return an address of the resolver as text; the scope of an IPv6 one comes as a number beside it."""
    text = str(address[0])
    return f"{text}%{address[3]}" if len(address) == 4 and address[3] and "%" not in text else text
