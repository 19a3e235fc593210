"""``hosts``: an address and one or more host names per line. Format: hosts(5)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.base import Format
from blocklist.formats.text_body import BARE_NAME, TextOptions, numbered_blocks, numbered_lines

_USUAL_ADDRESSES = frozenset({"0.0.0.0", "127.0.0.1", "::1", "::", "0"})  # noqa: S104 - only parsed, never bound
#: The addresses that published hosts files use most: only these are read in blocks.
_SINKS = ("0.0.0.0", "127.0.0.1")  # noqa: S104 - only parsed, never bound
_BLOCK = re.compile("|".join(rf"^(?:{re.escape(sink)}[ \t]{BARE_NAME}\n){{16,}}+" for sink in _SINKS), re.MULTILINE)


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per host name; the address before it is checked and dropped."""
    for number, line in numbered_lines(body, options.encoding):
        yield from _entries(number, line)


def parse_blocks(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected | LineBlock]:
    """Yield one Entry per host name, but consecutive lines of one usual address and one name as one LineBlock."""
    for item in numbered_blocks(body, options.encoding, _BLOCK, _names):
        if isinstance(item, LineBlock):
            yield item
        else:
            yield from _entries(*item)


def _entries(number: int, line: str) -> Iterator[Entry | Rejected]:
    address, *names = line.partition("#")[0].split()
    if address not in _USUAL_ADDRESSES and not is_address(address):
        yield Rejected(line, number, "syntax", f"{line[:80]!r} does not begin with an address")
    elif not names:
        yield Rejected(line, number, "syntax", f"{line[:80]!r} has an address but no host")
    else:
        for name in names:
            yield Entry(name, number)


def _names(block: str) -> str:
    """Return lines without their address. White space occurs only after it, so a plain replacement is safe."""
    sink = _SINKS[0] if block.startswith(_SINKS[0]) else _SINKS[1]
    return block.replace(f"{sink} ", "").replace(f"{sink}\t", "")


def is_address(text: str) -> bool:
    """Return whether a text is an IP address, with or without a zone (``fe80::1%eth0``)."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


FORMATS = (Format("hosts", TextOptions, parse, line_based=True, parse_blocks=parse_blocks),)
