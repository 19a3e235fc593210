"""What the compiler is given: the listings that count, as the store reads them."""

from __future__ import annotations

from typing import NamedTuple


class CompiledListing(NamedTuple):
    """One listing. ``kind`` and ``scope`` are values of their enumerations.

    ``raw`` is None where the entry was published as its canonical value; ``authority`` and ``country`` are None where
    they are those of the feed.
    """

    value: str
    kind: str
    scope: str
    feed_id: int
    raw: str | None
    reference: str | None
    legal_basis: str | None
    published_at: str | None
    authority: str | None
    country: str | None
    listed_from: str


class BareHosts(NamedTuple):
    """Hosts that one feed lists with the same scope since the same time and states nothing else about.

    ``hosts`` is text with a space between two hosts.
    """

    hosts: str
    feed_id: int
    scope: str
    listed_from: str
