"""One step of a mirror after another, with its status, and an event for whatever changes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from blocklist.distribution.mirror import Mirror
from blocklist.distribution.mirror_status import MirrorStatus
from blocklist.distribution.sources import open_source
from blocklist.domain.clock import now
from blocklist.domain.errors import BlocklistError, DistributionError
from blocklist.snapshot.mirror_process import MirrorOptions

#: Seconds between two writes of the status while nothing changes.
_STATUS_EVERY = 5.0


class MirrorLoop:
    """A mirror, its status, and what its parent is told."""

    def __init__(self, options: MirrorOptions, tell: Callable[..., None]) -> None:
        """``tell`` gets the name of an event and its fields.

        :raises DistributionError: the address or the root metadata cannot be used.
        """
        self._cache, self._tell = Path(options.cache), tell
        self._source = open_source(options.url, options.store_options)
        self._mirror = Mirror(self._source, read_root(Path(options.root)), self._cache, options.look)
        self.status = MirrorStatus(self._source.shown, os.getpid(), now())
        self._write_after = 0.0
        self._note_pointer()
        self._write()

    def step(self) -> bool:
        """Poll once; return whether that succeeded. The status is written, and changes are told."""
        before = (self.status.version, self.status.error, self.status.warning)
        try:
            checked = self._mirror.poll()
        except BlocklistError as error:
            self._failed(str(error))
        except Exception as error:  # whatever is wrong with a store, the list goes on serving
            self._failed(f"a fault of the mirror, please report it: {type(error).__name__}: {error}")
        else:
            self.status.checked_at, self.status.error, self.status.error_since = now(), "", ""
            if checked:
                self._note_pointer()
        changed = before != (self.status.version, self.status.error, self.status.warning)
        if changed or time.monotonic() >= self._write_after:
            self._write()
        self._tell_changes(*before)
        return not self.status.error

    def _failed(self, reason: str) -> None:
        self.status.error = reason
        self.status.error_since = self.status.error_since or now()

    def _note_pointer(self) -> None:
        """Take over what the pointer says, and what the last complete check found."""
        status, seen = self.status, self._mirror.seen
        try:
            pointer = self._mirror.repository.pointer()
        except BlocklistError as error:
            self._failed(str(error))
            return
        if pointer is not None:
            if pointer.version != status.version:
                status.version, status.changed_at = pointer.version, now()
            status.confirmed_at = pointer.confirmed_at
        if seen is not None:
            status.signed_at, status.number, status.root = seen.state.signed_at, seen.number, seen.root
            status.warning = seen.warning

    def _write(self) -> None:
        self._write_after = time.monotonic() + _STATUS_EVERY
        self.status.requests, self.status.bytes = self._source.requests, self._source.bytes
        self.status.deltas, self.status.wholes = self._mirror.deltas, self._mirror.wholes
        self.status.write(self._cache)

    def _tell_changes(self, version: int, error: str, warning: str) -> None:
        status = self.status
        if status.version != version:
            self._tell("snapshot mirrored", version=status.version)
        if status.error and status.error != error:
            self._tell("not mirrored", level="error", reason=status.error)
        elif error and not status.error:
            self._tell("mirrored again", version=status.version)
        if status.warning and status.warning != warning:
            self._tell("mirror", level="warning", reason=status.warning)


def read_root(path: Path) -> bytes:
    """Return root metadata, which nodes start from.

    :raises DistributionError: it cannot be read, or is not signed by its own keys.
    """
    try:
        data = path.read_bytes()
        metadata: Metadata[Root] = Metadata.from_bytes(data)
        if not isinstance(metadata.signed, Root):
            raise ValueError("not root metadata")
        metadata.signed.verify_delegate(Root.type, metadata.signed_bytes, metadata.signatures)
    except OSError as error:
        raise DistributionError(f"{path}: the root metadata cannot be read: {error.strerror}") from None
    except (RepositoryError, ValueError) as error:
        raise DistributionError(
            f"{path}: no root metadata that a node can start from: {error}; 'blocklist trust export' writes it"
        ) from None
    return data
