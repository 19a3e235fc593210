"""Lists that shrink in small steps, come back, alternate, or are older than they seem."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklist.domain.run import Outcome, Run
from blocklist.normalize.hosts import parse_target
from blocklist.service import Service
from tests.e2e.running import publisher
from tests.fetch.asking import answering
from tests.refresh.test_runs import Court
from tests.support import Clock, definition, settings_for

ALL = [f"pirate-{number}.example" for number in range(100)]


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def found(court: Court, run: int) -> list[str]:
    return [item.guard for item in court.service.runs.detail(run).findings]


def test_a_list_that_shrinks_in_ten_small_steps_is_held(court: Court) -> None:
    outcomes = [court.publish(ALL[: 100 - 6 * step]).outcome for step in range(11)]
    assert outcomes[:4] == [Outcome.APPLIED] * 4
    assert set(outcomes[4:]) == {Outcome.HELD}
    assert court.feed.listed == 82


def test_a_list_may_shrink_slowly(court: Court) -> None:
    court.publish(ALL)
    for size in (85, 72, 62):
        court.clock.advance(31 * 86_400)
        assert court.publish(ALL[:size]).outcome is Outcome.APPLIED


def test_after_an_approval_steps_are_measured_from_there(court: Court) -> None:
    court.publish(ALL)
    held = court.publish(ALL[:50])
    court.service.runs.approve(held.id, "approver", "an order was withdrawn")
    assert court.publish(ALL[:45]).outcome is Outcome.APPLIED
    assert court.publish(ALL[:39]).outcome is Outcome.HELD


def test_a_full_list_that_returns_is_no_growth(court: Court) -> None:
    court.publish(ALL)
    held = court.publish(ALL[:38])
    court.service.runs.approve(held.id, "approver", "a mistake, as it turns out")
    assert court.publish([*ALL, "new.example"]).outcome is Outcome.APPLIED


def test_other_sites_than_before_are_growth(court: Court) -> None:
    court.publish(ALL)
    held = court.publish(ALL[:38])
    court.service.runs.approve(held.id, "approver", "an order was withdrawn")
    run = court.publish([*ALL[:38], *(f"other-{number}.example" for number in range(62))])
    assert found(court, run.id) == ["growth"]


def test_a_feed_that_goes_to_and_fro_is_held_the_second_time(court: Court) -> None:
    outcomes = [court.publish(ALL[:size]) for size in (100, 95, 100, 95, 100)]
    assert [run.outcome for run in outcomes] == [*[Outcome.APPLIED] * 3, Outcome.HELD, Outcome.UNCHANGED]
    assert outcomes[3].reason == (
        "this is the list of 2026-01-02 again, and an earlier list came back before: old and new copies alternate"
    )
    again = court.publish(ALL[:95])
    assert again.outcome is Outcome.HELD
    court.service.runs.approve(again.id, "approver", "the newer one")
    assert court.publish(ALL).outcome is Outcome.APPLIED


def test_the_same_body_that_is_read_anew_does_not_return(court: Court) -> None:
    for size in (100, 95, 100):
        court.publish(ALL[:size])
    with court.service.store.database.transaction():
        court.service.store.database.execute("UPDATE feeds SET applied_reading = 'of another version'")
    assert court.publish(ALL).outcome is Outcome.UNCHANGED


def test_one_date_far_in_the_future_does_not_hold_every_later_list(court: Court) -> None:
    def dated(date: str, size: int) -> str:
        return f"# Last modified: {date}\n" + "".join(f"{site}\n" for site in ALL[:size])

    run = court.publish(dated("2062-01-01", 100))
    assert (run.outcome, found(court, run.id)) == (Outcome.APPLIED, ["future_date"])
    assert court.publish(dated("2026-01-02", 99)).outcome is Outcome.APPLIED
    assert court.publish(dated("2026-01-01", 98)).outcome is Outcome.HELD


def test_moments_of_a_feed_never_go_back(court: Court) -> None:
    court.clock.move_to("2026-01-19T00:00:00Z")
    court.publish(ALL)
    court.clock.move_to("2026-01-09T00:00:00Z")
    run = court.publish(ALL[:95])
    (listing,) = court.service.evidence.history(parse_target("pirate-97.example"))
    assert listing.listed_until is not None
    assert listing.listed_from <= listing.listed_until
    assert run.finished_at == listing.listed_until == "2026-01-20T00:00:00Z"
    (finding,) = [item for item in court.service.doctor.diagnose() if item.check == "clock and court"]
    assert not finding.ok
    assert finding.found == (
        "the clock says 2026-01-10T00:00:00Z, and the last change of court was recorded at 2026-01-20T00:00:00Z"
    )
    assert court.publish([*ALL[:95], "archive.org"]).counts.held == 1
    (hold,) = court.service.holds.all()
    court.service.holds.approve(hold.id, "approver", "yes")
    (approved,) = court.service.evidence.history(parse_target("archive.org"))
    assert approved.listed_from == "2026-01-20T00:00:00Z"
    court.clock.move_to("2026-01-21T00:00:00Z")
    assert not [item for item in court.service.doctor.diagnose() if item.check == "clock and court"]


def test_an_older_last_modified_holds_a_run_until_a_person_agrees(tmp_path: Path, clock: Clock) -> None:
    clock.move_to("2026-01-10T00:00:00Z")
    service = Service(settings_for(tmp_path / "data", fetch={"allow_private_hosts": ["127.0.0.1"]}))
    with publisher() as site:
        service.feeds.add(definition("court", source={"url": f"http://127.0.0.1:{site.port}/list.txt"}), "tester")

        def fetched(modified: str, size: int) -> Run:
            body = "".join(f"{host}\n" for host in ALL[:size]).encode()
            site.answer = answering(body, Last_Modified=modified)
            return service.runs.refresh("court", "tester")

        assert fetched("Wed, 07 Jan 2026 00:00:00 GMT", 100).outcome is Outcome.APPLIED
        held = fetched("Wed, 01 Oct 2025 00:00:00 GMT", 95)
        assert held.outcome is Outcome.HELD
        assert held.reason.startswith("its Last-Modified is 2025-10-01T00:00:00Z, older than 2026-01-07T00:00:00Z")
        service.runs.approve(held.id, "approver", "the server's clock")
        assert fetched("Thu, 02 Oct 2025 00:00:00 GMT", 96).outcome is Outcome.APPLIED
    service.close()
