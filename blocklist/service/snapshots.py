"""The current snapshot: its pointer, its contents, and how it is built again."""

from __future__ import annotations

from typing import Any

from blocklist.config.settings import Settings
from blocklist.domain.clock import now, seconds_between
from blocklist.domain.errors import SnapshotError
from blocklist.service.publishing import Publisher
from blocklist.snapshot.pointer import Pointer
from blocklist.snapshot.reader import Snapshot
from blocklist.store import Store


class SnapshotService:
    """The current snapshot."""

    def __init__(self, store: Store, settings: Settings, publisher: Publisher) -> None:
        self._audit = store.audit
        self._max_age = settings.snapshot.max_age
        self._publisher = publisher
        self._opened: Snapshot | None = None
        self.folder = publisher.repository.folder

    def pointer(self) -> Pointer:
        """Return the pointer to the current snapshot.

        :raises SnapshotError: there is none yet, or it cannot be read.
        """
        pointer = self._publisher.repository.pointer()
        if pointer is None:
            raise SnapshotError(
                "there is no snapshot yet: add a feed and refresh it, or run 'blocklist snapshot build'"
            )
        return pointer

    def current(self) -> Snapshot:
        """Return the current snapshot, verified. It stays open until there is a newer one.

        :raises SnapshotError: there is none yet, or it cannot be read.
        """
        pointer, opened = self.pointer(), self._opened
        if opened is None or (opened.version, opened.sha256) != (pointer.version, pointer.sha256):
            self._opened = opened = self._publisher.repository.open(pointer)
        return opened

    def verify(self) -> Snapshot:
        """Read the whole file of the current snapshot again, compare it with its checksum and return the snapshot.

        :raises SnapshotError: there is none yet, or it is damaged.
        """
        return self._publisher.repository.open(self.pointer())

    def stale(self) -> bool:
        """Return whether no run confirmed the current snapshot within ``snapshot.max_age``.

        :raises SnapshotError: there is none yet, or its pointer cannot be read.
        """
        return seconds_between(self.pointer().confirmed_at, now()) > self._max_age

    def info(self) -> dict[str, Any]:
        """Return version, times, size and contents of the current snapshot, as JSON.

        :raises SnapshotError: there is none yet, or it cannot be read.
        """
        pointer, current = self.pointer(), self.current()
        return {
            "version": current.version,
            "built_at": current.built_at,
            "confirmed_at": pointer.confirmed_at,
            "rules": current.rules,
            "listings": current.listings,
            "base_version": current.base_version,
            "changed_keys": current.changed_keys,
            "bytes": current.path.stat().st_size,
            "sha256": pointer.sha256,
            "policies": [policy["name"] for policy in current.policies],
            "path": str(current.path.resolve()),
        }

    def build(self, actor: str) -> Pointer:
        """Compile a whole snapshot, publish it and return its pointer.

        :raises StoreError: it cannot be written; the previous one continues to serve.
        """
        pointer = self._publisher.publish(force=True)
        self._audit.add(actor, "snapshot.build", str(pointer.version))
        return pointer
