"""What is listed and overridden while the entry points are compared."""

from __future__ import annotations

from blocklist.domain.listing import Entry, Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from blocklist.normalize.rules import Reading, app_rule
from tests.support import compiled, host_rule, listed, override, rule, source

VERSION = 7
#: Published entries that name sites and pages.
SITES = (
    *("pirate-one.example", "кино.example", "xn--prate-eof.example", "xn--de-qyu.example", "xn--snl.example"),
    *("host-a.example/films/new", "host-a.example/watch?v=1", "www.host-b.example/films/new", "host-c.example/films/"),
)
#: Published entries of a list of apps, in the forms that publishers use.
APPS = (
    *("9876543210", "com.pirate.movies", "com.Pirate.Case", "id4444444444", "B0PIRATE01", "151908", "com.pirate.last"),
    "https://play.google.com/store/apps/details?id=com.pirate.films",
    "https://apps.apple.com/us/app/films/id5555555555",
    "market://details?id=com.pirate.mk",
)
ALLOWED = ("pirate-one.example/legal", "good.pirate-one.example")
BLOCKED = ("blocked.example", "good.pirate-one.example/worst")
ADDRESS = "192.0.2.7"


def snapshot_bytes() -> bytes:
    """Return the snapshot that every entry point answers from."""
    rules = [
        *map(rule, SITES),
        *map(_app, APPS),
        host_rule("exact.example", Scope.EXACT),
        host_rule("bareword"),
        Rule(RuleKind.IP, ADDRESS, Scope.EXACT),
        Rule(RuleKind.IP, "2001:db8::7", Scope.EXACT),
    ]
    actions = [(OverrideAction.ALLOW, text) for text in ALLOWED] + [(OverrideAction.BLOCK, text) for text in BLOCKED]
    overrides = [override(number, action, rule(text)) for number, (action, text) in enumerate(actions, 1)]
    return compiled(map(listed, rules), overrides, feeds={1: source("it-agcom")}, version=VERSION)


def _app(text: str) -> Rule:
    made = app_rule(Entry(text, 1), Reading(entries="apps"))
    assert isinstance(made, Rule), made
    return made
