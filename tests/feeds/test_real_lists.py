"""The real published lists, where a folder of them lies beside the checkout."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from blocklist.definitions.catalog import from_catalog
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.guards.popular_hosts import popular_hosts
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.rules import matches
from tests.feeds.reading import read

LISTS = Path(os.environ.get("BLOCKLIST_TEST_LISTS", Path(__file__).parents[3] / "shared" / "data"))

pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason="the folder of real published lists is not there")

LINES = FeedDefinition.model_validate(
    {"name": "tw", "format": "lines", "authority": {"name": "x", "kind": "industry", "country": "TW"}}
)
#: Definition, file: entries, rules, rejected by code.
COUNTS: dict[str, tuple[FeedDefinition | str, int, int, dict[str, int]]] = {
    "it-agcom.hosts": ("it-agcom", 3_538, 3_501, {"unknown_tld": 2}),
    "de-cuii.json": ("de-cuii", 275, 221, {}),
    "ru-registry.csv": ("ru-registry", 2_112, 2_026, {"unreadable": 12}),
    "community-antipiracy.adblock": ("community-antipiracy", 10_335, 10_335, {}),
    "community-piracy.hosts": ("community-piracy", 2_154, 1_273, {}),
    "tw-rpz.txt": (LINES, 29_704, 27_939, {}),
}


def rules_of(name: str) -> list[Rule]:
    definition = COUNTS[name][0]
    found = read(from_catalog(definition) if isinstance(definition, str) else definition, LISTS / name)[1]
    return [Rule(RuleKind(kind), value, Scope(scope)) for kind, value, scope in (said["rule"] for said in found)]


@pytest.mark.parametrize("name", COUNTS)
def test_a_real_list_gives_the_rules_that_its_rows_mean(name: str) -> None:
    definition, entries, rules, rejected = COUNTS[name]
    figures, found = read(from_catalog(definition) if isinstance(definition, str) else definition, LISTS / name)
    assert (figures.entries, len(found), figures.rejected_by_code) == (entries, rules, rejected)


def test_the_russian_register_rejects_only_what_is_no_web_address() -> None:
    figures, found = read(from_catalog("ru-registry"), LISTS / "ru-registry.csv")
    assert all(item.raw.startswith("newcamd525://") for item in figures.rejections)
    assert Counter(said["rule"][0] for said in found)["url"] > 1_500
    # 1,218 rows of the copyright court: one more than a search for the separator finds, since one has it in quotes.
    assert len({said["position"] for said in found} | {item.position for item in figures.rejections}) <= 1_218


def test_a_url_on_a_shared_site_never_widens_to_the_site() -> None:
    every_court = from_catalog("ru-registry").model_dump(mode="json")
    del every_court["options"]["where"]
    _, found = read(FeedDefinition.model_validate(every_court), LISTS / "ru-registry.csv")
    values = [said["rule"] for said in found]
    assert ["host", "youtube.com", "subtree"] not in values
    on_it = [rule for rule in values if rule[0] == "url" and rule[1].startswith("www.youtube.com/")]
    assert len(on_it) > 100


#: Hosts of the Italian list with a top-level domain that does not exist: nobody can open them.
MISTYPED = ("mp3direct.coe", "ilcorsaronero.lo")


def test_every_host_of_the_italian_list_covers_its_site_with_and_without_www() -> None:
    rules = set(rules_of("it-agcom.hosts"))
    for line in (LISTS / "it-agcom.hosts").read_text(encoding="utf-8-sig").splitlines():
        host = line.split()[1].lower().rstrip(".").removeprefix("www.")
        if host in MISTYPED:
            continue
        rule = Rule(RuleKind.HOST, host, Scope.SUBTREE)
        assert rule in rules
        assert matches(rule, parse_target(f"https://www.{host}/film"))


#: How many hosts of each list wait for a person on its first run.
WAITING = {
    "it-agcom.hosts": 14,
    "de-cuii.json": 0,
    "ru-registry.csv": 2,
    "community-antipiracy.adblock": 99,
    "community-piracy.hosts": 6,
    "tw-rpz.txt": 10,
}


@pytest.mark.parametrize("name", WAITING)
def test_few_hosts_of_a_real_list_wait_for_a_person(name: str) -> None:
    hosts = {rule.value for rule in rules_of(name) if rule.kind is RuleKind.HOST}
    assert len(hosts & popular_hosts().keys()) == WAITING[name]
