"""The parts of a snapshot file, found and checked without reading it whole."""

from __future__ import annotations

import zlib
from pathlib import Path

from blocklist.domain.errors import SnapshotError
from blocklist.snapshot.format.index import CHANGED, SECTIONS
from blocklist.snapshot.format.layout import FORMAT, HEADER, MAGIC, SECTION, TRAILER_BYTES

_SECTIONS = frozenset({"meta", "sieve", *SECTIONS})
_CHANGED = frozenset(CHANGED + name for name in SECTIONS)


def sections_of(path: Path, data: memoryview) -> dict[str, memoryview]:
    """Return the sections of a file after checking its header, its table and that it is whole."""
    if len(data) < HEADER.size + TRAILER_BYTES or bytes(data[:8]) != MAGIC:
        raise SnapshotError(f"{path}: not a snapshot")
    _, format_, count, _, checksum = HEADER.unpack_from(data)
    if format_ != FORMAT:
        mend = ", or upgrade blocklist on this machine" if format_ > FORMAT else ""
        raise SnapshotError(f"{path}: of format {format_}; this version reads format {FORMAT}: build it anew{mend}")
    table = data[HEADER.size : HEADER.size + count * SECTION.size]
    if len(table) < count * SECTION.size or zlib.crc32(table) != checksum:
        raise SnapshotError(f"{path}: damaged: its table of contents does not have its checksum")
    sections = {}
    for index in range(count):
        name, offset, length, checksum = SECTION.unpack_from(table, index * SECTION.size)
        if offset + length + TRAILER_BYTES > len(data):
            raise SnapshotError(f"{path}: cut off: it has {len(data):,} bytes, its contents say more")
        section = sections[name.rstrip(b"\0").decode()] = data[offset : offset + length]
        # The others are too large to be read whenever a file is opened; verify reads them.
        if name.startswith(b"meta") and zlib.crc32(section) != checksum:
            raise SnapshotError(f"{path}: damaged: its description does not have its checksum")
    needed = _SECTIONS | _CHANGED if sections.keys() & _CHANGED else _SECTIONS
    if needed - sections.keys():
        raise SnapshotError(f"{path}: damaged: it lacks {', '.join(sorted(needed - sections.keys()))}")
    return sections
