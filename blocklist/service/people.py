"""People who use the pages: their names, roles, passwords and one-time links."""

from __future__ import annotations

import re

from blocklist.access.passwords import check_password, hash_password
from blocklist.access.secrets import hash_secret, new_secret
from blocklist.domain.access import Person, Role
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.store import Store

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
#: Names that the audit log uses for actors that are no people.
_RESERVED = frozenset({"schedule", "command", "local"})
#: Seconds for which a link is valid. One made for another person may wait in their mailbox.
_LINK_LASTS, _FIRST_LINK_LASTS = 3 * 86_400, 3_600


class PeopleService:
    """The people who may sign in."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.get, self.all = store.people.get, store.people.all

    def add(self, name: str, role: Role, actor: str) -> tuple[Person, str]:
        """Add a person and return them with the key of the link by which they set their password.

        :raises UsageError: the name is not valid.
        :raises ConflictError: there is a person of that name.
        """
        name = person_name(name)
        with self._store.database.transaction():
            if self._store.people.find(name):
                raise ConflictError(f"there is a person {name!r} already")
            person = self._store.people.add(name, role, actor)
            key = self._add_link(person.id, _LINK_LASTS)
            self._store.audit.add(actor, "person.add", name, after={"role": role.value})
        return person, key

    def new_link(self, name: str, actor: str) -> tuple[Person, str]:
        """Return a person with the key of a link by which they set a new password; older links are no longer valid.

        :raises NotFoundError: there is no such person.
        :raises ConflictError: they are shut out.
        """
        with self._store.database.transaction():
            person = self._store.people.get(name)
            if person.disabled_at:
                raise ConflictError(f"{name} was shut out: 'blocklist person enable {name}' first")
            key = self._add_link(person.id, _LINK_LASTS)
            self._store.audit.add(actor, "person.link", person.name)
        return person, key

    def first_link(self) -> str | None:
        """Return the key of a link that makes the first admin; None where there are people already."""
        if self._store.people.any():
            return None
        return self._add_link(None, _FIRST_LINK_LASTS)

    def set_role(self, name: str, role: Role, actor: str) -> Person:
        """Give a person another role, which ends their sessions.

        :raises NotFoundError: there is no such person.
        :raises ConflictError: no admin would be left.
        """
        with self._store.database.transaction():
            person = self._store.people.get(name)
            if role is not Role.ADMIN:
                self._keep_an_admin(person)
            self.change_role(person, role, actor)
        return self._store.people.get(name)

    def set_disabled(self, name: str, disabled: bool, actor: str) -> Person:
        """Shut a person out, which ends their sessions and links; or let them in again.

        :raises NotFoundError: there is no such person.
        :raises ConflictError: no admin would be left.
        """
        with self._store.database.transaction():
            person = self._store.people.get(name)
            if disabled:
                self._keep_an_admin(person)
                self._store.sessions.end_all(person.id)
                self._store.sessions.revoke_links(person.id)
            self._store.people.set_disabled(person.id, disabled)
            self._store.audit.add(actor, "person.disable" if disabled else "person.enable", person.name)
        return self._store.people.get(name)

    def set_password(self, name: str, password: str, actor: str) -> Person:
        """Set a person's password, which ends their sessions and links.

        :raises NotFoundError: there is no such person.
        :raises UsageError: the password is easy to guess.
        """
        person = self._store.people.get(name)
        check_password(password, name)
        kept = hash_password(password)
        with self._store.database.transaction():
            self.keep_password(person, kept, actor)
        return self._store.people.get(name)

    def sign_out_everywhere(self, name: str, actor: str) -> int:
        """End every session of a person; return how many were open.

        :raises NotFoundError: there is no such person.
        """
        with self._store.database.transaction():
            person = self._store.people.get(name)
            ended = self._store.sessions.end_all(person.id)
            self._store.audit.add(actor, "person.sign_out", person.name, sessions=ended)
        return ended

    def change_role(self, person: Person, role: Role, actor: str) -> None:
        """Store the new role of a person and end their sessions, inside a transaction."""
        self._store.people.set_role(person.id, role)
        self._store.sessions.end_all(person.id)
        change = {"before": {"role": person.role.value}, "after": {"role": role.value}}
        self._store.audit.add(actor, "person.role", person.name, **change)

    def keep_password(self, person: Person, kept: str, actor: str) -> None:
        """Store the hash of a new password, inside a transaction."""
        self._store.people.set_password(person.id, kept)
        self._store.sessions.end_all(person.id)
        self._store.sessions.revoke_links(person.id)
        self._store.audit.add(actor, "person.password", person.name)

    def _add_link(self, person_id: int | None, lasts: int) -> str:
        key = new_secret()
        self._store.sessions.add_link(hash_secret(key), person_id, later(now(), lasts))
        return key

    def _keep_an_admin(self, person: Person) -> None:
        if person.role is Role.ADMIN and not person.disabled_at and not self._store.people.other_admins(person.id):
            raise ConflictError(f"{person.name} is the only admin who can sign in: make another one first")


def person_name(text: str) -> str:
    """Return the name of a person as it is stored: without spaces around it, in lower case.

    :raises UsageError: it is not a valid name.
    """
    name = text.strip().lower()
    if not is_name(name):
        raise UsageError(f"{text!r} is no name to sign in with: letters a to z, digits and . _ @ + - such as anna.berg")
    return name


def is_name(text: str) -> bool:
    """Return whether a text is a valid name of a person, as it is stored."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED
