"""Which addresses a feed may be fetched from: public ones, checked after the name is resolved."""

from __future__ import annotations

import ipaddress
import socket

from blocklist.config import FetchSettings
from blocklist.errors import FetchError

#: What ``ipaddress`` calls global although it leads inward or to many: NAT64, 6to4, Teredo, protocol assignments.
_INWARD = tuple(
    ipaddress.ip_network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "192.0.0.0/24", "192.88.99.0/24")
)


def is_public(address: str) -> bool:
    """Return whether an address is one of the public internet.

    >>> [is_public(a) for a in ("93.184.215.14", "127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "224.0.0.1")]
    [True, False, False, False, False]
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if not parsed.is_global or parsed.is_multicast or parsed.is_reserved:
        return False
    return not any(parsed in network for network in _INWARD if network.version == parsed.version)


def public_addresses(host: str, port: int, settings: FetchSettings) -> list[str]:
    """Return the addresses of a host that feeds may be fetched from.

    :raises FetchError: the name does not resolve, or leads to no public address and is not allowed by name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError(f"{host}: the name cannot be resolved: {error}") from None
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if host in settings.allow_private_hosts:
        return addresses
    public = [address for address in addresses if is_public(address)]
    if not public:
        raise FetchError(
            f"{host}: leads to {addresses[0]}, which is not a public address; if the feed really is there, "
            "add the host to fetch.allow_private_hosts"
        )
    return public
