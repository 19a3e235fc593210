"""Bodies as files: hashed while they are written under a limit, and kept compressed by their SHA-256 as evidence."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from blocklist.domain.clock import rfc3339
from blocklist.domain.errors import FetchError, NotFoundError, StoreError


@dataclass(frozen=True, slots=True)
class Body:
    """One body as it was fetched: its file, its SHA-256, its size in bytes, and what the response headers stated."""

    path: Path
    sha256: str
    size: int
    content_type: str | None
    validators: dict[str, str]


def modified_of(validators: Mapping[str, str]) -> str | None:
    """Return the ``Last-Modified`` among the validators of a body as RFC 3339; None without one that is a date.

    >>> modified_of({"last-modified": "Wed, 07 Jan 2026 00:00:00 GMT"}), modified_of({"last-modified": "yesterday"})
    ('2026-01-07T00:00:00Z', None)
    """
    try:
        moment = parsedate_to_datetime(validators.get("last-modified", ""))
        return rfc3339(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class BodyWriter:
    """A file that is hashed while it is written, and never grows beyond a limit."""

    def __init__(self, path: Path, max_bytes: int) -> None:
        self._path = path
        self._max = max_bytes
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> BodyWriter:
        with _writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("wb")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with _writing(self._path):
                self._file.close()
        except StoreError:
            self._path.unlink(missing_ok=True)
            raise
        if kind is not None:
            self._path.unlink(missing_ok=True)

    def write(self, block: bytes) -> None:
        """Append a block.

        :raises FetchError: the body would be larger than allowed.
        :raises StoreError: the disk is full, or fails.
        """
        self.size += len(block)
        if self.size > self._max:
            raise too_large(self._max)
        self._hash.update(block)
        with _writing(self._path):
            self._file.write(block)

    def body(self, content_type: str | None, validators: dict[str, str]) -> Body:
        """Return what was written."""
        return Body(self._path, self._hash.hexdigest(), self.size, content_type, validators)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}: is the disk full?") from None


def too_large(limit: int) -> FetchError:
    """Return the error for a body that is larger than the setting allows."""
    return FetchError(f"the body is larger than {limit:,} bytes (setting fetch.max_bytes); nothing of it was used")


class BodyStore:
    """The evidence: every body that a run read, stored once under its SHA-256."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, body: Body) -> None:
        """Store a body, unless it is stored already.

        :raises StoreError: the disk is full, or fails.
        """
        path = self._path(body.sha256)
        if not path.exists():
            with _writing(path):
                self._write(body, path)

    def _write(self, body: Body, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Named by its run: two feeds may store the same body at once, and a file left by a dead process is recognized.
        part = path.with_suffix(f".{body.path.name}.part")
        try:
            # Level 1: a list of hosts shrinks to a third at any level, and higher levels take five times as long.
            with body.path.open("rb") as source, part.open("wb") as raw:
                with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1, mtime=0, filename="") as packed:
                    shutil.copyfileobj(source, packed, 1 << 20)
                raw.flush()
                os.fsync(raw.fileno())
            part.rename(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        # The file's name must also survive a power failure, because the database refers to it.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def unfinished(self) -> list[Path]:
        """Return the files that are being written, or were left by a dead process, named ``SHA256.RUN.part``."""
        return list(self._folder.glob("*/*.part"))

    @contextlib.contextmanager
    def keeping(self, body: Body) -> Iterator[None]:
        """Store a body in another thread while the caller reads it; it is stored at the end, even after an error."""
        with ThreadPoolExecutor(1, "keep-body") as pool:
            kept = pool.submit(self.keep, body)
            yield
            kept.result()

    @contextlib.contextmanager
    def open(self, sha256: str) -> Iterator[BinaryIO]:
        """Open a stored body.

        :raises NotFoundError: the body is not stored.
        """
        path = self._path(sha256)
        if not path.exists():
            raise NotFoundError(f"the body {sha256[:12]}… is not in {self._folder}: it was deleted by hand")
        with gzip.open(path, "rb") as file:
            yield file  # type: ignore[misc]  # a GzipFile has the methods of a binary file

    def remove(self, sha256: str) -> None:
        """Remove a stored body, if it is there."""
        self._path(sha256).unlink(missing_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}.gz"
