"""``hosts``: an address that leads nowhere and one or more host names per line. Format: hosts(5)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from pydantic import AfterValidator, BeforeValidator

from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.base import Format
from blocklist.formats.text_body import BARE_NAME, TextOptions, numbered_blocks, numbered_lines

#: Addresses that lead to no other machine; ``fe80::1%lo0`` is that of macOS.
_NOWHERE = frozenset({"0.0.0.0", "127.0.0.1", "::1", "::", "0", "fe80::1%lo0"})  # noqa: S104 - only parsed, never bound
#: The addresses that published hosts files use most: only these are read in blocks.
_SINKS = ("0.0.0.0", "127.0.0.1")  # noqa: S104 - only parsed, never bound
_BLOCK = re.compile("|".join(rf"^(?>(?:{re.escape(sink)}[ \t]{BARE_NAME}\n){{16,}})" for sink in _SINKS), re.MULTILINE)


#: How a word begins with which a comment begins, and what may begin one behind a name.
_COMMENTS = ("#", ";", "//", "--", "!")
_HOST = re.compile(r"(?:[\w*-]+\.)+[^\W\d_][\w-]*\.?|https?://\S+").fullmatch


def _addresses(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError(f"{text!r} is not an IP address")
    return text


class HostsOptions(TextOptions):
    """Options of ``hosts``: those of a text, and ``sinks``, addresses that block beside those that lead nowhere."""

    sinks: Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], BeforeValidator(_addresses)] = ()


def parse(body: BinaryIO, options: HostsOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per host name; the address before it is checked and dropped."""
    for number, line in numbered_lines(body, options.encoding):
        yield from _entries(number, line, options.sinks)


def parse_blocks(body: BinaryIO, options: HostsOptions) -> Iterator[Entry | Rejected | LineBlock]:
    """Yield one Entry per host name, but consecutive lines of one usual address and one name as one LineBlock."""
    for item in numbered_blocks(body, options.encoding, _BLOCK, _names):
        if isinstance(item, LineBlock):
            yield item
        else:
            yield from _entries(*item, options.sinks)


def _entries(number: int, line: str, sinks: tuple[str, ...]) -> Iterator[Entry | Rejected]:
    address, *names = _without_comment(line)
    if address not in _NOWHERE and not is_address(address):
        yield Rejected(line, number, "syntax", f"{line[:80]!r} does not begin with an address")
    elif not names:
        yield Rejected(line, number, "syntax", f"{line[:80]!r} has an address but no host")
    elif not _blocks(address, sinks):
        reason = f"sends the name to {address} instead of blocking it (option sinks: addresses that block)"
        yield Rejected(line, number, "not_a_block", f"{line[:80]!r} {reason}")
    elif 0 < len([name for name in names if _HOST(name)]) < len(names):
        reason = "has a word behind the address that is no host: it may be a note"
        yield Rejected(line, number, "syntax", f"{line[:80]!r} {reason}")
    else:
        for name in names:
            yield Entry(name, number)


def _without_comment(line: str) -> list[str]:
    """Return the words of a line before its comment, which may follow a name without a space (``a.example//why``)."""
    words = line.partition("#")[0].split()
    for index, word in enumerate(words):
        if word.startswith(_COMMENTS):
            return words[:index] or [word]
        if "//" in word and "://" not in word:
            return [*words[:index], word.partition("//")[0]]
    return words or [""]


def _blocks(address: str, sinks: tuple[str, ...]) -> bool:
    if address in _NOWHERE or address in sinks:
        return True
    return "%" not in address and ipaddress.ip_address(address).is_loopback


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


FORMATS = (Format("hosts", HostsOptions, parse, line_based=True, parse_blocks=parse_blocks),)
