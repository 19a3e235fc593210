"""Signing in and out: passwords and one-time links to sessions, and sessions to identities."""

from __future__ import annotations

from dataclasses import replace

import structlog

from blocklist.access.identity import How, Identity
from blocklist.access.passwords import check_password, hash_password, is_outdated, password_fits
from blocklist.access.secrets import hashed, new_secret
from blocklist.access.throttle import Throttle, sender
from blocklist.config.settings import Settings
from blocklist.domain.access import Person, Role, Session
from blocklist.domain.clock import later, now
from blocklist.domain.errors import ConflictError, ForbiddenError, UnauthorizedError
from blocklist.service.people import PeopleTasks, person_name
from blocklist.store.sessions import OneTimeLink

_LOG = structlog.get_logger("blocklist.access")
_MAX_AGENT = 200
#: The same for an unknown name, a wrong password, and somebody who is shut out: nobody learns which names there are.
_REFUSED = "the name or the password is wrong"


class SignInTasks(PeopleTasks):
    """What people do about their own access. ``address`` is where the browser is, ``agent`` what it calls itself."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        #: Wrong passwords from one sender, and for one name from senders that never signed in with it.
        self.wrong_passwords = Throttle("10/minute", "40/hour", "100/day")
        self.wrong_for_a_name = Throttle("100/hour")

    def sign_in(self, name: str, password: str, address: str | None, agent: str = "") -> str:
        """Return the secret of a new session.

        :raises UnauthorizedError: the name or the password is wrong; the same words for both.
        :raises TooManyError: too many were.
        """
        name, who = name.strip().lower(), sender(address)
        self.wrong_passwords.check(who)
        person = self.store.people.find(name)
        if not (person and self.store.sessions.signed_in_from(person.id, who)):
            self.wrong_for_a_name.check(hashed(name))
        kept = self.store.people.password(person.id) if person and not person.disabled_at else None
        if not password_fits(kept, password) or person is None or kept is None:
            self.wrong_passwords.failed(who)
            self.wrong_for_a_name.failed(hashed(name))
            # Never the name: some type their password there.
            _LOG.warning("sign-in refused", address=address)
            raise UnauthorizedError(_REFUSED)
        if is_outdated(kept):
            self.store.people.set_password(person.id, hash_password(password))
        return self.open_session(person, address, agent, "password")

    def open_session(self, person: Person, address: str | None, agent: str, how: str) -> str:
        """Sign a person in who has shown who they are; return the secret of the session."""
        secret = new_secret()
        ends_at = later(now(), self.settings.access.session_lifetime)
        with self.store.database.transaction():
            self.store.sessions.add(hashed(secret), person.id, sender(address), agent[:_MAX_AGENT], ends_at)
            self.store.people.note_sign_in(person.id)
            self.store.audit.add(person.name, "person.sign_in", person.name, how=how)
        return secret

    def identity_of_session(self, secret: str, address: str | None = None) -> Identity:
        """Return who is signed in with a session.

        :raises UnauthorizedError: nobody; it ended, or was silent for too long.
        """
        found = self.store.sessions.by_hash(hashed(secret), self.settings.access.session_idle)
        person = self.store.people.by_id(found[1]) if found else None
        if found is None or person is None:
            raise UnauthorizedError("the session has ended: sign in again")
        self.store.sessions.note_use(found[0])
        return Identity(person.name, person.role, How.SESSION, person.id, address, person.name)

    def sign_out(self, secret: str) -> None:
        """End a session."""
        self.store.sessions.end(hashed(secret))

    def sessions_of(self, name: str) -> list[Session]:
        """Return the open sessions of a person, newest first.

        :raises NotFoundError: there is no such person.
        """
        person = self.store.people.get(name)
        return self.store.sessions.of_person(person.id, self.settings.access.session_idle)

    def change_password(self, name: str, old: str, new: str, address: str | None, agent: str = "") -> str:
        """Change one's own password, which ends all sessions; return the secret of a new one.

        :raises ForbiddenError: the old password is wrong.
        :raises UsageError: the new one is guessed easily.
        :raises TooManyError: too many were wrong.
        """
        who = sender(address)
        self.wrong_passwords.check(who)
        person = self.store.people.get(name)
        if not password_fits(self.store.people.password(person.id), old):
            self.wrong_passwords.failed(who)
            raise ForbiddenError("the old password is wrong")
        check_password(new, person.name)
        kept = hash_password(new)
        with self.store.database.transaction():
            self.keep_password(person, kept, person.name)
        return self.open_session(person, address, agent, "password")

    def person_of_link(self, key: str) -> Person | None:
        """Return whose password a link sets; None: it makes the first admin, who has no name yet.

        :raises UnauthorizedError: it is unknown, was used or has expired.
        """
        link = self._link(key)
        return self.store.people.by_id(link.person_id) if link.person_id else None

    def use_link(self, key: str, name: str, password: str, address: str | None, agent: str = "") -> str:
        """Set a password by a link, for a person or the first admin (``name``); return the secret of a session.

        :raises UnauthorizedError: the link is unknown, was used or has expired.
        :raises UsageError: the name is none, or the password is guessed easily; the link can still be used.
        """
        owner = self.person_of_link(key)
        name = owner.name if owner else person_name(name)
        check_password(password, name)
        kept = hash_password(password)
        with self.store.database.transaction():
            link = self._link(key)
            if owner is None and self.store.people.any():
                raise ConflictError("somebody set this installation up already: an admin adds further people")
            if not self.store.sessions.use_link(link.id):
                raise UnauthorizedError(_NO_LINK)
            person = owner or self.store.people.add(name, Role.ADMIN, "set-up link")
            if owner is None:
                self.store.audit.add(name, "person.add", name, after={"role": Role.ADMIN.value}, by="set-up link")
            self.keep_password(person, kept, name)
        return self.open_session(replace(person, has_password=True), address, agent, "link")

    def _link(self, key: str) -> OneTimeLink:
        link = self.store.sessions.link(hashed(key))
        if link is None or link.used_at or link.expires_at <= now():
            raise UnauthorizedError(_NO_LINK)
        return link


_NO_LINK = (
    "the link is unknown, was used or has expired: an admin makes another with 'blocklist person link NAME'; "
    "before there is anybody, each start of the service prints one"
)
