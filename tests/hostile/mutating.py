"""Mutations of good bodies, each made from a number: the same number gives the same bytes."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from collections.abc import Callable

from tests.formats.making import zipped

#: Bytes that are inserted: names that must not become rules, characters with a meaning for formats or terminals.
_INTRUDERS = [
    *(b"*.com", b"co.uk", b"com", b"127.0.0.1", b"localhost", b"0.0.0.0/0", b"youtube.com", b"20260101"),
    *(b"\0", b"\r", b"\n", b"\t", b"\x1a", b"\x1b[2J", b"\xff", b"\xc3", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\x1e"),
    *(b'"', b"'", b";", b",", b"|", b"(", b")", b"{", b"}", b"[", b"]", b"<", b">", b"&", b"&l9;", b"\\", b"/"),
    *(b"<html>", b"<!--", b"<![CDATA[", b"\\u0000", b"\\ud800", b"xn--", b"http://", b"@", b"#", b"||", b"^", b".."),
    *(b"a@b.example", b"\x0c", b"%", b"$", b" "),
]
Mutate = Callable[[bytearray, random.Random, bytes], bytes]


def mutated(body: bytes, number: int, other: bytes) -> tuple[bytes, bool]:
    """Return a mutation of a body, and whether it is only the beginning of the body.

    ``other`` is a body of another kind; a part of it may be used.
    """
    choice = random.Random(number)
    if choice.random() < 0.2:
        return body[: _place(body, choice)], True
    if body[:4] == b"PK\x03\x04" and choice.random() < 0.6:
        return _within(body, choice, other), False
    if body[:2] == b"\x1f\x8b" and choice.random() < 0.6:
        return gzip.compress(choice.choice(_WAYS)(bytearray(gzip.decompress(body)), choice, other), mtime=0), False
    for _ in range(choice.choice((1, 1, 1, 2, 4))):
        body = choice.choice(_WAYS)(bytearray(body), choice, other)
    return body, False


def _place(body: bytes | bytearray, choice: random.Random) -> int:
    """Return a position in a body: anywhere, at the end of a line, next to punctuation, or near the end."""
    kind = choice.randrange(4)
    if kind == 0 or not body:
        return choice.randint(0, len(body))
    if kind == 1:
        return len(body) - choice.randint(0, min(12, len(body)))
    sign = choice.choice(b'\n.;,"<>/|^ {}:') if kind == 2 else ord("\n")
    at = body.find(bytes([sign]), choice.randrange(len(body)))
    return len(body) if at < 0 else at + choice.randint(0, 1)


def _slice(body: bytes | bytearray, choice: random.Random) -> slice:
    begin, end = sorted((_place(body, choice), _place(body, choice)))
    return slice(begin, end)


def _flip(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    for _times in range(choice.choice((1, 1, 2, 8)) if body else 0):
        body[choice.randrange(len(body))] ^= 1 << choice.randrange(8)
    return bytes(body)


def _intrude(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    at = _place(body, choice)
    body[at:at] = choice.choice(_INTRUDERS) * choice.choice((1, 1, 1, 2, 100))
    return bytes(body)


def _overwrite(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    at, intruder = _place(body, choice), choice.choice(_INTRUDERS)
    body[at : at + len(intruder)] = intruder
    return bytes(body)


def _delete(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    begin = _place(body, choice)
    del body[begin : begin + choice.choice((1, 1, 3, 20, 200))]
    return bytes(body)


def _double(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    piece = bytes(body[_slice(body, choice)])[:2_000]
    at = _place(body, choice)
    body[at:at] = piece * choice.choice((1, 1, 5))
    return bytes(body)


def _splice(body: bytearray, choice: random.Random, other: bytes) -> bytes:
    return bytes(body[: _place(body, choice)]) + other[_place(other, choice) :]


def _exchange(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    lines = bytes(body).split(b"\n")
    choice.shuffle(lines)
    return b"\n".join(lines)


def _recode(body: bytearray, choice: random.Random, _: bytes) -> bytes:
    encoding = choice.choice(("utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"))
    return bytes(body).decode("latin-1").encode(encoding, "replace")


_WAYS: list[Mutate] = [
    *(_flip, _flip, _flip, _intrude, _intrude, _intrude, _overwrite, _delete, _delete, _double, _splice),
    *(_exchange, _recode),
]


def _within(body: bytes, choice: random.Random, other: bytes) -> bytes:
    """Return a zip in which one file is mutated."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        files: dict[str, str | bytes] = {name: archive.read(name) for name in archive.namelist()}
    name = choice.choice([*files, *[name for name in files if "sheet1" in name or "content" in name] * 4])
    content = files[name]
    assert isinstance(content, bytes)
    files[name] = choice.choice(_WAYS)(bytearray(content), choice, other)
    return zipped(files)
