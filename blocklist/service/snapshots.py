"""The compiled list: what it is, and built anew."""

from __future__ import annotations

from typing import Any

from blocklist.domain.errors import SnapshotError
from blocklist.service.publishing import Publishing
from blocklist.snapshot.pointer import Pointer
from blocklist.snapshot.reader import Snapshot


class SnapshotTasks(Publishing):
    """What is done with the snapshot."""

    def current_pointer(self) -> Pointer:
        """Return which snapshot is current.

        :raises SnapshotError: there is none yet.
        """
        pointer = self.snapshots.pointer()
        if pointer is None:
            raise SnapshotError(
                "there is no snapshot yet: add a feed and refresh it, or run 'blocklist snapshot build'"
            )
        return pointer

    def snapshot_info(self) -> dict[str, Any]:
        """Return version, times, size and contents of the current snapshot, as JSON.

        :raises SnapshotError: there is none yet, or it cannot be read.
        """
        pointer = self.current_pointer()
        current = Snapshot.open(self.snapshots.folder / pointer.file)
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

    def build_snapshot(self, actor: str) -> Pointer:
        """Compile everything that counts anew, and publish it.

        :raises StoreError: it cannot be written; the last one goes on serving.
        """
        pointer = self.publish(anew=True)
        self.store.audit.add(actor, "snapshot.build", str(pointer.version))
        return pointer
