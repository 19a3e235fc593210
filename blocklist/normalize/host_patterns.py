"""Find what is known of a host: a table from patterns of hosts to rows.

A pattern is a host (``web.archive.org``); ``*.`` in front stands for one or more labels; ``TLD`` at the end for the
top-level domains under which a company has the same name in every country: ``com``, ``de``, ``co.uk``, ``com.br``.
No public-suffix list is needed: lookups have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Row = TypeVar("Row")
_TLD = ".TLD"
#: The top-level domains of countries (IANA, Root Zone Database): a text, since it is shorter than a list.
_COUNTRIES = (
    "ac ad ae af ag ai al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc "
    "cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr "
    "ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm "
    "jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp "
    "mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw "
    "py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl "
    "tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)


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
        #: By the last two labels of a host: how it must end to have a row.
        self._endings = {end: tuple(sorted(found)) for end, found in endings.items()}

    def names(self) -> Iterator[str]:
        """Yield hosts such that every host that has a row is one of them or below one."""
        for endings in self._endings.values():
            yield from (ending.removeprefix(".") for ending in endings)

    def has(self, host: str) -> bool:
        """Return whether a canonical host has a row."""
        return bool(self.find(host))

    def find(self, host: str) -> list[Row]:
        """Return the rows of a canonical host."""
        endings = self._endings.get(host[host.rfind(".", 0, max(host.rfind("."), 0)) + 1 :])
        if endings is None or not host.endswith(endings):
            return []
        found = list(self._exact.get(host, ()))
        for suffix, rows in self._below.items():
            if host.endswith(suffix):
                found += rows
        match = self._in_country(host)
        return found + self._stems.get(match[1], []) if match else found


def _country_endings(name: str) -> Iterator[tuple[str, str]]:
    """Yield the last two labels of each host ``name.TLD``, and the host."""
    for tld in ("com", "cat", *_COUNTRIES.split()):
        yield f"{name}.{tld}", f"{name}.{tld}"
    for country in _COUNTRIES.split():
        for second in ("co", "com"):
            yield f"{second}.{country}", f"{name}.{second}.{country}"
