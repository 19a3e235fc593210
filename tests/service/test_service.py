"""The service over one data folder: publishing, evidence, overrides, what a restart finds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from blocklist.config.settings import PolicySettings
from blocklist.domain.errors import ConflictError, NotFoundError, SnapshotError, StoreError, UsageError
from blocklist.domain.listing import Listing, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.normalize.hosts import parse_target
from blocklist.service import Service, override_rule, read_target
from tests.support import Clock, definition, settings_for, values

ALLOW, BLOCK = OverrideAction.ALLOW, OverrideAction.BLOCK


def publish(service: Service, folder: Path, *lines: str, feed: str = "court", **more: object) -> None:
    """Publish lines as the list of a feed and refresh it."""
    file = folder / f"{feed}.txt"
    file.write_text("\n".join(lines) + "\n")
    if feed not in {known.name for known in service.store.feeds.all()}:
        service.feeds.add(definition(feed, source={"file": str(file)}, guards={"max_removed": 1}, **more), "tester")
    service.runs.refresh(feed, "tester")


def history(service: Service, target: str) -> list[Listing]:
    return service.evidence.history(read_target(target))


def is_listed(service: Service, target: str, at: str | None = None) -> bool:
    return service.evidence.lookup(read_target(target), "default", at=at).listed


def test_without_a_snapshot_there_is_no_verdict(service: Service) -> None:
    with pytest.raises(SnapshotError, match="there is no snapshot yet: add a feed and refresh it"):
        service.evidence.lookup(parse_target("a.example"), "default")
    assert not service.publisher.is_behind()


def test_versions_only_grow_and_only_with_the_contents(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    assert service.snapshots.current().version == 1
    publish(service, tmp_path, "a.example", "# a comment")
    assert service.snapshots.current().version == 1
    publish(service, tmp_path, "b.example")
    assert service.snapshots.current().version == 2
    service.publisher.publish(force=True)
    assert service.snapshots.current().version == 3


def test_a_snapshot_lost_by_hand_comes_back_with_a_higher_version(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    for path in service.snapshots.folder.iterdir():
        path.unlink()
    assert service.publisher.is_behind()
    service.recover()
    assert service.snapshots.current().version == 2
    assert is_listed(service, "a.example")


def test_a_restart_finds_everything_and_changes_nothing(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    pointer = service.snapshots.pointer()
    again = Service(service.settings)
    again.recover()
    assert again.snapshots.pointer() == pointer
    assert is_listed(again, "www.a.example")
    again.close()


def test_a_changed_policy_makes_a_new_snapshot(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    policies = {"mine": PolicySettings(countries=("IT",))}
    again = Service(settings_for(service.settings.data_dir, policies=policies))
    assert again.publisher.is_behind()
    again.recover()
    assert not again.evidence.lookup(parse_target("a.example"), "mine").listed
    assert again.evidence.lookup(parse_target("a.example"), "default").listed
    again.close()


def test_a_data_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "shut").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"the data folder cannot be written: .*--data-dir"):
        Service(settings_for(tmp_path / "shut"))


def test_the_history_of_a_host_tells_of_everything_that_covers_it(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example", "films.a.example", "http://films.a.example/x", "other.example")
    publish(service, tmp_path, "http://www.films.a.example/y", feed="second")
    assert sorted(values(history(service, "films.a.example"))) == [
        "a.example",
        "films.a.example",
        "films.a.example/x",
        "www.films.a.example/y",
    ]
    assert sorted(values(history(service, "http://films.a.example/x/1"))) == [
        "a.example",
        "films.a.example",
        "films.a.example/x",
    ]
    for page in ("http://films.a.example//y;1", "http://www.films.a.example/y"):
        assert "www.films.a.example/y" in values(history(service, page))
    assert values(history(service, "http://a.example/x")) == ["a.example"]
    assert history(service, "example") == []


def test_the_past_is_answered_as_it_was(service: Service, tmp_path: Path, clock: Clock) -> None:
    for day, lines in enumerate((["a.example", "b.example"], ["b.example"], ["a.example", "b.example"]), 1):
        clock.move_to(f"2026-01-{day:02}T12:00:00Z")
        publish(service, tmp_path, *lines)
    asked = [is_listed(service, "www.a.example", f"2026-01-{day:02}T13:00:00Z") for day in (1, 2, 3)]
    assert asked == [True, False, True]
    assert not is_listed(service, "a.example", "2026-01-01T11:00:00Z")
    assert len(history(service, "a.example")) == 2


def test_an_override_speaks_at_once_and_until_it_is_removed(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    allow = service.overrides.add(ALLOW, "http://www.a.example/", "a mistake", "admin")
    assert not is_listed(service, "x.a.example")
    service.overrides.add(BLOCK, "x.a.example", "not this one", "admin")
    assert is_listed(service, "x.a.example")
    service.overrides.remove(allow.id, "admin")
    assert is_listed(service, "a.example")
    with pytest.raises(ConflictError, match="was removed already"):
        service.overrides.remove(allow.id, "admin")
    with pytest.raises(NotFoundError):
        service.overrides.remove(99, "admin")


def test_an_override_needs_a_reason_and_a_future(service: Service) -> None:
    with pytest.raises(UsageError, match="an override needs a reason"):
        service.overrides.add(ALLOW, "a.example", "  ", "admin")
    with pytest.raises(UsageError, match="is past"):
        service.overrides.add(ALLOW, "a.example", "why", "admin", until="2000-01-01T00:00:00Z")
    for target in ("co.uk", "javascript:alert(1)", "", "app:", "localhost"):
        with pytest.raises(UsageError):
            service.overrides.add(BLOCK, target, "why", "admin")
    assert service.store.overrides.all() == []
    assert service.store.audit.events() == []


def test_a_target_is_a_host_a_url_an_address_or_an_app() -> None:
    assert override_rule("A.example").kind is RuleKind.HOST
    assert override_rule("http://a.example/x").kind is RuleKind.URL
    assert override_rule("93.184.215.14").kind is RuleKind.IP
    assert override_rule("app:com.A") == (RuleKind.APP, "com.A", Scope.EXACT)
    assert read_target("app:com.A").app == "com.A"


def test_every_change_is_in_the_audit_log_with_who_made_it(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    service.feeds.pause("court", "admin")
    service.feeds.resume("court", "admin")
    override = service.overrides.add(BLOCK, "b.example", "why", "admin")
    service.overrides.remove(override.id, "admin")
    service.feeds.remove("court", "admin")
    assert [(event["actor"], event["action"], event["target"]) for event in reversed(service.store.audit.events())] == [
        ("tester", "feed.add", "court"),
        ("admin", "feed.pause", "court"),
        ("admin", "feed.resume", "court"),
        ("admin", "override.block", "b.example"),
        ("admin", "override.remove", "b.example"),
        ("admin", "feed.remove", "court"),
    ]
    assert service.store.audit.broken_links() == []


def test_a_row_that_names_its_own_authority_is_explained_by_it(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "wipo.csv"
    file.write_text("Domain,Country,Contributor\na.example,BR,ANCINE\n")
    options = {"column": "Domain", "authority": "Contributor", "country": "Country"}
    source = {"file": str(file)}
    service.feeds.add(definition("wipo", format="csv", source=source, options=options, legal_basis="Law 1"), "tester")
    service.runs.refresh("wipo", "tester")
    (said,) = service.evidence.lookup(parse_target("a.example"), "default", explain=True).listings
    assert (said["authority"], said["country"], said["kind"], said["legal_basis"]) == ("ANCINE", "BR", "court", "Law 1")
    (item,) = history(service, "a.example")
    assert (item.authority.name, item.authority.country, item.legal_basis) == ("ANCINE", "BR", "Law 1")


def test_apps_are_listed_with_their_case(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "com.Pirate.App", "id123456", feed="apps", rules={"entries": "apps"})
    assert is_listed(service, "app:com.Pirate.App")
    assert not is_listed(service, "app:com.pirate.app")
    assert values(history(service, "app:id123456")) == ["123456"]
    assert values(history(service, "app:ID123456")) == ["123456"]


def test_a_feed_removed_and_added_again_while_a_run_waits_gets_the_listings_of_that_run(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(service, tmp_path, "old.example")
    locked = service.refresher.locked

    @contextlib.contextmanager
    def waits(name: str, wait: float = 0) -> Iterator[None]:
        monkeypatch.setattr(service.refresher, "locked", locked)
        service.feeds.remove(name, "other")
        service.feeds.add(definition(name, source={"file": str(tmp_path / "court.txt")}), "other")
        with locked(name, wait):
            yield

    monkeypatch.setattr(service.refresher, "locked", waits)
    service.runs.refresh("court", "tester")
    assert service.store.feeds.get("court").listed == 1
    service.feeds.remove("court", "tester")
    assert not is_listed(service, "old.example")


def test_an_override_does_not_make_a_list_fresh_that_no_feed_confirmed(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    clock.move_to("2026-01-01T00:00:00Z")
    publish(service, tmp_path, "a.example")
    before = service.snapshots.pointer()
    assert before is not None
    clock.move_to("2026-01-02T00:00:00Z")
    service.overrides.add(BLOCK, "b.example", "reported", "tester")
    after = service.snapshots.pointer()
    assert after is not None
    assert (after.version, after.confirmed_at) == (before.version + 1, "2026-01-01T00:00:00Z")
    service.runs.refresh("court", "tester")
    fresh = service.snapshots.pointer()
    assert fresh is not None
    assert fresh.confirmed_at > "2026-01-01T00:00:00Z"


def test_an_override_that_has_expired_since_held_when_it_held(service: Service, tmp_path: Path) -> None:
    publish(service, tmp_path, "a.example")
    service.store.overrides.add(ALLOW, override_rule("a.example"), "until the appeal", "tester", "2099-01-01T00:00:00Z")
    with service.store.database.transaction():
        service.store.database.execute(
            "UPDATE overrides SET created_at = '2026-01-01T00:00:00Z', confirmed_at = '2026-01-01T00:00:00Z',"
            " until = '2026-02-01T00:00:00Z'"
        )
        service.store.database.execute("UPDATE listings SET listed_from = '2025-01-01', stated_from = '2025-01-01'")
    assert not is_listed(service, "a.example", "2026-01-15T00:00:00Z")
    assert is_listed(service, "a.example", "2026-03-01T00:00:00Z")


def test_feeds_that_bring_the_same_body_at_the_same_time_all_succeed(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    file.write_text("".join(f"site-{number}.example\n" for number in range(5_000)))
    names = [f"feed-{number}" for number in range(4)]
    for name in names:
        service.feeds.add(definition(name, source={"file": str(file)}), "tester")
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda name: service.runs.refresh(name, "tester"), names))
    assert [run.outcome for run in runs] == ["applied"] * 4


def test_a_run_of_which_the_database_took_no_note_is_an_error_and_no_success(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("database or disk is full")

    publish(service, tmp_path, "a.example")
    monkeypatch.setattr(service.store.runs, "finish", full)
    with pytest.raises(StoreError, match="is the disk full"):
        service.runs.refresh("court", "tester")


def test_a_run_that_died_before_its_feed_was_removed_does_not_keep_the_service_from_starting(
    service: Service, tmp_path: Path
) -> None:
    publish(service, tmp_path, "a.example")
    removed = service.store.feeds.get("court").id
    died = service.store.runs.start(removed, "tester", "2026-01-01T00:00:00Z")
    service.feeds.remove("court", "tester")
    service.recover()
    run = service.store.runs.get(died)
    assert (run.outcome, run.reason) == ("failed", "interrupted at stage fetch: its process ended")


def test_a_dead_run_of_a_removed_feed_does_not_count_against_another_of_its_name(
    service: Service, tmp_path: Path
) -> None:
    publish(service, tmp_path, "a.example")
    service.store.runs.start(service.store.feeds.get("court").id, "tester", "2026-01-01T00:00:00Z")
    service.feeds.remove("court", "tester")
    publish(service, tmp_path, "b.example")
    service.recover()
    assert service.store.feeds.failures(service.store.feeds.get("court").id) == 0
