"""What a person sees of a held run, and what is kept as evidence."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from blocklist.domain.errors import FetchError, NotFoundError
from blocklist.domain.run import Outcome
from blocklist.service import Service
from tests.refresh.test_runs import SITES, Court
from tests.support import Clock, definition, settings_for


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def test_a_held_run_shows_what_it_would_change_and_why_that_stands_out(court: Court) -> None:
    court.publish(SITES)
    held = court.publish([*SITES[:10], "new.example", "films.archive.org", "archive.org", "pirate.ru"])
    detail = court.service.runs.detail(held.id)
    assert [(c.change, c.rule.value, c.position, c.stands_out) for c in detail.changes[:5]] == [
        ("added", "films.archive.org", 12, "below archive.org"),
        ("added", "pirate.ru", 14, "the first under .ru"),
        ("held", "archive.org", 13, detail.changes[2].stands_out),
        ("added", "new.example", 11, ""),
        ("removed", "site-10.example", None, ""),
    ]
    assert "listed whole only when a person agrees" in detail.changes[2].stands_out
    assert detail.changes_found == 14
    assert [item.guard for item in detail.findings] == ["removed", "shared_host", "below_popular_host"]


def test_the_changes_are_searched_and_paged(court: Court) -> None:
    court.publish(SITES)
    held = court.publish([*SITES[:10], "new.example", "100%25.example"])
    find = court.service.runs.detail

    def shown(**narrowed: object) -> tuple[list[str], int]:
        detail = find(held.id, **narrowed)  # type: ignore[arg-type]
        return [change.rule.value for change in detail.changes], detail.changes_found

    assert shown(search="NEW") == (["new.example"], 1)
    assert shown(search="%") == ([], 0)
    assert shown(change="removed", limit=3, offset=8) == (["site-18.example", "site-19.example"], 10)
    assert shown(change="added", standing_out=True) == ([], 0)


def test_approving_says_that_newer_bodies_came_and_keeps_what_the_guards_said(court: Court) -> None:
    court.publish(SITES)
    first = court.publish(SITES[:10])
    second = court.publish(SITES[:9])
    assert [run.id for run in court.service.runs.detail(first.id).newer] == [second.id]
    done = court.service.runs.approve(first.id, "approver", "yes")
    assert (done.outcome, done.counts.rules) == (Outcome.APPLIED, 10)
    assert [item.guard for item in court.service.runs.detail(first.id).findings] == ["removed"]
    assert [run.id for run in court.service.store.runs.pending()] == [second.id]


def test_a_review_says_that_the_list_has_changed_since(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("\n".join([*SITES, "archive.org", ""]))
    service.feeds.add(definition("court", source={"file": str(file)}), "tester")
    service.runs.refresh("court", "tester")
    file.write_text("\n".join([*SITES[:5], "archive.org", ""]))
    held = service.runs.refresh("court", "tester")
    assert not service.runs.detail(held.id).outdated
    with service.store.database.transaction():
        service.store.database.execute("UPDATE feeds SET last_change = '2099-01-01T00:00:00Z'")
    assert service.runs.detail(held.id).outdated


def test_the_changes_of_a_superseded_run_are_dropped_and_those_of_a_reviewed_one_kept(court: Court) -> None:
    court.publish(SITES)
    first, second = court.publish(SITES[:10]), court.refresh()
    assert court.service.runs.detail(first.id).changes_found == 0
    court.service.runs.reject(second.id, "approver", "cut")
    assert court.service.runs.detail(second.id).changes_found == 10


def test_approving_a_run_leaves_its_popular_hosts_waiting_alone(court: Court) -> None:
    court.publish(SITES)
    held = court.publish([*SITES[:10], "archive.org"])
    assert court.service.store.holds.all() == []
    done = court.service.runs.approve(held.id, "approver", "yes")
    assert done.reason == "10 sites: 0 added, 10 removed, 0 restated; 1 held alone for a person"
    assert [hold.rule.value for hold in court.service.store.holds.all()] == ["archive.org"]
    assert not court.listed("archive.org")


# Preview


def everything(service: Service) -> list[str]:
    """Return all that a data folder holds: every row of every table, and every file."""
    database = service.store.database
    tables = [row[0] for row in database.tuples("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = [f"{table}: {row}" for table in tables for row in database.rows(f"SELECT * FROM {table}")]
    files = [
        str(path) for path in service.settings.data_dir.rglob("*") if path.is_file() and "blocklist.db" not in path.name
    ]
    return sorted([*rows, *files])


@pytest.mark.parametrize("body", [*(["\n".join([*SITES[:4], "archive.org", "co.uk", ""]), "<html>", "", "a b c\n"])])
def test_a_preview_leaves_no_trace_whatever_comes_of_it(court: Court, body: str) -> None:
    court.publish([*SITES, "nasa.gov"])
    before = everything(court.service)
    court.file.write_text(body)
    court.service.feeds.preview(definition("court", source={"file": str(court.file)}))
    court.service.feeds.preview(definition("other", source={"file": str(court.file)}))
    with pytest.raises(FetchError):
        court.service.feeds.preview(definition("other", source={"file": str(court.file) + "x"}))
    assert everything(court.service) == before


def test_a_preview_tells_what_came_and_what_the_guards_would_say(court: Court) -> None:
    body = "# Updated: 2026-01-02\n" + "\n".join([*SITES, "archive.org", "co.uk", ""])
    court.file.write_text(body)
    seen = court.service.feeds.preview(definition("other", source={"file": str(court.file)}))
    assert (seen.fetched, seen.size, seen.seen) == (str(court.file), len(body), "lines")
    assert seen.body == hashlib.sha256(body.encode()).hexdigest()
    assert seen.stated_date == "2026-01-02T00:00:00Z"
    assert (seen.outcome, seen.counts.rules, seen.counts.held) == ("applied", 20, 1)
    assert [target for target, _ in seen.waiting] == ["archive.org"]
    assert [item.guard for item in seen.said] == ["shared_host"]
    assert seen.rejected_by_code == {"public_suffix": 1}


def test_a_preview_of_what_is_no_list_says_what_it_is(court: Court) -> None:
    court.file.write_text("<html>")
    seen = court.service.feeds.preview(definition("other", source={"file": str(court.file)}))
    assert (seen.outcome, seen.said[0].guard) == ("failed", "markup")
    assert seen.size == 6


# Bodies


def test_a_run_gives_back_its_body_byte_for_byte(court: Court) -> None:
    body = "\n".join(SITES).encode()
    run = court.publish(body)
    with court.service.runs.body(run.id) as kept:
        assert kept.read() == body
    court.file.unlink()
    failed = court.refresh()
    with pytest.raises(NotFoundError, match="read no body"), court.service.runs.body(failed.id):
        pass


def kept(court: Court) -> set[str]:
    return {path.stem for path in (court.service.settings.data_dir / "bodies").rglob("*.gz")}


def test_every_body_is_kept_for_good_by_default(court: Court) -> None:
    for number in range(3):
        court.publish(SITES[: 20 - number])
    assert court.service.runs.prune_bodies() == 0
    assert len(kept(court)) == 3


def test_only_old_bodies_that_nothing_needs_are_pruned(tmp_path: Path, clock: Clock) -> None:
    service = Service(settings_for(tmp_path / "data", evidence={"keep_for": "1d"}))
    court = Court(service, tmp_path / "list.txt", clock)
    first = court.publish([*SITES, "archive.org"])
    second = court.publish([*SITES, "late.example"])
    serves = court.publish([*SITES, "later.example"])
    rejected = court.publish(SITES[:5])
    service.runs.reject(rejected.id, "approver", "cut")
    pending = court.publish(SITES[:6])
    assert court.publish(b"<html>").outcome is Outcome.FAILED
    needed = {first.body_sha256, serves.body_sha256, pending.body_sha256}
    clock.advance(2 * 86_400)
    assert service.runs.prune_bodies() <= 3
    assert kept(court) == needed
    with pytest.raises(NotFoundError, match=r"was removed on .* as the setting evidence.keep_for says"):
        service.runs.body(second.id).__enter__()
    assert service.runs.prune_bodies() == 0
    assert court.publish([*SITES, "late.example"]).outcome is Outcome.APPLIED
    with service.runs.body(second.id) as body:
        assert b"late.example" in body.read()
    service.runs.approve(court.publish(SITES[:4]).id, "approver", "yes")
    service.close()


def test_a_young_body_is_never_pruned(tmp_path: Path) -> None:
    service = Service(settings_for(tmp_path / "data", evidence={"keep_for": "1d"}))
    file = tmp_path / "list.txt"
    service.feeds.add(definition("court", source={"file": str(file)}), "tester")
    for sites in (SITES, [*SITES[1:], "new.example"], SITES[2:]):
        file.write_text("\n".join(sites))
        service.runs.refresh("court", "tester")
    assert service.runs.prune_bodies() == 0
    service.close()
