"""Reading only what changed gives exactly what a full read gives."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocklist.config import Settings
from blocklist.errors import ConflictError
from blocklist.refresh import holds
from blocklist.refresh.difference import Memory
from blocklist.service import Service
from blocklist.store.listings import Listings
from blocklist.vocabulary import Outcome, Run
from tests.support import definition

SITES = [f"site-{number}.example" for number in range(6)]
#: Hosts that wait for a person when they are listed whole.
RENOWNED = ["archive.org", "youtube.com", "www.youtube.com"]
#: Lines that mean the same, nothing, or no rule; a section header and a date that moves.
LINES = [
    *SITES,
    *RENOWNED,
    *(f"www.{site}" for site in SITES[:3]),
    *(f"http://{site.upper()}/" for site in SITES[:3]),
    "site-0.example/film",
    "a.example  # by order",
    *("# Updated: 1", "# Updated: 2", "! section", "", "   "),
    *("co.uk", "not a host", "localhost", "\ufeffsite-4.example", "sit\u00e9.example"),
]
HOSTS = [f"0.0.0.0 {line}" for line in (*SITES, "site-0.example www.site-1.example co.uk", "")]
HOSTS += [
    "0.0.0.0 youtube.com",
    "127.0.0.1 site-3.example archive.org",
    "# a comment",
    "not an address",
    "127.0.0.1 site-2.example # why",
]
ADBLOCK = [
    *(f"||{site}^" for site in (*SITES, *RENOWNED)),
    "! comment",
    "[Adblock Plus]",
    "||co.uk^",
    "@@||site-0.example^",
    "##.ad",
]
CSV = [f"{site};{order}" for site in SITES for order in ("", "Order 1", "Order 2")]
CSV += [
    "archive.org;Order 1",
    "youtube.com;Order 1",
    "www.youtube.com;Order 2",
    ";Order 3",
    "not a host;Order 1",
    '"site-5.example";Order 1',
    ";",
    "co.uk;x",
]
FORMATS: dict[str, tuple[list[str], str, dict[str, Any]]] = {
    "lines": (LINES, "", {}),
    "hosts": (HOSTS, "", {}),
    "adblock": (ADBLOCK, "[Adblock Plus]", {}),
    "csv": (CSV, "Site;Order", {"delimiter": ";", "column": "Site", "reference": "Order"}),
}
#: More of them take a while: BLOCKLIST_TEST_EXAMPLES=2000 for a night.
EXAMPLES = int(os.environ.get("BLOCKLIST_TEST_EXAMPLES", "20"))
UNLIMITED = {"max_rejected": 1, "max_removed": 1}


class Pair:
    """The same feed twice: one that reads what changed, and one that always reads everything."""

    def __init__(self, folder: Path, format_: str, options: dict[str, Any]) -> None:
        self.file = folder / "list.txt"
        self.services = []
        for name in ("changes", "whole"):
            service = Service(Settings(data_dir=folder / name))
            source = {"file": str(self.file)}
            wanted = definition("court", source=source, format=format_, options=options, guards=UNLIMITED)
            service.add_feed(wanted, "tester")
            self.services.append(service)

    def decide(self, decision: str, host: str) -> None:
        for service in self.services:
            for hold in service.store.holds.all(None, None):
                if hold.rule.value == host:
                    with contextlib.suppress(ConflictError):
                        getattr(holds, decision)(service.store, service.refresher, hold.id, "tester", "a reason")

    def publish(self, body: bytes) -> tuple[Any, Any]:
        self.file.write_bytes(body)
        changes, whole = self.services
        seen = self._state(changes)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Memory, "get", lambda *_: None)
            return seen, self._state(whole)

    @staticmethod
    def _state(service: Service) -> tuple[Any, ...]:
        run = service.refresher.refresh("court", "tester")
        columns = "kind, value, scope, raw, position, reference, run_id, closed_by"
        listings = sorted(service.store.database.tuples(f"SELECT {columns} FROM listings"), key=repr)
        decided = "feed, kind, value, guard, why, raw, position, reference, run_id, state"
        held = sorted(service.store.database.tuples(f"SELECT {decided} FROM holds"), key=repr)
        # A refusal says when it was made: of the two services, one decides after the other.
        rejections = [
            re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "then", repr(row)) for row in service.store.runs.rejections(run.id)
        ]
        return _said(run), rejections, listings, held

    def close(self) -> None:
        for service in self.services:
            service.close()


def _said(run: Run) -> tuple[Any, ...]:
    return run.outcome, run.reason, run.counts, run.rejected_by_code


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, list[tuple[bytes, list[tuple[str, str]]]]]:
    format_ = draw(st.sampled_from(sorted(FORMATS)))
    pool, header, _ = FORMATS[format_]
    line = st.sampled_from(pool)
    rows = draw(st.lists(line, min_size=3, max_size=14))
    published = []
    for _ in range(4):
        edited = list(rows)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(edited)))
            edited[at : at + draw(st.integers(0, 2))] = draw(st.lists(line, max_size=2))
        if draw(st.booleans()):
            edited = draw(st.permutations(edited))
        rows = edited or [pool[0]]
        end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
        mark = draw(st.sampled_from(["", "", "\ufeff"]))
        last = draw(st.sampled_from(["", end]))
        decision = st.tuples(st.sampled_from(["approve", "refuse", "revoke"]), st.sampled_from(RENOWNED[:2]))
        decisions = draw(st.lists(decision, max_size=2))
        published.append(((mark + end.join([*([header] if header else []), *rows]) + last).encode(), decisions))
    return format_, published


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies())
def test_reading_what_changed_gives_what_reading_everything_gives(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[str, list[tuple[bytes, list[tuple[str, str]]]]]
) -> None:
    format_, published = case
    pair = Pair(tmp_path_factory.mktemp("pair"), format_, FORMATS[format_][2])
    try:
        for body, decisions in published:
            changes, whole = pair.publish(body)
            assert changes == whole, body
            for decision in decisions:
                pair.decide(*decision)
    finally:
        pair.close()


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_a_list_that_changes_in_a_few_lines_is_not_read_whole(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = {
        "lines": "{}",
        "hosts": "0.0.0.0 {}",
        "adblock": "||{}^",
        "csv": "{};Order 1",
    }[format_]
    pair = Pair(tmp_path, format_, FORMATS[format_][2])
    header = FORMATS[format_][1]
    sites = [lines.format(f"site-{number}.example") for number in range(50)]
    staged: list[str] = []
    for name in ("stage", "stage_changes"):
        monkeypatch.setattr(Listings, name, _noting(getattr(Listings, name), name, staged))
    new, held = lines.format("new.example"), lines.format("archive.org")
    for rows in (sites, [*sites[1:], new, held], [*sites[2:], held, new]):
        changes, whole = pair.publish("\n".join([header, *rows, ""]).encode())
        assert changes == whole
        assert changes[0][0] is Outcome.APPLIED
    assert staged == ["stage", "stage", "stage_changes", "stage", "stage_changes", "stage"]
    pair.close()


def _noting(method: Any, name: str, staged: list[str]) -> Any:
    def noted(*arguments: Any) -> Any:
        staged.append(name)
        return method(*arguments)

    return noted


def test_what_is_remembered_of_another_body_is_not_believed(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "lines", {})
    pair.publish(b"a.example\nb.example\n")
    memory = tmp_path / "changes" / "readings" / "feed-1.json"
    first = memory.read_text()
    pair.publish(b"a.example\nb.example\nc.example\n")
    for damaged in (first, first[:40], "[]", '{"body": 1}'):
        memory.write_text(damaged)
        changes, whole = pair.publish(f"a.example\nc.example\n# {len(damaged)}\n".encode())
        assert changes == whole
    pair.close()


def test_a_body_that_was_removed_by_hand_is_no_obstacle(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "lines", {})
    pair.publish(b"a.example\nb.example\n")
    for kept in (tmp_path / "changes" / "bodies").rglob("*.gz"):
        kept.unlink()
    changes, whole = pair.publish(b"a.example\nc.example\n")
    assert changes == whole
    pair.close()


def test_a_rule_taken_out_of_what_is_staged_is_not_listed(tmp_path: Path) -> None:
    """Guards take single entries out; of a difference as of a whole body."""
    pair = Pair(tmp_path, "lines", {})
    pair.publish(b"a.example\nb.example\n")
    store = pair.services[0].store
    from blocklist.normalize.rules import Reading, site_rule
    from blocklist.vocabulary import Entry, Rule

    entry = Entry("c.example", 3)
    rule = site_rule(entry, Reading())
    assert isinstance(rule, Rule)
    assert store.listings.stage_changes(1, [(entry, rule)], [])
    everything = "SELECT value FROM incoming ORDER BY value"
    assert [row[0] for row in store.database.tuples(everything)] == ["a.example", "b.example", "c.example"]
    for value in ("a.example", "c.example"):
        store.database.execute("DELETE FROM incoming WHERE value = ?", (value,))
    assert [row[0] for row in store.database.tuples(everything)] == ["b.example"]
    diff = store.listings.diff(1)
    assert (diff.rules, diff.added, diff.removed) == (1, 0, 1)
    assert store.listings.removed(1, 9) == ["a.example"]
    assert not store.listings.stage_changes(1, [], [rule])
    pair.close()
