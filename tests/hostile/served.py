"""A feed that serves a good list, and what must hold after it receives another body."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blocklist.config.settings import Settings
from blocklist.domain.run import Outcome, Run
from blocklist.service import Service
from tests.hostile.good import FORMATS, NEXT, SITES, good
from tests.support import definition

#: Largest size of a body in bytes, before and after expansion; small, so that bodies that expand reach it early.
CAP = 8 << 20
#: Formats that are read in a subprocess: starting it takes time, and nothing remains in this process.
APART = {"xlsx", "xls", "ods", "html", "pdf", "rss", "atom"}
SETTINGS = {"fetch": {"max_bytes": CAP}}


class Served:
    """A data folder whose one feed, ``court``, serves a good list."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.service = Service(Settings(data_dir=folder / "data", **SETTINGS))  # type: ignore[arg-type]

    @classmethod
    def fresh(cls, folder: Path, format_: str, before: bytes | None = None, **more: Any) -> Served:
        """Create one; ``before`` is the list that serves, by default the usual one."""
        served = cls(folder)
        more.setdefault("options", FORMATS[format_][0])
        served.service.feeds.add(definition("court", format=format_, **more), "tester")
        run = served.publish(good(format_) if before is None else before)
        assert run.outcome is Outcome.APPLIED, run.reason
        return served

    @classmethod
    def copied(cls, template: Path, folder: Path) -> Served:
        """Create one as a copy of the folder of another, which is closed."""
        shutil.copytree(template, folder)
        return cls(folder)

    def publish(self, body: bytes | Path) -> Run:
        """Refresh the feed from a body, or from a file that holds one."""
        path = body if isinstance(body, Path) else self.folder / "body"
        if isinstance(body, bytes):
            path.write_bytes(body)
        return self.service.runs.refresh("court", "tester", file=path)

    def state(self) -> tuple[Any, ...]:
        """Return everything that lookups and history depend on."""
        listings = sorted(self.service.store.database.tuples("SELECT * FROM listings"))
        pointer = self.service.snapshots.pointer()
        assert pointer is not None
        return listings, (pointer.version, pointer.sha256), self.service.store.snapshots.contents()

    def rules(self) -> set[tuple[str, str]]:
        """Return kind and value of each rule that the feed lists now."""
        return set(self.service.store.database.tuples("SELECT kind, value FROM listings WHERE closed_by = 0"))

    def listed(self, *targets: str) -> list[str]:
        """Return the targets that the snapshot lists."""
        snapshot = self.service.snapshots.current()
        return [target for target in targets if snapshot.lookup(target).listed]

    def left_behind(self) -> list[str]:
        """Return the names of files that a run should not leave: outside the data folder, or incoming ones."""
        kept = {"data", "body"}
        strays = [path.name for path in self.folder.iterdir() if path.name not in kept]
        incoming = self.folder / "data" / "incoming"
        return strays + [path.name for path in incoming.iterdir()]

    def close(self) -> None:
        self.service.close()


@dataclass(frozen=True)
class Case:
    """One hostile body: a description, and the expected outcome.

    ``says`` is part of the run's reason; ``listed`` must be listed afterwards and ``spared`` not; ``rejected`` are the
    run's rejected rows by code. ``before`` is the list that serves first, ``next`` the good list that follows.
    """

    format: str
    what: str
    body: Any
    outcome: Outcome
    says: str = ""
    listed: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    rejected: dict[str, int] | None = None
    before: bytes | None = None
    next: bytes | None = None
    feed: dict[str, Any] = field(default_factory=dict)
    expands: bool = False

    @property
    def key(self) -> str:
        """A key of the feed and of the list that it serves before."""
        return json.dumps([self.format, self.feed, (self.before or b"").hex()], sort_keys=True)

    def bytes(self) -> bytes:
        return bytes(self.body() if callable(self.body) else self.body)


def check(served: Served, case: Case, body: Path | None = None) -> Run:
    """Publish a case's body; assert that the outcome is the expected one and that the next good list is applied.

    ``body`` is a file with the body, if this process must not spend memory on making it.
    """
    before, rules = served.state(), served.rules()
    run = served.publish(body or case.bytes())
    assert (run.outcome, case.says in run.reason) == (case.outcome, True), run.reason
    assert "fault of the service" not in run.reason
    assert f"{run.reason}{run.seen}".isprintable()
    assert all(item.reason.isprintable() for item in served.service.store.runs.rejections(run.id))
    assert served.left_behind() == []
    if case.rejected is not None:
        assert run.rejected_by_code == case.rejected
    if case.outcome in (Outcome.FAILED, Outcome.HELD):
        assert served.state() == before
        assert served.rules() == rules
    assert served.listed(*case.listed) == list(case.listed)
    assert served.listed(*case.spared) == []
    if case.outcome is not Outcome.APPLIED:
        assert served.listed(*SITES) == SITES
    if case.format not in APART:
        after = served.publish(case.next or good(case.format, NEXT))
        assert after.outcome is Outcome.APPLIED, after.reason
        assert served.listed(NEXT) == [NEXT]
    return run
