"""No page and no list does more for a large installation than for a small one: its statements say so, not the clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.admin import addresses
from bench.large import made
from blocklist.domain.access import Role
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.plans import scans, statements_of


def plans(folder: Path, feeds: int) -> Iterator[tuple[str, int, list[str]]]:
    """Ask every address of an installation; yield it, how many statements it took, and what they walk of listings."""
    service = made(folder, feeds, 300 * feeds, 0.002)
    app = create_app(Follower(service.snapshots.folder, 86_400), service)
    _, token = service.tokens.create(Role.ADMIN, "tester")
    client = app.test_client()
    headers = {"Authorization": f"Bearer {token}"}
    for address in addresses(app, service, f"feed-{feeds - 1:04}"):
        answers = []
        said = statements_of(service.store, lambda: answers.append(client.get(address, headers=headers)))  # noqa: B023
        assert answers[0].status_code < 500, (address, answers[0].get_data(as_text=True)[:500])
        if answers[0].status_code >= 400:
            continue  # of a kind of thing that this installation has none of
        asked = [statement for statement in said if statement.lstrip().upper().startswith(("SELECT", "WITH"))]
        steps = [row["detail"] for one in asked for row in service.store.database.rows(f"EXPLAIN QUERY PLAN {one}")]
        yield address, len(asked), [*scans(steps, "listings"), *scans(steps, "l")]
    service.close()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[str, int, list[str]]], ...]:
    """What each address takes in an installation of a few feeds, and in one of more."""
    folder = tmp_path_factory.mktemp("scale")
    return list(plans(folder / "few", 22)), list(plans(folder / "more", 40))


def test_no_page_or_list_asks_more_where_there_are_more_feeds(
    asked: tuple[list[tuple[str, int, list[str]]], ...],
) -> None:
    few, more = ({re.sub(r"\d+", "N", address): count for address, count, _ in found} for found in asked)
    assert len(few) > 40
    assert set(few) == set(more)
    # A page of fifty holds them all, of either: what asks once for each of its rows shows here too.
    assert {address: (count, more[address]) for address, count in few.items() if more[address] > count + 2} == {}


def test_no_page_or_list_walks_the_listings(asked: tuple[list[tuple[str, int, list[str]]], ...]) -> None:
    assert {address: walked for address, _, walked in asked[1] if walked} == {}
