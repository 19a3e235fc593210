"""The history of what a feed lists, over delistings, relistings, restatements, and moves to other addresses.

Each list is published on another day; a simple model of intervals gives the expected history of every site.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from blocklist.definitions.catalog import from_catalog
from blocklist.definitions.definition import FeedDefinition
from blocklist.definitions.source import Source
from blocklist.domain.run import Outcome, Run
from blocklist.normalize.hosts import parse_target
from blocklist.service import Service
from tests.e2e.running import Publisher, publisher, respond
from tests.feeds.test_real_lists import LISTS
from tests.refresh.test_runs import Court
from tests.support import Clock, definition, settings_for

#: Beginning and end of a listing; None: it has not ended.
Interval = tuple[str, str | None]
UNLIMITED = {"max_removed": 1, "max_growth": 1_000, "max_rejected": 1}


def on(day: int) -> str:
    return f"2026-01-{day:02}T00:00:00Z"


class Model:
    """The expected history: the intervals of each site, and the list of each day."""

    def __init__(self) -> None:
        self.intervals: dict[str, list[Interval]] = {}
        self.lists: dict[str, set[str]] = {}

    def publish(self, moment: str, sites: set[str]) -> None:
        """Record the list of a day."""
        self.lists[moment] = sites
        for site, known in self.intervals.items():
            if known[-1][1] is None and site not in sites:
                known[-1] = (known[-1][0], moment)
        for site in sites:
            known = self.intervals.setdefault(site, [])
            if not known or known[-1][1] is not None:
                known.append((moment, None))


def unbroken(service: Service, site: str) -> list[Interval]:
    """Return the unbroken listings of a site; rows with the same beginning must follow each other without a gap."""
    found: list[Interval] = []
    stated_until: str | None = ""
    for item in service.evidence.history(parse_target(site)):
        if item.rule.value != site:
            continue
        if found and found[-1][0] == item.listed_from:
            assert item.stated_from == stated_until, "a wording ends where the next one begins"
            found[-1] = (item.listed_from, item.listed_until)
        else:
            assert item.stated_from == item.listed_from
            found.append((item.listed_from, item.listed_until))
        stated_until = item.listed_until
    return found


def agrees(service: Service, model: Model) -> None:
    """Assert that the history, past snapshots of each day and the present snapshot agree with the model."""
    for site, intervals in model.intervals.items():
        assert unbroken(service, site) == intervals, site
    for moment, sites in model.lists.items():
        for site in model.intervals:
            assert service.evidence.lookup(parse_target(site), "default", at=moment).listed is covered(site, sites), (
                site
            )
    last = list(model.lists.values())[-1]
    snapshot = service.snapshots.current()
    for site in model.intervals:
        assert snapshot.lookup(site).listed is covered(site, last), site


def covered(site: str, sites: set[str]) -> bool:
    """Return whether a list covers a site: the site, or a host above it, is on the list."""
    return any(site == other or site.endswith(f".{other}") for other in sites)


def moved(court: Court, **source: Any) -> None:
    """Change the feed's source."""

    def change(before: FeedDefinition) -> FeedDefinition:
        return before.model_copy(update={"source": Source.model_validate(source)})

    court.service.feeds.edit("court", change, "tester")


@pytest.mark.parametrize("seed", range(3))
def test_random_delistings_relistings_and_moves_keep_one_history(
    service: Service, tmp_path: Path, clock: Clock, seed: int
) -> None:
    choice = random.Random(seed)
    options = {"column": "site", "reference": "order"}
    court = Court(service, tmp_path / "0.csv", clock, format="csv", options=options, guards=UNLIMITED)
    pool = [f"site-{number}.example" for number in range(14)]
    model, sites, orders = Model(), set(pool[:8]), dict.fromkeys(pool, 1)
    for day in range(1, 22):
        for site in choice.sample(pool, 3):
            sites ^= {site}
        orders[choice.choice(pool)] += 1
        if day % 5 == 0:
            court.file = tmp_path / f"{day}.csv"
            moved(court, file=str(court.file))
        rows = sorted(sites or {pool[0]})
        choice.shuffle(rows)
        run = court.publish("site,order\n" + "".join(f"{site},O-{orders[site]}\n" for site in rows))
        assert run.outcome in (Outcome.APPLIED, Outcome.UNCHANGED), run.reason
        model.publish(on(day), set(rows))
    agrees(service, model)
    assert any(len(intervals) > 1 for intervals in model.intervals.values()), "nothing came back"


@pytest.fixture
def two() -> Iterator[tuple[Publisher, Publisher]]:
    with publisher() as one, publisher() as other:
        yield one, other


