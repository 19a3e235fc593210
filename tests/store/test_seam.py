"""All statements outside the engine are SQL that PostgreSQL takes too, with the same meaning."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from blocklist.domain.access import Role
from blocklist.domain.listing import Entry, HostBlock, Rule, RuleKind, Scope
from blocklist.service import Service
from blocklist.store import Store
from blocklist.store.compile_source import Mark
from tests.store.shared_sql import STORE, Recording, calls, faults, record
from tests.support import Clock, definition, rule

SITES = [f"site-{number}.example" for number in range(10)]
WHY = {"reason": "by order"}
ANY = {"If-Match": "*"}


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recording:
    return record(monkeypatch, tmp_path)


@pytest.fixture
def admin(recording: Recording, client_as: Callable[[Role | str], FlaskClient]) -> FlaskClient:
    return client_as(Role.ADMIN)


def done(answer: Any) -> Any:
    assert answer.status_code < 400, answer.text
    return answer.get_json(silent=True) or answer.text


class Publisher:
    """A list that a feed reads, and the feed's refreshes."""

    def __init__(self, client: FlaskClient, path: Path) -> None:
        self._client, self._path = client, path
        self.publish(*SITES)

    def publish(self, *rows: str) -> None:
        self._path.write_text("".join(f"{row}{',' * (2 - row.count(','))}\n" for row in ("site,order,by", *rows)))

    def refresh(self, *rows: str) -> Any:
        self.publish(*rows)
        return done(self._client.post("/v1/feeds/court/refresh?wait=true"))


def bring_in(client: FlaskClient, folder: Path) -> Publisher:
    """Add a feed; let lists of it be applied, restated, held, approved, rejected and superseded."""
    publisher = Publisher(client, folder / "list.csv")
    authority = {"name": "Court", "kind": "court", "country": "GB", "contact": "court@court.example"}
    feed = {"name": "court", "format": "csv", "authority": authority, "source": {"file": str(folder / "list.csv")}}
    options = {"column": "site", "header": True, "reference": "order", "authority": "by"}
    done(client.post("/v1/feeds/preview", json={**feed, "options": options}))
    done(client.post("/v1/feeds", json={**feed, "options": options}, headers={"Idempotency-Key": "add"}))
    assert publisher.refresh(*SITES, "not a site", "archive.org", "wikipedia.org")["outcome"] == "applied"
    holds = done(client.get("/v1/holds?state=waiting&feed=court"))["holds"]
    for hold, decision in zip(holds, ("approve", "refuse"), strict=True):
        done(client.post(f"/v1/holds/{hold['id']}/{decision}", json=WHY))
    assert publisher.refresh(*(f"{site},order 7,Police" for site in SITES))["counts"]["amended"] == len(SITES)
    done(client.post(f"/v1/holds/{holds[0]['id']}/revoke", json=WHY))
    for decision in ("approve", "reject"):
        held = publisher.refresh(f"{decision}.example", *SITES[:2])
        assert held["outcome"] == "held", held
        done(client.get(f"/v1/runs/{held['id']}?change=removed&search=site&standing_out=false"))
        page = done(client.get(f"/v1/runs/{held['id']}/changes?limit=2"))
        done(client.get(f"/v1/runs/{held['id']}/changes?limit=2&cursor={page['next']}"))
        done(client.post(f"/v1/runs/{held['id']}/{decision}", json=WHY))
        done(client.get(f"/v1/runs/{held['id']}/body"))
        if decision == "approve":
            publisher.refresh(*SITES)
    assert publisher.refresh("reject.example", *SITES[:2])["outcome"] == "failed"
    publisher.refresh("superseded.example", SITES[0])
    assert publisher.refresh(*SITES)["outcome"] == "unchanged"
    return publisher


