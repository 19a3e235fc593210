"""What the guards say of a staged body: their facts from the store, and the targets that must or must not match."""

from __future__ import annotations

from blocklist.config.settings import GuardSettings
from blocklist.domain.errors import GuardError
from blocklist.domain.listing import Rule, RuleKind
from blocklist.domain.run import GuardFinding
from blocklist.domain.verdict import Target
from blocklist.normalize.hosts import parse_app, parse_target
from blocklist.normalize.rules import matches
from blocklist.refresh.body_reader import BodyReader
from blocklist.refresh.encoding_check import BodyScan
from blocklist.refresh.guards import Facts, check_counts, holding
from blocklist.refresh.popular_hosts import standing_out
from blocklist.refresh.truncation import cut_off
from blocklist.store import Store
from blocklist.store.held_changes import HeldRule
from blocklist.store.listings import last_label
from blocklist.store.staging import Diff


def judge(
    store: Store,
    feed_id: int,
    limits: GuardSettings,
    look: BodyScan,
    reader: BodyReader,
    diff: Diff,
) -> list[GuardFinding]:
    """Return what holds a run whose body is staged; nothing for one that may be recorded.

    :raises GuardError: no approval could make sense of the body.
    """
    counts = reader.counts(diff)
    check_counts(counts)
    forbidden = next((said for target in limits.must_not_match if (said := _covering(store, target, reader))), None)
    if forbidden:
        raise GuardError("must_not_match", forbidden)
    facts = Facts(
        counts,
        diff,
        look.stated_date,
        store.evidence.stated_date(feed_id),
        cut_off(store, feed_id, look, reader),
        tuple(target for target in limits.must_match if not _covered(store, target, reader)),
    )
    return holding(facts, limits)


def keep_changes(store: Store, run_id: int, feed_id: int, reader: BodyReader) -> None:
    """Keep what a held run would change, each with why it stands out, inside a transaction."""
    suffixes = store.listings.last_labels(feed_id)

    def stands_out(change: str, rule: Rule) -> str:
        host = rule.value.partition("/")[0]
        said = standing_out(host) if rule.kind is RuleKind.HOST else ""
        if not said and change == "added" and suffixes and rule.kind is RuleKind.HOST:
            suffix = last_label(host)
            said = "" if suffix in suffixes else f"the first under .{suffix}"
        return said

    held = [HeldRule(rule, facts["raw"], facts["position"], said.sentence) for rule, said, facts in reader.held]
    store.held_changes.keep(run_id, feed_id, held, stands_out)


def _covering(store: Store, text: str, reader: BodyReader) -> str | None:
    rule = _rule_over(store, text)
    if rule is None:
        return None
    return (
        f"would list {rule.value} ({rule.scope}), and so cover {text}, which no list of this feed may "
        f"(guards.must_not_match); it gave {reader.entries:,} rows"
    )


def _covered(store: Store, text: str, reader: BodyReader) -> bool:
    # What waits for a person stands in the body all the same.
    target = _target(text)
    return any(matches(rule, target) for rule, _, _ in reader.held) or _rule_over(store, text) is not None


def _rule_over(store: Store, text: str) -> Rule | None:
    target = _target(text)
    if target.app is not None:
        hosts = [target.app]
    else:
        labels = target.host.split(".")
        hosts = [".".join(labels[index:]) for index in range(len(labels))]
        hosts += [target.ip] if target.ip else []
    found = store.staging.candidates(hosts, target.host)
    return next((rule for rule in found if matches(rule, target)), None)


def _target(text: str) -> Target:
    return parse_app(text[4:]) if text[:4] == "app:" else parse_target(text)
