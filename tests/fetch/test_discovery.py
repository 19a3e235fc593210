"""Finding the newest list on a page, and on the page that a page leads to."""

from __future__ import annotations

from typing import Any

import pytest

from blocklist.definitions.catalog import from_catalog
from blocklist.definitions.name_dates import newest_date
from blocklist.definitions.source import Discovery, Source
from blocklist.domain.clock import now
from blocklist.domain.errors import FetchError
from tests.e2e.running import Publisher
from tests.fetch.asking import GOOD, Getting, answering, at, moved, site

ORDERS = """<html><base href="/archive/"><a href="/about">About</a>
<a href="/orders/12">Order 12 of 03/02/2026</a> <a href="/orders/14">Order 14 of 20/02/2026</a>
<a href="/orders/13">Order 13 of 11/02/2026</a></html>"""
LISTS = """<a href="0000349_2025.12.12.txt">Allegato B</a> <a href='0000350_2025.29.08.txt'>Allegato B</a>
<a href="0000351_2026.20.02.txt?x=1#top"> Allegato  <b>B</b></a> <a href="0000352_2026.45.02.txt">Allegato B</a>
<a href="0000353_2099.01.01.txt">Allegato B</a> <a href="mailto:x@a.example">Allegato B</a>"""


def finding(get: Getting, court: Publisher, path: str, **rule: Any) -> str:
    """Return the address that a rule finds, which must be that of a list."""
    body = get(at(court, path), source={"discovery": rule})
    assert body is not None
    assert body.path.read_bytes() == GOOD
    return body.validators["from"].removeprefix(f"http://127.0.0.1:{court.port}")


def test_the_newest_order_leads_to_the_list_attached_to_it(court: Publisher, get: Getting) -> None:
    asked = site(
        court,
        {"/": ORDERS.encode(), "/orders/14": LISTS.replace('href="', 'href="/files/').encode()}
        | {"/files/0000351_2026.20.02.txt?x=1": GOOD},
    )
    found = finding(get, court, "/", text="^Order", date="%d/%m/%Y", then={"text": "^allegato b$", "date": "_%Y.%d.%m"})
    assert found == "/files/0000351_2026.20.02.txt?x=1"
    assert asked == ["/", "/orders/14", "/files/0000351_2026.20.02.txt?x=1"]


def test_the_definitions_of_the_catalog_that_discover_follow_the_links_they_mean(
    court: Publisher, get: Getting
) -> None:
    orders = """<a href="/o">Elenco dei provvedimenti</a> <a href="/o/1">Ordine del 03/02/2026</a>
    <a href="/o/2">Ordine del 20/02/2026</a>"""
    order = '<a href="a.pdf">Allegato A</a> <a href="b.txt">Allegato B</a>'
    site(court, {"/": orders.encode(), "/o/2": order.encode(), "/o/b.txt": GOOD})
    rule = from_catalog("it-agcom-orders").source.discovery
    assert rule is not None
    assert finding(get, court, "/", **rule.model_dump()) == "/o/b.txt"
    lists = """<a href="eu.csv">blokeringer EU Ukraine (.csv)</a> <a href="r.csv">Blokeringer rettigheder (.csv)</a>
    <a href="spil.csv">blokering-spil (.csv)</a>"""
    site(court, {"/": lists.encode(), "/r.csv": GOOD})
    rule = from_catalog("dk-teleindu").source.discovery
    assert rule is not None
    assert finding(get, court, "/", **rule.model_dump()) == "/r.csv"


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ({"href": r"\.txt"}, "/0000349_2025.12.12.txt"),
        ({"href": r"\.txt", "pick": "last"}, "/0000353_2099.01.01.txt"),
        ({"href": "*.txt", "patterns": "glob"}, "/0000349_2025.12.12.txt"),
        ({"href": "*_2025*", "patterns": "glob", "pick": "last"}, "/0000350_2025.29.08.txt"),
        ({"text": "Allegato B", "href": "350"}, "/0000350_2025.29.08.txt"),
        ({"href": "_2025", "date": "%Y.%d.%m"}, "/0000349_2025.12.12.txt"),
    ],
)
def test_a_rule_takes_the_first_last_or_newest_of_the_links_that_match(
    court: Publisher, get: Getting, rule: dict[str, Any], found: str
) -> None:
    site(court, {"/": LISTS.encode(), found: GOOD})
    assert finding(get, court, "/", **rule) == found


def test_a_link_is_relative_to_the_page_that_a_redirect_led_to_and_to_its_base(court: Publisher, get: Getting) -> None:
    site(court, {"/": moved("/a/b/"), "/a/b/": b'<a href="list.txt">x</a>', "/a/b/list.txt": GOOD})
    assert finding(get, court, "/", text="x") == "/a/b/list.txt"
    site(court, {"/": b'<base href="/lists/"><a href="list.txt">x</a>', "/lists/list.txt": GOOD})
    assert finding(get, court, "/", text="x") == "/lists/list.txt"


def test_a_list_that_is_found_is_asked_for_with_the_validators_of_its_own_address(
    court: Publisher, get: Getting
) -> None:
    site(court, {"/": b'<a href="list.txt">x</a>', "/list.txt": answering(b"", 304)})
    rule = {"discovery": {"text": "x"}}
    known = {"url": at(court, "/list.txt"), "etag": '"1"', "fetched": now()}
    assert get(at(court, "/"), known, source=rule) is None
    assert "answered 304" in get.failing(at(court, "/"), validators={"url": at(court, "/old.txt")}, source=rule)


def test_a_page_without_a_link_that_matches_is_said_with_the_rule(court: Publisher, get: Getting) -> None:
    site(court, {"/": ORDERS.encode()})
    said = get.failing(at(court, "/"), source={"discovery": {"href": r"\.csv$"}})
    assert r"none of the 4 links on the page matches source.discovery (href '\\.csv$')" in said
    said = get.failing(at(court, "/"), source={"discovery": {"text": "Order", "date": "%Y.%d.%m"}})
    assert "3 links match source.discovery, and none has a date written %Y.%d.%m" in said
    site(court, {"/": LISTS.encode()})
    said = get.failing(at(court, "/"), source={"discovery": {"href": "0000353", "date": "_%Y.%d.%m"}})
    assert "is dated 2099-01-01, in the future" in said


@pytest.mark.parametrize(
    "rule",
    [{}, {"href": "("}, {"href": "x", "date": "%Y.%d"}, {"href": "x", "date": "%Y.%d.%m.%H"}, {"href": ""}],
)
def test_a_rule_that_could_not_work_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"href|date|regular"):
        Discovery.model_validate(rule)
    with pytest.raises(ValueError, match="for a list on the web"):
        Source.model_validate({"file": "x", "discovery": {"href": "x"}})


def test_a_date_is_not_read_out_of_a_longer_number() -> None:
    assert newest_date("12025.29.08 2025.29.081", "%Y.%d.%m") is None
    assert str(newest_date("2025.29.08 and 2024.01.01", "%Y.%d.%m")) == "2025-08-29"
    assert str(newest_date("3/2/26", "%d/%m/%y")) == "2026-02-03"


def test_a_pattern_that_takes_too_long_on_a_page_fails_the_fetch(
    court: Publisher, get: Getting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blocklist.text.safe_regex.SECONDS", 0.5)
    site(court, {"/": f'<a href="list.txt">{"a" * 60}!</a>'.encode()})
    with pytest.raises(FetchError, match=r"\(a\+\)\+b.*source\.discovery"):
        finding(get, court, "/", text="(a+)+b")
