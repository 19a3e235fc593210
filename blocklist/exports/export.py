"""One export, streamed: its memory does not grow with the number of rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from blocklist.config.settings import Settings
from blocklist.domain.clock import now
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.exports.export_formats import EXPORTS, ExportHeader
from blocklist.exports.export_rows import ListingSelector, policy_of
from blocklist.snapshot.reader import Snapshot
from blocklist.store import Store


class Export:
    """What counts now under a policy, or what one feed lists, in one format.

    Once all blocks were read, ``left_out`` counts by reason what the format could not express, ``lines`` is the number
    of lines of all parts, and ``parts`` the number of parts.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        current_snapshot: Callable[[], Snapshot],
        format_: str,
        *,
        policy: str | None = None,
        feed: str | None = None,
        part: int = 1,
    ) -> None:
        """Choose what to export: without a policy it is ``default``, or, of a feed, everything that it lists.

        :raises NotFoundError: there is no such format, policy or feed.
        :raises UsageError: a part above 1 of a format that has one part.
        """
        if format_ not in EXPORTS:
            raise NotFoundError(f"there is no export format {format_!r}; there are {', '.join(EXPORTS)}")
        self.format = EXPORTS[format_]
        if part > 1 and self.format.part is None:
            raise UsageError(f"the format {format_} has one part only")
        self.left_out: Counter[str] = Counter()
        self.lines, self.parts = 0, 1
        self._store = store
        self._current_snapshot = current_snapshot
        self._part = part
        self._feed = store.feeds.get(feed) if feed else None
        self._policy = policy_of(settings, policy or "default") if policy or not feed else None
        of = ([f"policy {self._policy.name}"] if self._policy else []) + ([f"feed {feed}"] if feed else [])
        newest = store.snapshots.newest()
        self._header = ExportHeader(f"blocklist, {', '.join(of)}", newest["version"] if newest else 0, now())

    @property
    def filename(self) -> str:
        """The name of the file, such as ``blocklist-7.csv``."""
        number = f"-{self._part}" if self.format.part else ""
        return f"blocklist-{self._header.version}{number}.{self.format.suffix}"

    def blocks(self) -> Iterator[bytes]:
        """Yield the export in blocks of 64 KiB or more, from one state of the database."""
        held: list[str] = []
        size = 0
        for line in self._text():
            held.append(line)
            size += len(line)
            if size >= 65_536:
                yield "".join(held).encode()
                held, size = [], 0
        yield "".join(held).encode()

    def _text(self) -> Iterator[str]:
        with self._store.database.reading():
            selector = ListingSelector(self._store, self._policy, self._current_snapshot)
            listings = self._store.exports.listed(self._feed.id if self._feed else None)
            lines = self.format.write(selector.rows(listings), self._header, self.left_out)
            length = self.format.part
            if length is None:
                yield from lines
                return
            for line in lines:
                if self.lines // length == self._part - 1:
                    yield line
                self.lines += 1
            self.parts = max(1, -(-self.lines // length))
