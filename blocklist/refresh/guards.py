"""Guards: what a run must not do without a person looking, each a sentence with its figures.

A guard *fails* the run (no approval could make sense of the body), *holds* it (a person decides), *holds one entry* (a
person decides on it alone, and the run goes on) or *refuses one entry*. This module has the table of all of them and
those that need nothing but figures; :mod:`.scan` looks through the bytes, :mod:`.cutoff` at the end, :mod:`.entries` at
names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from blocklist.config.settings import GuardSettings
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.errors import GuardError
from blocklist.domain.run import Effect, GuardFinding, RunCounts
from blocklist.store.staging import Diff

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


#: A page whose first bytes are a comment or a blank; at the beginning of a line, so that a comment may speak of it.
_MARKUP = re.compile(rb"^[ \t]*<(?:!doctype[ \t]+html|html|head)\b", re.IGNORECASE | re.MULTILINE)
_SIGN_IN = re.compile(rb"<input[^>]{0,500}?\stype\s{0,9}=\s{0,9}[\"']?password", re.IGNORECASE)
#: Fewer new sites than this are never too fast a growth: a list of three becomes one of ten in a day.
_GROWTH_FLOOR = 50


@dataclass(frozen=True, slots=True)
class Guard:
    """A guard as the documentation lists it: its name, what it does, its setting, and when it speaks.

    Naming it in the setting ``off`` switches it off, unless it is for ``always``.
    """

    name: str
    effect: Effect
    setting: str
    speaks: str
    always: bool = False


#: The table of docs/operations.md is generated from this one.
GUARDS = (
    Guard("empty_body", Effect.FAILS, "", "the body has no bytes but white space", always=True),
    Guard("markup", Effect.FAILS, "off", "the body is an HTML or XML page: a login, an error, a moved list"),
    Guard("binary", Effect.FAILS, "off", "the body is an archive or a document, or holds NUL bytes (UTF-16 is named)"),
    Guard(
        "encoding",
        Effect.FAILS,
        "max_undecodable",
        "two or more lines, and more than this share, are not of the feed's encoding; or all of it is UTF-8 and was to "
        "be read as something else",
    ),
    Guard("no_entries", Effect.FAILS, "", "not one row became a rule", always=True),
    Guard("must_not_match", Effect.FAILS, "must_not_match", "the list would cover one of these targets"),
    Guard("must_match", Effect.HOLDS, "must_match", "the list would not cover one of these targets"),
    Guard("too_few", Effect.HOLDS, "min_entries", "the body gives fewer sites than this"),
    Guard("rejected", Effect.HOLDS, "max_rejected", "more than this share of the rows became no rule"),
    Guard(
        "removed", Effect.HOLDS, "max_removed", "two or more sites, and more than this share of those listed, would go"
    ),
    Guard(
        "growth",
        Effect.HOLDS,
        "max_growth",
        f"{_GROWTH_FLOOR} or more sites, and more than this share of those listed, would be new; never on a first list",
    ),
    Guard(
        "cut_off",
        Effect.HOLDS,
        "off",
        "the body seems to end in the middle of a row: its last line has no line break though every body before had "
        "one, cannot be read, or is the beginning of an entry that would go; or the last row of a table has too few "
        "columns",
    ),
    Guard("stated_date", Effect.HOLDS, "stated_date", "the body states an older date than the one that serves"),
    Guard("popular_host", Effect.HOLDS_ENTRY, "off", "a popular site, a university or a bank is newly listed whole"),
    Guard("shared_host", Effect.HOLDS_ENTRY, "off", "a platform, a link shortener or a gateway is newly listed whole"),
    Guard(
        "never_block", Effect.REFUSES, "never_block", "the rule would block one of these hosts, or what is below one"
    ),
    Guard(
        "public_suffix",
        Effect.REFUSES,
        "",
        "the host is a public suffix, such as co.uk or blogspot.com",
        always=True,
    ),
    Guard(
        "single_label",
        Effect.REFUSES,
        "",
        "the host has no dot and is no top-level domain, such as localhost",
        always=True,
    ),
    Guard("private_address", Effect.REFUSES, "", "the address is not one of the public internet", always=True),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards over a whole run look at.

    ``stated`` and ``stated_before`` are the dates of this body and of the one that serves, ``cut_off`` why it seems to
    be cut off, ``uncovered`` the targets of ``must_match`` that it does not cover.
    """

    counts: RunCounts
    diff: Diff
    stated: str | None = None
    stated_before: str | None = None
    cut_off: str | None = None
    uncovered: tuple[str, ...] = ()


