"""The database: what is true at run time. All SQL of the project is in this package.

SQLite through sqlite-utils, WAL, ``synchronous=FULL``; statements are of the kind that PostgreSQL takes too, except for
what :mod:`.database` and :mod:`.migrations` hold. Nothing listed is ever overwritten or deleted: a delisting closes an
interval, a change of wording closes one and opens the next.
"""

from __future__ import annotations

from pathlib import Path

from blocklist.store.alerts import Alerts
from blocklist.store.audit import AuditLog
from blocklist.store.compile_source import CompileSource
from blocklist.store.database import Database
from blocklist.store.evidence import Evidence
from blocklist.store.exports import Exports
from blocklist.store.feeds import Feeds
from blocklist.store.held_changes import HeldChanges
from blocklist.store.holds import Holds
from blocklist.store.listings import Listings
from blocklist.store.overrides import Overrides
from blocklist.store.people import People
from blocklist.store.requests import Requests
from blocklist.store.runs import Runs
from blocklist.store.sessions import Sessions
from blocklist.store.snapshots import Snapshots
from blocklist.store.statistics import Statistics
from blocklist.store.tokens import Tokens

__all__ = ["Store"]


class Store:
    """Everything the control plane remembers, one part a table."""

    def __init__(self, path: Path) -> None:
        """Open (and where needed create or migrate) the database.

        :raises StoreError: it cannot be written, is damaged, or comes from a newer version of the service.
        """
        self.database = Database(path)
        self.feeds = Feeds(self.database)
        self.runs = Runs(self.database)
        self.listings = Listings(self.database)
        self.compile_source = CompileSource(self.database)
        self.holds = Holds(self.database)
        self.held_changes = HeldChanges(self.database)
        self.evidence = Evidence(self.database)
        self.overrides = Overrides(self.database)
        self.snapshots = Snapshots(self.database)
        self.exports = Exports(self.database)
        self.statistics = Statistics(self.database)
        self.requests = Requests(self.database)
        self.tokens = Tokens(self.database)
        self.alerts = Alerts(self.database)
        self.people = People(self.database)
        self.sessions = Sessions(self.database)
        self.audit = AuditLog(self.database)

    def close(self) -> None:
        """Close the connections of every thread."""
        self.database.close()
