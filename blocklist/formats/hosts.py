"""``hosts``: an address and one or more host names a line. Format: hosts(5)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.lines import BARE_NAME, TextOptions, numbered_lines, runs_of_lines

_USUAL_ADDRESSES = frozenset({"0.0.0.0", "127.0.0.1", "::1", "::", "0"})  # noqa: S104 - read here, never bound

_SINKS = ("0.0.0.0", "127.0.0.1")  # noqa: S104 - read here, never bound
_BARE = re.compile("|".join(rf"^(?:{re.escape(sink)}[ \t]{BARE_NAME}\n){{16,}}+" for sink in _SINKS), re.MULTILINE)


def blocks(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected | LineBlock]:
    """Yield one Entry per host name, but many lines together that hold a usual address and one name."""
    for item in runs_of_lines(body, options.encoding, _BARE, _names):
        if isinstance(item, LineBlock):
            yield item
        else:
            yield from _entries(*item)


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per host name; the address before it only says that the line is one of a hosts file."""
    for number, line in numbered_lines(body, options.encoding):
        yield from _entries(number, line)


def _entries(number: int, line: str) -> Iterator[Entry | Rejected]:
    address, *names = line.partition("#")[0].split()
    if address not in _USUAL_ADDRESSES and not is_address(address):
        yield Rejected(line, number, "syntax", f"{line[:80]!r} does not begin with an address")
    elif not names:
        yield Rejected(line, number, "syntax", f"{line[:80]!r} has an address but no host")
    else:
        for name in names:
            yield Entry(name, number)


def _names(run: str) -> str:
    """Return lines without the address, which white space follows only where it stands before the name."""
    sink = run[: len(_SINKS[0])] if run.startswith(_SINKS[0]) else _SINKS[1]
    return run.replace(f"{sink} ", "").replace(f"{sink}\t", "")


def is_address(text: str) -> bool:
    """Return whether a text is an IP address, with or without a zone (``fe80::1%eth0``)."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
