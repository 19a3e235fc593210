"""Arrays of small numbers in few bits each: the section ``group_of``, which has one group number for each key.

Most keys of a snapshot belong to one of a handful of groups, so a number takes 0, 1, 2 or 4 bits and seldom more.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

#: Bits that a number may take; below eight, several share a byte, the first in its lowest bits.
_WIDTHS = (0, 1, 2, 4, 8, 16, 32)
_TYPECODES = {8: "B", 16: "H", 32: "I"}


def bits_for(count: int) -> int:
    """Return how many bits the numbers from 0 to ``count - 1`` take each.

    >>> [bits_for(count) for count in (1, 2, 5, 16, 257, 70_000)]
    [0, 1, 4, 4, 16, 32]
    """
    return next(bits for bits in _WIDTHS if count <= 1 << bits)


def filled(count: int, bits: int, value: int) -> array[int]:
    """Return an array of ``count`` times ``value``, to be changed and then packed in so many bits."""
    return array(_TYPECODES[max(bits, 8)], [value]) * count


def pack(values: array[int], bits: int) -> bytes:
    r"""Return the numbers packed in so many bits each.

    >>> pack(array("B", [1, 2, 3, 0, 1]), 2)
    b'9\x01'
    """
    if bits >= 8:
        return values.tobytes()
    each = 8 // bits if bits else 1
    size = -(-len(values) // each) if bits else 0
    # Computed on large integers: one shift and one "or" move all numbers at once.
    whole = 0
    for place in range(each if size else 0):
        whole |= int.from_bytes(values[place::each].tobytes(), "little") << (bits * place)
    return whole.to_bytes(size, "little")


def number_reader(section: memoryview, bits: int) -> Callable[[int], int]:
    r"""Return a function that returns the number at an index of a packed section.

    >>> [number_reader(memoryview(b"9\x01"), 2)(index) for index in range(5)]
    [1, 2, 3, 0, 1]
    """
    if bits == 0:
        return lambda _: 0
    if bits >= 8:
        return (section if bits == 8 else section.cast("H" if bits == 16 else "I")).__getitem__
    each, mask = 8 // bits, (1 << bits) - 1
    return lambda index: section[index // each] >> (index % each * bits) & mask
