"""Which snapshots were published, and of which state of the contents."""

from __future__ import annotations

from blocklist.store.base_table import Table, marks
from blocklist.store.engine import Row

_COLUMNS = ("version", "file", "sha256", "bytes", "rules", "built_at", "contents")


class Snapshots(Table):
    """The versions, and the counter that shows whether the newest one is behind."""

    def contents(self) -> int:
        """Return the counter of changes of what counts."""
        return self._database.number("SELECT contents FROM state")

    def contents_changed(self) -> None:
        """Count a change of what counts, in the transaction that makes it."""
        with self._database.transaction():
            self._database.execute("UPDATE state SET contents = contents + 1")

    def next_version(self) -> int:
        """Return the version after the newest one."""
        return self._database.number("SELECT coalesce(max(version), 0) + 1 FROM snapshots")

    def add(self, row: Row) -> None:
        """Keep a snapshot that was published: its version, file, SHA-256, size, rules, time and counter of contents."""
        with self._database.transaction():
            self._database.execute(
                f"INSERT INTO snapshots ({', '.join(_COLUMNS)}) VALUES ({marks(_COLUMNS)})",
                [row[name] for name in _COLUMNS],
            )

    def newest(self) -> Row | None:
        """Return the newest published snapshot."""
        return self._database.row("SELECT * FROM snapshots ORDER BY version DESC LIMIT 1")

    def built_at(self, version: int) -> str | None:
        """Return when a version was built; None where there was no such version."""
        return self._database.text("SELECT built_at FROM snapshots WHERE version = ?", (version,))
