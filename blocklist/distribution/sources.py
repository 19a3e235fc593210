"""Where a mirror reads: an object store or a folder, or HTTP, such as a CDN in front of a bucket.

What is read is not trusted: sizes are limited here, and everything else is verified by its signatures.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from blocklist.distribution.objects import (
    SCHEMES,
    ObjectStore,
    StoreAddress,
    Tagged,
    shown_url,
)
from blocklist.domain.errors import DistributionError

#: Longest time of one file in seconds: a server that sends a byte now and then must not hold a mirror for good.
_LONGEST = 300.0


class Source(Protocol):
    """A place with the objects of a publisher."""

    shown: str

    def chunks(self, path: str) -> Iterator[memoryview] | None:
        """Return the bytes of an object in pieces, or None if there is no such object.

        :raises DistributionError: it cannot be read.
        """

    def read_if_changed(self, path: str, limit: int, tag: str | None) -> Tagged | None:
        """Return an object with its tag, or None if it has the tag ``tag`` still.

        :raises DistributionError: it cannot be read, is larger than ``limit`` bytes, or missing.
        """


class StoreSource:
    """Objects of an object store or a folder."""

    def __init__(self, address: StoreAddress) -> None:
        """Prepare.

        :raises DistributionError: the address of an object store or an option is wrong.
        """
        self.shown = address.shown
        self._address = address
        # A folder may be on a disk that is mounted later: it is opened when it is read.
        self._store = None if urlsplit(address.url).scheme == "file" else ObjectStore(address)

    def chunks(self, path: str) -> Iterator[memoryview] | None:
        """See :class:`Source`."""
        return self._opened().chunks(path)

    def read_if_changed(self, path: str, limit: int, tag: str | None) -> Tagged | None:
        """See :class:`Source`."""
        return self._opened().read_if_changed(path, limit, tag)

    def _opened(self) -> ObjectStore:
        if self._store is None:
            self._store = ObjectStore(self._address, create_folder=False)
        return self._store


class CountedSource:
    """A source that counts requests and bytes, and gives a file up that takes too long."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.shown = source.shown
        self.requests = self.bytes = 0

    def chunks(self, path: str) -> Iterator[memoryview] | None:
        """See :class:`Source`."""
        self.requests += 1
        pieces = self._source.chunks(path)
        return None if pieces is None else self._counted(path, pieces)

    def read_if_changed(self, path: str, limit: int, tag: str | None) -> Tagged | None:
        """See :class:`Source`."""
        self.requests += 1
        found = self._source.read_if_changed(path, limit, tag)
        self.bytes += len(found.data) if found else 0
        return found

    def _counted(self, path: str, pieces: Iterator[memoryview]) -> Iterator[memoryview]:
        end = time.monotonic() + _LONGEST
        for piece in pieces:
            self.bytes += len(piece)
            yield piece
            if time.monotonic() > end:
                raise DistributionError(f"{self.shown}: {path} did not arrive within {_LONGEST:.0f} seconds")


def open_source(url: str, options: Mapping[str, str]) -> CountedSource:
    """Return the source at an address: ``s3://``, ``gs://``, ``az://``, ``file://``, ``https://`` or ``http://``.

    ``options`` are those of obstore, for object stores.

    :raises DistributionError: the address or an option is wrong.
    """
    parts = urlsplit(url)
    if parts.scheme in ("https", "http") and parts.netloc:
        from blocklist.distribution.http_source import HttpSource  # noqa: PLC0415 - 14 MB that other sources do not need

        return CountedSource(HttpSource(url))
    if parts.scheme in SCHEMES:
        return CountedSource(StoreSource(StoreAddress(url, options)))
    raise DistributionError(
        f"{shown_url(url)}: not an address that a node can follow: write s3://, gs://, az://, file:/// or https://"
    )
