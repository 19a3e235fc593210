"""Forged files: every object that a node reads, changed in every way, and none of it served.

``BLOCKLIST_TEST_FORGERIES`` is how many are tried; each run tries the same first ones.
"""

from __future__ import annotations

import collections
import itertools
import os
import random
import resource
import shutil
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from blocklist import Follower
from blocklist.distribution.mirror import Mirror
from blocklist.distribution.objects import Tagged
from blocklist.distribution.sources import CountedSource, open_source
from blocklist.domain.errors import DistributionError
from tests.distribution.signed import Publishing
from tests.e2e.running import publisher, respond

FORGERIES = int(os.environ.get("BLOCKLIST_TEST_FORGERIES", "300"))
NEW = [f"new-{number}.example" for number in range(40)]
#: What an object is replaced by that never ends.
ENDLESS = b"endless"
Objects = dict[str, bytes]


class MemorySource:
    """A store in memory, whose objects a test replaces."""

    shown = "memory"

    def __init__(self, objects: Objects) -> None:
        self.objects = objects

    def chunks(self, path: str) -> Iterator[memoryview] | None:
        data = self.objects.get(path)
        if data is None:
            return None
        if data is ENDLESS:
            return map(memoryview, itertools.repeat(bytes(1 << 16)))
        return iter([memoryview(data)])

    def read_if_changed(self, path: str, limit: int, tag: str | None) -> Tagged | None:
        data = b"".join(itertools.islice(self.chunks(path) or (), 1))[: limit + 1]
        if len(data) > limit:
            raise DistributionError("memory: too large")
        return Tagged(data, None)


def objects_of(publishing: Publishing) -> Objects:
    return {
        str(path.relative_to(publishing.store)): path.read_bytes()
        for path in publishing.store.rglob("*")
        if path.is_file()
    }


class World:
    """A node that has version 1, a store that has version 2, and what somebody could put into it."""

    def __init__(self, folder: Path) -> None:
        publishing = Publishing.begun(folder / "control")
        self.root = publishing.root
        publishing.publish(*NEW[:2])
        self.old = objects_of(publishing)
        self.cache = folder / "cache"
        Mirror(CountedSource(MemorySource(self.old)), self.root, self.cache, 300).poll()
        self.template = folder / "template"
        shutil.copytree(self.cache, self.template, symlinks=True)
        for role in ("root", "targets"):
            publishing.ceremony.rotate(role, sign_with=[f"file:{publishing.folder / f'{role}.pem'}"])
        pointer = publishing.publish(*NEW)
        self.new = objects_of(publishing)
        self.genuine = {path.name: path.read_bytes() for path in publishing.snapshots.folder.glob("*.snapshot")}
        self.newest = pointer.sha256
        # The same lists, signed by somebody else with roles and names that look alike.
        stranger = Publishing.begun(folder / "stranger")
        stranger.publish(*NEW[:2])
        for role in ("root", "targets"):
            stranger.ceremony.rotate(role, sign_with=[f"file:{stranger.folder / f'{role}.pem'}"])
        stranger.publish(*NEW)
        self.foreign = objects_of(stranger)

    def targets(self) -> list[str]:
        """Return what a node reads on its way to version 2."""
        replaced = [path for path in self.new if path not in self.old]
        wanted = [path for path in replaced if "1.root" not in path]
        return sorted([*wanted, "metadata/timestamp.json", *(path for path in self.new if ".base." in path)])

    def reset(self, *, keep_base: bool) -> None:
        for name in ("metadata", "snapshots", "base"):
            shutil.rmtree(self.cache / name, ignore_errors=True)
            if name != "base" or keep_base:
                shutil.copytree(self.template / name, self.cache / name, symlinks=True)

    def check(self) -> str:
        """Check that what is served is genuine, and return its version."""
        refused: list[str] = []
        follower = Follower(self.cache / "snapshots", 86_400, refused.append)
        assert refused == []
        assert follower.snapshot is not None
        assert follower.snapshot.path.read_bytes() == self.genuine[follower.snapshot.path.name]
        return "new" if follower.snapshot.version == 2 else "old"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("blocklist.snapshot.compile.delta.MIN_RULES", 0)
        # Thousands of waits for the disk, which these tests do not turn off.
        patch.setattr("os.fsync", lambda _: None)
        yield World(tmp_path_factory.mktemp("forgery"))


def role_of(path: str) -> str:
    """Return what an object is, whatever its number or hash: ``lists.json``; ``json`` for the timestamp."""
    return path.rpartition("/")[2].partition(".")[2]


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def digit_changed(data: bytes, rng: random.Random) -> bytes:
    """Change one digit of metadata: a version, a date, a length, a hash."""
    digits = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39] or [0]
    changed = bytearray(data)
    changed[rng.choice(digits)] = rng.choice(b"0123456789")
    return bytes(changed)


