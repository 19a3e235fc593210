"""The formats of exports. Each writes a line at a time. It counts what it cannot express, and leaves that out."""

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
from blocklist.exports.export_rows import ExportedListing, ExportedRule
from blocklist.text.csv_cells import csv_line
from blocklist.text.sanitize import sanitize

#: Names that DNS servers, proxies and ad servers accept.
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*").fullmatch
_COLUMNS = ("rule", "kind_of_rule", "scope", "override", *ExportedListing._fields)


class ExportHeader(NamedTuple):
    """What an export contains: its policy or feed in words, the version of the snapshot, and when it was made."""

    title: str
    version: int
    made_at: str


Write = Callable[[Iterator[ExportedRule], ExportHeader, Counter[str]], Iterator[str]]


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: its use, what it loses, and how it is written; ``part`` is the most lines of one list, None for any."""

    name: str
    media_type: str
    suffix: str
    use: str
    loses: str
    write: Write
    part: int | None = None


def _csv(rows: Iterator[ExportedRule], _: ExportHeader, __: Counter[str]) -> Iterator[str]:
    yield ",".join(_COLUMNS) + "\r\n"
    for item in _items(rows):
        yield csv_line(item[name] for name in _COLUMNS)


def _jsonl(rows: Iterator[ExportedRule], _: ExportHeader, __: Counter[str]) -> Iterator[str]:
    for item in _items(rows):
        yield json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n"


def _json(rows: Iterator[ExportedRule], header: ExportHeader, __: Counter[str]) -> Iterator[str]:
    head = json.dumps({"of": header.title, "version": header.version, "made_at": header.made_at}, ensure_ascii=False)
    yield head[:-1] + ', "listings": ['
    between = "\n"
    for item in _items(rows):
        yield between + json.dumps(item, ensure_ascii=False, separators=(",", ":"))
        between = ",\n"
    yield "\n]}\n"


def _items(rows: Iterator[ExportedRule]) -> Iterator[dict[str, Any]]:
    """Yield one object for each listing, and one for each override."""
    for rule, listings, override in rows:
        of = {"rule": rule.value, "kind_of_rule": rule.kind.value, "scope": rule.scope.value, "override": None}
        if override:
            facts = {"entry": override.reason, "listed_from": override.created_at}
            yield of | {"override": override.action.value} | dict.fromkeys(ExportedListing._fields) | facts
        for item in listings:
            yield of | item._asdict()


def _lines(rows: Iterator[ExportedRule], _: ExportHeader, left_out: Counter[str]) -> Iterator[str]:
    for host, _subtree, allowed in _hosts(rows, left_out, exact=False, exceptions=False):
        assert not allowed
        yield f"{host}\n"


def _dv360(rows: Iterator[ExportedRule], header: ExportHeader, left_out: Counter[str]) -> Iterator[str]:
    for line in _lines(rows, header, left_out):
        # At most five labels below a registered name of two, and 240 bytes and a line break.
        if line.count(".") - 1 > 5 or len(line) > 241:
            left_out["too deep or long"] += 1
        else:
            yield line


def _hosts_file(rows: Iterator[ExportedRule], header: ExportHeader, left_out: Counter[str]) -> Iterator[str]:
    yield f"# {sanitize(header.title, 200)}, version {header.version}, {header.made_at}\n"
    for host, _subtree, _allowed in _hosts(rows, left_out, exact=True, exceptions=False):
        yield f"0.0.0.0 {host}\n"
    yield f"# left out: {_summary(left_out)}\n"


def _adblock(rows: Iterator[ExportedRule], header: ExportHeader, left_out: Counter[str]) -> Iterator[str]:
    yield f"! Title: {sanitize(header.title, 200)}\n! Version: {header.version}\n! Last modified: {header.made_at}\n"
    for host, _subtree, allowed in _hosts(rows, left_out, exact=False, exceptions=True):
        yield f"{'@@' if allowed else ''}||{host}^\n"
    yield f"! Left out: {_summary(left_out)}\n"


def _rpz(rows: Iterator[ExportedRule], header: ExportHeader, left_out: Counter[str]) -> Iterator[str]:
    yield f"; {sanitize(header.title, 200)}, {header.made_at}\n$TTL 300\n"
    yield f"@ IN SOA localhost. root.localhost. {header.version} 3600 600 86400 300\n@ IN NS localhost.\n"
    for host, subtree, allowed in _hosts(rows, left_out, exact=True, exceptions=True):
        # A name has at most 255 bytes (RFC 1035), with the name of the zone.
        if len(host) > 200:
            left_out["too deep or long"] += 1
            continue
        action = "rpz-passthru." if allowed else "."
        yield f"{host} CNAME {action}\n"
        if subtree:
            yield f"*.{host} CNAME {action}\n"
    yield f"; left out: {_summary(left_out)}\n"


def _nginx_map(rows: Iterator[ExportedRule], header: ExportHeader, left_out: Counter[str]) -> Iterator[str]:
    yield f"# {sanitize(header.title, 200)}, version {header.version}, {header.made_at}\n"
    for host, subtree, allowed in _hosts(rows, left_out, exact=True, exceptions=True):
        yield f"{'.' if subtree else ''}{host} {'0' if allowed else '1'};\n"
    yield f"# left out: {_summary(left_out)}\n"


def _hosts(
    rows: Iterator[ExportedRule], left_out: Counter[str], *, exact: bool, exceptions: bool
) -> Iterator[tuple[str, bool, bool]]:
    """Yield each host once, with whether its subdomains are included, and whether it is allowed instead of blocked.

    A rule that the format would make wider or wrong is counted and left out. ``exact``: the format can name a host
    without its subdomains. ``exceptions``: it can name hosts that are allowed.
    """
    for value, group in groupby(rows, key=lambda row: row.rule.value):
        same = list(group)
        hosts = [row for row in same if row.rule.kind is RuleKind.HOST]
        for row in same:
            if row.rule.kind is not RuleKind.HOST:
                left_out[f"{row.rule.kind.value} rules"] += 1
        if not hosts:
            continue
        # The latest override of a host is in force, for its subdomains too.
        latest = max((row.override for row in hosts if row.override), key=lambda item: item.id, default=None)
        allowed = latest is not None and latest.action is OverrideAction.ALLOW
        subtree = any(row.rule.scope is Scope.SUBTREE for row in hosts)
        if not _NAME(value):
            left_out["unusual names"] += 1
        elif not exact and not subtree:
            left_out["hosts without what is below"] += 1
        elif allowed and not exceptions:
            left_out["exceptions"] += 1
        else:
            yield value, subtree, allowed


def _summary(left_out: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in sorted(left_out.items())) or "nothing"


_HOSTS_ONLY = "URL, address and app rules"
_SUBTREES_ONLY = f"{_HOSTS_ONLY}; hosts listed without what is below them"
_NO_EXCEPTIONS = f"{_SUBTREES_ONLY}; exceptions below a listed site"
_NO_SUBTREES = f"{_HOSTS_ONLY}; all that is below a host: hosts files know no subtree"
_DV360_LIMITS = f"{_NO_EXCEPTIONS}; names with more than five levels below a site or 240 bytes"
_AD_MANAGER = "a protection of Google Ad Manager: 25,000 lines a part"
_NGINX = "nginx: include it in a `map` with `hostnames`"
_TEXT = "text/plain; charset=utf-8"

#: Every format, by name.
EXPORTS: dict[str, ExportFormat] = {
    item.name: item
    for item in (
        ExportFormat("csv", "text/csv; charset=utf-8", "csv", "spreadsheets", "nothing", _csv),
        ExportFormat("json", "application/json", "json", "programs: one document", "nothing", _json),
        ExportFormat("jsonl", "application/x-ndjson", "jsonl", "programs: an object a line", "nothing", _jsonl),
        ExportFormat("lines", _TEXT, "txt", "systems that take hosts, each with all below it", _NO_EXCEPTIONS, _lines),
        ExportFormat("hosts", _TEXT, "hosts", "hosts(5)", _NO_SUBTREES, _hosts_file),
        ExportFormat("adblock", _TEXT, "txt", "ad blockers", _SUBTREES_ONLY, _adblock),
        ExportFormat("rpz", _TEXT, "zone", "DNS servers (response policy zone)", _HOSTS_ONLY, _rpz),
        ExportFormat("nginx-map", _TEXT, "map", _NGINX, _HOSTS_ONLY, _nginx_map),
        ExportFormat("google-ad-manager", _TEXT, "txt", _AD_MANAGER, _NO_EXCEPTIONS, _lines, part=25_000),
        ExportFormat("dv360", _TEXT, "txt", "a channel of Display & Video 360", _DV360_LIMITS, _dv360),
    )
}
