"""Convert many lines to rules at once: one regular expression finds lines that are canonical hosts as written.

All other lines go one by one through :mod:`blocklist.normalize.rules`. Tests hold that the result is the same as if
every line did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from blocklist.domain.listing import Entry, HostBlock, LineBlock, Rejected
from blocklist.normalize.canonical_host import MAX_HOST
from blocklist.normalize.entry_checks import is_run_together
from blocklist.normalize.rules import Reading, RuledEntry, rule_maker
from blocklist.normalize.suffixes import hosts_to_check

#: Atomic groups instead of possessive ones: those are matched wrongly by Python before 3.11.5 (CPython issue 106052).
#: Consecutive lines of canonical hosts: without a leading ``www.`` or address of a hosts file, and without a label in
#: punycode.
_CANONICAL_HOSTS = re.compile(
    rf"^(?>(?:(?=[^\n]{{1,{MAX_HOST}}}\n)(?!www\.|0\.0\.0\.0|127\.0\.0\.1)(?>(?:(?!xn--)[a-z0-9_-]++\.)+)[a-z]++\n)+)",
    re.MULTILINE,
)


def rules_in_blocks(
    items: Iterable[Entry | Rejected | LineBlock], reading: Reading
) -> Iterator[RuledEntry | HostBlock]:
    """Yield each item as :func:`.rules.rule_maker` makes it, but consecutive canonical hosts as one block."""
    make_rule = rule_maker(reading)
    for item in items:
        if not isinstance(item, LineBlock):
            yield make_rule(item)
        elif reading.entries == "apps":
            yield from map(make_rule, item.entries())
        else:
            yield from _sites(item, reading, make_rule)


def _sites(
    block: LineBlock, reading: Reading, make_rule: Callable[[Entry | Rejected], RuledEntry]
) -> Iterator[RuledEntry | HostBlock]:
    text, position = block
    done = 0
    for run in _CANONICAL_HOSTS.finditer(text):
        before = LineBlock(text[done : run.start()], position)
        yield from map(make_rule, before.entries())
        position += before.text.count("\n")
        hosts = run[0].split("\n")[:-1]
        begin = 0
        checked = hosts_to_check(hosts)
        # None of them begins with it, so it is within one that may be two names.
        if "www." in run[0]:
            checked = sorted({*checked, *(index for index, host in enumerate(hosts) if is_run_together(host))})
        for index in checked:
            if begin < index:
                yield HostBlock(hosts[begin:index], position + begin, reading.scope)
            yield make_rule(Entry(hosts[index], position + index))
            begin = index + 1
        if begin < len(hosts):
            yield HostBlock(hosts[begin:], position + begin, reading.scope)
        position += len(hosts)
        done = run.end()
    yield from map(make_rule, LineBlock(text[done:], position).entries())
