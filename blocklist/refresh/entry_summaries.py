"""What guards over single entries found in a list, in one sentence for each guard."""

from __future__ import annotations

from collections.abc import Iterable

from blocklist.domain.run import Effect, GuardFinding
from blocklist.refresh.entry_flagging import FlaggedNow
from blocklist.refresh.entry_sifting import Sifted

#: Hosts that a sentence names.
_NAMED = 5


def summaries(sifted: Sifted, flagged: Iterable[FlaggedNow]) -> list[GuardFinding]:
    """Return a finding for each guard that holds entries, that flags some, or whose entries another list confirms."""
    held = ((entry.finding.guard, entry.rule.value) for entry in sifted.held)
    looked_at = ((item.finding.guard, item.entry.rule.value) for item in flagged)
    confirmed = ((entry.finding.guard, f"{entry.rule.value} ({why})") for entry, why in sifted.confirmed)
    return [
        *_summed(held, Effect.HOLDS_ENTRY, "newly listed waits for a person", "newly listed wait for a person"),
        *_summed(confirmed, Effect.NOTES, *["newly listed, as another authority confirms"] * 2),
        *_summed(looked_at, Effect.FLAGS, "newly listed is worth a look", "newly listed are worth a look"),
    ]


def _summed(found: Iterable[tuple[str, str]], effect: Effect, one: str, many: str) -> Iterable[GuardFinding]:
    """Yield a finding for each guard of some pairs of guard and host; ``one`` and ``many`` follow their number."""
    hosts_by_guard: dict[str, list[str]] = {}
    for guard, host in found:
        hosts_by_guard.setdefault(guard, []).append(host)
    for guard, hosts in sorted(hosts_by_guard.items()):
        more = len(hosts) - _NAMED
        shown = ", ".join(hosts[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
        yield GuardFinding(guard, effect, f"{len(hosts):,} {one if len(hosts) == 1 else many}: {shown}")