def forged(world: World, path: str, rng: random.Random) -> tuple[str, bytes | None]:
    """Return how an object is forged, and what takes its place; None: it is not there."""
    data = world.new[path]
    like = [other for other in {**world.old, **world.new} if role_of(other) == role_of(path) and other != path]
    foreign = [other for other in world.foreign if role_of(other) == role_of(path)]
    ways: dict[str, Callable[[], bytes | None]] = {
        "flipped": lambda: flipped(data, rng),
        "digit": lambda: digit_changed(data, rng),
        "truncated": lambda: data[: rng.randrange(len(data))],
        "extended": lambda: data + rng.randbytes(rng.choice([1, 10, 1_000])),
        "oversized": lambda: data + bytes(6_000_000),
        "endless": lambda: ENDLESS,
        "swapped": lambda: world.new[rng.choice([other for other in world.new if other != path])],
        "older": lambda: world.old.get(path) or world.old[rng.choice(sorted(world.old))],
        "other version": lambda: {**world.old, **world.new}[rng.choice(sorted(like))] if like else b"",
        "other key": lambda: world.foreign[rng.choice(sorted(foreign))],
        "nothing": lambda: rng.choice([b"", b"{}", b"null", b"[]", b"[" * 50_000, b'{"signed": {}, "signatures": []}']),
        "gone": lambda: None,
    }
    way = rng.choice([*ways])
    return way, ways[way]()


def test_no_forged_object_is_served_and_none_ends_a_mirror(world: World) -> None:
    rng = random.Random(20261126)
    targets = world.targets()
    kinds = ("snapshot.json", "lists.json", "targets.json", "root.json", "base.snapshot", "current.delta")
    assert {role_of(path) for path in targets} == {"json", *kinds}
    outcomes: collections.Counter[str] = collections.Counter()
    for number in range(FORGERIES):
        path = targets[number % len(targets)]
        way, content = forged(world, path, rng)
        objects = dict(world.new)
        objects.pop(path)
        if content is not None:
            objects[path] = content
        world.reset(keep_base=rng.random() < 0.5)
        try:
            Mirror(CountedSource(MemorySource(objects)), world.root, world.cache, 300).poll()
            outcome = "taken"
        except DistributionError as error:
            assert str(error).startswith("memory: "), (path, way, error)
            outcome = "refused"
        # Whatever was put there, what is served is byte for byte one of the two lists that were published.
        outcomes[f"{outcome}, serves the {world.check()} list"] += 1
    assert outcomes["refused, serves the new list"] == 0
    assert outcomes["refused, serves the old list"] > FORGERIES * 0.7
    # The rest changed nothing that counts: a base that was not needed, white space, a root that is not there yet.
    assert sum(outcomes.values()) == FORGERIES
    print(dict(outcomes))  # noqa: T201 - what a long run is for


def test_the_genuine_objects_are_taken(world: World) -> None:
    world.reset(keep_base=True)
    Mirror(CountedSource(MemorySource(world.new)), world.root, world.cache, 300).poll()
    assert world.check() == "new"


def test_endless_files_take_no_more_memory_than_the_limit(world: World) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in world.targets():
        world.reset(keep_base=False)
        with pytest.raises(DistributionError):
            Mirror(CountedSource(MemorySource({**world.new, path: ENDLESS})), world.root, world.cache, 300).poll()
        assert world.check() == "old"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


@pytest.mark.parametrize("foreign_timestamp", [True, False])
def test_a_whole_store_of_a_stranger_is_refused(world: World, foreign_timestamp: bool) -> None:
    objects = dict(world.foreign)
    if not foreign_timestamp:
        objects["metadata/timestamp.json"] = world.new["metadata/timestamp.json"]
    world.reset(keep_base=True)
    with pytest.raises(DistributionError):
        Mirror(CountedSource(MemorySource(objects)), world.root, world.cache, 300).poll()
    assert world.check() == "old"


def test_an_old_store_as_a_whole_is_refused_by_a_node_that_saw_the_new(world: World) -> None:
    world.reset(keep_base=True)
    Mirror(CountedSource(MemorySource(world.new)), world.root, world.cache, 300).poll()
    with pytest.raises(DistributionError, match="older metadata than was seen before"):
        Mirror(CountedSource(MemorySource(world.old)), world.root, world.cache, 300).poll()
    assert world.check() == "new"


# A hostile web server


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send bytes without an end, and without a length."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(bytes(1 << 14))
    except OSError:
        return


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (drip, "has more than 16,384 bytes"),
        (lambda handler: respond(handler, b"", 500), "the server answers 500 Internal Server Error"),
        (lambda handler: respond(handler, b"", 403), "the server answers 403 Forbidden"),
        (lambda handler: respond(handler, b"", 404), "nothing was published there yet"),
        (lambda handler: respond(handler, b"", 302, {"Location": "/again"}), "Exceeded maximum allowed redirects"),
        (lambda handler: respond(handler, b"short", 200, {"Content-Length": "50"}), "peer closed connection"),
        (lambda handler: respond(handler, b"<html>sign in</html>"), "metadata that cannot be used"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"), "cannot be read"),
    ],
)
def test_a_hostile_web_server_is_told_in_one_sentence(
    answer: Callable[[BaseHTTPRequestHandler], None], why: str, tmp_path: Path, publishing: Publishing
) -> None:
    with publisher() as server:
        server.answer = answer
        url = server.url.rpartition("/")[0]
        with pytest.raises(DistributionError) as caught:
            Mirror(open_source(url, {}), publishing.root, tmp_path / "cache", 300).poll()
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_arrives_too_slowly_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocklist.distribution.sources._LONGEST", -1.0)
    world.reset(keep_base=False)
    with pytest.raises(DistributionError, match="did not arrive within"):
        Mirror(CountedSource(MemorySource(world.new)), world.root, world.cache, 300).poll()
    assert world.check() == "old"
