"""Hostile wrappings: bombs, archives in archives, tricks with the names and tables of a zip."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import lzma
import stat
import struct
import zipfile
import zlib

import zstandard

from tests.formats.making import zipped
from tests.hostile.cases import applied, failed
from tests.hostile.good import good
from tests.hostile.served import CAP, Case

LINES = good("lines")
NEXT = good("lines", "new.example")
#: Bytes that a bomb expands to: far more than a body may have.
_BOMB = 96_000_000
_TOO_MUCH = f"opens to more than {CAP:,} bytes"


@functools.cache
def _nothing() -> bytes:
    return bytes(_BOMB)


@functools.cache
def _gzip_bomb() -> bytes:
    return gzip.compress(_nothing(), 6)


def _zip_of(*members: tuple[str, bytes], **fields: int) -> bytes:
    """Return a zip whose members have exactly these names and header fields."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo("list.txt", (2026, 1, 1, 0, 0, 0))
            info.filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            for field, value in fields.items():
                setattr(info, field, value)
            archive.writestr(info, content)
    return out.getvalue()


def _lying_zip() -> bytes:
    """Return a zip bomb that claims in both of its headers to expand to a hundred bytes."""
    made = _zip_of(("list.txt", _nothing()))
    return made.replace(struct.pack("<L", _BOMB), struct.pack("<L", 100))


def _locked_zip() -> bytes:
    made = bytearray(_zip_of(("list.txt", NEXT)))
    made[6] |= 1
    made[made.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def _crowded_zip() -> bytes:
    return zipped({f"{number}.txt": "" for number in range(50_000)})


def _overlapping_zip() -> bytes:
    """Return a zip with a thousand entries that share the same bytes."""
    one = _zip_of(("list.txt", NEXT))
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entries = one[at:end] * 1_000
    return one[:at] + entries + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1_000, 1_000, len(entries), at, 0)


