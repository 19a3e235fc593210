"""Zip files opened with limits on what they contain, since they come from outside."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.errors import UnreadableFeedError

#: The largest table of contents (central directory), in bytes: zipfile reads it in one piece and makes an object of
#: each entry, of which this size holds 45,000. Archives of lists contain a few files.
_MAX_CONTENTS = 2 << 20
_BLOCK = 1 << 16
_ENCRYPTED = 0x1
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _BoundedReads:
    """A file that refuses to read more at once than an ordinary zip file needs."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if 0 <= size <= _MAX_CONTENTS else _MAX_CONTENTS + 1)
        if len(data) > _MAX_CONTENTS:
            raise zipfile.BadZipFile("its table of contents is longer than any list needs")
        return data


def open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """Open a zip file.

    :raises zipfile.BadZipFile: the file is not a zip file, is cut off, or has too large a table of contents.
    """
    try:
        return zipfile.ZipFile(_BoundedReads(file))
    except (OSError, ValueError, NotImplementedError, EOFError) as error:
        raise zipfile.BadZipFile(str(error)) from None


def contents(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the content of a file in a zip, in blocks.

    :raises UnreadableFeedError: the file is locked, damaged, or compressed by a method whose output cannot be limited.
    """
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableFeedError(
            f"{member.filename!r} in the zip is locked with a password: ask its publisher for one without"
        )
    if member.compress_type not in _STORED_OR_DEFLATED:
        # zipfile limits the output of deflate, but not that of bzip2 and LZMA.
        raise UnreadableFeedError(
            f"{member.filename!r} in the zip is compressed by a method that is not supported (only deflate is)"
        )
    try:
        with archive.open(member) as file:
            while block := file.read(_BLOCK):
                yield block
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise UnreadableFeedError(f"{member.filename!r} in the zip is damaged: {error}") from None


def check_sizes(file: BinaryIO, max_bytes: int) -> None:
    """Make sure that all files in a zip together open to at most ``max_bytes``: as declared, then by opening them.

    :raises UnreadableFeedError: they are larger, or one is damaged or locked.
    :raises zipfile.BadZipFile: the file is not a zip file.
    """
    with open_zip(file) as archive:
        declared = sum(member.file_size for member in archive.infolist())
        _check(declared, max_bytes, "declares that it opens to")
        size = 0
        for member in archive.infolist():
            for block in contents(archive, member):
                size += len(block)
                _check(size, max_bytes, "opens to")
    file.seek(0)


def _check(size: int, max_bytes: int, verb: str) -> None:
    if size > max_bytes:
        raise UnreadableFeedError(f"the body {verb} more than {max_bytes:,} bytes (setting fetch.max_bytes)")
