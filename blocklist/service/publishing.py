"""The ground that all tasks stand on: the data folder with its store, and the snapshot brought up to date with it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from blocklist.config.settings import Settings
from blocklist.domain.clock import now
from blocklist.domain.errors import BlocklistError, SnapshotError, StoreError
from blocklist.domain.verdict import Override
from blocklist.refresh.lifecycle import lock_file
from blocklist.refresh.preview import PREFIX
from blocklist.refresh.run import Refresher
from blocklist.snapshot.compile.compiler import Compiler, FeedSource, ListingRow
from blocklist.snapshot.compile.delta import Overlay, overlay_on, room_for_changes
from blocklist.snapshot.reader import Snapshot, same_policies
from blocklist.snapshot.repository import Pointer, SnapshotFolder
from blocklist.status.statistics import Board
from blocklist.store import Store
from blocklist.store.compile_source import Mark
from blocklist.store.feeds import definition_of

#: Seconds that a person's refresh waits for one of the schedule to end.
WAIT_FOR_RUN = 600


class Publishing:
    """One data folder, and its snapshot."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder, creating it where needed.

        :raises StoreError: the folder or the database in it cannot be used.
        """
        self.settings = settings
        self._folder = settings.data_dir
        _check_writable(self._folder)
        self.store = Store(self._folder / "blocklist.db")
        self.refresher = Refresher(self.store, settings)
        self.snapshots = SnapshotFolder(self._folder / "snapshots")
        self._fitting: tuple[object, ...] = ()
        #: What the workers of the lookup node beside this service say of themselves; a command has no node.
        self.board: Board = list
        #: Why the snapshot could not be published when this process last tried; empty where it could.
        self.publish_failure = ""

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def publish(self, *, anew: bool = False, confirmed: bool = False) -> Pointer:
        """Bring the snapshot up to date with the store; ``anew`` builds it in any case.

        ``confirmed``: a feed was just found to be current. Only then does the snapshot count as fresh: an override
        published while every feed fails must not hide that they do.

        Whoever waited while another compiled the same contents finds it done.

        :raises StoreError: it cannot be written; the last one goes on serving.
        """
        try:
            pointer = self._publish(anew, confirmed)
        except BlocklistError as error:
            self.publish_failure = str(error)
            raise
        self.publish_failure = ""
        return pointer

    def _publish(self, anew: bool, confirmed: bool) -> Pointer:
        with self._publishing():
            pointer = self._up_to_date()
            if pointer and not anew:
                if confirmed:
                    self.snapshots.confirm(now())
                return pointer
            last = None if confirmed else self._last_pointer()
            begun = now()
            with self.store.database.reading():
                contents = self.store.snapshots.contents()
                compiler = (None if anew else self._overlay()) or self._whole(begun)
            since = last.confirmed_at if last else None
            pointer = self.snapshots.publish(compiler, self._next_version(), now(), contents, since)
            self._note_published(pointer, contents)
            self.snapshots.prune(self.settings.snapshot.keep)
            return pointer

    def is_behind(self) -> bool:
        """Return whether something that counts is not in the current snapshot; never before anything counted."""
        return self.store.snapshots.contents() > 0 and self._up_to_date() is None

    def recover(self) -> None:
        """Set right what a killed process left: unfinished runs, and a snapshot that lags behind the store."""
        self.refresher.recover()
        for path in (self._folder / "incoming").glob(f"{PREFIX}*"):
            path.unlink(missing_ok=True)
        if self.is_behind():
            self.publish()

    def _up_to_date(self) -> Pointer | None:
        with contextlib.suppress(SnapshotError):
            pointer = self.snapshots.pointer()
            known = self.store.snapshots.newest()
            # The counter alone would not tell a database restored from a backup from the one that was compiled.
            if not pointer or not known or known["sha256"] != pointer.sha256:
                return None
            if known["contents"] == self.store.snapshots.contents() and self._fits(pointer):
                return pointer
        return None

    def _fits(self, pointer: Pointer) -> bool:
        """Return whether the current file is there and was compiled for the policies of the configuration.

        The schedule asks every second: a file that was found to fit is not opened again while it is the same file.
        """
        path = self.snapshots.folder / pointer.file
        try:
            stat = path.stat()
        except OSError:
            return False
        seen = (pointer.file, pointer.sha256, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if seen != self._fitting:
            if not same_policies(Snapshot.open(path), self.settings.all_policies()):
                return False
            self._fitting = seen
        return True

    def _next_version(self) -> int:
        # A database restored from a backup knows fewer versions than the nodes have seen: theirs must not go back.
        pointer = self._last_pointer()
        return max(self.store.snapshots.next_version(), (pointer.version if pointer else 0) + 1)

    def _last_pointer(self) -> Pointer | None:
        with contextlib.suppress(SnapshotError):
            return self.snapshots.pointer()
        return None

    def _note_published(self, pointer: Pointer, contents: int) -> None:
        path = self.snapshots.folder / pointer.file
        snapshot = Snapshot.open(path)
        self.store.snapshots.add(
            {
                "version": pointer.version,
                "file": pointer.file,
                "sha256": pointer.sha256,
                "bytes": path.stat().st_size,
                "rules": snapshot.rules,
                "built_at": snapshot.built_at,
                "contents": contents,
            }
        )

    def _whole(self, begun: str) -> Compiler:
        """Return everything that counts, read at a moment."""
        mark = self.store.current.mark(begun)
        compiler = self._compiler(self.store.current.stated(), self.store.overrides.active(), mark)
        compiler.add_bare_hosts(self.store.current.bare())
        return compiler

    def _overlay(self) -> Overlay | None:
        """Return what changed since the current snapshot was compiled whole; None where all is to be compiled anew."""
        previous = self._published()
        overlay = previous and overlay_on(previous, self._sources(), self.settings.all_policies())
        if not previous or not overlay:
            return None
        changed = self.store.current.changed(Mark(*previous.meta["base"]["mark"]), room_for_changes(previous))
        if changed is None:
            return None
        overrides = self.store.overrides.active()
        overlay.touch(changed, overrides)
        overlay.add_listings(self.store.current.of(overlay.values, overlay.hosts))
        overlay.add_overrides(overrides)
        return overlay if overlay.complete(self.store.current.count()) else None

    def _published(self) -> Snapshot | None:
        """Return the current snapshot if it was compiled from this database, not from one restored since."""
        with contextlib.suppress(SnapshotError):
            pointer, known = self.snapshots.pointer(), self.store.snapshots.newest()
            if pointer and known and known["sha256"] == pointer.sha256:
                return self.snapshots.current()
        return None

    def _compiler(
        self, rows: Iterable[ListingRow], overrides: Iterable[Override], mark: Mark | None = None
    ) -> Compiler:
        compiler = Compiler(self._sources(), self.settings.all_policies(), mark)
        compiler.add_listings(rows)
        compiler.add_overrides(overrides)
        return compiler

    def _sources(self) -> dict[int, FeedSource]:
        return {
            feed.id: FeedSource(feed.name, feed.title, feed.authority, definition_of(feed).legal_basis)
            for feed in self.store.feeds.ever()
        }

    @contextlib.contextmanager
    def _publishing(self) -> Iterator[None]:
        with lock_file(self._folder, "publish"):
            yield


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StoreError(
            f"{folder}: the data folder cannot be written: {error.strerror}; give this user the right to, "
            "or choose another with --data-dir"
        ) from None
