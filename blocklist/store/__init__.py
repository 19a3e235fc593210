"""The database: everything that must survive a restart. All SQL of the project is in this package.

A module holds the statements over one subject, in SQL that PostgreSQL and SQLite both accept with the same meaning;
what only one of them has is in :mod:`.engine`. Nothing listed is ever overwritten or deleted: a delisting closes an
interval, other facts close one and open the next.
"""

from __future__ import annotations

from pathlib import Path

from blocklist.store.alerts import Alerts
from blocklist.store.audit import AuditLog
from blocklist.store.compile_source import CompileSource
from blocklist.store.engine import open_database
from blocklist.store.evidence import Evidence
from blocklist.store.exports import Exports
from blocklist.store.feeds import Feeds
from blocklist.store.flags import Flags
from blocklist.store.guard_findings import GuardFindings
from blocklist.store.held_changes import HeldChanges
from blocklist.store.held_listings import HeldListings
from blocklist.store.holds import Holds
from blocklist.store.listings import Listings
from blocklist.store.naming import Naming
from blocklist.store.overrides import Overrides
from blocklist.store.people import People
from blocklist.store.requests import Requests
from blocklist.store.runs import Runs
from blocklist.store.sessions import Sessions
from blocklist.store.snapshots import Snapshots
from blocklist.store.staging import Staging
from blocklist.store.statistics import Statistics
from blocklist.store.tokens import Tokens

__all__ = ["Store"]


class Store:
    """Everything that the control plane keeps, one part a subject."""

    def __init__(self, path: Path) -> None:
        """Open the database; create it if there is none, and bring its tables up to date.

        :raises StoreError: it cannot be written, is damaged, or comes from a newer version of the service.
        """
        self.database = open_database(path)
        self.feeds = Feeds(self.database)
        self.runs = Runs(self.database)
        self.staging = Staging(self.database)
        self.listings = Listings(self.database)
        self.compile_source = CompileSource(self.database)
        self.holds = Holds(self.database)
        self.naming = Naming(self.database)
        self.flags = Flags(self.database)
        self.held_changes = HeldChanges(self.database)
        self.held_listings = HeldListings(self.database)
        self.guard_findings = GuardFindings(self.database)
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
        """Close the connections of all threads."""
        self.database.close()
