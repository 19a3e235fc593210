"""One export, streamed: it costs as much memory for a million rules as for ten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from blocklist.domain.clock import now
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.exports.export_formats import EXPORTS, About, Write
from blocklist.exports.export_rows import ListingSelector, policy_of
from blocklist.service import Service

#: Characters that are handed on at a time.
_BLOCK = 65_536


class Export:
    """What counts now under a policy, or what one feed lists, in one format.

    ``left_out`` says, once all blocks were read, how much the format could not say, by reason; ``lines`` and ``parts``
    how many lines there are in all, and in how many parts they come.
    """

    def __init__(
        self, service: Service, format_: str, *, policy: str | None = None, feed: str | None = None, part: int = 1
    ) -> None:
        """Make ready. Without a policy it is ``default``; or, of a feed, everything that it lists.

        :raises NotFoundError: there is no such format, policy or feed.
        :raises UsageError: the format does not come in parts.
        """
        if format_ not in EXPORTS:
            raise NotFoundError(f"there is no export format {format_!r}; there are {', '.join(EXPORTS)}")
        self.format = EXPORTS[format_]
        if part > 1 and self.format.part is None:
            raise UsageError(f"the format {format_} comes in one part")
        self.left_out: Counter[str] = Counter()
        self.lines, self.parts = 0, 1
        self._service = service
        self._part = part
        self._feed = service.store.feeds.get(feed) if feed else None
        self._policy = policy_of(service.settings, policy or "default") if policy or not feed else None
        of = ([f"policy {self._policy.name}"] if self._policy else []) + ([f"feed {feed}"] if feed else [])
        newest = service.store.snapshots.newest()
        self._about = About(f"blocklist, {', '.join(of)}", newest["version"] if newest else 0, now())

    @property
    def filename(self) -> str:
        """A name for the file."""
        number = f"-{self._part}" if self.format.part else ""
        return f"blocklist-{self._about.version}{number}.{self.format.suffix}"

    def blocks(self) -> Iterator[bytes]:
        """Yield the export, some kilobytes at a time, all of one state of the database."""
        held: list[str] = []
        size = 0
        for line in self._text():
            held.append(line)
            size += len(line)
            if size >= _BLOCK:
                yield "".join(held).encode()
                held, size = [], 0
        yield "".join(held).encode()

    def _text(self) -> Iterator[str]:
        store = self._service.store
        write: Write = self.format.write
        with store.database.reading():
            counting = ListingSelector(self._service, self._policy)
            listings = store.exports.listed(self._feed.id if self._feed else None)
            lines = write(counting.rows(listings), self._about, self.left_out)
            yield from lines if self.format.part is None else self._only_part(lines, self.format.part)

    def _only_part(self, lines: Iterator[str], length: int) -> Iterator[str]:
        for line in lines:
            if self.lines // length == self._part - 1:
                yield line
            self.lines += 1
        self.parts = max(1, -(-self.lines // length))
