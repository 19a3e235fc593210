"""``hosts``: an address and one or more host names a line. Format: hosts(5)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.formats.lines import TextOptions, numbered_lines
from blocklist.vocabulary import Entry, Rejected

_USUAL_ADDRESSES = frozenset({"0.0.0.0", "127.0.0.1", "::1", "::", "0"})  # noqa: S104 - read here, never bound


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per host name; the address before it only says that the line is one of a hosts file."""
    for number, line in numbered_lines(body, options.encoding):
        address, *names = line.partition("#")[0].split()
        if address not in _USUAL_ADDRESSES and not is_address(address):
            yield Rejected(line, number, "syntax", f"{line[:80]!r} does not begin with an address")
        elif not names:
            yield Rejected(line, number, "syntax", f"{line[:80]!r} has an address but no host")
        else:
            for name in names:
                yield Entry(name, number)


def is_address(text: str) -> bool:
    """Return whether a text is an IP address, with or without a zone (``fe80::1%eth0``)."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
