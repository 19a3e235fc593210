"""Deltas between snapshot files: the same bytes when applied, small, and refused when damaged."""

from __future__ import annotations

import io
import random
import zlib

import pytest

from blocklist.distribution.delta_file import apply_delta, make_delta
from blocklist.domain.errors import DistributionError
from tests.distribution.signed import BASE_SITES, Publishing

NEW = [f"new-{number}.example" for number in range(60)]


@pytest.fixture
def files(publishing: Publishing) -> tuple[bytes, bytes]:
    """A base, and a snapshot of the same base with changes."""
    return tuple(
        (publishing.snapshots.folder / publishing.compile(*changed).file).read_bytes() for changed in ((), NEW)
    )  # type: ignore[return-value]


def applied(base: bytes, delta: bytes, limit: int = 1 << 24) -> bytes:
    out = io.BytesIO()
    apply_delta(memoryview(base), delta, out, limit)
    return out.getvalue()


def test_a_delta_gives_exactly_the_snapshot_and_is_a_fraction_of_it(files: tuple[bytes, bytes]) -> None:
    base, snapshot = files
    delta = make_delta(memoryview(base), memoryview(snapshot))
    assert applied(base, delta) == snapshot
    assert len(delta) * 4 < len(snapshot)


def test_a_delta_works_both_ways_and_to_itself(files: tuple[bytes, bytes]) -> None:
    base, snapshot = files
    for one, other in ((snapshot, base), (base, base)):
        assert applied(one, make_delta(memoryview(one), memoryview(other))) == other


def test_a_whole_compile_gives_the_same_bytes_too_whatever_the_size(publishing: Publishing) -> None:
    base, other = (
        (publishing.snapshots.folder / publishing.compile(*changed, whole=True).file).read_bytes()
        for changed in ((), NEW)
    )
    assert applied(base, make_delta(memoryview(base), memoryview(other))) == other


def test_a_delta_that_unpacks_to_more_than_the_snapshot_is_refused(files: tuple[bytes, bytes]) -> None:
    bomb = b"BLKLDLTA" + zlib.compress(bytes(1 << 26), 9)
    with pytest.raises(DistributionError, match="unpacks to more than"):
        applied(files[0], bomb, len(files[1]))


def test_damaged_deltas_are_refused_or_give_other_bytes_and_never_crash(files: tuple[bytes, bytes]) -> None:
    base, snapshot = files
    delta = make_delta(memoryview(base), memoryview(snapshot))
    rng = random.Random(20261126)
    refused = 0
    for _ in range(600):
        damaged = bytearray(delta)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.2:
            del damaged[rng.randrange(len(damaged)) :]
        try:
            assert applied(base, bytes(damaged), len(snapshot)) != snapshot or damaged == delta
        except DistributionError:
            refused += 1
    assert refused > 500


@pytest.mark.parametrize(
    "plan",
    [
        b"[]",
        b"{}",
        b'{"version": 1, "sections": [["meta", "base", -5]]}',
        b'{"version": -1, "sections": [["meta", "base", 1]]}',
        b'{"version": 1, "sections": [["nosuch", "base", 1]]}',
        b'{"version": 1, "sections": [["meta", "new", -5]]}',
        b'{"version": 1, "sections": [["meta", "xor", 1]]}',
        b'{"version": 1, "sections": 7}',
        b'{"version": 1, "sections": [["a-name-that-is-too-long-for-it", "new", 0]]}',
        b"[" * 60_000,
    ],
)
def test_a_delta_with_a_plan_that_makes_no_sense_is_refused(files: tuple[bytes, bytes], plan: bytes) -> None:
    packed = b"BLKLDLTA" + zlib.compress(len(plan).to_bytes(4, "little") + plan)
    try:
        assert applied(files[0], packed) != files[1]
    except DistributionError as error:
        assert "a delta cannot be applied" in str(error)


def test_a_delta_against_another_base_does_not_give_the_snapshot(
    files: tuple[bytes, bytes], publishing: Publishing
) -> None:
    base, snapshot = files
    other = (publishing.snapshots.folder / publishing.compile(BASE_SITES[0], *NEW, whole=True).file).read_bytes()
    delta = make_delta(memoryview(base), memoryview(snapshot))
    try:
        assert applied(other, delta) != snapshot
    except DistributionError as error:
        assert "a delta cannot be applied" in str(error)
