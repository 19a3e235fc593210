"""Mutations of good bodies of every format: no crash, and no bad list published.

A list is bad if a rule is neither on the good list nor plainly in the mutated bytes (as one of their words, read as a
browser would); if a rule is a public suffix, an address that is not public or a whole popular host; if a body that was
cut off adds anything; or if the run was applied although it removes or adds more than its guards allow.

The suite runs more than a hundred; ``BLOCKLIST_TEST_MUTATIONS=10000`` runs that many.
"""

from __future__ import annotations

import gzip
import html
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from blocklist.domain.run import Outcome, Run
from blocklist.guards.popular_hosts import popular_hosts
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.public_addresses import is_public
from blocklist.normalize.rules import url_value
from blocklist.normalize.suffixes import is_public_suffix
from tests.hostile.good import FORMATS, SITES, good
from tests.hostile.mutating import mutated
from tests.hostile.served import Served

#: Kinds of samples: each format, and wrapped lists.
KINDS = [*FORMATS, "lines in gzip", "csv in zip"]
MUTATIONS = int(os.environ.get("BLOCKLIST_TEST_MUTATIONS", "136"))
_GOOD = {("host", site) for site in SITES}
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)")
_DRAWN = re.compile(r"\(([^()]*)\)")
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"[^\s\"'<>;,|^()\[\]{}]+")
Rules = set[tuple[str, str]]


def sample(kind: str) -> bytes:
    """Return the good body of a kind."""
    format_, _, wrapping = kind.partition(" in ")
    body = good(format_)
    if wrapping == "gzip":
        return gzip.compress(body, mtime=0)
    if wrapping == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("list.csv", body)
        return out.getvalue()
    return body


def texts(body: bytes) -> Iterator[str]:
    """Yield the text of a body in every form that it may be read in: unpacked, decoded, without escapes."""
    pieces = [body]
    if body[:2] == b"\x1f\x8b":
        try:
            pieces = [zlib.decompressobj(31).decompress(body)]
        except zlib.error:
            pieces = []
    elif body[:2] == b"PK":
        pieces = []
        try:
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                for name in archive.namelist():
                    pieces.append(archive.read(name))
        except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError, zlib.error):
            pass
    for piece in pieces:
        for encoding in ("utf-8", "utf-16", "utf-16-be", "latin-1"):
            text = piece.decode(encoding, "replace")
            yield text
            yield html.unescape(text)
            # A cell or a title may be written in several pieces, and XML readers tolerate a damaged tag between them.
            nodes = [node for node in _TAG.split(html.unescape(text)) if node.strip()]
            yield "\n".join(a + b for a, b in pairwise(nodes))
            # Texts that a PDF draws next to each other look like one word.
            if body.startswith(b"%PDF"):
                yield "\n".join(a + b for a, b in pairwise(_DRAWN.findall(text)))
                # pdfminer drops the letter of an escape without a meaning; ISO 32000-1, 7.3.4.2 keeps it.
                yield re.sub(r"\\.", "", text)
            yield _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)


def in_another_encoding(host: str, body: bytes) -> bool:
    """Return whether a PDF contains a name, except for letters beyond ASCII: its fonts may write them with any byte."""
    if not body.startswith(b"%PDF") or "xn--" not in host:
        return False
    letters = "".join(ch if ch.isascii() else "\0" for ch in host.encode().decode("idna"))
    pattern = re.escape(letters.encode()).replace(b"\\\x00", b"\0").replace(b"\0", rb"(?:[\x80-\xff]|\\\d{3})+")
    return re.search(pattern, body, re.IGNORECASE) is not None


def plainly(body: bytes) -> Rules:
    """Return every rule that a word of a body would become."""
    words = {word for text in texts(body) for word in (*_WORD.findall(text), *map(str.strip, text.splitlines()))}
    found: Rules = set()
    for word in words:
        for reading in {word, word.lstrip("*."), word.partition("#")[0], word.rstrip("^.:"), word.strip("|^!@=")}:
            found |= _rules_of(reading)
    return found


def _rules_of(word: str) -> Rules:
    try:
        target = parse_target(word)
    except ValueError:
        return set()
    if target.path is not None and (target.path != "/" or target.params):
        return {("url", url_value(target))}
    if target.ip is not None:
        return {("ip", target.ip)}
    host = target.host
    while host.startswith("www."):
        host = host[4:]
    return {("host", target.host), ("host", host)}


def bad(run: Run, rules: Rules, body: bytes, beginning: bool) -> list[str]:
    """Return why an applied list is bad; empty if it is not."""
    why = [f"{value} is a public suffix" for kind, value in rules if kind == "host" and is_public_suffix(value)]
    why += [f"{value} is not public" for kind, value in rules if kind == "ip" and not is_public(value)]
    why += [f"{value} is popular" for kind, value in rules if kind == "host" and value in popular_hosts()]
    new = rules - _GOOD
    if beginning and new:
        why.append(f"cut off, and adds {new}")
    if new:
        strange = {rule for rule in new - plainly(body) if not in_another_encoding(rule[1], body)}
        why += [f"{kind} {value} is nowhere in the body" for kind, value in sorted(strange)]
    removed = len(_GOOD - rules)
    if removed > 1 and removed > 0.2 * len(_GOOD):
        why.append(f"removes {removed}")
    if len(new) > max(50, len(_GOOD)):
        why.append(f"adds {len(new)}")
    if run.counts.rejected > 0.5 * run.counts.entries:
        why.append("most rows were rejected")
    return why


@pytest.mark.timeout(7_200)  # the long run; the short one takes seconds
@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_list_is_never_published_as_a_bad_one(kind: str, tmp_path: Path) -> None:
    format_ = kind.partition(" in ")[0]
    template = tmp_path / "template"
    template.mkdir()
    Served.fresh(template, format_).close()
    served = Served.copied(template, tmp_path / "0")
    body, others = sample(kind), [sample(other) for other in KINDS]
    state = served.state()
    applied = 0
    place = KINDS.index(kind)
    for number in range(place, MUTATIONS, len(KINDS)):
        mutation, beginning = mutated(body, number, others[number // len(KINDS) % len(others)])
        run = served.publish(mutation)
        context = f"mutation {number} of {kind}: {run.outcome}: {run.reason}\n{mutation[:3_000]!r}"
        assert "fault of the service" not in run.reason, context
        assert run.reason.isprintable(), context
        assert served.left_behind() == [], context
        if run.outcome is not Outcome.APPLIED:
            assert served.state() == state, context
            continue
        assert bad(run, served.rules(), mutation, beginning) == [], context
        applied += 1
        served.close()
        served = Served.copied(template, tmp_path / str(number + 1))
    assert served.listed(*SITES) == SITES
    served.close()
    assert applied or MUTATIONS < 5_000, "some of so many mutations should be applied"


def test_each_reason_why_a_list_is_bad_is_found() -> None:
    run = Run(1, "court", "x", "2026-01-01T00:00:00Z", "record", Outcome.APPLIED)  # type: ignore[arg-type]
    body = good("lines", "new.example")
    assert bad(run, {*_GOOD, ("host", "new.example")}, body, False) == []
    assert bad(run, {*_GOOD, ("host", "new.example")}, body, True)
    for rule in (("host", "com"), ("ip", "127.0.0.1"), ("host", "youtube.com"), ("host", "ew.example")):
        assert bad(run, {*_GOOD, rule}, body, False), rule
    assert bad(run, set(list(_GOOD)[:10]), body, False)
