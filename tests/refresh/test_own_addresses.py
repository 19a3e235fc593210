"""The authority's own addresses are never listed by its list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Entry, Rejected
from blocklist.domain.run import Outcome
from blocklist.normalize.rules import Reading, site_rule
from blocklist.refresh.own_addresses import OwnAddresses, own_hosts
from blocklist.service import Service
from tests.support import definition, rule


def court(**more: Any) -> FeedDefinition:
    contact = {"contact": "appeals@mail.court.example or https://www.court.example/appeal"}
    fields: dict[str, Any] = {"documentation": "https://www.regulator.example/orders", "authority": contact}
    return definition(**{**fields, "source": {"url": "https://lists.court.example/list.txt"}, **more})


def refused(definition_: FeedDefinition, text: str) -> bool:
    made = OwnAddresses(own_hosts(definition_))(Entry(text, 1), rule(text))
    assert made is None or (isinstance(made, Rejected) and made.code == "own_address")
    return made is not None


def test_the_hosts_of_address_documentation_and_contact_are_the_authoritys_own() -> None:
    assert own_hosts(court()) == ["court.example", "lists.court.example", "mail.court.example", "regulator.example"]
    assert own_hosts(court(rules={"own_addresses": "list"})) == []
    assert own_hosts(definition(authority={"contact": None}, source={"file": "list.txt"})) == []


def test_the_authoritys_own_hosts_pages_and_what_would_cover_them_are_refused() -> None:
    for text in (
        "regulator.example",
        "www.regulator.example",
        "http://www.regulator.example/order.pdf",
        "court.example",
    ):
        assert refused(court(), text), text
    for text in (
        "pirate.example",
        "notregulator.example",
        "x.regulator.example",
        "http://pirate.example/regulator.example",
    ):
        assert not refused(court(), text), text


def test_pages_on_a_platform_that_the_list_lies_on_may_be_listed() -> None:
    on_platform = court(source={"url": "https://github.com/court/list.txt"})
    assert refused(on_platform, "github.com")
    assert not refused(on_platform, "https://github.com/pirate/films")


def test_hosts_that_are_read_together_are_refused_too(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    hosts = [f"site-{number}.example" for number in range(30)]
    file.write_text("\n".join([*hosts, "regulator.example", *hosts, ""]))
    made = court(source={"file": str(file)})
    service.feeds.add(made, "tester")
    run = service.runs.refresh("court", "tester")
    assert run.outcome is Outcome.APPLIED
    assert (run.counts.rules, run.counts.rejected) == (30, 1)
    assert not service.snapshots.current().lookup("regulator.example").listed


def test_an_entry_that_is_refused_is_shown_as_it_was_published() -> None:
    entry = Entry("regulator.example", 7, raw="||regulator.example^")
    made = site_rule(entry, Reading())
    assert not isinstance(made, Rejected)
    refusal = OwnAddresses(["regulator.example"])(entry, made)
    assert refusal is not None
    assert (refusal.raw, refusal.position) == ("||regulator.example^", 7)
    assert "rules.own_addresses=list" in refusal.reason
