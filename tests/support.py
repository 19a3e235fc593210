"""Small helpers that several test modules share."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from blocklist import Snapshot
from blocklist.access.secrets import hash_secret
from blocklist.config.settings import Settings
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.access import Person, Role
from blocklist.domain.listing import (
    CONFIRMED_KINDS,
    Authority,
    AuthorityKind,
    Entry,
    Listing,
    Rejected,
    Rule,
    RuleKind,
    Scope,
)
from blocklist.domain.verdict import Override, OverrideAction, Policy
from blocklist.formats.registry import format_of
from blocklist.normalize.rules import Reading, site_rule
from blocklist.service import Service
from blocklist.snapshot.compile.compiler import Compiler, FeedSource
from blocklist.snapshot.compile.listing_rows import BareHosts, CompiledListing

DEFAULT_POLICY = Policy("default", CONFIRMED_KINDS)
EVERYTHING = Policy("everything")
SOME_DAY = "2026-01-02T03:04:05Z"


class Clock:
    """The time of day in this process, for all code in it. It stands still until a test moves it.

    ``time.monotonic`` and ``time.perf_counter``, which timeouts are measured with, go on as usual; so does the time
    in other processes, of files, and inside OpenSSL and SQLite.
    """

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def move_to(self, moment: str) -> None:
        """Set the time to a moment such as ``2026-01-02T12:00:00Z``."""
        # A number leaves the time zone of the process as it is; a datetime in UTC would set it.
        self._traveller.move_to(datetime.fromisoformat(moment).timestamp())

    def advance(self, seconds: float) -> None:
        """Set the time so many seconds later."""
        self._traveller.shift(seconds)

    def run(self) -> None:
        """Let the time go on by itself from here, for threads that wait for a time of day."""
        self._traveller.move_to(time.time(), tick=True)


def definition(name: str = "court", **more: Any) -> FeedDefinition:
    """Return a feed's definition: lines, by a court in Great Britain, unless told otherwise."""
    authority = {"name": "Test Court", "kind": "court", "country": "GB", "contact": "appeals@court.example"}
    table: dict[str, Any] = {"name": name, "format": "lines", **more}
    table["authority"] = authority | more.get("authority", {})
    return FeedDefinition.model_validate(table)


def settings_for(folder: Path, **sections: Any) -> Settings:
    """Return settings whose data folder is ``folder``; sections are given as tables."""
    return Settings(data_dir=folder, **sections)


def parsed(format_: str, body: str | bytes, **options: Any) -> list[Entry | Rejected]:
    """Return everything that a format makes of a body."""
    chosen, validated = format_of(format_, options)
    data = body.encode() if isinstance(body, str) else body
    return list(chosen.parse(io.BytesIO(data), validated))


def sites(items: Iterable[Entry | Rejected]) -> list[str]:
    """Return what the entries name, in order."""
    return [item.site for item in items if isinstance(item, Entry)]


def rule(text: str, reading: Reading | None = None) -> Rule:
    """Return the rule of a published text, which must have one."""
    made = site_rule(Entry(text, 1), reading or Reading())
    assert isinstance(made, Rule), made
    return made


def refusal(text: str, position: int = 1) -> Rejected:
    """Return why a published text has no rule, which must be so."""
    made = site_rule(Entry(text, position), Reading())
    assert isinstance(made, Rejected), made
    return made


def host_rule(host: str, scope: Scope = Scope.SUBTREE) -> Rule:
    return Rule(RuleKind.HOST, host, scope)


def source(
    name: str = "court",
    kind: AuthorityKind = AuthorityKind.COURT,
    country: str = "GB",
    authority: str | None = None,
    legal_basis: str | None = None,
) -> FeedSource:
    """Return what a snapshot says of a feed."""
    known = Authority(authority or f"Authority of {name}", kind, country, f"appeals@{name}.example")
    return FeedSource(name, name.title(), known, legal_basis)


def listed(
    what: Rule,
    feed: int = 1,
    raw: str | None = None,
    reference: str | None = None,
    legal_basis: str | None = None,
    published_at: str | None = None,
    authority: str | None = None,
    country: str | None = None,
    listed_from: str = SOME_DAY,
) -> CompiledListing:
    """Return a listing as the store hands it to the compiler."""
    facts = (raw, reference, legal_basis, published_at, authority, country, listed_from)
    return CompiledListing(what.value, what.kind.value, what.scope.value, feed, *facts)


def override(id_: int, action: OverrideAction, what: Rule, until: str | None = None) -> Override:
    return Override(id_, action, what, "a reason", "an admin", SOME_DAY, until)


def compiled(
    listings: Iterable[CompiledListing],
    overrides: Iterable[Override] = (),
    policies: Iterable[Policy] = (DEFAULT_POLICY, EVERYTHING),
    feeds: dict[int, FeedSource] | None = None,
    version: int = 1,
) -> bytes:
    """Return the bytes of a snapshot, made the way the service makes them: bare hosts apart from the rest."""
    compiler = Compiler(feeds or {1: source()}, policies)
    bare: list[CompiledListing] = []
    stated: list[CompiledListing] = []
    for row in listings:
        (bare if row.kind == RuleKind.HOST and not any(row[4:-1]) else stated).append(row)
    compiler.add_listings(stated)
    compiler.add_overrides(overrides)
    alike = groupby(bare, lambda row: (row.feed_id, row.scope, row.listed_from))
    compiler.add_bare_hosts(BareHosts(" ".join(row.value for row in block), *shared) for shared, block in alike)
    out = io.BytesIO()
    compiler.write(out, version, SOME_DAY, 1)
    return out.getvalue()


def snapshot_of(
    listings: Iterable[CompiledListing],
    overrides: Iterable[Override] = (),
    policies: Iterable[Policy] = (DEFAULT_POLICY, EVERYTHING),
    feeds: dict[int, FeedSource] | None = None,
    version: int = 1,
) -> Snapshot:
    """Return a snapshot of listings, read back from its bytes."""
    return Snapshot(Path("in memory"), compiled(listings, overrides, policies, feeds, version))


def values(listings: Iterable[Listing]) -> list[str]:
    """Return the values of listings, in order."""
    return [item.rule.value for item in listings]


def token_for(service: Service, role: Role | str) -> str:
    """Return the secret of a new token of a role."""
    return service.tokens.create(Role(role), "test", f"test {role}")[1]


def token_client(app: Flask, service: Service, role: Role | str) -> FlaskClient:
    """Return a client of the control plane that shows a token of a role with every request."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_for(service, role)}"
    return client


#: A password that is long enough.
PASSWORD = "four words in a row"


def add_person(service: Service, name: str, role: Role | str = Role.ADMIN, password: str = PASSWORD) -> Person:
    """Add a person who has a password."""
    service.people.add(name, Role(role), "test")
    return service.people.set_password(name, password, "test")


def session_client(app: Flask, service: Service, role: Role | str, name: str = "") -> FlaskClient:
    """Return a browser in which a new person of a role is signed in, and whose requests prove that they are ours."""
    person = add_person(service, name or f"test-{role}", role)
    secret = service.sign_in.open_session(person, "127.0.0.1", "test", "test")
    client = app.test_client()
    client.set_cookie("blocklist", secret)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = hash_secret(f"csrf {secret}")
    return client
