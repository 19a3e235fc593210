"""Publishing: the current snapshot is brought up to date with the database."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import structlog

from blocklist.config.settings import Settings
from blocklist.definitions.definition import definition_of
from blocklist.domain.clock import now
from blocklist.domain.errors import BlocklistError, SnapshotError
from blocklist.domain.verdict import Override
from blocklist.refresh.lifecycle import lock_file
from blocklist.snapshot.compile.compiler import Compiler, FeedSource
from blocklist.snapshot.compile.delta import DeltaCompiler, max_changed_rules, start_delta
from blocklist.snapshot.compile.listing_rows import CompiledListing
from blocklist.snapshot.format.layout import KEYS
from blocklist.snapshot.pointer import Pointer
from blocklist.snapshot.reader import Snapshot, same_policies
from blocklist.snapshot.repository import SnapshotRepository
from blocklist.store import Store
from blocklist.store.compile_source import Mark

_LOG = structlog.get_logger("blocklist.service")


class Publisher:
    """Compiles what counts in the database into snapshots, in the data folder."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.repository = SnapshotRepository(settings.data_dir / "snapshots")
        self._fitting: tuple[object, ...] = ()
        #: Why the last attempt of this process to publish failed; empty where it succeeded.
        self.failure = ""
        #: Why the current file could not be used when it was last opened, so that it is built again; empty if it could.
        self.damage = ""

    def publish(self, *, force: bool = False, confirmed: bool = False, above: int = 0) -> Pointer:
        """Bring the snapshot up to date with the database and return its pointer.

        ``force``: compile it even if nothing changed.
        ``confirmed``: a feed was just found to be current. Only then does the snapshot count as fresh: an override
        that is published while every feed fails must not hide that they fail.
        ``above``: a new snapshot gets a version above this one, which nodes on other machines may have.

        Only one process compiles at a time. One that waited for another finds the work done.

        :raises StoreError: the snapshot cannot be written; the previous one continues to serve.
        """
        try:
            pointer = self._publish(force, confirmed, above)
        except BlocklistError as error:
            self.failure = str(error)
            raise
        self.failure = ""
        return pointer

    def _publish(self, force: bool, confirmed: bool, above: int) -> Pointer:
        with lock_file(self._settings.data_dir, "publish"):
            pointer = self._up_to_date()
            if pointer and not force:
                if confirmed:
                    self.repository.confirm(now())
                return pointer
            last = self._last_pointer()
            begun = now()
            with self._store.database.reading():
                contents = self._store.snapshots.contents()
                compiler = (None if force else self._delta()) or self._whole(begun)
            since = last.confirmed_at if last and not confirmed else None
            # A database restored from a backup knows fewer versions than the nodes have loaded: they must not go back.
            version = max(self._store.snapshots.next_version(), self.repository.last_version() + 1, above + 1)
            pointer = self.repository.publish(compiler, version, now(), contents, since)
            self._note_published(pointer, contents)
            if self.damage:
                _LOG.error("snapshot built again from the database", reason=self.damage, version=pointer.version)
                self.damage = ""
            self.repository.prune(self._settings.snapshot.keep)
            return pointer

    def is_behind(self) -> bool:
        """Return whether the current snapshot lacks something that counts; False before anything counted."""
        return self._store.snapshots.contents() > 0 and self._up_to_date() is None

    def trouble(self) -> str:
        """Return why the current snapshot lags behind the database; empty where it does not, or nothing failed."""
        return self.failure if self.failure and self.is_behind() else ""

    def _up_to_date(self) -> Pointer | None:
        try:
            pointer = self.repository.pointer()
            known = self._store.snapshots.newest()
            # The counter alone could not distinguish a database restored from a backup from the one that was compiled.
            if not pointer or not known or known["sha256"] != pointer.sha256:
                return None
            if known["contents"] == self._store.snapshots.contents() and self._fits(pointer):
                return pointer
        except SnapshotError as error:
            self.damage = str(error)
        return None

    def _fits(self, pointer: Pointer) -> bool:
        """Return whether the current file exists, has the keys of this version, and the policies of the configuration.

        The schedule asks every second: a file that was found to fit is not opened again while it is unchanged.
        """
        path = self.repository.folder / pointer.file
        try:
            stat = path.stat()
        except OSError:
            return False
        seen = (pointer.file, pointer.sha256, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if seen != self._fitting:
            current = self.repository.open(pointer)
            if current.meta.get("keys") != KEYS or not same_policies(current, self._settings.all_policies()):
                return False
            self._fitting = seen
        return True

    def _last_pointer(self) -> Pointer | None:
        with contextlib.suppress(SnapshotError):
            return self.repository.pointer()
        return None

    def _note_published(self, pointer: Pointer, contents: int) -> None:
        path = self.repository.folder / pointer.file
        snapshot = Snapshot.open(path, verify=False)  # it was verified before it was named
        file = {"version": pointer.version, "file": pointer.file, "sha256": pointer.sha256}
        content = {"rules": snapshot.rules, "built_at": snapshot.built_at, "contents": contents}
        self._store.snapshots.add(file | {"bytes": path.stat().st_size} | content)

    def _whole(self, begun: str) -> Compiler:
        """Return a compiler with everything that counts; ``begun`` is when reading it began."""
        mark = self._store.compile_source.mark(begun)
        compiler = self.compiler(self._store.compile_source.other_listings(), self._store.overrides.active(), mark)
        compiler.add_bare_hosts(self._store.compile_source.host_blocks())
        return compiler

    def _delta(self) -> DeltaCompiler | None:
        """Return what changed since the last whole snapshot; None where everything must be compiled again."""
        previous = self._published()
        delta = previous and start_delta(previous, self._sources(), self._settings.all_policies())
        if not previous or not delta:
            return None
        changed = self._store.compile_source.changed_rules(
            Mark(*previous.meta["base"]["mark"]), max_changed_rules(previous)
        )
        if changed is None:
            return None
        overrides = self._store.overrides.active()
        delta.touch(changed, overrides)
        delta.add_listings(self._store.compile_source.listings_of(delta.values, delta.url_hosts))
        delta.add_overrides(overrides)
        return delta if delta.is_complete(self._store.compile_source.count()) else None

    def _published(self) -> Snapshot | None:
        """Return the current snapshot; None where it was not compiled from this database, as after a restore."""
        with contextlib.suppress(SnapshotError):
            pointer, known = self.repository.pointer(), self._store.snapshots.newest()
            if pointer and known and known["sha256"] == pointer.sha256:
                return self.repository.current()
        return None

    def compiler(
        self, rows: Iterable[CompiledListing], overrides: Iterable[Override], mark: Mark | None = None
    ) -> Compiler:
        """Return a compiler that holds these listings and overrides."""
        compiler = Compiler(self._sources(), self._settings.all_policies(), mark)
        compiler.add_listings(rows)
        compiler.add_overrides(overrides)
        return compiler

    def _sources(self) -> dict[int, FeedSource]:
        return {
            feed.id: FeedSource(feed.name, feed.title, feed.authority, definition_of(feed).legal_basis)
            for feed in self._store.feeds.including_removed()
        }
