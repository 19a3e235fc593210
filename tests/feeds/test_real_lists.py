"""The real published lists, where a folder of them lies beside the checkout."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from blocklist.definitions.catalog import from_catalog
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.run import HoldState, Run
from blocklist.guards.popular_hosts import Tier, tier_of
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.rules import matches
from blocklist.service import Service
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


#: How many hosts of each list are shared or renowned, are well linked, and are only used much.
TIERS = {
    "it-agcom.hosts": (0, 4, 10),
    "de-cuii.json": (0, 0, 0),
    "ru-registry.csv": (0, 1, 1),
    "community-antipiracy.adblock": (6, 13, 80),
    "community-piracy.hosts": (1, 1, 4),
    "tw-rpz.txt": (1, 2, 7),
}


@pytest.mark.parametrize("name", TIERS)
def test_few_hosts_of_a_real_list_are_well_known(name: str) -> None:
    hosts = {rule.value for rule in rules_of(name) if rule.kind is RuleKind.HOST}
    tiers = Counter(tier for host in hosts if (tier := tier_of(host)))
    top = tiers[Tier.SHARED] + tiers[Tier.RENOWNED]
    assert (top, tiers[Tier.WELL_LINKED], tiers[Tier.MOST_USED]) == TIERS[name]


def refreshed(service: Service, name: str) -> Run:
    """Add the feed of a real list, and refresh it from the file."""
    feed = COUNTS[name][0]
    wanted = from_catalog(feed) if isinstance(feed, str) else feed
    service.feeds.add(wanted, "tester")
    return service.runs.refresh(wanted.name, "tester", file=LISTS / name)


def waiting(service: Service, feed: str) -> list[str]:
    return sorted(hold.rule.value for hold in service.holds.all(feed))


def test_of_the_italian_list_alone_four_wait_and_ten_are_listed_and_flagged(service: Service) -> None:
    run = refreshed(service, "it-agcom.hosts")
    assert waiting(service, "it-agcom") == ["audiomack.com", "rutracker.org", "savefrom.net", "thepiratebay.org"]
    flagged = [flag.rule.value for flag in service.flags.all() if flag.guard == "most_used_host"]
    assert (run.counts.held, len(flagged)) == (4, 10)
    snapshot = service.snapshots.current()
    assert all(snapshot.lookup(host).listed for host in ("1337x.to", "yts.mx", *flagged))
    below = [flag.rule.value for flag in service.flags.all() if flag.guard == "below_popular_host"]
    assert below == ["it1.savefrom.net", "zamuziku.ucoz.com"]


def test_of_the_community_list_alone_nineteen_wait_and_eighty_are_flagged(service: Service) -> None:
    run = refreshed(service, "community-antipiracy.adblock")
    flagged = [flag for flag in service.flags.all() if flag.guard == "most_used_host"]
    assert (run.counts.held, len(flagged)) == (19, 80)


AGCOM_AND_VOLUNTEERS = ["it-agcom.hosts", "community-antipiracy.adblock"]


@pytest.mark.parametrize("order", [AGCOM_AND_VOLUNTEERS, AGCOM_AND_VOLUNTEERS[::-1]], ids=["Italian first", "last"])
def test_two_independent_lists_let_go_what_both_name(service: Service, order: list[str]) -> None:
    for name in order:
        refreshed(service, name)
    snapshot = service.snapshots.current()
    assert snapshot.lookup("thepiratebay.org").listed
    assert snapshot.lookup("rutracker.org").listed
    assert waiting(service, "it-agcom") == ["audiomack.com", "savefrom.net"]
    assert len(waiting(service, "community-antipiracy")) == 17


#: Sites on a public list of torrent trackers and indexes that distribute what is theirs, or free.
INNOCENTS = (
    *("archive.org", "nasa.gov", "pbs.org", "gutenberg.org", "ibiblio.org"),
    *("mpg.de", "netbsd.org", "grc.com", "jamendo.com", "learner.org"),
)


def test_no_innocent_is_listed_when_every_real_list_is_there(service: Service, tmp_path: Path) -> None:
    for name in COUNTS:
        refreshed(service, name)
    # All of them named once more, by a list of volunteers that has much in common with the others.
    copied = [rule.value for rule in rules_of("community-piracy.hosts")][:600]
    path = tmp_path / "torrents.txt"
    path.write_text("\n".join([*copied, *INNOCENTS]) + "\n")
    volunteers = {"name": "Other volunteers", "kind": "industry", "country": "XX"}
    service.feeds.add(
        FeedDefinition.model_validate(
            {"name": "torrents", "format": "lines", "authority": volunteers, "source": {"file": str(path)}}
        ),
        "tester",
    )
    service.runs.refresh("torrents", "tester")
    released = {hold.rule.value for hold in service.holds.all(state=HoldState.RELEASED)}
    assert released == {"thepiratebay.org", "rutracker.org"}
    assert set(INNOCENTS) <= set(waiting(service, "torrents"))
