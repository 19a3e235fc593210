"""Signing in with an OpenID provider: its claims name a person, and give them a role."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from blocklist.access.throttle import client_network
from blocklist.config.settings import OidcSettings
from blocklist.domain.access import Person, Role
from blocklist.domain.errors import ForbiddenError, NotFoundError, UnauthorizedError
from blocklist.service.people import PeopleService, person_name
from blocklist.service.sign_in import SignInService
from blocklist.store import Store

if TYPE_CHECKING:
    from blocklist.access.oidc import PendingSignIn, Provider

_VOUCHES = "OpenID provider"


class ProviderService:
    """Sign-in where the setting ``oidc.issuer`` names a provider."""

    def __init__(self, store: Store, settings: OidcSettings, people: PeopleService, sign_in: SignInService) -> None:
        self._store = store
        self._settings = settings
        self._people = people
        self._sign_in = sign_in

    def begin(self, redirect_uri: str, next_: str) -> tuple[str, PendingSignIn]:
        """Return the provider's address to send a browser to, and the state that the browser must bring back.

        :raises NotFoundError: no provider is configured.
        :raises BlocklistError: the provider does not answer, or not as OpenID Connect requires.
        """
        return self._provider.begin(redirect_uri, next_)

    def finish(
        self, pending: PendingSignIn, answer: Mapping[str, str], redirect_uri: str, address: str | None, agent: str
    ) -> str:
        """Verify the provider's answer, and return the secret of a new session for the person that it names.

        :raises UnauthorizedError: the answer does not belong to this sign-in, or cannot be verified.
        :raises ForbiddenError: the person has no role here, is shut out, or has the name of somebody else.
        :raises TooManyError: too many answers from this address could not be verified.
        :raises BlocklistError: the provider does not answer, or not as OpenID Connect requires.
        """
        who = client_network(address)
        self._sign_in.wrong_passwords.check(who)
        try:
            claims = self._provider.finish(pending, answer, redirect_uri)
        except UnauthorizedError:
            # Each attempt costs requests to the provider: nobody may make this service repeat them at will.
            self._sign_in.wrong_passwords.record_failure(who)
            raise
        return self._sign_in.open_session(self.person_of(claims), address, agent, _VOUCHES)

    def person_of(self, claims: Mapping[str, Any]) -> Person:
        """Return the person that verified claims name, added at the first sign-in, with the role of the claims.

        :raises ForbiddenError: they have no role here, are shut out, or have the name of somebody else.
        :raises UsageError: their name is not valid here.
        """
        subject, role = f"{claims['iss']} {claims['sub']}", self._role(claims.get(self._settings.role_claim))
        with self._store.database.transaction():
            person = self._store.people.by_subject(subject)
            if person is None:
                return self._first_time(subject, role, str(claims.get(self._settings.name_claim, "")))
            if person.disabled_at:
                raise ForbiddenError(f"{person.name} is shut out")
            if person.role is role:
                return person
            self._people.change_role(person, role, _VOUCHES)
        return self._store.people.get(person.name)

    def _first_time(self, subject: str, role: Role, claimed: str) -> Person:
        name = person_name(claimed)
        if self._store.people.find(name):
            # A person who can choose their name at the provider must not become somebody who is here already.
            raise ForbiddenError(f"there is another person {name!r} here: the provider must call you something else")
        person = self._store.people.add(name, role, _VOUCHES, subject)
        self._store.audit.add(_VOUCHES, "person.add", name, after={"role": role.value})
        return person

    def _role(self, given: object) -> Role:
        values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = [self._settings.roles[value] for value in values if value in self._settings.roles]
        if roles:
            return max(roles, key=lambda role: role.rank)
        if not self._settings.default_role:
            raise ForbiddenError("the provider knows you, and nothing that it says of you gives a role here")
        return Role(self._settings.default_role)

    @cached_property
    def _provider(self) -> Provider:
        if not self._settings.issuer:
            raise NotFoundError("no OpenID provider is set (oidc.issuer)")
        from blocklist.access.oidc import Provider  # noqa: PLC0415 - only where one is set

        return Provider(self._settings)
