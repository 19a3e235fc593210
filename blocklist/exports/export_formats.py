"""The formats of exports. Each writes a line at a time, and counts what it cannot say instead of saying it wrongly."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from blocklist.domain.listing import RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.exports.export_rows import Row, Stated
from blocklist.text.csv_cells import csv_line
from blocklist.text.sanitize import sanitize

#: Names as DNS servers, proxies and ad servers take them.
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*").fullmatch
_COLUMNS = ("rule", "kind_of_rule", "scope", "override", *Stated._fields)
#: Characters of a name within a response policy zone: 255 bytes on the wire (RFC 1035), less the zone's own name.
_RPZ_LONGEST = 200


class About(NamedTuple):
    """What an export is of."""

    title: str
    version: int
    made_at: str


Write = Callable[[Iterator[Row], About, Counter[str]], Iterator[str]]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: for what, what it cannot say, and how it is written. ``part`` is how many lines one list may have."""

    name: str
    media_type: str
    suffix: str
    use: str
    loses: str
    write: Write
    part: int | None = None


def _csv(rows: Iterator[Row], _: About, __: Counter[str]) -> Iterator[str]:
    yield ",".join(_COLUMNS) + "\r\n"
    for item in _items(rows):
        yield csv_line(item[name] for name in _COLUMNS)


def _jsonl(rows: Iterator[Row], _: About, __: Counter[str]) -> Iterator[str]:
    for item in _items(rows):
        yield json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n"


def _json(rows: Iterator[Row], about: About, __: Counter[str]) -> Iterator[str]:
    head = json.dumps({"of": about.title, "version": about.version, "made_at": about.made_at}, ensure_ascii=False)
    yield head[:-1] + ', "listings": ['
    between = "\n"
    for item in _items(rows):
        yield between + json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        between = ",\n"
    yield "\n]}\n"


def _items(rows: Iterator[Row]) -> Iterator[dict[str, Any]]:
    """Yield one object a listing, and one an override."""
    for rule, stated, override in rows:
        of = {"rule": rule.value, "kind_of_rule": rule.kind.value, "scope": rule.scope.value, "override": None}
        if override:
            nobody = dict.fromkeys(Stated._fields) | {"entry": override.reason, "listed_from": override.created_at}
            yield of | {"override": override.action.value} | nobody
        for item in stated:
            yield of | item._asdict()


def _lines(rows: Iterator[Row], _: About, left_out: Counter[str]) -> Iterator[str]:
    for host, _subtree, allowed in _hosts(rows, left_out, exact=False, exceptions=False):
        assert not allowed
        yield f"{host}\n"


def _dv360(rows: Iterator[Row], about: About, left_out: Counter[str]) -> Iterator[str]:
    for line in _lines(rows, about, left_out):
        # Labels below the two of a name that is registered; bytes of one line.
        if line.count(".") - 1 > 5 or len(line) > 241:
            left_out["too deep or long"] += 1
        else:
            yield line


def _hosts_file(rows: Iterator[Row], about: About, left_out: Counter[str]) -> Iterator[str]:
    yield f"# {sanitize(about.title, 200)}, version {about.version}, {about.made_at}\n"
    for host, _subtree, _allowed in _hosts(rows, left_out, exact=True, exceptions=False):
        yield f"0.0.0.0 {host}\n"
    yield f"# left out: {_said(left_out)}\n"


def _adblock(rows: Iterator[Row], about: About, left_out: Counter[str]) -> Iterator[str]:
    yield f"! Title: {sanitize(about.title, 200)}\n! Version: {about.version}\n! Last modified: {about.made_at}\n"
    for host, _subtree, allowed in _hosts(rows, left_out, exact=False, exceptions=True):
        yield f"{'@@' if allowed else ''}||{host}^\n"
    yield f"! Left out: {_said(left_out)}\n"


