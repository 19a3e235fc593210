"""Targets, overrides, policies and verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from blocklist.domain.listing import AuthorityKind, Rule, Scope


class OverrideAction(StrEnum):
    """What an override does."""

    ALLOW = "allow"
    BLOCK = "block"


class VerdictKind(StrEnum):
    """The three answers to "is this listed?". ``unknown`` must never be read as ``not_listed``."""

    LISTED = "listed"
    NOT_LISTED = "not_listed"
    UNKNOWN = "unknown"


class Target(NamedTuple):
    """The place of an ad, parsed as browsers parse it.

    ``host`` is canonical (no trailing dot, IPv6 in brackets); ``ip`` the address when the host is one; ``path`` and
    ``params`` the canonical path and query parameters of a URL, both None when only a host was given; ``app`` the id of
    an app, with ``host`` empty.
    """

    host: str
    ip: str | None = None
    path: str | None = None
    params: frozenset[str] = frozenset()
    app: str | None = None

    @property
    def site(self) -> Target:
        """The same host or app without path and parameters."""
        return self._replace(path=None, params=frozenset())


@dataclass(frozen=True, slots=True)
class Override:
    """An admin's decision about a target, which wins over every listing until ``until`` (None: no end) or its removal.

    ``confirmed_at`` is when it took effect; None while it waits for a second person.
    """

    id: int
    action: OverrideAction
    rule: Rule
    reason: str
    author: str
    created_at: str
    until: str | None = None
    removed_at: str | None = None
    confirmed_at: str | None = None
    confirmed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Which listings count for a caller. An empty tuple is no restriction."""

    name: str
    kinds: tuple[AuthorityKind, ...] = ()
    countries: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    min_authorities: int = 1

    def counts(self, feed: str, kind: AuthorityKind, country: str) -> bool:
        """Return whether a listing of this feed, by an authority of this kind and country, counts."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.countries or country in self.countries)
            and (not self.feeds or feed in self.feeds)
        )


class Verdict(NamedTuple):
    """The answer for one target.

    ``rule`` and ``scope`` are the most specific rule that decided, ``feeds`` every feed whose counting listings match,
    sorted. ``partial``: only a host was given, and URLs on it are listed. ``override`` is ``allow`` or ``block`` if an
    override decided. ``listings`` are filled only for an explained verdict. ``reason``: why the verdict is unknown.
    ``via`` is the host or scheme of the wrapper in whose address the decisive page or app stands, such as
    ``web.archive.org``; None if it was asked for itself.
    """

    verdict: VerdictKind
    version: int
    rule: str | None = None
    scope: Scope | None = None
    feeds: tuple[str, ...] = ()
    partial: bool = False
    override: OverrideAction | None = None
    listings: tuple[dict[str, Any], ...] = ()
    reason: str | None = None
    via: str | None = None

    @property
    def listed(self) -> bool:
        """Whether an ad must not go there."""
        return self.verdict is VerdictKind.LISTED
