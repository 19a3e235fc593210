"""How long bodies are kept as evidence: forever by default, and always as long as something needs them."""

from __future__ import annotations

from blocklist.config.settings import EvidenceSettings
from blocklist.domain.clock import later, now, seconds_between
from blocklist.fetch.body import BodyStore
from blocklist.store import Store

_TASK = "prune bodies"


def prune(store: Store, bodies: BodyStore, settings: EvidenceSettings) -> int:
    """Remove the bodies that are older than the settings allow and that nothing needs; return how many.

    Needed are the bodies of open listings, of the lists that serve, of runs and entries that wait for a person, and of
    entries that a person approved.
    """
    if not settings.keep_for:
        return 0
    # One transaction: a run records which body it reads before it keeps that body, so it is seen here as needed, or the
    # run writes it again.
    with store.database.transaction():
        unneeded = store.evidence.unneeded(later(now(), -settings.keep_for))
        for sha256 in unneeded:
            bodies.remove(sha256)
        store.evidence.note_pruned(unneeded)
        store.evidence.note_upkeep(_TASK)
    return len(unneeded)


def prune_daily(store: Store, bodies: BodyStore, settings: EvidenceSettings) -> int:
    """Prune unless that was done within the last day; return how many bodies were removed."""
    last = store.evidence.last_upkeep(_TASK) if settings.keep_for else None
    return 0 if last and seconds_between(last, now()) < 86_400 else prune(store, bodies, settings)
