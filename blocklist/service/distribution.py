"""Signed snapshots: ceremonies of the people who hold keys."""

from __future__ import annotations

from importlib.util import find_spec

from blocklist.domain.errors import ConfigurationError
from blocklist.store import Store


def need_library() -> None:
    """Check that the libraries of signed snapshots are installed.

    :raises ConfigurationError: one is not.
    """
    missing = [name for name in ("obstore", "securesystemslib", "tuf") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"signed snapshots need {', '.join(missing)}: pip install 'blocklist[distribution]' in this environment"
        )


class DistributionService:
    """Signed snapshots for other machines."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note_ceremony(self, actor: str, action: str, target: str) -> None:
        """Write a ceremony over the trust metadata of this installation into the audit log."""
        self._store.audit.add(actor, action, target)
