"""The lines in which two bodies differ: those of a comparison line by line, whatever the order."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from blocklist.refresh.alignment import differing_lines, numbers_of

LINE = st.sampled_from([b"", b"#", b"a", b"ab", b"b.example", b"b.example\r", b"c" * 300, b"d" * 1100])
BODY = st.tuples(st.lists(LINE, max_size=30), st.booleans())


def assert_told_apart(old: list[bytes], new: list[bytes], closed: bool = True) -> None:
    ending = b"\n" if closed else b""
    bodies = [b"\n".join(lines) + (ending if lines else b"") for lines in (old, new)]
    # Without a line break at its end, a last line of nothing is none.
    old, new = (lines if closed or not lines or lines[-1] else lines[:-1] for lines in (old, new))
    lost, came = differing_lines(*bodies)
    assert Counter(lost) == Counter(old) - Counter(new)
    assert Counter(line for _, line in came) == Counter(new) - Counter(old)
    numbers = [number for number, _ in came]
    assert numbers == sorted(set(numbers))
    assert all(new[number - 1] == line for number, line in came)


@given(BODY, BODY)
def test_any_two_bodies_differ_in_what_a_comparison_line_by_line_says(
    old: tuple[list[bytes], bool], new: tuple[list[bytes], bool]
) -> None:
    assert_told_apart(old[0], new[0], old[1])


def test_long_bodies_with_scattered_edits_moves_and_shuffles_differ_in_the_same_lines() -> None:
    rng = random.Random(5)
    old = [f"site-{rng.randrange(4000)}.example".encode() for _ in range(5000)]
    scattered = [line for line in old if rng.random() > 0.01]
    for _ in range(50):
        scattered.insert(rng.randrange(len(scattered)), b"new-%d.example" % rng.randrange(40))
    moved = [*old[3000:], *old[:3000]]
    shuffled = rng.sample(old, len(old))
    for new in (old, scattered, moved, shuffled, old[::-1], old[500:] + [b"z%d" % n for n in range(500)], [], old[:1]):
        assert_told_apart(old, new)
        assert_told_apart(new, old)


@given(st.lists(LINE, max_size=30), st.sets(LINE, max_size=3), st.booleans())
def test_wanted_lines_are_found_with_their_numbers(lines: list[bytes], wanted: set[bytes], closed: bool) -> None:
    body = b"\n".join(lines) + (b"\n" if closed and lines else b"")
    kept = lines if closed or not lines or lines[-1] else lines[:-1]
    assert list(numbers_of(body, wanted)) == [found for found in enumerate(kept, 1) if found[1] in wanted]
