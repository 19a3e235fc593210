"""Guards: what a run must not do without a person looking, each a sentence with its figures.

A guard either *fails* the run (no approval could make sense of the body) or *holds* it (a person decides). Entries that
must never become rules, public suffixes above all, are refused one by one in :mod:`blocklist.normalize.rules`, and the
run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blocklist.config import GuardSettings
from blocklist.definition import FeedDefinition
from blocklist.errors import UnreadableFeedError
from blocklist.store.listings import Diff
from blocklist.vocabulary import Counts

_MAGIC = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip archive or spreadsheet",
    b"%PDF": "a PDF document",
    b"\x28\xb5\x2f\xfd": "zstandard data",
    b"\xfd7zXZ": "xz data",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x89PNG": "an image",
}
_WIDE_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
#: Bytes looked at: enough for any preamble.
_HEAD = 65_536


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard as the documentation lists it: its name, what it does to a run, its setting, and when it speaks."""

    name: str
    effect: str
    setting: str
    speaks: str


#: The table of docs/operations.md is generated from this one.
GUARDS = (
    Guard("empty_body", "fails the run", "", "the body has no bytes but white space"),
    Guard("markup", "fails the run", "", "the body is an HTML or XML page: a login, an error, a moved list"),
    Guard("binary", "fails the run", "", "the body is an archive, a document, or text of another encoding"),
    Guard("no_entries", "fails the run", "", "not one row became a rule"),
    Guard("rejected", "holds the run", "max_rejected", "more than this share of the rows became no rule"),
    Guard(
        "removed",
        "holds the run",
        "max_removed",
        "two or more sites, and more than this share of those listed, would go",
    ),
    Guard("public_suffix", "refuses the entry", "", "the host is a public suffix, such as co.uk or blogspot.com"),
    Guard("single_label", "refuses the entry", "", "the host has no dot and is no top-level domain, such as localhost"),
    Guard("private_address", "refuses the entry", "", "the address is not one of the public internet"),
)


def check_body(body: Path | BinaryIO, encoding: str, holds: str = "text") -> None:
    """Look at the first bytes of a body for what is no list in any format; an open one is left at its beginning.

    ``holds`` is what a body of the feed's format is made of: ``text``, ``markup`` or ``binary``.

    :raises UnreadableFeedError: what it is instead.
    """
    if isinstance(body, Path):
        with body.open("rb") as file:
            head = file.read(_HEAD)
    else:
        head = body.read(_HEAD)
        body.seek(0)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise UnreadableFeedError("the body is empty: a list is never published as nothing")
    if holds == "binary":
        return
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise UnreadableFeedError(f"the body is {name}, not a list in text")
    if encoding.startswith(("utf-16", "utf-32")):
        return
    for mark, name in _WIDE_MARKS.items():
        if head.startswith(mark):
            raise UnreadableFeedError(f"the body is text in {name}: set the option encoding={name}")
    if b"\0" in head:
        raise UnreadableFeedError("the body holds NUL bytes: it is binary, or text in utf-16 (set encoding=utf-16)")
    if text.startswith(b"<") and holds != "markup":
        start = text[:60].decode("utf-8", "replace").split("\n")[0].strip()
        raise UnreadableFeedError(f"the body is an HTML or XML page, not a list: it begins with {start!r}")


def check_counts(counts: Counts) -> None:
    """Make sure that a body had anything to say.

    :raises UnreadableFeedError: not one row became a rule.
    """
    if not counts.rules:
        said = f"all {counts.rejected:,} rows were rejected" if counts.rejected else "it has no rows"
        raise UnreadableFeedError(f"the body gives no rules: {said}")


def holding(counts: Counts, diff: Diff, definition: FeedDefinition, settings: GuardSettings) -> list[str]:
    """Return a sentence for each guard that wants a person to look before this run is recorded."""
    said = []
    max_rejected = _chosen(definition.guards.max_rejected, settings.max_rejected)
    max_removed = _chosen(definition.guards.max_removed, settings.max_removed)
    rejected = counts.rejected / counts.entries
    if rejected > max_rejected:
        said.append(
            f"rejected {counts.rejected:,} of {counts.entries:,} rows ({rejected:.0%}); "
            f"this feed allows {max_rejected:.0%}"
        )
    removed = diff.removed / diff.listed_before if diff.listed_before else 0
    # A single delisting is everyday business even on a list of three.
    if removed > max_removed and diff.removed > 1:
        said.append(
            f"would remove {diff.removed:,} of {diff.listed_before:,} sites ({removed:.0%}); "
            f"this feed allows {max_removed:.0%}"
        )
    return said


def _chosen(own: float | None, general: float) -> float:
    return general if own is None else own
