"""People who use the pages: who they are, what they may do, and how they come to a password."""

from __future__ import annotations

import re

from blocklist.access.passwords import check_password, hash_password
from blocklist.access.secrets import hashed, new_secret
from blocklist.domain.access import Person, Role
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ConflictError, UsageError
from blocklist.service.publishing import Publishing

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
#: What the log calls somebody who is none.
_NOBODIES = frozenset({"schedule", "command", "local"})
#: Seconds for which a link works: one made for somebody else waits in their mail.
_LINK_LASTS, _FIRST_LINK_LASTS = 3 * 86_400, 3_600


class PeopleTasks(Publishing):
    """What is done with people."""

    def add_person(self, name: str, role: Role, actor: str) -> tuple[Person, str]:
        """Add a person and return them with the key of the link by which they set their password.

        :raises UsageError: the name is none.
        :raises ConflictError: there is one of that name.
        """
        name = person_name(name)
        with self.store.database.transaction():
            if self.store.people.find(name):
                raise ConflictError(f"there is a person {name!r} already")
            person = self.store.people.add(name, role, actor)
            key = self._new_link(person.id, _LINK_LASTS)
            self.store.audit.add(actor, "person.add", name, after={"role": role.value})
        return person, key

    def new_link(self, name: str, actor: str) -> tuple[Person, str]:
        """Return a person with the key of a link by which they set a new password; older links open nothing any more.

        :raises NotFoundError: there is no such person.
        :raises ConflictError: they are shut out.
        """
        with self.store.database.transaction():
            person = self._enabled(name)
            key = self._new_link(person.id, _LINK_LASTS)
            self.store.audit.add(actor, "person.link", person.name)
        return person, key

    def first_link(self) -> str | None:
        """Return the key of a link that makes the first admin, while there is nobody; None once there is."""
        if self.store.people.any():
            return None
        return self._new_link(None, _FIRST_LINK_LASTS)

    def set_role(self, name: str, role: Role, actor: str) -> Person:
        """Give a person another role, which ends their sessions.

        :raises NotFoundError: there is no such person.
        :raises ConflictError: nobody who administers would be left.
        """
        with self.store.database.transaction():
            person = self.store.people.get(name)
            if role is not Role.ADMIN:
                self._keep_an_admin(person)
            self.store.people.set_role(person.id, role)
            self.store.sessions.end_all(person.id)
            change = {"before": {"role": person.role.value}, "after": {"role": role.value}}
            self.store.audit.add(actor, "person.role", person.name, **change)
        return self.store.people.get(name)

    def disable_person(self, name: str, disabled: bool, actor: str) -> Person:
        """Shut a person out, with all their sessions and links, or let them in again.

        :raises NotFoundError: there is no such person.
        :raises ConflictError: nobody who administers would be left.
        """
        with self.store.database.transaction():
            person = self.store.people.get(name)
            if disabled:
                self._keep_an_admin(person)
                self.store.sessions.end_all(person.id)
                self.store.sessions.revoke_links(person.id)
            self.store.people.set_disabled(person.id, disabled)
            self.store.audit.add(actor, "person.disable" if disabled else "person.enable", person.name)
        return self.store.people.get(name)

    def set_password(self, name: str, password: str, actor: str) -> Person:
        """Give a person a password, which ends their sessions and links.

        :raises NotFoundError: there is no such person.
        :raises UsageError: it is guessed easily.
        """
        person = self.store.people.get(name)
        check_password(password, name)
        kept = hash_password(password)
        with self.store.database.transaction():
            self.keep_password(person, kept, actor)
        return self.store.people.get(name)

    def sign_out_everywhere(self, name: str, actor: str) -> int:
        """End every session of a person; return how many there were.

        :raises NotFoundError: there is no such person.
        """
        with self.store.database.transaction():
            person = self.store.people.get(name)
            ended = self.store.sessions.end_all(person.id)
            self.store.audit.add(actor, "person.sign_out", person.name, sessions=ended)
        return ended

    def keep_password(self, person: Person, kept: str, actor: str) -> None:
        """Keep the hash of a new password, inside a transaction."""
        self.store.people.set_password(person.id, kept)
        self.store.sessions.end_all(person.id)
        self.store.sessions.revoke_links(person.id)
        self.store.audit.add(actor, "person.password", person.name)

    def _new_link(self, person_id: int | None, lasts: int) -> str:
        key = new_secret()
        self.store.sessions.add_link(hashed(key), person_id, later(now(), lasts))
        return key

    def _enabled(self, name: str) -> Person:
        person = self.store.people.get(name)
        if person.disabled_at:
            raise ConflictError(f"{name} was shut out: 'blocklist person enable {name}' first")
        return person

    def _keep_an_admin(self, person: Person) -> None:
        if person.role is Role.ADMIN and not person.disabled_at and not self.store.people.other_admins(person.id):
            raise ConflictError(f"{person.name} is the only admin who can sign in: make another one first")


def person_name(text: str) -> str:
    """Return the name of a person as it is kept.

    :raises UsageError: it is none.
    """
    name = text.strip().lower()
    if not is_name(name):
        raise UsageError(f"{text!r} is no name to sign in with: letters a to z, digits and . _ @ + - such as anna.berg")
    return name


def is_name(text: str) -> bool:
    """Return whether a text could be the name of a person, as it is kept."""
    return _NAME.fullmatch(text) is not None and text not in _NOBODIES
