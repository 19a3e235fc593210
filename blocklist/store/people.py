"""People who sign in: name, role, and the hash of the password."""

from __future__ import annotations

from blocklist.domain.access import Person, Role
from blocklist.domain.clock import now
from blocklist.store.base_table import Table
from blocklist.store.mapping import mapper


class People(Table):
    """All people who may sign in, or once might; nobody is deleted, because the log names them."""

    def add(self, name: str, role: Role, by: str, subject: str | None = None) -> Person:
        """Keep a person without a password and return them."""
        self._insert("people", name=name, role=role.value, created_at=now(), created_by=by, subject=subject)
        return self.get(name)

    def get(self, name: str) -> Person:
        """Return a person.

        :raises NotFoundError: there is none of that name.
        """
        return _person(self._get("person", "SELECT * FROM people WHERE name = ?", name))

    def find(self, name: str) -> Person | None:
        """Return a person, or None."""
        return self._one("name = ?", name)

    def by_id(self, id_: int) -> Person | None:
        """Return the person of an id, or None."""
        return self._one("id = ?", id_)

    def by_subject(self, subject: str) -> Person | None:
        """Return the person whom an OpenID provider identifies so, or None."""
        return self._one("subject = ?", subject)

    def password(self, id_: int) -> str | None:
        """Return the hash of a person's password; None where they have none."""
        return self._database.text("SELECT password FROM people WHERE id = ?", (id_,))

    def all(self, limit: int | None = None, after: int = 0) -> list[Person]:
        """Return the people whose id is above ``after``, oldest first; up to ``limit``, or all for None."""
        return [_person(row) for row in self._page("people", limit, ("id > ?", after))]

    def any(self) -> bool:
        """Return whether there is anybody."""
        return self._database.value("SELECT 1 FROM people LIMIT 1") is not None

    def other_admins(self, id_: int) -> int:
        """Return how many admins besides this person may sign in."""
        return self._database.number(
            "SELECT count(*) FROM people WHERE role = ? AND disabled_at IS NULL AND id <> ?"
            " AND (password IS NOT NULL OR subject IS NOT NULL)",
            (Role.ADMIN.value, id_),
        )

    def set_role(self, id_: int, role: Role) -> None:
        """Give a person another role."""
        self._update("people", {"role": role.value}, "id = ?", id_)

    def set_password(self, id_: int, hash_: str) -> None:
        """Keep the hash of a person's new password."""
        self._update("people", {"password": hash_}, "id = ?", id_)

    def set_disabled(self, id_: int, disabled: bool) -> None:
        """Forbid a person to sign in, or allow it again."""
        self._update("people", {"disabled_at": now() if disabled else None}, "id = ?", id_)

    def note_sign_in(self, id_: int) -> None:
        """Note that a person signed in."""
        self._update("people", {"signed_in_at": now()}, "id = ?", id_)

    def _one(self, condition: str, value: str | int) -> Person | None:
        row = self._database.row(f"SELECT * FROM people WHERE {condition}", (value,))
        return _person(row) if row else None


_person = mapper(
    Person,
    has_password=lambda row: row["password"] is not None,
    provider=lambda row: row["subject"] is not None,
)
