"""Well-linked sites: held, unless an independent authority names them too, in whichever order the lists come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blocklist.domain.run import Effect, HoldState, Run
from blocklist.normalize.hosts import parse_target
from blocklist.service import Service
from tests.support import Clock, definition

Publish = Callable[..., Run]
#: Two that are well linked, and one that is renowned.
LINKED, OTHER_LINKED, RENOWNED = "gutenberg.org", "netbsd.org", "nasa.gov"


def sites(feed: str, count: int = 20) -> list[str]:
    return [f"{feed}-{number}.example" for number in range(count)]


@pytest.fixture
def publish(service: Service, tmp_path: Path, clock: Clock) -> Publish:
    """Publish lines as the list of a feed, a day later; the feed is added with the first ones."""
    clock.move_to("2026-01-01T00:00:00Z")

    def published(name: str, lines: list[str], kind: str = "court", authority: str = "", **more: Any) -> Run:
        file = tmp_path / f"{name}.txt"
        file.write_text("\n".join(lines) + "\n")
        if name not in [feed.name for feed in service.feeds.all()]:
            who = {"name": authority or f"Authority of {name}", "kind": kind}
            service.feeds.add(definition(name, source={"file": str(file)}, authority=who, **more), "tester")
        clock.advance(86_400)
        return service.runs.refresh(name, "tester")

    return published


def states(service: Service) -> dict[str, str]:
    return {hold.feed: str(hold.state) for hold in service.holds.all(state=None) if hold.rule.value == LINKED}


@pytest.mark.parametrize("order", [("court", "volunteers"), ("volunteers", "court")])
def test_two_lists_that_name_a_well_linked_site_let_it_go_in_either_order(
    service: Service, publish: Publish, order: tuple[str, str]
) -> None:
    kinds = {"court": "court", "volunteers": "industry"}
    first, second = order
    publish(first, [*sites(first), LINKED, OTHER_LINKED], kinds[first])
    assert states(service) == {first: "waiting"}
    run = publish(second, [*sites(second), LINKED], kinds[second])
    assert states(service) == {first: "released", second: "released"}
    assert (run.counts.held, run.counts.rules) == (0, 21)
    (noted,) = [item for item in service.runs.detail(run.id).findings if item.effect is Effect.NOTES]
    assert noted.sentence == (
        f"1 newly listed, as another authority confirms: {LINKED} (Authority of {first} ({first}) lists it too)"
    )
    assert service.store.feeds.get(first).listed == 21
    assert service.snapshots.current().lookup(LINKED).listed
    assert not service.snapshots.current().lookup(OTHER_LINKED).listed
    (event,) = [event for event in service.store.audit.events() if event["action"] == "hold.release"]
    assert (event["actor"], event["detail"]["feed"], event["detail"]["entry"]) == ("blocklist", first, LINKED)
    assert service.store.audit.broken_links() == []
    history = service.evidence.history(parse_target(LINKED))
    assert {item.feed: item.hold_decision for item in history} == {
        first: f"released by blocklist: Authority of {second} ({second}) lists it too",
        second: f"released by blocklist: Authority of {first} ({first}) lists it too",
    }


def test_a_site_stays_listed_when_the_other_list_drops_it(service: Service, publish: Publish) -> None:
    publish("court", [*sites("court"), LINKED])
    publish("volunteers", [*sites("volunteers"), LINKED], "industry")
    publish("volunteers", sites("volunteers"))
    publish("court", [*sites("court")[1:], LINKED])
    assert service.snapshots.current().lookup(LINKED).listed
    # Dropped and named again, it is judged anew.
    publish("court", sites("court")[1:])
    assert publish("court", [*sites("court")[1:], LINKED]).counts.held == 1


def test_a_list_that_is_unchanged_lets_go_too(service: Service, publish: Publish) -> None:
    publish("court", [*sites("court"), LINKED])
    with service.refresher.locked("court"):
        publish("volunteers", [*sites("volunteers"), LINKED], "industry")
    assert states(service) == {"court": "waiting", "volunteers": "released"}
    assert publish("court", [*sites("court"), LINKED]).outcome == "unchanged"
    assert states(service)["court"] == "released"


def test_renowned_and_shared_hosts_wait_however_many_name_them(service: Service, publish: Publish) -> None:
    for name in ("court", "regulator", "police"):
        assert publish(name, [*sites(name), RENOWNED, "archive.org"]).counts.held == 2


@pytest.mark.parametrize(
    ("lines", "kind", "authority"),
    [
        (["volunteers-1.example", LINKED], "industry", "authority of court"),
        ([*sites("court"), LINKED], "regulator", ""),
        ([*sites("court"), "one-more.example", LINKED], "regulator", ""),
    ],
    ids=["the same authority", "the same body", "nearly the same list"],
)
def test_who_repeats_a_list_does_not_confirm_it(
    service: Service, publish: Publish, lines: list[str], kind: str, authority: str
) -> None:
    publish("court", [*sites("court"), LINKED])
    publish("other", lines, kind, authority)
    assert states(service) == {"court": "waiting", "other": "waiting"}


def test_volunteers_do_not_confirm_each_other(service: Service, publish: Publish) -> None:
    for name in ("volunteers", "others"):
        publish(name, [*sites(name), LINKED], "industry")
    assert set(states(service).values()) == {"waiting"}


def test_a_copy_of_part_of_a_list_does_not_confirm_it(service: Service, publish: Publish) -> None:
    publish("court", [*sites("court", 100), LINKED])
    publish("copy", [*sites("court", 60), *sites("copy", 40), LINKED], "industry")
    assert set(states(service).values()) == {"waiting"}


def test_what_a_person_refused_or_took_back_is_never_let_go(service: Service, publish: Publish) -> None:
    publish("court", [*sites("court"), LINKED])
    publish("volunteers", [*sites("volunteers"), LINKED], "industry")
    holds = {hold.feed: hold for hold in service.holds.all(state=HoldState.RELEASED)}
    revoked = service.holds.revoke(holds["court"].id, "approver", "a library")
    assert (revoked.state, revoked.decided_by, revoked.reason) == (HoldState.WAITING, "approver", "a library")
    for number in range(2):
        publish("court", [*sites("court")[number + 1 :], LINKED])
        publish("volunteers", [*sites("volunteers")[number + 1 :], LINKED])
        assert states(service)["court"] == "waiting"
    # Neither does another list let go what is doubted here.
    publish("police", [*sites("police"), LINKED], "law-enforcement")
    assert states(service)["police"] == "waiting"
    service.holds.refuse(revoked.id, "approver", "a library")
    publish("police", [*sites("police")[1:], LINKED])
    assert states(service)["police"] == "waiting"


def test_a_refusal_holds_where_no_guard_would(service: Service, publish: Publish) -> None:
    publish("court", [*sites("court"), LINKED])
    (hold,) = service.holds.all()
    service.holds.refuse(hold.id, "approver", "a library")
    with service.store.database.transaction():
        service.store.database.execute(
            "UPDATE feeds SET definition = json_set(definition, '$.guards', json('{\"off\": [\"popular_host\"]}'))"
        )
    run = publish("court", [*sites("court")[1:], LINKED])
    assert (run.counts.rules, run.rejected_by_code) == (19, {"refused": 1})


def test_an_entry_that_no_guard_holds_any_more_is_released(service: Service, publish: Publish) -> None:
    publish("court", [*sites("court"), LINKED])
    with service.store.database.transaction():
        service.store.database.execute(
            "UPDATE feeds SET definition = json_set(definition, '$.guards', json('{\"off\": [\"popular_host\"]}'))"
        )
    # The same body is read again, as other guards judge it.
    assert publish("court", [*sites("court"), LINKED]).counts.added == 1
    (hold,) = service.holds.all(state=None)
    assert (hold.state, hold.decided_by, hold.reason) == (
        *(HoldState.RELEASED, "blocklist", "no guard holds it any more"),
    )


def test_the_doctor_names_two_feeds_with_one_list(service: Service, publish: Publish) -> None:
    publish("court", sites("court"))
    run = publish("mirror", sites("court"))
    assert [item.guard for item in service.runs.detail(run.id).findings] == ["same_list"]
    (finding,) = [item for item in service.doctor.diagnose() if item.check == "court and mirror"]
    assert not finding.ok
    assert finding.found == (
        "Authority of court and Authority of mirror have the same list: they count as one authority"
    )


def test_who_names_a_host_alone_does_not_confirm_all_below_it(service: Service, publish: Publish) -> None:
    publish("exact", [*sites("exact"), LINKED], rules={"scope": "exact"})
    publish("court", [*sites("court"), LINKED])
    # The wider entry covers the host alone.
    assert states(service) == {"exact": "released", "court": "waiting"}
