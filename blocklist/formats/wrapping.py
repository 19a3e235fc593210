"""Wrapped lists: gzip, bzip2, xz, zstandard and zip around any format, opened block by block under a size limit.

The evidence of a run is the body as it was fetched; it is unwrapped each time it is read. The content goes into an
unnamed temporary file, never into memory. Each decompressor is limited in what it returns at once: a block decompressed
whole can turn 194 kB into 200 MB.
"""

from __future__ import annotations

import bz2
import contextlib
import fnmatch
import gzip
import lzma
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, cast

from blocklist.domain.errors import UnreadableFeedError, escape_unprintable
from blocklist.formats import zips

_BLOCK = 1 << 16
#: Bytes; xz -9 needs 65 MiB.
_XZ_MEMORY = 80 << 20
#: Bytes; zstd up to level 19 needs 8 MiB.
_ZSTD_WINDOW = 32 << 20
#: Four bytes of zstandard can stand for 131,072, and the decompressor has no output limit: its input is kept small.
_ZSTD_BLOCK = 256
_WRAPPINGS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
_DAMAGE = (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError, MemoryError)
#: The most consecutive streams in one body; block-wise compressors write one per 64 kB.
_MAX_STREAMS = 100_000
_UNSUPPORTED = {b"Rar!": "a rar archive", b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive", b"MSCF": "a cab archive"}
#: The files that make a zip a spreadsheet (ECMA-376; OpenDocument 1.3, part 2, section 3.3).
_SPREADSHEET_PARTS = frozenset({"[Content_Types].xml", "mimetype"})
#: Files in a zip that are certainly not the list.
_NOT_A_LIST = re.compile(r"(?:^|/)(?:__MACOSX/|\.|read[ _-]?me|licen[cs]e|changelog|thumbs\.db)", re.IGNORECASE)
_MAX_MEMBERS_NAMED = 10


class Unwrapped(NamedTuple):
    """The content of a body, open at its beginning, and its wrapping (``gzip``, ``zip (list.csv)``); None: none."""

    body: BinaryIO
    wrapping: str | None


@contextlib.contextmanager
def unwrap(
    body: BinaryIO, max_bytes: int, member: str | None = None, folder: Path | None = None
) -> Iterator[Unwrapped]:
    """Give the content of a wrapped body; a body that is not wrapped, or a spreadsheet, is given as it is.

    ``member`` is the file to read in a zip, by name or pattern. The temporary file is made in ``folder``.

    :raises UnreadableFeedError: the body is damaged, cut off, locked, opens to more than ``max_bytes``, contains
        another archive, or is a zip in which several files may be the list.
    """
    with contextlib.ExitStack() as files:

        def scratch() -> BinaryIO:
            return cast(BinaryIO, files.enter_context(tempfile.TemporaryFile(dir=folder)))

        kind = _kind(body)
        if kind == "zip" and isinstance(body, gzip.GzipFile):
            # zipfile seeks to the end and back; in a compressed file each seek back starts again from the beginning.
            body, packed = scratch(), body
            shutil.copyfileobj(packed, body, _BLOCK)
        if kind is None or (kind == "zip" and _is_office(body)):
            body.seek(0)
            yield Unwrapped(body, None)
            return
        inside = scratch()
        if kind == "zip":
            kind = _fill_from_zip(inside, body, max_bytes, member)
        else:
            _fill(inside, _opened_stream(body, kind), max_bytes, kind)
        inside.seek(0)
        nested = _kind(inside, f", inside {kind}")
        if nested is not None and not (nested == "zip" and _is_office(inside)):
            raise UnreadableFeedError(f"the {kind} contains another archive ({nested}), which is not opened")
        inside.seek(0)
        yield Unwrapped(inside, kind)


def _kind(body: BinaryIO, where: str = "") -> str | None:
    """Return the wrapping of a body by its first bytes, None for none, and leave the body at its beginning."""
    body.seek(0)
    head = body.read(512)
    body.seek(0)
    for magic, name in _UNSUPPORTED.items():
        if head.startswith(magic):
            raise UnreadableFeedError(f"the body is {name}{where}, which is not read: zip, gz, zst, xz and bz2 are")
    if head[257:262] == b"ustar":
        raise UnreadableFeedError(f"the body is a tar archive{where}, which is not read: a list is one file")
    return next((name for magic, name in _WRAPPINGS.items() if head.startswith(magic)), None)


def _is_office(file: BinaryIO) -> bool:
    try:
        with zips.open_zip(file) as archive:
            return not _SPREADSHEET_PARTS.isdisjoint(archive.namelist())
    except zipfile.BadZipFile:
        return False


def _fill(into: IO[bytes], blocks: Iterator[bytes], max_bytes: int, wrapping: str) -> None:
    size = 0
    for block in blocks:
        size += len(block)
        if size > max_bytes:
            raise UnreadableFeedError(
                f"the body is {wrapping} data that opens to more than {max_bytes:,} bytes (setting fetch.max_bytes)"
            )
        into.write(block)


def _fill_from_zip(into: IO[bytes], body: BinaryIO, max_bytes: int, member: str | None) -> str:
    try:
        with zips.open_zip(body) as archive:
            chosen = _chosen(archive, member)
            _fill(into, zips.contents(archive, chosen), max_bytes, "zip")
    except zipfile.BadZipFile as error:
        raise UnreadableFeedError(f"the body is a zip archive that cannot be opened: {error}") from None
    return f"zip ({escape_unprintable(chosen.filename[:200])})"


def _chosen(archive: zipfile.ZipFile, pattern: str | None) -> zipfile.ZipInfo:
    files = [item for item in archive.infolist() if not item.is_dir()]
    if pattern is not None:
        found = [item for item in files if pattern == item.filename or fnmatch.fnmatchcase(item.filename, pattern)]
        found = found or [item for item in files if fnmatch.fnmatchcase(item.filename.rpartition("/")[2], pattern)]
    else:
        found = [item for item in files if not _NOT_A_LIST.search(item.filename)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(repr(item.filename[:100]) for item in (found or files)[:_MAX_MEMBERS_NAMED])
    more = f" and {len(found or files) - _MAX_MEMBERS_NAMED:,} more" if len(found or files) > _MAX_MEMBERS_NAMED else ""
    if not files:
        raise UnreadableFeedError("the body is a zip archive without a file in it")
    if not found:
        which = f"no file in the zip is {pattern!r}" if pattern else "no file in the zip looks like a list"
        raise UnreadableFeedError(f"member: {which}; it has {named}{more}")
    raise UnreadableFeedError(
        f"member: {len(found):,} files in the zip may be the list: {named}{more}; set the option member to one, "
        "or to a pattern such as '*.csv'"
    )


def _opened_stream(body: BinaryIO, kind: str) -> Iterator[bytes]:
    """Yield the content of a compressed stream in limited blocks; consecutive streams count as one."""
    make: dict[str, Callable[[], Any]] = {
        "gzip": lambda: zlib.decompressobj(wbits=31),
        "bzip2": bz2.BZ2Decompressor,
        "xz": lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
        "zstandard": _zstandard,
    }
    decompress = {"gzip": _decompress_gzip, "zstandard": _decompress_zstandard}.get(kind, _decompress_bounded)
    try:
        decompressor, fresh, streams = make[kind](), True, 1
        while block := body.read(_BLOCK):
            while block:
                # Zero padding after the last stream is common (tapes, downloads); nothing else is allowed there.
                if fresh and streams > 1 and not block.strip(b"\0"):
                    break
                block, fresh = (yield from decompress(decompressor, block)), False
                if decompressor.eof:
                    decompressor, fresh, streams = make[kind](), True, streams + 1
                    if streams > _MAX_STREAMS:
                        raise UnreadableFeedError(f"the body is more than {_MAX_STREAMS:,} {kind} streams, not a list")
    except Exception as error:
        # zstandard's own error class is compared by name, because the library may not be loaded.
        if not isinstance(error, _DAMAGE) and type(error).__name__ != "ZstdError":
            raise
        raise UnreadableFeedError(
            f"the body is {kind} data that is damaged, or needs too much memory: {error}"
        ) from None
    if not fresh:
        raise UnreadableFeedError(f"the body is {kind} data that ends in the middle")


def _zstandard() -> Any:
    import zstandard  # noqa: PLC0415 - loaded only when a body needs it

    return zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()


def _decompress_gzip(inflater: Any, data: bytes) -> Generator[bytes, None, bytes]:
    while data and not inflater.eof:
        yield inflater.decompress(data, _BLOCK)
        data = inflater.unconsumed_tail
    return bytes(inflater.unused_data)


def _decompress_bounded(decompressor: Any, data: bytes) -> Generator[bytes, None, bytes]:
    """Feed a decompressor of bz2 or lzma, which keeps unused input itself."""
    yield decompressor.decompress(data, _BLOCK)
    while not decompressor.eof and not decompressor.needs_input:
        yield decompressor.decompress(b"", _BLOCK)
    return bytes(decompressor.unused_data)


def _decompress_zstandard(decompressor: Any, data: bytes) -> Generator[bytes, None, bytes]:
    for start in range(0, len(data), _ZSTD_BLOCK):
        yield decompressor.decompress(data[start : start + _ZSTD_BLOCK])
        if decompressor.eof:
            return bytes(decompressor.unused_data) + data[start + _ZSTD_BLOCK :]
    return b""