def administer(client: FlaskClient) -> None:
    """Edit, override, add people and tokens, and ask what happened."""
    done(client.patch("/v1/feeds/court", json={"title": "A court"}, headers=ANY))
    done(client.post("/v1/feeds/court/pause"))
    done(client.post("/v1/feeds/court/resume"))
    for target in ("pirate.example", "site-1.example/films"):
        block = {"action": "block", "target": target, **WHY}
        override = done(client.post("/v1/overrides", json=block, headers={"Idempotency-Key": target}))
    done(client.delete(f"/v1/overrides/{override['id']}"))
    token = done(client.post("/v1/tokens", json={"name": "ad server", "role": "viewer"}))
    done(client.delete(f"/v1/tokens/{token['id']}"))
    done(client.post("/v1/people", json={"name": "anna", "role": "editor"}))
    done(client.patch("/v1/people/anna", json={"role": "admin"}))
    done(client.post("/v1/people/anna/link"))
    done(client.post("/v1/people/anna/sign-out"))
    done(client.patch("/v1/people/anna", json={"disabled": True}))
    for address in (
        *("feeds", "feeds/court", "runs", "runs?feed=court&outcome=applied&review=approved", "holds", "overrides"),
        *("overrides?removed=true", "tokens", "people", "people/anna", "notifications", "notifications?state=waiting"),
        *("audit", "audit?actor=test&action=feed&target=court", "audit/verify", "audit/export", "doctor", "snapshot"),
        *("history?target=site-1.example", "history?target=http://192.0.2.1/", "listings?target=site-1.example/films"),
        *("changes?since=2020-01-01", "changes?since=1&feed=court", "exports/csv", "exports/json?feed=court"),
        f"audit/verify?known=1:{'0' * 64}",
    ):
        answer = client.get(f"/v1/{address}")
        assert answer.status_code < 500, (address, answer.text)
    done(client.post("/v1/snapshot/build"))
    done(client.get("/metrics"))


def look_around(browser: FlaskClient) -> None:
    """Open the pages of a person who is signed in."""
    for page in ("", "feeds", "feeds/court", "runs", "runs/1", "review", "lookup?target=site-1.example", "overrides"):
        assert browser.get(f"/admin/{page}").status_code in (200, 308), page


def keep_house(service: Service, clock: Clock, folder: Path) -> None:
    """Note what is wrong, publish what changed, and remove the feed; then what no request reaches in a test."""
    store = service.store
    notifier = service.notifier
    (folder / "list.csv").unlink()
    service.store.feeds.note_failure(1, "2020-01-01T00:00:00Z")
    clock.advance(90 * 86_400)
    notifier.tick()
    for _ in range(2):
        notifier.update_alerts()
        clock.advance(90 * 86_400)
    corners(store)


