"""What a feed of the catalog makes of its sample, in the form of ``sample.expected.json``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from blocklist.definitions.catalog import from_catalog, sample_of
from blocklist.definitions.definition import FeedDefinition
from blocklist.refresh.body_reader import BodyReader

FACTS = ("reference", "legal_basis", "published_at", "authority", "country")


def read(definition: FeedDefinition, path: Path) -> tuple[BodyReader, list[dict[str, Any]]]:
    """Return the reader of a body, and each distinct rule with what the body first says of it."""
    reader = BodyReader(definition)
    rules: dict[tuple[str, str, str], dict[str, Any]] = {}
    with path.open("rb") as body:
        for entry, rule in reader.read(body):
            said = {"rule": [str(part) for part in rule], "entry": entry.raw or entry.site, "position": entry.position}
            said |= {fact: getattr(entry, fact) for fact in FACTS if getattr(entry, fact)}
            rules.setdefault((rule.kind, rule.value, rule.scope), said)
    return reader, list(rules.values())


def result(name: str) -> dict[str, Any]:
    """Return what the sample of a feed in the catalog gives."""
    reader, rules = read(from_catalog(name), sample_of(name))
    return {
        "entries": reader.entries,
        "rejected": dict(Counter(reader.rejected)),
        "rules": rules,
        "rejections": [{"position": r.position, "code": r.code, "raw": r.raw} for r in reader.rejections],
    }
