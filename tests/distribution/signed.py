"""Trust metadata, snapshots and stores for the tests of signed snapshots."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuf.api.exceptions import DownloadHTTPError
from tuf.api.metadata import Metadata
from tuf.ngclient import FetcherInterface, Updater

from blocklist.config.settings import Settings
from blocklist.distribution.ceremony import Ceremony
from blocklist.distribution.delta_file import apply_delta
from blocklist.distribution.objects import StoreAddress
from blocklist.distribution.published import BASE, CURRENT, DELTA, ListState, list_state
from blocklist.distribution.repository import Repository, Times
from blocklist.distribution.trust import TrustFolder
from blocklist.snapshot.compile.compiler import Compiler
from blocklist.snapshot.compile.delta import DeltaCompiler, start_delta
from blocklist.snapshot.pointer import Pointer
from blocklist.snapshot.repository import SnapshotRepository
from tests.support import DEFAULT_POLICY, SOME_DAY, host_rule, listed, settings_for, source

FEEDS = {1: source("court")}
BASE_SITES = [f"pirate-{number}.example" for number in range(2_000)]


class FolderFetcher(FetcherInterface):
    """Reads the files of a folder, for the framework's own client."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self.folder / url.removeprefix("store:/").lstrip("/")
        if not path.is_file():
            raise DownloadHTTPError(f"no {path}", 404)
        return iter([path.read_bytes()])


@dataclass
class Published:
    """What a client of the framework, which knows the first root only, finds in a store."""

    state: ListState
    number: int
    snapshot: bytes
    whole: bool
    root: int


def look(store: Path, root: bytes, cache: Path) -> Published:
    """Follow a store with the framework's own client, and return what it finds."""
    (cache / "targets").mkdir(parents=True, exist_ok=True)
    updater = Updater(
        str(cache), "store:/metadata/", str(cache / "targets"), "store:/", FolderFetcher(store), bootstrap=root
    )
    updater.refresh()

    def content(name: str) -> bytes | None:
        info = updater.get_targetinfo(name)
        return Path(updater.download_target(info)).read_bytes() if info else None

    base, delta = content(BASE), content(DELTA)
    assert base is not None
    out = io.BytesIO()
    if delta:
        apply_delta(memoryview(base), delta, out, 1 << 30)
    data = out.getvalue() if delta else base
    current = updater.get_targetinfo(CURRENT)
    assert current is not None
    assert current.hashes["sha256"] == hashlib.sha256(data).hexdigest()
    timestamp: Metadata[Any] = Metadata.from_file(str(cache / "timestamp.json"))
    newest: Metadata[Any] = Metadata.from_file(str(cache / "root.json"))
    state = list_state(timestamp.signed)
    return Published(state, timestamp.signed.version, data, delta is None, newest.signed.version)


@dataclass
class Publishing:
    """A publisher with its keys, over a store that is a folder unless another address is given."""

    folder: Path
    address: StoreAddress
    times: Times = field(default_factory=Times)

    @classmethod
    def begun(cls, folder: Path, url: str = "", **options: str) -> Publishing:
        made = cls(folder, StoreAddress(url or f"file://{folder / 'store'}", options))
        folder.mkdir(parents=True, exist_ok=True)
        root, targets, online = (f"file:{folder / f'{name}.pem'}" for name in ("root", "targets", "online"))
        made.ceremony.begin([root], 1, targets, online)
        return made

    @property
    def ceremony(self) -> Ceremony:
        return Ceremony(self.trust)

    @property
    def trust(self) -> TrustFolder:
        return TrustFolder(self.folder / "trust")

    @property
    def root(self) -> bytes:
        return (self.folder / "trust" / "1.root.json").read_bytes()

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def snapshots(self) -> SnapshotRepository:
        return SnapshotRepository(self.folder / "snapshots")

    def repository(self, key: str = "online") -> Repository:
        uri = f"file:{self.folder / f'{key}.pem'}"
        return Repository(self.address, uri, self.trust, self.folder / "distribution", self.times)

    def compile(self, *changed: str, whole: bool = False, confirmed_at: str | None = None) -> Pointer:
        """Publish the next version into the local folder: the base, and what changed since in a second layer."""
        pointer = self.snapshots.pointer()
        version = pointer.version + 1 if pointer else 1
        previous = self.snapshots.current()
        compiler: Compiler | None = None
        if previous and not whole:
            compiler = self._delta(changed)
        if compiler is None:
            compiler = Compiler(FEEDS, (DEFAULT_POLICY,), (0, SOME_DAY))
            compiler.add_listings(listed(host_rule(site)) for site in (*BASE_SITES, *changed))
        return self.snapshots.publish(compiler, version, SOME_DAY, version, confirmed_at)

    def _delta(self, changed: tuple[str, ...]) -> DeltaCompiler | None:
        previous = self.snapshots.current()
        made = start_delta(previous, FEEDS, (DEFAULT_POLICY,)) if previous else None
        assert made is not None
        made.touch([("host", site) for site in changed], [])
        made.add_listings(listed(host_rule(site)) for site in changed)
        made.add_overrides([])
        return made if made.is_complete(len(BASE_SITES) + len(changed)) else None

    def send(self, pointer: Pointer | None = None) -> None:
        pointer = pointer or self.snapshots.pointer()
        assert pointer is not None
        self.repository().send(pointer, self.snapshots.folder / pointer.file)

    def publish(self, *changed: str, **how: Any) -> Pointer:
        pointer = self.compile(*changed, **how)
        self.send(pointer)
        return pointer

    def look(self, cache: Path) -> Published:
        return look(self.store, self.root, cache)

    def settings(self) -> Settings:
        table = {
            "url": self.address.url,
            "options": dict(self.address.options),
            "online_key": f"file:{self.folder / 'online.pem'}",
        }
        return settings_for(self.folder, distribution=table)
