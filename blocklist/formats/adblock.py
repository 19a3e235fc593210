"""``adblock``: filters of an Adblock list that block a whole site; every other filter is rejected and counted.

A filter blocks a site if it is ``||host^``, also with ``|`` behind it, a note, or modifiers that leave it one for the
whole site (``$all``, ``$document``, ``$important``). What the list takes back is not listed:

- ``@@||host^``, alone or with such modifiers, takes out the filters for that host and for hosts below it. It also
  narrows a filter for a host above it: that one covers only its host itself and its ``www.``, because no rule covers a
  host except for a part of what is below.
- A filter with ``$important`` is taken out only by an exception that has it too.
- ``$badfilter`` takes out the filter that is the same without it, exceptions included.

Between ``!#if`` and ``!#endif``, only the conditions ``true`` and ``false`` are certain. Syntax: the documentation of
Adblock Plus ("How to write filters"), AdGuard and uBlock Origin for modifiers and directives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from blocklist.domain.listing import Entry, ExactEntry, Rejected
from blocklist.formats.adblock_directives import COMMENTS, Section, sections_of
from blocklist.formats.base import Format
from blocklist.formats.text_body import TextOptions, as_text, numbered_lines
from blocklist.normalize.hosts import normalize_host

_HOST_RULE = re.compile(r"\|\|([^/\^$*|\s]+)\^").fullmatch
_FILTER = re.compile(r"(@@)?\|\|([^/\^$*|\s]+)\^\|?(?:\$([^\s$]+))?(?:\s+[!#].*)?").fullmatch
#: The other forms of an exception for a whole site: ``@@||host``, ``@@||host/``, ``@@|https://host^``.
_EXCEPTION = re.compile(r"(@@)\|(?:\||https?://)([^/\^$*|\s]+)[/^]?\|?(?:\$([^\s$]+))?(?:\s+[!#].*)?").fullmatch
#: Characters read at a time in search of exceptions and directives.
_CHUNK = 1 << 20
#: The longest host of DNS, in characters (RFC 1035, 2.3.4).
_MAX_HOST = 253
#: What takes a filter back, each after a character that is rare in lists: only where it occurs is the rest looked for.
_SIGNS = (("@", "@@"), ("$", "badfilter"), ("!", "!#"))
#: With these alone, a filter is for the whole site.
_WHOLE_SITE = frozenset({"all", "document", "important"})
#: Beside ``document`` or ``all``: further kinds of requests.
_KINDS = frozenset(
    {
        *("font", "frame", "image", "media", "object", "other", "ping", "popup", "script", "stylesheet"),
        *("subdocument", "websocket", "xmlhttprequest", "xhr", "css"),
    }
)
_OTHER_NAMES = {"doc": "document"}


class _Filter(NamedTuple):
    """A filter for a host: ``host`` in the form in which filters of the list are compared."""

    host: str
    exception: bool
    modifiers: frozenset[str]

    @property
    def is_for_the_site(self) -> bool:
        rest = self.modifiers - _WHOLE_SITE
        return not rest or (rest <= _KINDS and not self.modifiers.isdisjoint(("all", "document")))


class _TakenBack:
    """What the exceptions and ``$badfilter`` filters of a list take out of it, each with the line that does."""

    def __init__(self) -> None:
        self._disabled: dict[_Filter, int] = {}
        self._exceptions: dict[str, tuple[int, bool]] = {}
        self._above: dict[str, bool] = {}

    def add(self, filters: list[tuple[int, _Filter]]) -> None:
        for number, found in filters:
            if "badfilter" in found.modifiers:
                self._disabled[found._replace(modifiers=found.modifiers - {"badfilter"})] = number
        for number, found in filters:
            if not found.exception or not found.is_for_the_site or found in self._disabled:
                continue
            important = "important" in found.modifiers
            if important or found.host not in self._exceptions:
                self._exceptions[found.host] = (number, important)
            for parent in _and_parents(found.host)[1:]:
                self._above[parent] = self._above.get(parent, False) or important

    def line_that_takes_out(self, found: _Filter) -> int | None:
        """Return the number of the line that takes a filter out, or None."""
        if found in self._disabled:
            return self._disabled[found]
        for host in _and_parents(found.host):
            number, important = self._exceptions.get(host, (0, False))
            if number and (important or "important" not in found.modifiers):
                return number
        return None

    def narrows(self, found: _Filter) -> bool:
        """Return whether an exception is below the host of a filter."""
        important = self._above.get(found.host)
        return important is not None and (important or "important" not in found.modifiers)


_NOTHING = _TakenBack()


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per filter for a whole site; all other filters, and what the list takes back, are rejected.

    :raises UnreadableFeedError: a part of the list is elsewhere (``!#include``), or an ``!#if`` never ends.
    """
    if not _takes_back(body, options.encoding):
        # Nearly all lists: each line is read alone.
        for number, line in numbered_lines(body, options.encoding, COMMENTS, long_comments=False):
            if match := _HOST_RULE(line):
                yield Entry(match[1], number, line)
            else:
                yield from _entries(number, line, _NOTHING)
        return
    taken_back = _taken_back(body, options.encoding)
    for number, line, section in sections_of(body, options.encoding):
        if section is Section.UNCERTAIN:
            reason = "stands between !#if and !#endif: whether it counts depends on the program that reads it"
            yield Rejected(line, number, "conditional", f"{line[:80]!r} {reason}")
        else:
            yield from _entries(number, line, taken_back)


