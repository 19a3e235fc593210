"""Find the sections of a snapshot file, and check what is cheap to check: header, section table, size and ``meta``."""

from __future__ import annotations

import zlib
from pathlib import Path

from blocklist.domain.errors import SnapshotError
from blocklist.snapshot.format.index import DELTA_PREFIX, INDEX_SECTIONS
from blocklist.snapshot.format.layout import FORMAT, HEADER, MAGIC, META, PREFILTER, SECTION, TRAILER_BYTES

_REQUIRED = frozenset({META, PREFILTER, *INDEX_SECTIONS})
_DELTA = frozenset(DELTA_PREFIX + name for name in INDEX_SECTIONS)


def read_sections(path: Path, data: memoryview) -> dict[str, memoryview]:
    """Return the sections of a file by name, as views into ``data``; ``path`` is named in errors.

    :raises SnapshotError: the file is no snapshot, has another format, is damaged, cut off, or lacks a section.
    """
    if len(data) < HEADER.size + TRAILER_BYTES or bytes(data[:8]) != MAGIC:
        raise SnapshotError(f"{path}: not a snapshot")
    _, format_, count, _, checksum = HEADER.unpack_from(data)
    if format_ != FORMAT:
        upgrade = ", or upgrade blocklist on this machine" if format_ > FORMAT else ""
        raise SnapshotError(f"{path}: has format {format_}; this version reads format {FORMAT}: rebuild it{upgrade}")
    table = data[HEADER.size : HEADER.size + count * SECTION.size]
    if len(table) < count * SECTION.size or zlib.crc32(table) != checksum:
        raise SnapshotError(f"{path}: damaged: the checksum of its section table does not match")
    sections = {}
    for index in range(count):
        name, offset, length, checksum = SECTION.unpack_from(table, index * SECTION.size)
        if offset + length + TRAILER_BYTES > len(data):
            raise SnapshotError(f"{path}: cut off: it has {len(data):,} bytes, its section table says more")
        section = sections[name.rstrip(b"\0").decode()] = data[offset : offset + length]
        # Only the small section is checked here: reading the others each time a file is opened would take too long.
        # Snapshot.verify reads them.
        if name.startswith(META.encode()) and zlib.crc32(section) != checksum:
            raise SnapshotError(f"{path}: damaged: the checksum of its section meta does not match")
    required = _REQUIRED | _DELTA if sections.keys() & _DELTA else _REQUIRED
    if required - sections.keys():
        raise SnapshotError(f"{path}: damaged: it lacks the sections {', '.join(sorted(required - sections.keys()))}")
    return sections
