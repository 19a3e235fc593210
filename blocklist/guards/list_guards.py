"""Guards over a list as a whole, compared with what the feed lists now."""

from __future__ import annotations

from blocklist.domain.listing import Rule
from blocklist.domain.run import Effect
from blocklist.domain.verdict import Target
from blocklist.guards.guard import Limits, ListFacts, ListGuard, Setting
from blocklist.guards.setting_types import EntryCount, Growth, Share, Targets, target_of
from blocklist.guards.stated_dates import STATED_DATE
from blocklist.guards.truncation import CUT_OFF
from blocklist.normalize.rules import matches


def _no_entries(facts: ListFacts, _: Limits) -> str | None:
    counts = facts.counts
    if counts.rules or counts.held:
        return None
    why = f"all {counts.rejected:,} rows were rejected" if counts.rejected else "it has no rows"
    return f"the body gives no rules: {why}"


NO_ENTRIES = ListGuard(
    name="no_entries",
    effect=Effect.FAILS,
    speaks="not one row became a rule",
    switchable=False,
    check=_no_entries,
)

MUST_NOT_MATCH_TARGETS: Setting[tuple[str, ...]] = Setting(
    "must_not_match",
    Targets,
    (),
    "Hosts, URLs or app:ID that a list must not cover, else its run fails.",
    merged=True,
)


def _must_not_match(facts: ListFacts, limits: Limits) -> str | None:
    for text in MUST_NOT_MATCH_TARGETS.of(limits):
        if rule := _staged_rule_over(target_of(text), facts):
            return (
                f"would list {rule.value} ({rule.scope}), and so cover {text}, which no list of this feed may "
                f"(guards.must_not_match); it gave {facts.counts.entries:,} rows"
            )
    return None


MUST_NOT_MATCH = ListGuard(
    name="must_not_match",
    effect=Effect.FAILS,
    setting=MUST_NOT_MATCH_TARGETS,
    speaks="the list would cover one of these targets",
    switchable=False,
    check=_must_not_match,
)

MUST_MATCH_TARGETS: Setting[tuple[str, ...]] = Setting(
    "must_match",
    Targets,
    (),
    "Hosts, URLs or app:ID that a list must cover, else its run is held.",
    merged=True,
)


def _must_match(facts: ListFacts, limits: Limits) -> str | None:
    uncovered = [text for text in MUST_MATCH_TARGETS.of(limits) if not _is_covered(target_of(text), facts)]
    if not uncovered:
        return None
    return f"would not cover {', '.join(uncovered)}, which this feed must list (guards.must_match)"


MUST_MATCH = ListGuard(
    name="must_match",
    effect=Effect.HOLDS,
    setting=MUST_MATCH_TARGETS,
    speaks="the list would not cover one of these targets",
    switchable=False,
    check=_must_match,
)


def _is_covered(target: Target, facts: ListFacts) -> bool:
    # Entries that are held for a person are in the body, too.
    return any(matches(rule, target) for rule in facts.held) or _staged_rule_over(target, facts) is not None


def _staged_rule_over(target: Target, facts: ListFacts) -> Rule | None:
    if target.app is not None:
        values = [target.app]
    else:
        labels = target.host.split(".")
        values = [".".join(labels[index:]) for index in range(len(labels))]
        values += [target.ip] if target.ip else []
    candidates = facts.stored.staged_rules(values, target.host)
    return next((rule for rule in candidates if matches(rule, target)), None)


MIN_ENTRIES = Setting("min_entries", EntryCount, 1, "Sites that a body must give, else the run is held.")


def _too_few(facts: ListFacts, limits: Limits) -> str | None:
    sites, least = facts.counts.rules + facts.counts.held, MIN_ENTRIES.of(limits)
    return f"gives {sites:,} sites; this feed has at least {least:,}" if sites < least else None


TOO_FEW = ListGuard(
    name="too_few",
    effect=Effect.HOLDS,
    setting=MIN_ENTRIES,
    speaks="the body gives fewer sites than this",
    check=_too_few,
)

MAX_REJECTED = Setting("max_rejected", Share, 0.5, "Share of rows that may become no rule before a run is held.")


def _rejected(facts: ListFacts, limits: Limits) -> str | None:
    rejected, entries, most = facts.counts.rejected, facts.counts.entries, MAX_REJECTED.of(limits)
    share = rejected / entries
    if share <= most:
        return None
    return f"rejected {rejected:,} of {entries:,} rows ({share:.0%}); this feed allows {most:.0%}"


REJECTED = ListGuard(
    name="rejected",
    effect=Effect.HOLDS,
    setting=MAX_REJECTED,
    speaks="more than this share of the rows became no rule",
    check=_rejected,
)

MAX_REMOVED = Setting(
    "max_removed", Share, 0.2, "Share of a feed's sites that may be removed at once before a run is held."
)


def _removed(facts: ListFacts, limits: Limits) -> str | None:
    removed, listed, most = facts.counts.removed, facts.counts.listed, MAX_REMOVED.of(limits)
    share = removed / listed if listed else 0
    # A single delisting is normal even on a list of three.
    if share <= most or removed <= 1:
        return None
    return f"would remove {removed:,} of {listed:,} sites ({share:.0%}); this feed allows {most:.0%}"


REMOVED = ListGuard(
    name="removed",
    effect=Effect.HOLDS,
    setting=MAX_REMOVED,
    speaks="two or more sites, and more than this share of those listed, would go",
    check=_removed,
)

#: Fewer new sites are never too many: a list of three may become one of ten in a day.
_GROWTH_FLOOR = 50
MAX_GROWTH = Setting("max_growth", Growth, 1.0, "Growth of a feed's list at once before a run is held; 1.0: doubled.")


def _growth(facts: ListFacts, limits: Limits) -> str | None:
    added, listed, most = facts.counts.added, facts.counts.listed, MAX_GROWTH.of(limits)
    share = added / listed if listed else 0
    if share <= most or added < _GROWTH_FLOOR:
        return None
    return f"would add {added:,} to {listed:,} sites ({share:.0%}); this feed allows {most:.0%}"


GROWTH = ListGuard(
    name="growth",
    effect=Effect.HOLDS,
    setting=MAX_GROWTH,
    speaks=f"{_GROWTH_FLOOR} or more sites, and more than this share of those listed, would be new; never on a first "
    "list",
    check=_growth,
)

#: In the order in which they check a list.
LIST_GUARDS = (*(NO_ENTRIES, MUST_NOT_MATCH, MUST_MATCH, TOO_FEW, REJECTED, REMOVED, GROWTH, CUT_OFF, STATED_DATE),)
