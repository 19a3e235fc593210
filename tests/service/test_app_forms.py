"""Apps that a database holds in the forms of version 0.2: they match at once, and a refresh keeps their history."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklist.domain.errors import UsageError
from blocklist.domain.listing import RuleKind
from blocklist.domain.run import Outcome
from blocklist.domain.verdict import OverrideAction
from blocklist.exports.changes import changes
from blocklist.service import Service, override_rule, read_candidates, read_target
from blocklist.snapshot.format.layout import KEYS
from tests.support import Clock, definition, values

ALLOW, BLOCK = OverrideAction.ALLOW, OverrideAction.BLOCK
PLAY = "https://play.google.com/store/apps/details?id=com.pirate.movies"
APPLE = "https://apps.apple.com/us/app/films/id9876543210"
#: The entries of the list, and the values under which version 0.2 kept them.
ENTRIES = (PLAY, "id4444444444", APPLE, "com.pirate.last")


@pytest.fixture
def upgraded(service: Service, tmp_path: Path, clock: Clock) -> Service:
    """Return a service whose database is as version 0.2 left it, since the first of January."""
    clock.move_to("2026-01-01T00:00:00Z")
    file = tmp_path / "apps.txt"
    file.write_text("\n".join(ENTRIES) + "\n")
    service.feeds.add(definition("apps", source={"file": str(file)}, rules={"entries": "apps"}), "tester")
    service.runs.refresh("apps", "tester")
    with service.store.database.transaction():
        for value, raw in (("com.pirate.movies", PLAY), ("4444444444", "id4444444444"), ("9876543210", APPLE)):
            service.store.database.execute("UPDATE listings SET value = ?, raw = NULL WHERE value = ?", (raw, value))
        service.store.database.execute("UPDATE feeds SET applied_reading = 'of version 0.2'")
    clock.move_to("2026-01-05T00:00:00Z")
    return service


def listed_apps(service: Service) -> list[str]:
    snapshot = service.snapshots.current()
    apps = ("com.pirate.movies", PLAY, "4444444444", "id9876543210", "com.pirate.last", "com.other")
    return [app for app in apps if snapshot.lookup_app(app).listed]


ALL = ["com.pirate.movies", PLAY, "4444444444", "id9876543210", "com.pirate.last"]


def test_old_forms_match_after_the_next_snapshot_without_a_refresh(upgraded: Service) -> None:
    upgraded.publisher.publish(force=True)
    assert listed_apps(upgraded) == ALL
    (listing,) = upgraded.snapshots.current().lookup_app("9876543210", explain=True).listings
    assert (listing["rule"], listing["entry"]) == ("9876543210", APPLE)


def test_a_snapshot_with_the_keys_of_another_version_is_compiled_again(
    upgraded: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not upgraded.publisher.is_behind()
    version = upgraded.snapshots.current().version
    monkeypatch.setattr("blocklist.service.publishing.KEYS", KEYS + 1)
    upgraded.publisher._fitting = ()
    assert upgraded.publisher.is_behind()
    assert upgraded.publisher.publish().version == version + 1


def test_the_history_of_an_app_has_its_listings_in_every_form(upgraded: Service) -> None:
    for text, value in (("app:com.pirate.movies", PLAY), ("app:4444444444", "id4444444444"), (f"app:{APPLE}", APPLE)):
        assert values(upgraded.evidence.history(read_target(text))) == [value]
        assert values(upgraded.evidence.history_of(read_candidates(text))) == [value]
    (result,) = upgraded.evidence.lookup_texts(["app:id4444444444"], "default", explain=True)
    assert result.verdict is not None


def test_a_refresh_lets_old_forms_go_on_under_their_canonical_ids(upgraded: Service) -> None:
    run = upgraded.runs.refresh("apps", "tester")
    assert run.outcome is Outcome.APPLIED
    assert (run.counts.added, run.counts.removed, run.counts.amended) == (0, 0, 3)
    assert listed_apps(upgraded) == ALL
    now, before = upgraded.evidence.history(read_target("app:4444444444"))[::-1]
    assert (now.rule.value, now.listed_from, now.listed_until) == ("4444444444", "2026-01-01T00:00:00Z", None)
    assert (before.rule.value, before.listed_until) == ("id4444444444", "2026-01-05T00:00:00Z")
    told = changes(upgraded.store, "2026-01-04").changes
    assert {(change.change, change.rule.value) for change in told} >= {
        ("delisted", "id4444444444"),
        ("restated", "4444444444"),
    }
    # The same body again changes nothing.
    assert upgraded.runs.refresh("apps", "tester").outcome is Outcome.UNCHANGED


def test_of_two_old_forms_of_one_app_the_oldest_listing_goes_on(upgraded: Service, tmp_path: Path) -> None:
    with upgraded.store.database.transaction():
        upgraded.store.database.execute(
            "INSERT INTO listings (feed_id, value, kind, scope, position, listed_from, stated_from, run_id)"
            " SELECT feed_id, ?, kind, scope, 9, '2025-12-01T00:00:00Z', stated_from, run_id"
            " FROM listings WHERE value = 'id4444444444'",
            ("itms-apps://apps.apple.com/app/id4444444444",),
        )
    run = upgraded.runs.refresh("apps", "tester")
    assert run.outcome is Outcome.APPLIED
    assert (run.counts.added, run.counts.removed, run.counts.amended) == (0, 1, 3)
    (still,) = [item for item in upgraded.evidence.history(read_target("app:4444444444")) if not item.listed_until]
    assert still.listed_from == "2025-12-01T00:00:00Z"


def test_an_override_of_an_app_counts_for_every_form(upgraded: Service) -> None:
    upgraded.overrides.add(ALLOW, f"app:{APPLE}", "licensed now", "tester")
    assert not upgraded.snapshots.current().lookup_app("9876543210").listed
    with upgraded.store.database.transaction():
        upgraded.store.database.execute("UPDATE overrides SET value = 'id9876543210'")
    upgraded.publisher.publish(force=True)
    assert not upgraded.snapshots.current().lookup_app(APPLE).listed


def test_an_override_of_a_page_in_a_store_is_one_of_its_app() -> None:
    for text in (PLAY, f"app:{PLAY}", "market://details?id=com.pirate.movies", "app:com.pirate.movies"):
        rule = override_rule(text)
        assert (rule.kind, rule.value) == (RuleKind.APP, "com.pirate.movies")
    with pytest.raises(UsageError, match="names 2 apps"):
        override_rule(f"{PLAY}&id=com.good.app")


def test_to_allow_an_address_that_shows_another_page_is_refused(service: Service) -> None:
    for text in (
        "https://web.archive.org/web/2024/https://pirate-one.example/",
        "pirate--one-example.cdn.ampproject.org",
    ):
        with pytest.raises(UsageError, match=r"shows the page of pirate-one\.example: allow that page"):
            service.overrides.add(ALLOW, text, "a reason", "tester")
        service.overrides.add(BLOCK, text, "a reason", "tester")
    service.overrides.add(ALLOW, "web.archive.org", "a reason", "tester")