def _entries(number: int, line: str, taken_back: _TakenBack) -> Iterator[Entry | Rejected]:
    match = _FILTER(line)
    found = _filter(match) if match else None
    if match is None or found is None or not found.is_for_the_site or found.exception:
        if line.startswith("@@"):
            why = "is an exception: it takes back filters of this list, and lists nothing"
        elif found is not None and "badfilter" in found.modifiers:
            why = "takes back the same filter without $badfilter, and lists nothing"
        else:
            why = "is not a host rule (||host^)"
        yield Rejected(line, number, "not_a_host_rule", f"{line[:80]!r} {why}")
    elif (by := taken_back.line_that_takes_out(found)) is not None:
        yield Rejected(line, number, "excepted", f"{line[:80]!r} is taken back in line {by}")
    elif taken_back.narrows(found):
        yield ExactEntry(match[2], number, line)
        www = found._replace(host=f"www.{found.host}")
        if not found.host.startswith("www.") and taken_back.line_that_takes_out(www) is None:
            yield ExactEntry(www.host, number, line)
    else:
        yield Entry(match[2], number, line)


def _filter(match: re.Match[str]) -> _Filter:
    names = (name.lower() for name in match[3].split(",")) if match[3] else ()
    return _Filter(
        _canonical(match[2]), match[1] is not None, frozenset(_OTHER_NAMES.get(name, name) for name in names)
    )


def _canonical(host: str) -> str:
    """Return a host as it is compared with others of the list; one that no browser could open is returned as it is."""
    try:
        return normalize_host(host)
    except ValueError:
        return host


def _and_parents(host: str) -> list[str]:
    if len(host) > _MAX_HOST:
        return [host]
    labels = host.split(".")
    return [".".join(labels[index:]) for index in range(len(labels))]


def _taken_back(body: BinaryIO, encoding: str) -> _TakenBack:
    """Return what a list takes back, and leave its body where it is."""
    position = body.tell()
    taken_back = _TakenBack()
    taken_back.add(
        [
            (number, _filter(match))
            for number, line, section in sections_of(body, encoding)
            if section is Section.READ
            and (line.startswith("@@") or "badfilter" in line)
            and (match := _FILTER(line) or _EXCEPTION(line))
        ]
    )
    body.seek(position)
    return taken_back


def _takes_back(body: BinaryIO, encoding: str) -> bool:
    """Return whether a list may have exceptions, ``$badfilter`` or directives, and leave its body where it is."""
    position = body.tell()
    before, found = "", False
    with as_text(body, encoding) as text:
        while not found and (chunk := before + text.read(_CHUNK)) != before:
            # A single character is found many times faster than the sign that has it.
            found = any(character in chunk and sign in chunk for character, sign in _SIGNS)
            before = chunk[-16:]
    body.seek(position)
    return found


FORMATS = (Format("adblock", TextOptions, parse, line_based=True),)
