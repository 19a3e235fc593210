"""How long bodies are kept as evidence: for good, unless the operator says otherwise; always while needed."""

from __future__ import annotations

from blocklist.config.settings import EvidenceSettings
from blocklist.domain.clock import later, now, seconds_between
from blocklist.fetch.body import BodyStore
from blocklist.store import Store

_TASK = "prune bodies"
_EVERY = 86_400


def prune(store: Store, bodies: BodyStore, settings: EvidenceSettings) -> int:
    """Remove the bodies that are older than allowed and that nothing needs; return how many.

    Needed are those of what counts now, of the lists that serve, of reviews and entries that wait, and of entries that
    a person approved.
    """
    if not settings.keep_for:
        return 0
    # One transaction: a run notes its body before it keeps it, so that it is either seen here or written anew.
    with store.database.transaction():
        unneeded = store.evidence.unneeded(later(now(), -settings.keep_for))
        for sha256 in unneeded:
            bodies.remove(sha256)
        store.evidence.note_pruned(unneeded)
        store.evidence.note_upkeep(_TASK)
    return len(unneeded)


def prune_daily(store: Store, bodies: BodyStore, settings: EvidenceSettings) -> int:
    """Prune, unless that was done within the last day; return how many bodies were removed."""
    last = store.evidence.last_upkeep(_TASK) if settings.keep_for else None
    return 0 if last and seconds_between(last, now()) < _EVERY else prune(store, bodies, settings)
