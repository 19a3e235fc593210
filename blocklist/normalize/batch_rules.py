"""Lines to rules many at once: one regular expression tells which lines are hosts, canonical as they are written.

What it does not match goes one by one through :mod:`blocklist.normalize.rules`, and gives the same as if all lines did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from blocklist.domain.listing import Entry, HostBlock, LineBlock, Rejected, Rule
from blocklist.normalize.canonical_host import MAX_HOST
from blocklist.normalize.rules import Reading, rule_maker
from blocklist.normalize.suffixes import perhaps_public_suffixes

#: Lines of plain hosts, from the beginning of one: none that begins with ``www.``, none with a label in punycode.
_PLAIN = re.compile(rf"^(?:(?=[^\n]{{1,{MAX_HOST}}}\n)(?!www\.)(?:(?!xn--)[a-z0-9_-]++\.)++[a-z]++\n)++", re.MULTILINE)
_Ruled = tuple[Entry, Rule] | Rejected


def rules_in_blocks(items: Iterable[Entry | Rejected | LineBlock], reading: Reading) -> Iterator[_Ruled | HostBlock]:
    """Yield what :func:`blocklist.normalize.rules.rules_of` does, plain hosts on consecutive lines together."""
    ruled = rule_maker(reading)
    for item in items:
        if not isinstance(item, LineBlock):
            yield ruled(item)
        elif reading.entries == "apps":
            yield from map(ruled, item.entries())
        else:
            yield from _sites(item, reading, ruled)


def _sites(
    lines: LineBlock, reading: Reading, ruled: Callable[[Entry | Rejected], _Ruled]
) -> Iterator[_Ruled | HostBlock]:
    text, number = lines
    at = 0
    for run in _PLAIN.finditer(text):
        between = LineBlock(text[at : run.start()], number)
        yield from map(ruled, between.entries())
        number += between.text.count("\n")
        hosts = run[0].split("\n")[:-1]
        begins = 0
        for index in perhaps_public_suffixes(hosts):
            if begins < index:
                yield HostBlock(hosts[begins:index], number + begins, reading.scope)
            yield ruled(Entry(hosts[index], number + index))
            begins = index + 1
        if begins < len(hosts):
            yield HostBlock(hosts[begins:], number + begins, reading.scope)
        number += len(hosts)
        at = run.end()
    yield from map(ruled, LineBlock(text[at:], number).entries())
