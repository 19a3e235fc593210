"""What a feed of the catalog makes of its sample, in the form of ``sample.expected.json``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blocklist.definitions.catalog import from_catalog, sample_of
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Entry, HostBlock, Rule
from blocklist.refresh.body_reader import BodyReader, ReadResult, opened_body

FACTS = ("reference", "legal_basis", "published_at", "authority", "country")


def entries(reader: BodyReader) -> Iterator[tuple[Entry, Rule]]:
    """Yield each entry with its rule, one by one."""
    for item in reader.read_in_blocks():
        yield from item.ruled() if isinstance(item, HostBlock) else [item]


def read(definition: FeedDefinition, path: Path) -> tuple[ReadResult, list[dict[str, Any]]]:
    """Return the figures of reading a body, and each distinct rule with the facts of its first entry."""
    rules: dict[tuple[str, str, str], dict[str, Any]] = {}
    with path.open("rb") as body, opened_body(definition, body) as opened:
        reader = BodyReader(opened)
        for entry, rule in entries(reader):
            said = {"rule": [str(part) for part in rule], "entry": entry.raw or entry.site, "position": entry.position}
            said |= {fact: getattr(entry, fact) for fact in FACTS if getattr(entry, fact)}
            rules.setdefault((rule.kind, rule.value, rule.scope), said)
    return reader.result(), list(rules.values())


def result(name: str) -> dict[str, Any]:
    """Return what the sample of a feed in the catalog gives."""
    figures, rules = read(from_catalog(name), sample_of(name))
    return {
        "entries": figures.entries,
        "rejected": figures.rejected_by_code,
        "rules": rules,
        "rejections": [{"position": r.position, "code": r.code, "raw": r.raw} for r in figures.rejections],
    }