def conditional(published: Publisher, body: bytes) -> None:
    """Answer with a body under an ETag that does not depend on the body, and with 304 to a request with that ETag."""

    def answer(handler: Any) -> None:
        if handler.headers.get("If-None-Match") == '"1"':
            respond(handler, b"", 304)
        else:
            respond(handler, body, headers={"ETag": '"1"'})

    published.answer = answer


def test_a_feed_that_moves_is_read_again_at_its_new_address_and_its_listings_continue(
    tmp_path: Path, clock: Clock, two: tuple[Publisher, Publisher]
) -> None:
    service = Service(settings_for(tmp_path / "data", fetch={"allow_private_hosts": ["127.0.0.1"]}))
    court = Court(service, tmp_path / "unused", clock)
    model = Model()
    old, new = two
    sites = {f"site-{number}.example" for number in range(12)}

    def listing(*more: str) -> bytes:
        return "".join(f"{site}\n" for site in sorted({*sites, *more})).encode()

    def refreshed(outcome: Outcome, listed: set[str]) -> Run:
        run = court.refresh()
        assert run.outcome is outcome, run.reason
        model.publish(on(court.day), listed)
        return run

    moved(court, url=old.url)
    conditional(old, listing())
    refreshed(Outcome.APPLIED, sites)
    refreshed(Outcome.UNCHANGED, sites)
    assert old.requests[-1]["If-None-Match"] == '"1"'

    moved(court, url=new.url)
    conditional(new, b"<!DOCTYPE html><html>coming soon</html>")
    refreshed(Outcome.FAILED, sites)
    assert "If-None-Match" not in new.requests[-1], "the tag of one address means nothing at another"
    conditional(new, listing()[:80])
    assert "cut off" in refreshed(Outcome.HELD, sites).reason
    conditional(new, listing("new.example"))
    refreshed(Outcome.APPLIED, {*sites, "new.example"})
    refreshed(Outcome.UNCHANGED, {*sites, "new.example"})

    moved(court, url=old.url)
    refreshed(Outcome.APPLIED, sites)
    assert "If-None-Match" not in old.requests[-1]
    agrees(service, model)
    assert unbroken(service, "site-0.example") == [(on(1), None)]
    assert unbroken(service, "new.example") == [(on(5), on(7))]
    service.close()


def test_a_feed_that_is_removed_and_added_again_keeps_its_history(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    court = Court(service, tmp_path / "list.txt", clock)
    court.publish(["a.example", "b.example"])
    clock.move_to(on(3))
    service.feeds.remove("court", "tester")
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("a.example\nc.example\n")
    service.feeds.add(definition("court", source={"file": str(elsewhere)}), "tester")
    clock.move_to(on(4))
    assert court.refresh().outcome is Outcome.APPLIED
    assert unbroken(service, "a.example") == [(on(1), on(3)), (on(5), None)]
    assert unbroken(service, "b.example") == [(on(1), on(3))]
    assert unbroken(service, "c.example") == [(on(5), None)]
    assert {item.feed for item in service.evidence.history(parse_target("a.example"))} == {"court"}


@pytest.mark.skipif(not LISTS.is_dir(), reason="the folder of real published lists is not there")
def test_the_german_list_at_the_end_of_each_year_gives_one_history(
    service: Service, tmp_path: Path, clock: Clock
) -> None:
    """Each row has the day on which it was first blocked; some rows are removed and added again."""
    rows = json.loads((LISTS / "de-cuii.json").read_bytes())["list"]
    dated = [row for row in rows if row["first_blocked_on"]]
    known = from_catalog("de-cuii")
    as_known = {"format": known.format, "options": known.options, "guards": UNLIMITED}
    court = Court(service, tmp_path / "list.json", clock, **as_known)
    model = Model()
    years = sorted({row["first_blocked_on"][:4] for row in dated})
    assert len(years) > 2
    for number, year in enumerate([*years, years[-1], years[-1]], 1):
        kept = [row for row in dated if row["first_blocked_on"][:4] <= year]
        if number == len(years) + 1:
            kept = kept[5:]
        run = court.publish(json.dumps({"list": kept}))
        assert run.outcome is Outcome.APPLIED, run.reason
        model.publish(on(court.day), {row["domain"].removeprefix("www.") for row in kept})
    agrees(service, model)
    first = {row["domain"] for row in dated if row["first_blocked_on"][:4] == years[0]}
    assert any(unbroken(service, site) == [(on(1), None)] for site in first)
    assert any(len(intervals) == 2 for intervals in model.intervals.values())