def _wide_zstandard() -> bytes:
    """Return a frame that wants a window of two gigabytes."""
    parameters = zstandard.ZstdCompressionParameters(window_log=31, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(LINES) + packer.flush()


def _hungry_xz() -> bytes:
    """Return a stream whose dictionary has one and a half gigabytes."""
    made = bytearray(lzma.compress(LINES, preset=0))
    # The block's header: its size, flags, the filter LZMA2 (0x21), one byte of properties, padding and its CRC-32.
    size = (made[12] + 1) * 4
    made[12 + made[12:24].index(0x21) + 2] = 40
    made[12 + size - 4 : 12 + size] = struct.pack("<L", zlib.crc32(made[12 : 12 + size - 4]))
    return bytes(made)


def _broken_gzip() -> bytes:
    made = bytearray(gzip.compress(NEXT, mtime=0))
    made[-6] ^= 0xFF
    return bytes(made)


BOMBS: list[Case] = [
    failed("lines", "a gzip bomb: 93 kB that open to 96 MB", _gzip_bomb, _TOO_MUCH, expands=True),
    failed("lines", "a bzip2 bomb", lambda: bz2.compress(bytes(_BOMB // 12), 9) * 12, _TOO_MUCH, expands=True),
    failed("lines", "an xz bomb", lambda: lzma.compress(bytes(_BOMB // 12), preset=0) * 12, _TOO_MUCH, expands=True),
    failed("lines", "a zstandard bomb", lambda: zstandard.compress(_nothing(), 3), _TOO_MUCH, expands=True),
    failed("lines", "a zip bomb", lambda: _zip_of(("list.txt", _nothing())), _TOO_MUCH, expands=True),
    failed("lines", "a zip bomb that says it opens to a hundred bytes", _lying_zip, "damaged", expands=True),
    failed("lines", "a zip of fifty thousand empty files", _crowded_zip, "longer than any list needs", expands=True),
    failed("lines", "a zip of a thousand files that are the same bytes", _overlapping_zip, "1,000 files in the zip"),
    failed(
        "lines", "a hundred thousand gzip streams in a row", lambda: gzip.compress(b"", mtime=0) * 100_001, "streams"
    ),
    failed(
        "lines",
        "zstandard that wants a window of two gigabytes",
        _wide_zstandard,
        "needs too much memory",
        expands=True,
    ),
    failed("lines", "xz that wants a dictionary of gigabytes", _hungry_xz, "needs too much memory", expands=True),
    failed("csv", "a bomb round a table", _gzip_bomb, _TOO_MUCH, expands=True),
    failed("json", "a bomb round JSON", _gzip_bomb, _TOO_MUCH, expands=True),
    failed("xlsx", "a bomb round a workbook", lambda: gzip.compress(_gzip_bomb()), "another archive", expands=True),
]

NESTED: list[Case] = [
    failed("lines", "gzip within gzip", gzip.compress(gzip.compress(NEXT)), "another archive (gzip)"),
    failed("lines", "a zip within a zip", zipped({"list.zip": zipped({"list.txt": NEXT})}), "another archive (zip)"),
    failed("lines", "a zip within xz", lzma.compress(zipped({"list.txt": NEXT})), "another archive (zip)"),
    failed("lines", "a rar archive within a zip", zipped({"list.txt": b"Rar!\x1a\x07\x01\x00"}), "a rar archive"),
    failed("lines", "a page within gzip", gzip.compress(b"<!DOCTYPE html><html>moved"), "HTML or XML page"),
    failed("lines", "nothing within gzip", gzip.compress(b""), "the body is empty"),
    applied("lines", "the list within gzip", gzip.compress(NEXT), listed=("new.example",), rejected={}),
    applied(
        "lines",
        "two gzip streams, of which a name is cut in two",
        gzip.compress(NEXT[:-5]) + gzip.compress(NEXT[-5:]),
        listed=("new.example",),
        rejected={},
    ),
]

DAMAGED: list[Case] = [
    failed("lines", "gzip cut off in the middle", gzip.compress(NEXT)[:-20], "ends in the middle"),
    failed("lines", "gzip cut off within its checksum", gzip.compress(NEXT)[:-3], "ends in the middle"),
    failed("lines", "gzip whose checksum is wrong", _broken_gzip(), "damaged"),
    failed("lines", "gzip with something behind its end", gzip.compress(NEXT) + b"a.example\n", "damaged"),
    failed("lines", "xz cut off in the middle", lzma.compress(NEXT)[:-20], "ends in the middle"),
    failed("lines", "bzip2 with a flipped bit", bz2.compress(NEXT).replace(b"1AY&SY", b"1AY&SX"), "damaged"),
    failed("lines", "zstandard cut off in the middle", zstandard.compress(NEXT)[:-5], "ends in the middle"),
    failed("lines", "a zip cut off in the middle", zipped({"list.txt": NEXT})[:-30], "cannot be opened"),
]

ZIPS: list[Case] = [
    failed("lines", "a zip without a file", zipped({}), "without a file in it"),
    failed(
        "lines",
        "a zip of two files, either of which may be the list",
        zipped({"a.txt": NEXT, "b.txt": LINES}),
        "set the option member",
    ),
    failed("lines", "a zip locked with a password", _locked_zip(), "locked with a password"),
    failed(
        "lines",
        "a zip of a file within a folder, and of nothing else that is named",
        zipped({"a/README.txt": NEXT}),
        "no file in the zip looks like a list",
    ),
    failed(
        "lines",
        "a zip whose file would lie above the folder",
        _zip_of(("../../../../outside.txt", NEXT)),
        "no file in the zip looks like a list",
    ),
    applied(
        "lines",
        "a zip whose file would lie in the folder of the system",
        _zip_of(("/etc/cron.d/outside", NEXT)),
        listed=("new.example",),
        rejected={},
    ),
    applied(
        "lines",
        "a zip whose file has a name for a terminal",
        _zip_of(("\x1b]0;x\x07\r\nlist\u202etxt", NEXT)),
        listed=("new.example",),
        rejected={},
    ),
    failed(
        "lines",
        "a zip whose file is a link to a file of this machine",
        _zip_of(("list.txt", b"/etc/passwd"), external_attr=(stat.S_IFLNK | 0o777) << 16),
        "gives no rules",
    ),
    applied(
        "lines",
        "a zip with the litter of an archiver beside the list",
        zipped({"__MACOSX/._list.txt": b"\0\1", ".DS_Store": b"\0", "list.txt": NEXT}),
        listed=("new.example",),
        rejected={},
    ),
]

CASES = [*BOMBS, *NESTED, *DAMAGED, *ZIPS]
