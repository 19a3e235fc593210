"""Sessions of people's browsers, and the one-time links by which people set their passwords."""

from __future__ import annotations

from dataclasses import dataclass

from blocklist.domain.access import Session
from blocklist.domain.clock import later, now
from blocklist.store.database import Database, Row

#: Seconds within which a session's use is not noted again.
_USE_NOTED_EVERY = 60
#: Seconds for which an ended session is remembered: which addresses a person used to sign in from.
_REMEMBERED = 90 * 86_400


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A one-time link. ``person_id`` is None in the one that makes the first admin."""

    id: int
    person_id: int | None
    expires_at: str
    used_at: str | None


class Sessions:
    """Who is signed in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hash_: str, person_id: int, address: str, agent: str, ends_at: str) -> None:
        """Keep a new session, and forget those that ended long ago."""
        moment = now()
        with self._database.transaction():
            self._database.execute("DELETE FROM sessions WHERE ends_at < ?", (later(moment, -_REMEMBERED),))
            self._database.execute(
                "INSERT INTO sessions (hash, person_id, address, agent, created_at, seen_at, ends_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (hash_, person_id, address, agent, moment, moment, ends_at),
            )

    def by_hash(self, hash_: str, idle: float) -> tuple[Session, int] | None:
        """Return the session whose secret has this hash, with its person's id, if it goes on.

        ``idle``: seconds of silence that end it.
        """
        moment = now()
        row = self._database.row(f"{_OPEN} AND hash = ?", (moment, later(moment, -idle), hash_))
        return (_session(row), int(row["person_id"])) if row else None

    def of_person(self, person_id: int, idle: float) -> list[Session]:
        """Return the open sessions of a person, newest first."""
        moment = now()
        rows = self._database.rows(
            f"{_OPEN} AND person_id = ? ORDER BY sessions.id DESC", (moment, later(moment, -idle), person_id)
        )
        return [_session(row) for row in rows]

    def signed_in_from(self, person_id: int, address: str) -> bool:
        """Return whether a person signed in from an address within three months."""
        return (
            self._database.value(
                "SELECT 1 FROM sessions WHERE person_id = ? AND address = ? LIMIT 1", (person_id, address)
            )
            is not None
        )

    def note_use(self, session: Session) -> None:
        """Note that a session was used, unless that was noted a moment ago or somebody else is writing."""
        moment = now()
        if later(session.seen_at, _USE_NOTED_EVERY) <= moment:
            self._database.write_if_free("UPDATE sessions SET seen_at = ? WHERE id = ?", (moment, session.id))

    def end(self, hash_: str) -> None:
        """End one session."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE sessions SET ended_at = ? WHERE hash = ? AND ended_at IS NULL", (now(), hash_)
            )

    def end_all(self, person_id: int) -> int:
        """End every session of a person; return how many were open."""
        with self._database.transaction():
            return self._database.execute(
                "UPDATE sessions SET ended_at = ? WHERE person_id = ? AND ended_at IS NULL AND ends_at > ?",
                (now(), person_id, now()),
            )

    def add_link(self, hash_: str, person_id: int | None, expires_at: str) -> None:
        """Keep a one-time link; older ones for the same end with it."""
        same = "person_id IS NULL" if person_id is None else "person_id = ?"
        with self._database.transaction():
            self._database.execute(
                f"UPDATE links SET used_at = ? WHERE used_at IS NULL AND {same}",
                (now(), *([] if person_id is None else [person_id])),
            )
            self._database.execute(
                "INSERT INTO links (hash, person_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
                (hash_, person_id, now(), expires_at),
            )

    def link(self, hash_: str) -> OneTimeLink | None:
        """Return the link whose key has this hash."""
        row = self._database.row("SELECT id, person_id, expires_at, used_at FROM links WHERE hash = ?", (hash_,))
        return OneTimeLink(**row) if row else None

    def use_link(self, id_: int) -> bool:
        """Use a link up; return whether it was still there to be used."""
        with self._database.transaction():
            return (
                self._database.execute("UPDATE links SET used_at = ? WHERE id = ? AND used_at IS NULL", (now(), id_))
                == 1
            )

    def revoke_links(self, person_id: int) -> None:
        """Let a person's links open nothing any more."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE links SET used_at = ? WHERE used_at IS NULL AND person_id = ?", (now(), person_id)
            )


_OPEN = (
    "SELECT sessions.*, people.name AS person FROM sessions JOIN people ON people.id = sessions.person_id"
    " WHERE ended_at IS NULL AND people.disabled_at IS NULL AND ends_at > ? AND seen_at > ?"
)


def _session(row: Row) -> Session:
    names = ("id", "person", "address", "agent", "created_at", "seen_at", "ends_at")
    return Session(**{name: row[name] for name in names})