def _rpz(rows: Iterator[Row], about: About, left_out: Counter[str]) -> Iterator[str]:
    yield f"; {sanitize(about.title, 200)}, {about.made_at}\n$TTL 300\n"
    yield f"@ IN SOA localhost. root.localhost. {about.version} 3600 600 86400 300\n@ IN NS localhost.\n"
    for host, subtree, allowed in _hosts(rows, left_out, exact=True, exceptions=True):
        if len(host) > _RPZ_LONGEST:
            left_out["too deep or long"] += 1
            continue
        action = "rpz-passthru." if allowed else "."
        yield f"{host} CNAME {action}\n"
        if subtree:
            yield f"*.{host} CNAME {action}\n"
    yield f"; left out: {_said(left_out)}\n"


def _nginx_map(rows: Iterator[Row], about: About, left_out: Counter[str]) -> Iterator[str]:
    yield f"# {sanitize(about.title, 200)}, version {about.version}, {about.made_at}\n"
    for host, subtree, allowed in _hosts(rows, left_out, exact=True, exceptions=True):
        yield f"{'.' if subtree else ''}{host} {'0' if allowed else '1'};\n"
    yield f"# left out: {_said(left_out)}\n"


def _hosts(
    rows: Iterator[Row], left_out: Counter[str], *, exact: bool, exceptions: bool
) -> Iterator[tuple[str, bool, bool]]:
    """Yield hosts, each once, with whether all below them is meant, and whether they are allowed and not blocked.

    What would become wider or wrong in the format is counted and left out: ``exact`` says that it can name a host
    without what is below it, ``exceptions`` that it can say what is allowed.
    """
    for value, group in groupby(rows, key=lambda row: row.rule.value):
        same = list(group)
        hosts = [row for row in same if row.rule.kind is RuleKind.HOST]
        for row in same:
            if row.rule.kind is not RuleKind.HOST:
                left_out[f"{row.rule.kind.value} rules"] += 1
        if not hosts:
            continue
        # Of a host's overrides the latest holds, and what it says holds for all below.
        word = max((row.override for row in hosts if row.override), key=lambda item: item.id, default=None)
        allowed = word is not None and word.action is OverrideAction.ALLOW
        subtree = any(row.rule.scope is Scope.SUBTREE for row in hosts)
        if not _NAME(value):
            left_out["unusual names"] += 1
        elif not exact and not subtree:
            left_out["hosts without what is below"] += 1
        elif allowed and not exceptions:
            left_out["exceptions"] += 1
        else:
            yield value, subtree, allowed


def _said(left_out: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(left_out.items())) or "nothing"


_NO_PAGES = "URL, address and app rules"
_ALL_WIDER = f"{_NO_PAGES}; hosts listed without what is below them; exceptions below a listed site"
_TEXT = "text/plain; charset=utf-8"

#: Every format, by name.
EXPORTS: dict[str, ExportFormat] = {
    item.name: item
    for item in (
        ExportFormat("csv", "text/csv; charset=utf-8", "csv", "spreadsheets", "nothing", _csv),
        ExportFormat("json", "application/json", "json", "programs: one document", "nothing", _json),
        ExportFormat("jsonl", "application/x-ndjson", "jsonl", "programs: an object a line", "nothing", _jsonl),
        ExportFormat("lines", _TEXT, "txt", "systems that take hosts, each with all below it", _ALL_WIDER, _lines),
        ExportFormat(
            *("hosts", _TEXT, "hosts", "hosts(5)"),
            f"{_NO_PAGES}; all that is below a host: hosts files know no subtree",
            _hosts_file,
        ),
        ExportFormat(
            *("adblock", _TEXT, "txt", "ad blockers"), f"{_NO_PAGES}; hosts listed without what is below them", _adblock
        ),
        ExportFormat("rpz", _TEXT, "zone", "DNS servers (response policy zone)", _NO_PAGES, _rpz),
        ExportFormat(
            *("nginx-map", _TEXT, "map", "nginx: include it in a `map` with `hostnames`"), _NO_PAGES, _nginx_map
        ),
        ExportFormat(
            *("google-ad-manager", _TEXT, "txt", "a protection of Google Ad Manager: 25,000 lines a part"),
            *(_ALL_WIDER, _lines, 25_000),
        ),
        ExportFormat(
            *("dv360", _TEXT, "txt", "a channel of Display & Video 360"),
            f"{_ALL_WIDER}; names with more than five levels below a site or 240 bytes",
            _dv360,
        ),
    )
}
