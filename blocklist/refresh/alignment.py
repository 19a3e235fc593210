"""The lines in which two bodies differ, found by skipping what is the same in comparisons of whole blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

#: Bytes compared at first and at most; equal ones double the next comparison.
_FIRST = 256
_MOST = 1 << 20
#: Bytes within which both bodies are searched for a line that they share after a difference, one after the other.
_WINDOWS = (1 << 10, 1 << 14, 1 << 18, 1 << 22, 1 << 28)


def differing_lines(old: bytes, new: bytes) -> tuple[list[bytes], list[tuple[int, bytes]]]:
    r"""Return the lines that only ``old`` has, and those that only ``new`` has with their numbers from 1.

    As multisets: order does not count, repetition does. Of a line that stands more often now, any may be the new one.

    >>> differing_lines(b"a\nb\nc\n", b"c\nx\nb\nb\n")
    ([b'a'], [(2, b'x'), (4, b'b')])
    """
    lost, came = list[bytes](), list[tuple[int, bytes]]()
    for gone, arrived in _apart(_closed(old), _closed(new)):
        lost += gone
        came += arrived
    # What moved is in both.
    left = Counter(lost)
    left.subtract(line for _, line in came)
    only_old = [line for line, count in left.items() for _ in range(count)]
    surplus = {line: -count for line, count in left.items() if count < 0}
    return only_old, _last(came, surplus)


def numbers_of(body: bytes, wanted: set[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a body that are among the wanted, with their numbers from 1."""
    number, at = 1, 0
    while wanted and at < len(body):
        end = body.rfind(b"\n", at, at + _MOST) + 1 or body.find(b"\n", at) + 1 or len(body)
        lines = body[at:end].removesuffix(b"\n").split(b"\n")
        if not wanted.isdisjoint(lines):
            yield from (found for found in enumerate(lines, number) if found[1] in wanted)
        number += len(lines)
        at = end


def _apart(old: bytes, new: bytes) -> Iterator[tuple[list[bytes], Iterable[tuple[int, bytes]]]]:
    """Yield the stretches in which two bodies of whole lines differ: the lines of one, and those of the other."""
    i = j = 0
    number = 1
    while i < len(old) or j < len(new):
        same = _same(old, i, new, j)
        number += new.count(b"\n", j, j + same)
        i, j = i + same, j + same
        ours, theirs = _until_shared(old, i, new, j)
        yield ours, enumerate(theirs, number)
        number += len(theirs)
        i, j = i + _size(ours), j + _size(theirs)


def _same(old: bytes, i: int, new: bytes, j: int) -> int:
    """Return how many bytes are the same from there on, up to the end of a line."""
    begins, size = i, _FIRST
    while size:
        block = old[i : i + size]
        if block and block == new[j : j + size]:
            i, j = i + len(block), j + len(block)
            size = min(size * 2, _MOST)
        else:
            size //= 2
    return max(old.rfind(b"\n", begins, i) + 1, begins) - begins


def _until_shared(old: bytes, i: int, new: bytes, j: int) -> tuple[list[bytes], list[bytes]]:
    """Return the lines of both that come before the nearest line that they share; all that was looked at if none is."""
    ours: list[bytes] = []
    theirs: list[bytes] = []
    for window in _WINDOWS:
        ours, theirs = _lines(old, i, window), _lines(new, j, window)
        where: dict[bytes, int] = {}
        for index, line in enumerate(theirs):
            where.setdefault(line, index)
        nearest = len(ours) + len(theirs)
        found = None
        for index, line in enumerate(ours):
            if index >= nearest:
                break
            other = where.get(line)
            if other is not None and index + other < nearest:
                nearest, found = index + other, (index, other)
        if found:
            return ours[: found[0]], theirs[: found[1]]
        if i + window >= len(old) and j + window >= len(new):
            break
    return ours, theirs


def _lines(body: bytes, begins: int, window: int) -> list[bytes]:
    """Return the whole lines within a window, and at least one unless the body ends."""
    end = body.rfind(b"\n", begins, begins + window)
    if end < 0:
        end = body.find(b"\n", begins)
    return body[begins:end].split(b"\n") if end >= 0 else []


def _size(lines: list[bytes]) -> int:
    return sum(map(len, lines)) + len(lines)


def _closed(body: bytes) -> bytes:
    return body if body.endswith(b"\n") or not body else body + b"\n"


def _last(came: list[tuple[int, bytes]], surplus: dict[bytes, int]) -> list[tuple[int, bytes]]:
    """Return, of each line, as many as are surplus, the last ones."""
    kept = []
    for number, line in reversed(came):
        if surplus.get(line):
            surplus[line] -= 1
            kept.append((number, line))
    return kept[::-1]
