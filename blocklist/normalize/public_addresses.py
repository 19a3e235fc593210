"""Public IP addresses: feeds are fetched only from these, and only these become rules."""

from __future__ import annotations

import ipaddress

#: The part of IPv6 that is allocated for the internet (RFC 4291, 2.5.4). Addresses outside it (loopback, forms of IPv4
#: addresses, NAT64, site-local, segment routing, …) lead into private networks or nowhere.
_IPV6_INTERNET = ipaddress.ip_network("2000::/3")
#: Networks that ``ipaddress`` of Python 3.11 calls global although they can lead into private networks.
_NOT_PUBLIC = tuple(
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
    """Return whether an IP address is public. One with a scope (``fe80::1%eth0``) is local to this machine.

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
    return not any(parsed in network for network in _NOT_PUBLIC if network.version == parsed.version)
