"""What commands, HTTP and pages call: one part for each resource, over one data folder.

Each function that changes something takes the ``actor`` who asked for it, and writes the audit log in the transaction
of the change.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from blocklist.config.settings import Settings
from blocklist.domain.errors import StoreError
from blocklist.exports import Export, changes
from blocklist.notify.notifier import Notifier
from blocklist.refresh.lifecycle import Progress
from blocklist.refresh.preview import Preview
from blocklist.refresh.run import Refresher
from blocklist.service.audit import AuditService
from blocklist.service.background import BackgroundService
from blocklist.service.distribution import DistributionService
from blocklist.service.doctor import Doctor
from blocklist.service.evidence import EvidenceService
from blocklist.service.feeds import FeedService
from blocklist.service.flags import FlagService
from blocklist.service.held import HeldListingService
from blocklist.service.holds import HoldService
from blocklist.service.overrides import OverrideService, override_rule
from blocklist.service.people import PeopleService
from blocklist.service.provider import ProviderService
from blocklist.service.publishing import Publisher
from blocklist.service.runs import RunDetail, RunService
from blocklist.service.sign_in import SignInService
from blocklist.service.snapshots import SnapshotService
from blocklist.service.targets import read_candidates, read_target, target_lines
from blocklist.service.tokens import TokenService
from blocklist.status.statistics import ReadScoreboard, Statistics
from blocklist.store import Store
from blocklist.store.held_changes import HeldChangePlace

__all__ = [
    "HeldChangePlace",
    "Preview",
    "Progress",
    "RunDetail",
    "Service",
    "override_rule",
    "read_candidates",
    "read_target",
    "target_lines",
]


class Service:
    """The control plane over one data folder: each part holds the functions of one resource."""

    def __init__(self, settings: Settings) -> None:
        """Open the data folder, creating it where needed.

        :raises StoreError: the folder or the database in it cannot be used.
        """
        _check_writable(settings.data_dir)
        self.settings = settings
        self.store = store = Store(settings.data_dir / "blocklist.db")
        self.refresher = refresher = Refresher(store, settings)
        self.publisher = publisher = Publisher(store, settings)
        self.snapshots = SnapshotService(store, settings, publisher)
        self.distribution = DistributionService(store, settings, publisher)
        self.feeds = FeedService(store, settings, refresher, publisher)
        self.runs = RunService(store, settings, refresher, publisher)
        self.background = BackgroundService(store, self.runs)
        self.holds = HoldService(store, settings, refresher, publisher)
        self.overrides = OverrideService(store, settings, publisher)
        self.flags = FlagService(store, self.overrides)
        self.held = HeldListingService(store, settings)
        self.evidence = EvidenceService(store, publisher, self.snapshots, self.held)
        self.export = partial(Export, store, settings, self.snapshots.current)
        self.changes = partial(changes, store)
        self.people = PeopleService(store)
        self.sign_in = SignInService(store, settings.access, self.people)
        self.provider = ProviderService(store, settings.oidc, self.people, self.sign_in)
        self.tokens = TokenService(store)
        self.audit = AuditService(store)
        self.notifier = Notifier(store, settings, publisher.trouble, self.distribution.conditions)
        self.doctor = Doctor(store, settings, publisher, self.snapshots, self.distribution)
        self.statistics = Statistics(store)
        #: Answers that were given, by their Idempotency-Key.
        self.requests = store.requests
        #: Reads what the workers of the lookup node in this process report; a command has no node.
        self.read_scoreboard: ReadScoreboard = list

    def recover(self) -> None:
        """Repair what a killed process left: unfinished runs, files, and a snapshot that lags behind the database."""
        self.refresher.recover()
        if self.publisher.is_behind():
            self.publisher.publish()

    def close(self) -> None:
        """Wait for the refreshes in the background, which use the database, then close it."""
        self.background.wait()
        self.store.close()


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StoreError(
            f"{folder}: the data folder cannot be written: {error.strerror}; give this user the right to, "
            "or choose another with --data-dir"
        ) from None
