"""Popular and shared hosts, in tiers: which of them wait when a list newly names them whole, and which are flagged.

From the warning lists of the MISP project (package pymispwarninglists). The package itself would load all 60 MB of
them; here only the nine lists named below are read, on first use: about 29,000 hosts, 50 milliseconds and 6 MB.

Not used, and why: ``tranco`` and ``google-chrome-crux-1million`` (a million hosts in alphabetical order, without a
rank to cut at; nearly all pirate sites are among them); the ``cisco`` lists (hosts that machines ask for, such as
update servers); ``alexa`` (ended in 2023; most of its hits on real lists are pirate sites); ``dynamic-dns`` (35,000
domains that anybody may offer for sharing, pirate sites among them; the large ones are public suffixes); lists of
networks (an ``ip`` rule covers one address as a URL's host, never the sites that it serves by name).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

from blocklist.domain.errors import StoreError
from blocklist.normalize.suffixes import is_public_suffix

#: Raised where other hosts wait than before: every list is then read again, and what waits no longer is listed.
TIERS_VERSION = 2


class Tier(StrEnum):
    """How well known a host is. Measured on real lists: pirate sites are used much and linked little."""

    SHARED = "shared"
    RENOWNED = "renowned"
    WELL_LINKED = "well linked"
    MOST_USED = "most used"


#: Tiers whose hosts wait when a list newly names them. Those of the other one are listed and flagged.
HELD_TIERS = (Tier.SHARED, Tier.RENOWNED, Tier.WELL_LINKED)


class PopularHost(NamedTuple):
    """The tier of a host, and a description that fits after "HOST is"."""

    tier: Tier
    description: str


#: The lists of the package that are used. A host that is on several belongs to the first.
LISTS = {
    "lots-project": PopularHost(Tier.SHARED, "a platform on which strangers publish"),
    "link-in-bio": PopularHost(Tier.SHARED, "a platform of link pages"),
    "url-shortener": PopularHost(Tier.SHARED, "a link shortener"),
    "public-ipfs-gateways": PopularHost(Tier.SHARED, "a public IPFS gateway"),
    "moz-top500": PopularHost(Tier.RENOWNED, "one of the 500 most linked sites (Moz)"),
    "university_domains": PopularHost(Tier.RENOWNED, "a university"),
    "bank-website": PopularHost(Tier.RENOWNED, "a bank"),
    "majestic_million": PopularHost(Tier.WELL_LINKED, "one of the 10,000 most linked sites (Majestic)"),
    "tranco10k": PopularHost(Tier.MOST_USED, "one of the 10,000 most used sites (Tranco)"),
}


@cache
def popular_hosts() -> dict[str, PopularHost]:
    """Return every popular or shared host.

    The hosts above a shared one are included: blocking ``windows.net`` blocks ``blob.core.windows.net``.

    :raises StoreError: the package of the lists is missing or damaged.
    """
    found: dict[str, PopularHost] = {}
    for name, popular in LISTS.items():
        for host in _hosts_on(name):
            found.setdefault(host, popular)
        if popular.tier is Tier.SHARED:
            # Before the other tiers: a host above a shared one is held whatever else it is.
            for host in [host for host, known in found.items() if known.tier is Tier.SHARED]:
                for above in hosts_above(host):
                    found.setdefault(above, PopularHost(Tier.SHARED, f"the host above {host}, which strangers share"))
    return found


@cache
def hosts_of(*tiers: Tier) -> dict[str, str]:
    """Return the hosts of some tiers, each with its description."""
    return {host: popular.description for host, popular in popular_hosts().items() if popular.tier in tiers}


def tier_of(host: str) -> Tier | None:
    """Return the tier of a host; None for a host that is in none.

    >>> tier_of("nasa.gov"), tier_of("gutenberg.org"), tier_of("pirate.example")
    (<Tier.RENOWNED: 'renowned'>, <Tier.WELL_LINKED: 'well linked'>, None)
    """
    found = popular_hosts().get(host)
    return found.tier if found else None


def host_above(host: str) -> str | None:
    """Return the nearest host above one that is shared, renowned or well linked; None if there is none.

    >>> host_above("worldwind.arc.nasa.gov"), host_above("nasa.gov")
    ('nasa.gov', None)
    """
    held = hosts_of(*HELD_TIERS)
    return next((parent for parent in hosts_above(host) if parent in held), None)


def near_popular(hosts: Iterable[str]) -> Iterator[str]:
    """Yield those of many hosts that may be popular or below a popular one; nearly all others are left out.

    >>> list(near_popular(["pirate.example", "films.archive.org", "1337x.to"]))
    ['films.archive.org', '1337x.to']
    """
    endings = _endings()
    for host in hosts:
        parts = host.rsplit(".", 2)
        if ".".join(parts[-2:]) in endings:
            yield host


@cache
def _endings() -> frozenset[str]:
    return frozenset(".".join(host.rsplit(".", 2)[-2:]) for host in popular_hosts())


def why_it_stands_out(host: str) -> str:
    """Return why a host deserves attention in a review: it is popular or shared, or below such a host; else "".

    >>> why_it_stands_out("archive.org"), why_it_stands_out("films.archive.org"), why_it_stands_out("pirate.example")
    ('a platform on which strangers publish', 'below archive.org', '')
    """
    hosts = popular_hosts()
    if host in hosts:
        return hosts[host].description
    above = next((parent for parent in hosts_above(host) if parent in hosts), None)
    return f"below {above}" if above else ""


def hosts_above(host: str) -> Iterable[str]:
    """Yield the hosts above one, the nearest first, up to the public suffix."""
    parent = host.partition(".")[2]
    while "." in parent and not is_public_suffix(parent):
        yield parent
        parent = parent.partition(".")[2]


def _hosts_on(name: str) -> Iterable[str]:
    # Without importing the package: that takes four times as long as reading these lists.
    package = importlib.util.find_spec("pymispwarninglists")
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise StoreError("the package pymispwarninglists is not installed: install blocklist with its dependencies")
    path = Path(folders[0]) / "data" / "misp-warninglists" / "lists" / name / "list.json"
    try:
        listed = json.loads(path.read_bytes())["list"]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path}: not a warning list ({error}): install pymispwarninglists again") from None
    for item in listed:
        host = item.strip().strip(".").lower().removeprefix("www.")
        # A public suffix needs no guard: it never becomes a rule.
        if "." in host and "/" not in host and not is_public_suffix(host):
            yield host