def limits_of(definition: FeedDefinition, general: GuardSettings) -> GuardSettings:
    """Return what a feed may do: its own limits where it sets some, its names and targets beside the general ones."""
    own = {name: value for name, value in definition.guards if value is not None}
    for name in ("must_match", "must_not_match", "never_block"):
        own[name] = tuple(dict.fromkeys((*getattr(general, name), *own[name])))
    return general.model_copy(update=own)


def check_body(body: BinaryIO, encoding: str, holds: str = "text", off: tuple[str, ...] = ()) -> None:
    """Look at the first bytes of an open body for what is no list in any format, and leave it at its beginning.

    ``holds`` is what a body of the feed's format is made of: ``text``, ``markup`` or ``binary``; ``off`` are the guards
    that do not speak.

    :raises GuardError: what it is instead.
    """
    head = body.read(_HEAD)
    body.seek(0)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise GuardError("empty_body", "the body is empty: a list is never published as nothing")
    if holds == "binary":
        return
    if "binary" not in off:
        _check_text(head, encoding)
    if "markup" not in off and holds == "text" and not encoding.startswith(("utf-16", "utf-32")):
        _check_markup(text)


def check_counts(counts: RunCounts) -> None:
    """Make sure that a body had anything to say.

    :raises GuardError: not one row became a rule.
    """
    if not counts.rules and not counts.held:
        said = f"all {counts.rejected:,} rows were rejected" if counts.rejected else "it has no rows"
        raise GuardError("no_entries", f"the body gives no rules: {said}")


def holding(facts: Facts, limits: GuardSettings) -> list[GuardFinding]:
    """Return a sentence for each guard that wants a person to look before this run is recorded."""
    found = {
        "must_match": _uncovered(facts),
        "too_few": _too_few(facts.counts, limits.min_entries),
        "rejected": _rejected(facts.counts, limits.max_rejected),
        "removed": _removed(facts.diff, limits.max_removed),
        "growth": _growth(facts.diff, limits.max_growth),
        "cut_off": facts.cut_off,
        "stated_date": _older(facts),
    }
    return [GuardFinding(name, Effect.HOLDS, said) for name, said in found.items() if said and name not in limits.off]


def _check_text(head: bytes, encoding: str) -> None:
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise GuardError("binary", f"the body is {name}, not a list in text")
    if encoding.startswith(("utf-16", "utf-32")):
        return
    for mark, name in _WIDE_MARKS.items():
        if head.startswith(mark):
            raise GuardError("binary", f"the body is text in {name}: set the option encoding={name}")
    if b"\0" in head:
        raise GuardError("binary", "the body holds NUL bytes: it is binary, or text in utf-16 (set encoding=utf-16)")


def _check_markup(text: bytes) -> None:
    found = _MARKUP.search(text)
    if not text.startswith(b"<") and not found:
        return
    if _SIGN_IN.search(text):
        raise GuardError("markup", "the body is an HTML page that asks for a password: check the feed's credentials")
    begins = text if text.startswith(b"<") or not found else text[found.start() :]
    start = begins[:60].decode("utf-8", "replace").strip().split("\n")[0].strip()
    raise GuardError("markup", f"the body is an HTML or XML page, not a list: it begins with {start!r}")


def _uncovered(facts: Facts) -> str | None:
    if not facts.uncovered:
        return None
    return f"would not cover {', '.join(facts.uncovered)}, which this feed must list (guards.must_match)"


def _too_few(counts: RunCounts, least: int) -> str | None:
    sites = counts.rules + counts.held
    return f"gives {sites:,} sites; this feed has at least {least:,}" if sites < least else None


def _rejected(counts: RunCounts, most: float) -> str | None:
    share = counts.rejected / counts.entries
    if share <= most:
        return None
    return f"rejected {counts.rejected:,} of {counts.entries:,} rows ({share:.0%}); this feed allows {most:.0%}"


def _removed(diff: Diff, most: float) -> str | None:
    share = diff.removed / diff.listed_before if diff.listed_before else 0
    # A single delisting is everyday business even on a list of three.
    if share <= most or diff.removed <= 1:
        return None
    return f"would remove {diff.removed:,} of {diff.listed_before:,} sites ({share:.0%}); this feed allows {most:.0%}"


def _growth(diff: Diff, most: float) -> str | None:
    share = diff.added / diff.listed_before if diff.listed_before else 0
    if share <= most or diff.added < _GROWTH_FLOOR:
        return None
    return f"would add {diff.added:,} to {diff.listed_before:,} sites ({share:.0%}); this feed allows {most:.0%}"


def _older(facts: Facts) -> str | None:
    if not facts.stated or not facts.stated_before or facts.stated >= facts.stated_before:
        return None
    return f"states the date {facts.stated}, older than {facts.stated_before} of the list that serves"
