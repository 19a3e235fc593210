"""Popular and shared hosts: a feed may list them, but only when a person agrees.

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
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from blocklist.domain.errors import StoreError
from blocklist.normalize.suffixes import is_public_suffix


class PopularHost(NamedTuple):
    """The guard that holds a host, and a description that fits after "HOST is"."""

    guard: str
    description: str


#: The lists of the package that are used. A host that is on several belongs to the first.
LISTS = {
    "lots-project": PopularHost("shared_host", "a platform on which strangers publish"),
    "link-in-bio": PopularHost("shared_host", "a platform of link pages"),
    "url-shortener": PopularHost("shared_host", "a link shortener"),
    "public-ipfs-gateways": PopularHost("shared_host", "a public IPFS gateway"),
    "tranco10k": PopularHost("popular_host", "one of the 10,000 most used sites (Tranco)"),
    "majestic_million": PopularHost("popular_host", "one of the 10,000 most linked sites (Majestic)"),
    "moz-top500": PopularHost("popular_host", "one of the 500 most linked sites (Moz)"),
    "university_domains": PopularHost("popular_host", "a university"),
    "bank-website": PopularHost("popular_host", "a bank"),
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
    for host, (guard, _) in list(found.items()):
        if guard == "shared_host":
            for above in _above(host):
                found.setdefault(above, PopularHost(guard, f"the host above {host}, which strangers share"))
    return found


@cache
def hosts_of(guard: str) -> dict[str, str]:
    """Return the hosts that a guard holds, each with its description."""
    return {host: popular.description for host, popular in popular_hosts().items() if popular.guard == guard}


def why_it_stands_out(host: str) -> str:
    """Return why a host deserves attention in a review: it is popular or shared, or below such a host; else "".

    >>> why_it_stands_out("archive.org"), why_it_stands_out("films.archive.org"), why_it_stands_out("pirate.example")
    ('a platform on which strangers publish', 'below archive.org', '')
    """
    hosts = popular_hosts()
    if host in hosts:
        return hosts[host].description
    above = next((parent for parent in _above(host) if parent in hosts), None)
    return f"below {above}" if above else ""


def _above(host: str) -> Iterable[str]:
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
