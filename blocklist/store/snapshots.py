"""Which snapshots were built, from which state of the contents."""

from __future__ import annotations

from blocklist.store.database import Database, Row


class Snapshots:
    """The versions, and the counter that tells whether the newest lags behind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def contents(self) -> int:
        """Return the counter of changes of what counts."""
        return int(self._database.value("SELECT contents FROM state"))

    def contents_changed(self) -> None:
        """Count a change of what counts, in the transaction that makes it."""
        with self._database.transaction():
            self._database.execute("UPDATE state SET contents = contents + 1")

    def next_version(self) -> int:
        """Return the version after the newest one."""
        return int(self._database.value("SELECT coalesce(max(version), 0) + 1 FROM snapshots"))

    def add(self, row: Row) -> None:
        """Keep what there is to know of a snapshot that was published."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO snapshots (version, file, sha256, bytes, rules, built_at, contents)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [row[name] for name in ("version", "file", "sha256", "bytes", "rules", "built_at", "contents")],
            )

    def newest(self) -> Row | None:
        """Return the newest published snapshot."""
        return self._database.row("SELECT * FROM snapshots ORDER BY version DESC LIMIT 1")

    def built_at(self, version: int) -> str | None:
        """Return when a version was built; None where there was none."""
        found = self._database.value("SELECT built_at FROM snapshots WHERE version = ?", (version,))
        return str(found) if found else None
