"""Zip files looked at with suspicion: how much they hold, before anything of it is believed or kept."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.errors import UnreadableFeedError

#: The longest table of contents read: zipfile takes it in one piece and makes an object of each line, of which this
#: holds 45,000. A list comes with a handful of files.
_MAX_CONTENTS = 2 << 20
_BLOCK = 1 << 16
_ENCRYPTED = 0x1
_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class _BoundedReads:
    """A file that refuses to be read in pieces larger than any that an honest zip file needs."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if 0 <= size <= _MAX_CONTENTS else _MAX_CONTENTS + 1)
        if len(data) > _MAX_CONTENTS:
            raise zipfile.BadZipFile("its table of contents is longer than any list needs")
        return data


def opened(file: BinaryIO) -> zipfile.ZipFile:
    """Return a zip file to read.

    :raises zipfile.BadZipFile: it is none, is cut off, or has a table of contents beyond reason.
    """
    try:
        return zipfile.ZipFile(_BoundedReads(file))
    except (OSError, ValueError, NotImplementedError, EOFError) as error:
        raise zipfile.BadZipFile(str(error)) from None


def contents(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a file in a zip opens to, in blocks.

    :raises UnreadableFeedError: it is locked, damaged, or compressed by a method that cannot be bounded.
    """
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableFeedError(
            f"{member.filename!r} in the zip is locked with a password: ask its publisher for one that is not"
        )
    if member.compress_type not in _STORED_OR_DEFLATED:
        # zipfile bounds what it inflates, but not what it makes of bzip2 and LZMA.
        raise UnreadableFeedError(
            f"{member.filename!r} in the zip is compressed in a way that is not read (not deflate)"
        )
    try:
        with archive.open(member) as file:
            while block := file.read(_BLOCK):
                yield block
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise UnreadableFeedError(f"{member.filename!r} in the zip is damaged: {error}") from None


def check_sizes(file: BinaryIO, max_bytes: int) -> None:
    """Make sure that all files in a zip together open to no more than they may: as declared, and then in truth.

    :raises UnreadableFeedError: they do not, or one is damaged or locked.
    :raises zipfile.BadZipFile: it is no zip file.
    """
    with opened(file) as archive:
        declared = sum(member.file_size for member in archive.infolist())
        _check(declared, max_bytes, "says that it")
        size = 0
        for member in archive.infolist():
            for block in contents(archive, member):
                size += len(block)
                _check(size, max_bytes, "")
    file.seek(0)


def _check(size: int, max_bytes: int, says: str) -> None:
    if size > max_bytes:
        raise UnreadableFeedError(
            f"the body {says} opens to more than {max_bytes:,} bytes (setting fetch.max_bytes)".replace("  ", " ")
        )
