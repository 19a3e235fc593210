"""The framework's client over a source: how it fetches, and what its errors mean to people."""

from __future__ import annotations

from collections.abc import Iterator

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.ngclient import FetcherInterface

from blocklist.distribution.objects import RefusedError
from blocklist.distribution.published import TIMESTAMP
from blocklist.distribution.sources import Source
from blocklist.domain.clock import now

#: What addresses begin with that the framework's client asks for.
ADDRESS = "source:/"
#: The longest sentence: what a hostile store sends may be quoted in one.
_LONGEST = 500


class SourceFetcher(FetcherInterface):
    """Fetches objects of a source; the timestamp may be at hand already."""

    def __init__(self, source: Source, timestamp: bytes | None) -> None:
        self._source, self._timestamp = source, timestamp

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = url.removeprefix(ADDRESS)
        if path == TIMESTAMP and self._timestamp is not None:
            return iter((self._timestamp,))
        try:
            pieces = self._source.chunks(path)
        except RefusedError as error:
            # Stores answer so for objects that are missing, too, if a reader may not list them.
            raise DownloadHTTPError(str(error), 403) from None
        if pieces is None:
            raise DownloadHTTPError(f"there is no {path}", 404)
        return (bytes(piece) for piece in pieces)


def explain(error: Exception, shown: str) -> str:
    """Return an error of the framework's client as a sentence; ``shown`` is the address of the source."""
    sentences: tuple[tuple[type[Exception], str], ...] = (
        (
            ExpiredMetadataError,
            f"{error}, by this machine's clock ({now()}): the control plane has not signed for too long, newer files "
            "are withheld, or this machine's clock is wrong",
        ),
        (
            BadVersionNumberError,
            f"older metadata than was seen before: {error}: somebody put an old file back, or a cache serves one",
        ),
        (UnsignedMetadataError, f"not signed by the keys that the trust metadata names: {error}"),
        (LengthOrHashMismatchError, f"a file is not the one that was signed: {error}"),
        (DownloadLengthMismatchError, f"a file is larger than what was signed: {error}"),
        (DownloadHTTPError, f"{error}"),
        (DownloadError, f"a file cannot be fetched: {error.__cause__ or error}"),
        (RepositoryError, f"metadata that cannot be used: {error}"),
        (OSError, f"the folder of the mirror cannot be used: {error}"),
    )
    said = next(
        (sentence for type_, sentence in sentences if isinstance(error, type_)), f"{type(error).__name__}: {error}"
    )
    return (said if said.startswith(shown) else f"{shown}: {said}")[:_LONGEST]