def corners(store: Store) -> None:
    """Run what a day seldom does: each call by itself."""
    feed = store.feeds.add(definition("other"))
    with store.database.transaction():
        number = store.alerts.queue("msg_1", "webhook:ops", "x", "{}", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        store.alerts.begin("feed_stale", "other", "", "stale", "2026-01-01T00:00:00Z")
        store.alerts.restate(1, "again", "stale", report_again=True)
        store.alerts.end(1, "2026-01-02T00:00:00Z", None)
        store.alerts.note_reported([1], "2026-01-02T00:00:00Z")
        store.evidence.note_pruned(store.evidence.unneeded("2026-01-01T00:00:00Z"))
    assert store.alerts.claim(number, "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z")
    store.alerts.note_retry(number, "2026-01-02T00:00:00Z", "x")
    store.alerts.note_given_up(number, "2026-01-02T00:00:00Z", "x")
    store.alerts.get(number)
    assert store.alerts.messages("given up")
    store.alerts.delete_before("2027-01-01T00:00:00Z")
    store.compile_source.changed_rules(Mark(0, "2020-01-01T00:00:00Z"), 1_000)
    list(store.compile_source.listings_of(["site-1.example"], ["site-1.example"]))
    list(store.compile_source.listings_by_id([1]))
    store.compile_source.count()
    store.staging.load([(Entry("a.example", 1), rule("a.example")), HostBlock(["b.example"] * 20, 2, Scope.SUBTREE)])
    store.staging.removed_continuation(feed.id, rule("b.example"))
    store.staging.candidates(["b.example"], "b.example")
    store.staging.diff(feed.id)
    store.staging.entries_of(["b.example"])
    store.staging.returning(feed.id, "2020-01-01T00:00:00Z")
    store.naming.of_hosts(["site-1.example"])
    store.naming.doubted(["site-1.example"])
    store.naming.overlap(1, feed.id)
    store.naming.overlap_of_staged(1)
    store.naming.similar_in_size(10, "")
    store.flags.decided([rule("b.example")])
    for form in ("id1", "1"):
        store.staging.load([(Entry(form, 1), Rule(RuleKind.APP, form, Scope.EXACT))])
        with store.database.transaction():
            store.listings.record(feed.id, 1, "2026-01-01T00:00:00Z", store.staging.diff(feed.id))
    store.staging.clear()
    store.runs.newer_bodies(store.runs.get(1))
    store.runs.last_applied("court")
    store.runs.latest([1])
    store.people.by_subject("issuer subject")
    store.people.any()
    store.people.password(1)
    person = store.people.all()[0]
    store.sessions.add("hash", person.id, "192.0.2.1", "browser", "2999-01-01T00:00:00Z")
    (session,) = store.sessions.of_person(person.id, 3_600)
    store.sessions.note_use(replace(session, seen_at="2020-01-01T00:00:00Z"))
    store.sessions.signed_in_from(person.id, "192.0.2.1")
    store.sessions.link("hash")
    store.audit.hash_of(1)
    store.audit.actors(["feed.add"], "court", "2020-01-01T00:00:00Z")
    store.evidence.always_ended_with_newline(1)
    store.evidence.note_upkeep("prune")
    store.evidence.last_upkeep("prune")
    store.requests.forget("anna", "key")
    store.feeds.due("2999-01-01T00:00:00Z")
    store.overrides.all()
    store.statistics.add_sample("2026-01-01T00:00:00Z", 60.0, 1, 1, 0)


def test_all_statements_outside_the_engine_are_sql_that_postgresql_takes_too(
    *,
    recording: Recording,
    admin: FlaskClient,
    signed_in_client: FlaskClient,
    service: Service,
    clock: Clock,
    tmp_path: Path,
) -> None:
    bring_in(admin, tmp_path)
    administer(admin)
    look_around(signed_in_client)
    keep_house(service, clock, tmp_path)
    done(admin.delete("/v1/feeds/court", headers=ANY))
    assert {statement: found for statement in recording.statements if (found := faults(statement))} == {}
    reached = {
        (path, first)
        for path, first, last in calls()
        for at, line in recording.places
        if at == path and first <= line <= last
    }
    missed = [f"{path.name}:{first}" for path, first, _ in calls() if (path, first) not in reached]
    assert not missed, f"statements that the day does not run: {missed}"


def test_no_module_outside_the_engine_knows_sqlite() -> None:
    knowing = re.compile(r"^\s*(import|from) (sqlite3|sqlite_utils)\b", re.M)
    found = [str(path) for path in STORE.parent.rglob("*.py") if knowing.search(path.read_text())]
    assert [path for path in found if "/store/engine/sqlite/" not in path] == []


@pytest.mark.parametrize(
    "statement",
    [
        *("SELECT group_concat(value) FROM listings", "SELECT rowid FROM runs", "SELECT max(id, 2) FROM runs"),
        *("SELECT id FROM listings NOT INDEXED", "SELECT id FROM listings WHERE +feed_id = 1", "PRAGMA user_version"),
        *(
            "SELECT id FROM temp.incoming",
            "SELECT value FROM json_each(?)",
            "INSERT OR IGNORE INTO runs (id) VALUES (?)",
        ),
        *(
            "SELECT id FROM feeds WHERE paused",
            "SELECT id FROM feeds WHERE paused IS 1",
            "SELECT id FROM feeds WHERE 1",
        ),
        *("SELECT id FROM feeds WHERE EXISTS (SELECT 1) = 1", "SELECT id FROM feeds WHERE name GLOB 'a*'"),
        *("SELECT id FROM feeds WHERE paused IS TRUE", "SELECT id FROM feeds WHERE id == 1", "CREATE TABLE x (y TEXT)"),
    ],
)
def test_sql_of_sqlite_alone_is_found(statement: str) -> None:
    assert faults(statement) != []
