"""Sessions of people's browsers, and the one-time links with which people set their passwords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from blocklist.domain.access import Session
from blocklist.domain.clock import later, now
from blocklist.store.base_table import Table
from blocklist.store.mapping import mapper

#: Seconds within which the use of a session is not noted again.
_USE_NOTED_EVERY = 60
#: Seconds for which an ended session is remembered: from which addresses a person signed in.
_REMEMBERED = 90 * 86_400
_OPEN = (
    "SELECT sessions.*, people.name AS person FROM sessions JOIN people ON people.id = sessions.person_id"
    " WHERE ended_at IS NULL AND people.disabled_at IS NULL AND ends_at > ? AND seen_at > ?"
)


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A one-time link. ``person_id`` is None in the link that makes the first admin."""

    id: int
    person_id: int | None
    expires_at: str
    used_at: str | None


class OpenSession(NamedTuple):
    """A session that goes on, and the id of its person."""

    session: Session
    person_id: int


class Sessions(Table):
    """Who is signed in."""

    def add(self, hash_: str, person_id: int, address: str, agent: str, ends_at: str) -> None:
        """Keep a new session, and delete those that ended long ago."""
        moment = now()
        with self._database.transaction():
            self._database.execute("DELETE FROM sessions WHERE ends_at < ?", (later(moment, -_REMEMBERED),))
            times = {"created_at": moment, "seen_at": moment, "ends_at": ends_at}
            self._insert("sessions", hash=hash_, person_id=person_id, address=address, agent=agent, **times)

    def by_hash(self, hash_: str, idle: float) -> OpenSession | None:
        """Return the session whose secret has this hash, if it goes on; ``idle``: seconds without use that end it."""
        moment = now()
        row = self._database.row(f"{_OPEN} AND hash = ?", (moment, later(moment, -idle), hash_))
        return OpenSession(_session(row), int(row["person_id"])) if row else None

    def of_person(self, person_id: int, idle: float) -> list[Session]:
        """Return the open sessions of a person, newest first; ``idle`` as for :meth:`by_hash`."""
        moment = now()
        return self._database.mapped(
            _session, f"{_OPEN} AND person_id = ? ORDER BY sessions.id DESC", (moment, later(moment, -idle), person_id)
        )

    def signed_in_from(self, person_id: int, address: str) -> bool:
        """Return whether a person signed in from an address within three months."""
        query = "SELECT EXISTS (SELECT 1 FROM sessions WHERE person_id = ? AND address = ?)"
        return bool(self._database.value(query, (person_id, address)))

    def note_use(self, session: Session) -> None:
        """Note that a session was used, unless that was noted a moment ago or somebody else is writing."""
        moment = now()
        if later(session.seen_at, _USE_NOTED_EVERY) <= moment:
            self._database.write_if_free("UPDATE sessions SET seen_at = ? WHERE id = ?", (moment, session.id))

    def end(self, hash_: str) -> None:
        """End one session."""
        self._update("sessions", {"ended_at": now()}, "hash = ? AND ended_at IS NULL", hash_)

    def end_all(self, person_id: int) -> int:
        """End all sessions of a person; return how many were open."""
        moment = now()
        condition = "person_id = ? AND ended_at IS NULL AND ends_at > ?"
        return self._update("sessions", {"ended_at": moment}, condition, person_id, moment)

    def add_link(self, hash_: str, person_id: int | None, expires_at: str) -> None:
        """Keep a one-time link; older ones for the same person no longer work."""
        with self._database.transaction():
            self.revoke_links(person_id)
            times = {"created_at": now(), "expires_at": expires_at}
            self._insert("one_time_links", hash=hash_, person_id=person_id, **times)

    def link(self, hash_: str) -> OneTimeLink | None:
        """Return the link whose key has this hash."""
        row = self._database.row("SELECT * FROM one_time_links WHERE hash = ?", (hash_,))
        return _link(row) if row else None

    def use_link(self, id_: int) -> bool:
        """Use a link up; return whether it was still unused."""
        return self._update("one_time_links", {"used_at": now()}, "id = ? AND used_at IS NULL", id_) == 1

    def revoke_links(self, person_id: int | None) -> None:
        """Make a person's links useless, or (None) those that make the first admin."""
        whose, parameters = ("IS NULL", ()) if person_id is None else ("= ?", (person_id,))
        self._update("one_time_links", {"used_at": now()}, f"used_at IS NULL AND person_id {whose}", *parameters)


_session = mapper(Session)
_link = mapper(OneTimeLink)
