"""Signing in and out: passwords and one-time links open sessions, and a session stands for an identity."""

from __future__ import annotations

from dataclasses import replace

import structlog

from blocklist.access.identity import AuthMethod, Identity
from blocklist.access.passwords import check_password, hash_password, needs_rehash, verify_password
from blocklist.access.secrets import hash_secret, new_secret
from blocklist.access.throttle import Throttle, client_network
from blocklist.config.settings import AccessSettings
from blocklist.domain.access import Person, Role, Session
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ConflictError, ForbiddenError, UnauthorizedError
from blocklist.service.people import PeopleService, person_name
from blocklist.store import Store
from blocklist.store.sessions import OneTimeLink

_LOG = structlog.get_logger("blocklist.access")


class SignInService:
    """A person's own access. ``address`` is the browser's address, ``agent`` its User-Agent header."""

    def __init__(self, store: Store, settings: AccessSettings, people: PeopleService) -> None:
        self._store = store
        self._settings = settings
        self._people = people
        #: Wrong passwords from one sender, and for one name from senders that never signed in with it.
        self.wrong_passwords = Throttle("10/minute", "40/hour", "100/day")
        self.wrong_for_a_name = Throttle("100/hour")

    def with_password(self, name: str, password: str, address: str | None, agent: str = "") -> str:
        """Check a name and a password, and return the secret of a new session.

        :raises UnauthorizedError: the name or the password is wrong; the message does not tell which.
        :raises TooManyError: too many attempts failed.
        """
        name, who = name.strip().lower(), client_network(address)
        self.wrong_passwords.check(who)
        person = self._store.people.find(name)
        if not (person and self._store.sessions.signed_in_from(person.id, who)):
            self.wrong_for_a_name.check(hash_secret(name))
        kept = self._store.people.password(person.id) if person and not person.disabled_at else None
        if not verify_password(kept, password) or person is None or kept is None:
            self.wrong_passwords.record_failure(who)
            self.wrong_for_a_name.record_failure(hash_secret(name))
            # Without the name: some people type their password there.
            _LOG.warning("sign-in refused", address=address)
            # The same for an unknown name and a person who is shut out: it must not tell which names exist.
            raise UnauthorizedError("the name or the password is wrong")
        if needs_rehash(kept):
            self._store.people.set_password(person.id, hash_password(password))
        return self.open_session(person, address, agent, "password")

    def open_session(self, person: Person, address: str | None, agent: str, how: str) -> str:
        """Open a session for a person who is authenticated; return the secret of the session."""
        secret = new_secret()
        ends_at = later(now(), self._settings.session_lifetime)
        with self._store.database.transaction():
            self._store.sessions.add(hash_secret(secret), person.id, client_network(address), agent[:200], ends_at)
            self._store.people.note_sign_in(person.id)
            self._store.audit.add(person.name, "person.sign_in", person.name, how=how)
        return secret

    def identity(self, secret: str, address: str | None = None) -> Identity:
        """Return the identity of the person whose session has this secret.

        :raises UnauthorizedError: there is no such session, or it has ended or was idle for too long.
        """
        found = self._store.sessions.by_hash(hash_secret(secret), self._settings.session_idle)
        person = self._store.people.by_id(found[1]) if found else None
        if found is None or person is None:
            raise UnauthorizedError("the session has ended: sign in again")
        self._store.sessions.note_use(found[0])
        return Identity(person.name, person.role, AuthMethod.SESSION, person.id, address, person.name)

    def end_session(self, secret: str) -> None:
        """End a session."""
        self._store.sessions.end(hash_secret(secret))

    def sessions_of(self, name: str) -> list[Session]:
        """Return the open sessions of a person, newest first.

        :raises NotFoundError: there is no such person.
        """
        person = self._store.people.get(name)
        return self._store.sessions.of_person(person.id, self._settings.session_idle)

    def change_password(self, name: str, old: str, new: str, address: str | None, agent: str = "") -> str:
        """Change a person's own password, which ends all their sessions; return the secret of a new session.

        :raises ForbiddenError: the old password is wrong.
        :raises UsageError: the new password is easy to guess.
        :raises TooManyError: too many attempts failed.
        """
        who = client_network(address)
        self.wrong_passwords.check(who)
        person = self._store.people.get(name)
        if not verify_password(self._store.people.password(person.id), old):
            self.wrong_passwords.record_failure(who)
            raise ForbiddenError("the old password is wrong")
        check_password(new, person.name)
        kept = hash_password(new)
        with self._store.database.transaction():
            self._people.keep_password(person, kept, person.name)
        return self.open_session(person, address, agent, "password")

    def person_of_link(self, key: str) -> Person | None:
        """Return the person whose password a link sets; None where it makes the first admin, who has no name yet.

        :raises UnauthorizedError: the link is unknown, was used or has expired.
        """
        link = self._link(key)
        return self._store.people.by_id(link.person_id) if link.person_id else None

    def with_link(self, key: str, name: str, password: str, address: str | None, agent: str = "") -> str:
        """Set a password by a link, for a person or the first admin (``name``); return the secret of a session.

        :raises UnauthorizedError: the link is unknown, was used or has expired.
        :raises UsageError: the name is not valid, or the password is easy to guess; the link can still be used.
        """
        owner = self.person_of_link(key)
        name = owner.name if owner else person_name(name)
        check_password(password, name)
        kept = hash_password(password)
        with self._store.database.transaction():
            link = self._link(key)
            if owner is None and self._store.people.any():
                raise ConflictError("this installation is set up already: an admin adds further people")
            if not self._store.sessions.use_link(link.id):
                raise UnauthorizedError(_NO_LINK)
            person = owner or self._store.people.add(name, Role.ADMIN, "set-up link")
            if owner is None:
                self._store.audit.add(name, "person.add", name, after={"role": Role.ADMIN.value}, by="set-up link")
            self._people.keep_password(person, kept, name)
        return self.open_session(replace(person, has_password=True), address, agent, "link")

    def _link(self, key: str) -> OneTimeLink:
        link = self._store.sessions.link(hash_secret(key))
        if link is None or link.used_at or link.expires_at <= now():
            raise UnauthorizedError(_NO_LINK)
        return link


_NO_LINK = (
    "the link is unknown, was used or has expired: an admin makes another with 'blocklist person link NAME'; "
    "before there is anybody, each start of the service prints one"
)
