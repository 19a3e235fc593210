"""Find what is known of a host: a table from patterns of hosts to rows, with a quick test for hosts that have none.

A pattern is a host (``web.archive.org``); ``*.`` in front stands for one or more labels; ``TLD`` at the end for the
top-level domains under which a company has the same name in every country: ``com``, ``de``, ``co.uk``, ``com.br``.
No public-suffix list is needed: lookups have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from string import ascii_lowercase
from typing import Generic, TypeVar
from zlib import crc32

Row = TypeVar("Row")
_TLD = ".TLD"
_COUNTRIES = tuple(map("".join, product(ascii_lowercase, repeat=2)))


class HostPatterns(Generic[Row]):
    """Rows by patterns of hosts."""

    def __init__(self, rows: Iterable[tuple[str, Row]]) -> None:
        """``rows`` are patterns with their rows, in the order in which :meth:`find` returns them."""
        self._exact: dict[str, list[Row]] = {}
        self._below: dict[str, list[Row]] = {}
        self._stems: dict[str, list[Row]] = {}
        endings: dict[str, set[str]] = {}
        for pattern, row in rows:
            if pattern.endswith(_TLD):
                stem = pattern.removesuffix(_TLD)
                self._stems.setdefault(stem, []).append(row)
                for last_two, ending in _country_endings(stem.rpartition(".")[2]):
                    endings.setdefault(last_two, set()).add(ending)
            else:
                table = self._below if pattern.startswith("*.") else self._exact
                name = pattern.removeprefix("*")
                table.setdefault(name, []).append(row)
                endings.setdefault(".".join(name.split(".")[-2:]), set()).add(name)
        names = "|".join(sorted({re.escape(stem.rpartition(".")[2]) for stem in self._stems})) or "(?!)"
        #: A host of a company in any country; group 1 is the host without its top-level domain.
        self._in_country = re.compile(rf"((?:[a-z]+\.)?(?:{names}))\.(?:com|cat|[a-z]{{2}}|com?\.[a-z]{{2}})").fullmatch
        #: By the CRC-32 of the last two labels of a host: how it must end to have a row. Callers that have the CRC-32
        #: of these labels test this first, so that the lookup of any other host pays for nothing more.
        self.endings = {crc32(end.encode()): tuple(sorted(found)) for end, found in endings.items()}

    def has(self, host: str) -> bool:
        """Return whether a canonical host has a row."""
        return bool(self.find(host))

    def find(self, host: str) -> list[Row]:
        """Return the rows of a canonical host."""
        hashed = crc32(host[host.rfind(".", 0, max(host.rfind("."), 0)) + 1 :].encode("utf-8", "surrogatepass"))
        if hashed not in self.endings or not host.endswith(self.endings[hashed]):
            return []
        found = list(self._exact.get(host, ()))
        for suffix, rows in self._below.items():
            if host.endswith(suffix):
                found += rows
        match = self._in_country(host)
        return found + self._stems.get(match[1], []) if match else found


def _country_endings(name: str) -> Iterator[tuple[str, str]]:
    """Yield the last two labels of each host ``name.TLD``, and the host."""
    for tld in ("com", "cat", *_COUNTRIES):
        yield f"{name}.{tld}", f"{name}.{tld}"
    for country in _COUNTRIES:
        for second in ("co", "com"):
            yield f"{second}.{country}", f"{name}.{second}.{country}"
