"""Small numbers in few bits, many to a byte: most keys of a snapshot belong to one of a handful of groups."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

#: Bits that a number may take; below eight, several share a byte, the first in its lowest bits.
_WIDTHS = (0, 1, 2, 4, 8, 16, 32)
_TYPECODES = {8: "B", 16: "H", 32: "I"}


def bits_for(count: int) -> int:
    """Return how many bits tell so many things apart; none for one thing.

    >>> [bits_for(count) for count in (1, 2, 5, 16, 257, 70_000)]
    [0, 1, 4, 4, 16, 32]
    """
    return next(bits for bits in _WIDTHS if count <= 1 << bits)


def unpacked(count: int, bits: int, value: int) -> array[int]:
    """Return so many times a number, to be changed and then packed."""
    return array(_TYPECODES[max(bits, 8)], [value]) * count


def packed(values: array[int], bits: int) -> bytes:
    r"""Return numbers in so many bits each.

    >>> packed(array("B", [1, 2, 3, 0, 1]), 2)
    b'9\x01'
    """
    if bits >= 8:
        return values.tobytes()
    each = 8 // bits if bits else 1
    size = -(-len(values) // each) if bits else 0
    # As large integers: a shift and an "or" move all of them at once.
    whole = 0
    for place in range(each if size else 0):
        whole |= int.from_bytes(values[place::each].tobytes(), "little") << (bits * place)
    return whole.to_bytes(size, "little")


def reading(section: memoryview, bits: int) -> Callable[[int], int]:
    r"""Return the function from an index to the number there.

    >>> [reading(memoryview(b"9\x01"), 2)(index) for index in range(5)]
    [1, 2, 3, 0, 1]
    """
    if bits == 0:
        return lambda _: 0
    if bits >= 8:
        return numbers(section, bits).__getitem__
    each, mask = 8 // bits, (1 << bits) - 1
    return lambda index: section[index // each] >> (index % each * bits) & mask


def numbers(section: memoryview, bits: int) -> Sequence[int]:
    """Return a section as unsigned numbers of 8, 16 or 32 bits."""
    return section if bits == 8 else section.cast("H") if bits == 16 else section.cast("I")
