"""Guards over a list as a whole, compared with what the feed lists now."""

from __future__ import annotations

from blocklist.domain.listing import Rule
from blocklist.domain.run import Effect
from blocklist.domain.verdict import Target
from blocklist.guards.completeness import COMPLETENESS_GUARDS
from blocklist.guards.drift import largest_recent, last_modified, returned_body, same_list
from blocklist.guards.guard import ListFacts, Setting, list_guard
from blocklist.guards.setting_types import EntryCount, Growth, Share, Targets, target_of
from blocklist.guards.stated_dates import future_date_guard, stated_date_guard
from blocklist.guards.truncation import cut_off
from blocklist.normalize.rules import matches
from blocklist.normalize.url_rules import same_site_hosts

#: Fewer new sites are never too many: a list of three may become one of ten in a day.
_GROWTH_FLOOR = 50


@list_guard("no_entries", Effect.FAILS, "not one row became a rule", switchable=False)
def _no_entries(facts: ListFacts, _: None) -> str | None:
    counts = facts.counts
    if counts.rules or counts.held:
        return None
    why = f"all {counts.rejected:,} rows were rejected" if counts.rejected else "it has no rows"
    return f"the body gives no rules: {why}"


@list_guard(
    "must_not_match",
    Effect.FAILS,
    "the list would cover one of these targets",
    Setting("must_not_match", Targets, (), "Hosts, URLs or app:ID that a list must not cover, else its run fails."),
    switchable=False,
)
def _must_not_match(facts: ListFacts, targets: tuple[str, ...]) -> str | None:
    for text in targets:
        if rule := _staged_rule_over(target_of(text), facts):
            return (
                f"would list {rule.value} ({rule.scope}), and so cover {text}, which no list of this feed may "
                f"(guards.must_not_match); it gave {facts.counts.entries:,} rows"
            )
    return None


@list_guard(
    "must_match",
    Effect.HOLDS,
    "the list would not cover one of these targets",
    Setting("must_match", Targets, (), "Hosts, URLs or app:ID that a list must cover, else its run is held."),
    switchable=False,
)
def _must_match(facts: ListFacts, targets: tuple[str, ...]) -> str | None:
    uncovered = []
    for text in targets:
        target = target_of(text)
        # Entries that are held for a person are in the body, too.
        if not any(matches(rule, target) for rule in facts.held) and _staged_rule_over(target, facts) is None:
            uncovered.append(text)
    if not uncovered:
        return None
    return f"would not cover {', '.join(uncovered)}, which this feed must list (guards.must_match)"


def _staged_rule_over(target: Target, facts: ListFacts) -> Rule | None:
    if target.app is not None:
        values = [target.app]
    else:
        labels = target.host.split(".")
        values = [".".join(labels[index:]) for index in range(len(labels))]
        values += [target.ip] if target.ip else []
    staged = (rule for host in same_site_hosts(target.host) for rule in facts.staged_rules(values, host))
    return next((rule for rule in staged if matches(rule, target)), None)


@list_guard(
    "too_few",
    Effect.HOLDS,
    "the body gives fewer sites than this",
    Setting("min_entries", EntryCount, 1, "Sites that a body must give, else the run is held."),
)
def _too_few(facts: ListFacts, least: int) -> str | None:
    sites = facts.counts.rules + facts.counts.held
    return f"gives {sites:,} sites; this feed has at least {least:,}" if sites < least else None


@list_guard(
    "rejected",
    Effect.HOLDS,
    "more than this share of the rows became no rule",
    Setting("max_rejected", Share, 0.5, "Share of rows that may become no rule before a run is held."),
)
def _rejected(facts: ListFacts, most: float) -> str | None:
    counts = facts.counts
    share = counts.rejected / counts.entries
    if share <= most:
        return None
    return f"rejected {counts.rejected:,} of {counts.entries:,} rows ({share:.0%}); this feed allows {most:.0%}"


@list_guard(
    "removed",
    Effect.HOLDS,
    "two or more sites, and more than this share of those listed, or of the largest list of the last 30 days, would go",
    Setting("max_removed", Share, 0.2, "Share of a feed's sites that may be removed at once before a run is held."),
)
def _removed(facts: ListFacts, most: float) -> str | None:
    gone, listed = facts.counts.removed, facts.counts.listed
    share = gone / listed if listed else 0
    # A single delisting is normal even on a list of three.
    if share > most and gone > 1:
        return f"would remove {gone:,} of {listed:,} sites ({share:.0%}); this feed allows {most:.0%}"
    largest = largest_recent(facts.recent()) if gone else None
    missing = largest.sites - facts.counts.rules if largest else 0
    if largest is None or missing <= max(1, most * largest.sites):
        return None
    return (
        f"would leave {facts.counts.rules:,} of the {largest.sites:,} sites of {largest.at[:10]}: in small steps, "
        f"{missing / largest.sites:.0%} would go within 30 days; this feed allows {most:.0%}"
    )


@list_guard(
    "growth",
    Effect.HOLDS,
    f"{_GROWTH_FLOOR} or more sites, and more than this share of those listed, would be new; never on a first "
    "list; sites that the feed listed within the last 30 days are not new",
    Setting("max_growth", Growth, 1.0, "Growth of a feed's list at once before a run is held; 1.0: doubled."),
)
def _growth(facts: ListFacts, most: float) -> str | None:
    added, listed = facts.counts.added, facts.counts.listed
    if not listed or added <= most * listed or added < _GROWTH_FLOOR:
        return None
    # A list that comes back whole after it was cut is what it was, and no growth.
    added -= facts.returning()
    share = added / listed
    if share <= most or added < _GROWTH_FLOOR:
        return None
    return f"would add {added:,} to {listed:,} sites ({share:.0%}); this feed allows {most:.0%}"


#: In the order in which they check a list.
LIST_GUARDS = (
    *(_no_entries, _must_not_match, _must_match, _too_few, _rejected, _removed, _growth),
    *(cut_off, stated_date_guard, future_date_guard, last_modified, returned_body, same_list),
    *COMPLETENESS_GUARDS,
)
