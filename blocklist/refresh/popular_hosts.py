"""Names that the whole world uses: hosts that a feed may list, but not unnoticed.

From the warning lists of the MISP project (package pymispwarninglists). The package itself would load all 60 MB of
them; here only the nine lists named below are read, on first use: some 29,000 names, 50 milliseconds and 6 MB.

Not used, and why: ``tranco`` and ``google-chrome-crux-1million`` (a million names in alphabetical order, so without a
rank to cut at; nearly every pirate is among them); the ``cisco`` lists (what machines ask for, such as update servers);
``alexa`` (ended in 2023; most of its hits on real lists are pirates); ``dynamic-dns`` (35,000 domains that anybody may
offer for sharing, pirates among them; the large ones are public suffixes); lists of networks (an ``ip`` rule covers one
address as a URL's host, never what is served behind it by name).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from blocklist.domain.errors import StoreError
from blocklist.normalize.suffixes import is_public_suffix

#: Each list of the package that counts: the guard that speaks for its names, and what they are. The first one wins.
LISTS = {
    "lots-project": ("shared_host", "a platform on which strangers publish"),
    "link-in-bio": ("shared_host", "a platform of link pages"),
    "url-shortener": ("shared_host", "a link shortener"),
    "public-ipfs-gateways": ("shared_host", "a public IPFS gateway"),
    "tranco10k": ("popular_host", "one of the 10,000 most used sites (Tranco)"),
    "majestic_million": ("popular_host", "one of the 10,000 most linked sites (Majestic)"),
    "moz-top500": ("popular_host", "one of the 500 most linked sites (Moz)"),
    "university_domains": ("popular_host", "a university"),
    "bank-website": ("popular_host", "a bank"),
}
Why = tuple[str, str]


@cache
def renowned() -> dict[str, Why]:
    """Return every name with the guard that speaks for it and what it is.

    A host above a shared one belongs to them: blocking ``windows.net`` blocks ``blob.core.windows.net``.

    :raises StoreError: the package of the lists is not as it should be.
    """
    found: dict[str, Why] = {}
    for name, why in LISTS.items():
        for host in _names(name):
            found.setdefault(host, why)
    for host, (guard, _) in list(found.items()):
        if guard == "shared_host":
            for above in _above(host):
                found.setdefault(above, (guard, f"the host above {host}, which strangers share"))
    return found


def standing_out(host: str, switched_off: Iterable[str] = ()) -> str:
    """Return why a host stands out in a review: it is renowned, or lies below a name that is; else nothing.

    >>> standing_out("archive.org"), standing_out("films.archive.org"), standing_out("pirate.example")
    ('a platform on which strangers publish', 'below archive.org', '')
    """
    names = renowned()
    if host in names:
        guard, what = names[host]
        return "" if guard in switched_off else what
    above = next((parent for parent in _above(host) if parent in names), None)
    return f"below {above}" if above else ""


def _above(host: str) -> Iterable[str]:
    """Yield the hosts above one, the nearest first, as far as they are no public suffix."""
    parent = host.partition(".")[2]
    while "." in parent and not is_public_suffix(parent):
        yield parent
        parent = parent.partition(".")[2]


def _names(name: str) -> Iterable[str]:
    # Found without being imported: importing it takes four times as long as reading what is needed.
    package = importlib.util.find_spec("pymispwarninglists")
    places = package.submodule_search_locations if package else None
    if not places:
        raise StoreError("the package pymispwarninglists is not installed: install blocklist with its dependencies")
    path = Path(places[0]) / "data" / "misp-warninglists" / "lists" / name / "list.json"
    try:
        listed = json.loads(path.read_bytes())["list"]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path}: not a warning list ({error}): install pymispwarninglists anew") from None
    for item in listed:
        host = item.strip().strip(".").lower().removeprefix("www.")
        # A public suffix needs no guard: it never becomes a rule.
        if "." in host and "/" not in host and not is_public_suffix(host):
            yield host
