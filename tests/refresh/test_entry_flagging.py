"""Entries that are listed and worth a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from blocklist.domain.errors import ConflictError, NotFoundError, UsageError
from blocklist.domain.run import Effect, FlagState, Outcome
from blocklist.domain.verdict import OverrideAction
from blocklist.guards.popular_hosts import Tier, hosts_of
from blocklist.service import Service
from tests.refresh.test_runs import SITES, Court
from tests.support import Clock, definition

#: A site that is used much and linked little, and one below a renowned one.
USED, BELOW = "1337x.to", "worldwind.arc.nasa.gov"


@pytest.fixture
def court(service: Service, tmp_path: Path, clock: Clock) -> Court:
    return Court(service, tmp_path / "list.txt", clock)


def flagged(court: Court) -> dict[str, str]:
    return {item.rule.value: item.guard for item in court.service.flags.all()}


def second_feed(court: Court, lines: list[str]) -> None:
    file = court.file.with_name("other.txt")
    file.write_text("\n".join(lines) + "\n")
    authority = {"name": "Another Court"}
    court.service.feeds.add(definition("other", source={"file": str(file)}, authority=authority), "tester")
    court.service.runs.refresh("other", "tester")


def test_a_site_that_is_only_used_much_is_listed_and_flagged(court: Court) -> None:
    assert USED in hosts_of(Tier.MOST_USED)
    run = court.publish([*SITES, USED, BELOW, "bt1.archive.org"])
    assert (run.outcome, run.counts.rules, run.counts.held, run.counts.flagged) == (Outcome.APPLIED, 23, 0, 3)
    assert run.reason == "23 sites: 23 added, 0 removed, 0 restated; 3 worth a look"
    assert flagged(court) == {
        USED: "most_used_host",
        BELOW: "below_popular_host",
        "bt1.archive.org": "below_popular_host",
    }
    assert all(court.listed(site) for site in (USED, BELOW))
    findings = court.service.runs.detail(run.id).findings
    assert [(item.guard, item.effect) for item in findings] == [
        ("below_popular_host", Effect.FLAGS),
        ("most_used_host", Effect.FLAGS),
    ]
    assert findings[1].sentence == f"1 newly listed is worth a look: {USED}"
    assert court.service.flags.all()[2].why == (
        f"{BELOW} is below nasa.gov, which is one of the 500 most linked sites (Moz)"
    )


def test_only_what_is_new_is_flagged_and_once(court: Court) -> None:
    court.publish([*SITES, USED])
    assert court.publish([*SITES[1:], USED]).counts.flagged == 0
    assert court.publish([*SITES[1:], USED, BELOW]).counts.flagged == 1
    assert len(flagged(court)) == 2


def test_a_flag_ends_with_its_listing_and_begins_with_the_next(court: Court) -> None:
    court.publish([*SITES, USED])
    court.publish(SITES)
    assert [item.state for item in court.service.flags.all(state=None)] == [FlagState.WITHDRAWN]
    court.publish([*SITES[1:], USED])
    assert flagged(court) == {USED: "most_used_host"}
    court.service.feeds.remove("court", "tester")
    assert [item.state for item in court.service.flags.all(state=None)] == [FlagState.WITHDRAWN]


def test_a_held_run_flags_nothing_before_it_is_approved(court: Court) -> None:
    court.publish(SITES)
    held = court.publish([*SITES[:10], USED])
    assert (held.outcome, held.counts.flagged, flagged(court)) == (Outcome.HELD, 1, {})
    court.service.runs.approve(held.id, "approver", "right")
    assert flagged(court) == {USED: "most_used_host"}


def test_a_dismissed_site_stays_listed_and_is_flagged_nowhere_again(court: Court) -> None:
    court.publish([*SITES, USED])
    (flag,) = court.service.flags.all()
    done = court.service.flags.dismiss(flag.id, "approver", "the order names it")
    assert (done.state, done.decided_by, done.reason) == (FlagState.DISMISSED, "approver", "the order names it")
    assert court.listed(USED)
    second_feed(court, [f"other-{number}.example" for number in range(9)] + [USED])
    court.publish(SITES[1:])
    court.publish([*SITES[2:], USED])
    assert flagged(court) == {}
    (event,) = court.service.audit.events(limit=1, action="flag.dismiss")
    assert (event["actor"], event["detail"]["entry"]) == ("approver", USED)


def test_a_decision_closes_the_flags_of_all_feeds(court: Court) -> None:
    court.publish([*SITES, USED, BELOW])
    second_feed(court, ["other-1.example", USED, BELOW])
    assert len(court.service.flags.all()) == 4
    court.service.flags.dismiss(
        next(item.id for item in court.service.flags.all() if item.rule.value == USED), "a", "b"
    )
    assert [item.rule.value for item in court.service.flags.all()] == [BELOW, BELOW]
    court.service.flags.allow(court.service.flags.all()[0].id, "a", "a museum")
    assert flagged(court) == {}


def test_an_allow_is_an_override_that_closes_the_flag(court: Court) -> None:
    court.publish([*SITES, USED])
    (flag,) = court.service.flags.all()
    with pytest.raises(UsageError, match="needs a reason"):
        court.service.flags.allow(flag.id, "approver", " ")
    made = court.service.flags.allow(flag.id, "approver", "not a pirate")
    assert (made.action, made.rule.value, made.reason) == (OverrideAction.ALLOW, USED, "not a pirate")
    assert not court.listed(USED)
    assert court.service.flags.get(flag.id).state is FlagState.ALLOWED
    with pytest.raises(ConflictError, match="is not open: it is allowed by approver: not a pirate"):
        court.service.flags.dismiss(flag.id, "approver", "yes")
    with pytest.raises(NotFoundError, match="there is no flag 99"):
        court.service.flags.allow(99, "approver", "yes")


def test_what_an_override_allows_already_is_not_flagged(court: Court) -> None:
    court.service.overrides.add(OverrideAction.ALLOW, "nasa.gov", "an agency", "admin")
    assert court.publish([*SITES, USED, BELOW]).counts.flagged == 1
    court.service.overrides.add(OverrideAction.ALLOW, USED, "not a pirate", "admin")
    assert flagged(court) == {}


@pytest.mark.parametrize(("off", "number"), [("most_used_host", 1), ("below_popular_host", 1), ("popular_host", 2)])
def test_a_feed_may_switch_flags_off(service: Service, tmp_path: Path, clock: Clock, off: str, number: int) -> None:
    court = Court(service, tmp_path / "list.txt", clock, guards={"off": [off]})
    assert court.publish([*SITES, USED, BELOW]).counts.flagged == number


def test_flags_are_counted_and_are_nothing_that_the_doctor_minds(court: Court) -> None:
    court.publish([*SITES, USED, BELOW])
    assert [(row["waiting"], row["flagged"]) for row in court.service.feeds.rows()] == [(0, 2)]
    (finding,) = [item for item in court.service.doctor.diagnose() if item.check == "flags of court"]
    assert finding.ok
    assert finding.found == "2 listed entries are worth a look: blocklist flag list --feed court"


def test_a_preview_shows_what_would_be_flagged(court: Court) -> None:
    court.file.write_text(f"{USED}\n")
    seen = court.service.feeds.preview(definition("court", source={"file": str(court.file)}))
    assert (seen.outcome, seen.counts.flagged) == ("applied", 1)
    assert seen.flagged == ((USED, f"{USED} is one of the 10,000 most used sites (Tranco)"),)


def test_what_waited_in_an_earlier_version_is_listed_and_flagged_at_the_next_refresh(court: Court) -> None:
    court.publish(SITES)
    lines = [*SITES, USED, "yts.mx", "fitgirl-repacks.site"]
    # As a version left them that held what is used much: one waits, one was refused, one was approved.
    court.file.write_text("\n".join(lines) + "\n")
    store = court.service.store
    with store.database.transaction():
        store.database.execute("UPDATE feeds SET applied_reading = 'of an earlier version', applied_body = 'x'")
        for host, state, by in (
            (USED, "waiting", None),
            ("yts.mx", "refused", "approver"),
            ("fitgirl-repacks.site", "approved", "approver"),
        ):
            store.database.execute(
                "INSERT INTO holds (feed, kind, value, scope, guard, why, position, run_id, held_at, state, decided_by,"
                " decided_at, reason) VALUES ('court', 'host', ?, 'subtree', 'popular_host', 'why', 1, 1, '2025', ?, ?,"
                " '2025', 'a reason')",
                (host, state, by),
            )
    run = court.refresh()
    assert (run.counts.held, run.counts.flagged, run.rejected_by_code) == (0, 1, {"refused": 1})
    assert flagged(court) == {USED: "most_used_host"}
    assert [court.listed(host) for host in lines[-3:]] == [True, False, True]
    states = {hold.rule.value: str(hold.state) for hold in court.service.holds.all(state=None)}
    assert states == {USED: "released", "yts.mx": "refused", "fitgirl-repacks.site": "approved"}
