"""People whom an OpenID provider vouches for: who they are here, and with which role."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from blocklist.access.throttle import client_network
from blocklist.domain.access import Person, Role
from blocklist.domain.errors import ForbiddenError, NotFoundError, UnauthorizedError
from blocklist.service.people import person_name
from blocklist.service.sign_in import SignInTasks

if TYPE_CHECKING:
    from blocklist.access.oidc import PendingSignIn, Provider

_VOUCHES = "OpenID provider"


class ProviderTasks(SignInTasks):
    """What is done where the setting ``oidc.issuer`` names a provider."""

    def begin_with_provider(self, redirect_uri: str, next_: str) -> tuple[str, PendingSignIn]:
        """Return the provider's address to send a browser to, and what the browser must bring back.

        :raises NotFoundError: no provider is set.
        :raises BlocklistError: it does not answer, or not as one.
        """
        return self._provider.begin(redirect_uri, next_)

    def finish_with_provider(
        self, pending: PendingSignIn, answer: Mapping[str, str], redirect_uri: str, address: str | None, agent: str
    ) -> str:
        """Return the secret of a new session for whoever the provider says came back.

        :raises UnauthorizedError: the answer is not one to this sign-in, or cannot be verified.
        :raises ForbiddenError: the person has no role here, is shut out, or has the name of somebody else.
        :raises TooManyError: too many answers from this address could not be verified.
        :raises BlocklistError: the provider does not answer, or not as one.
        """
        who = client_network(address)
        self.wrong_passwords.check(who)
        try:
            claims = self._provider.finish(pending, answer, redirect_uri)
        except UnauthorizedError:
            # Each costs requests to the provider, which nobody may make us repeat.
            self.wrong_passwords.record_failure(who)
            raise
        return self.open_session(self.vouched_for(claims), address, agent, _VOUCHES)

    def vouched_for(self, claims: Mapping[str, Any]) -> Person:
        """Return the person of verified claims, made at their first sign-in, with the role that the claims give.

        :raises ForbiddenError: they have no role here, are shut out, or have the name of somebody else.
        :raises UsageError: their name cannot be one here.
        """
        subject, role = f"{claims['iss']} {claims['sub']}", self._role(claims.get(self.settings.oidc.role_claim))
        with self.store.database.transaction():
            person = self.store.people.by_subject(subject)
            if person is None:
                return self._first_time(subject, role, str(claims.get(self.settings.oidc.name_claim, "")))
            if person.disabled_at:
                raise ForbiddenError(f"{person.name} is shut out")
            if person.role is role:
                return person
            self.store.people.set_role(person.id, role)
            self.store.sessions.end_all(person.id)
            change = {"before": {"role": person.role.value}, "after": {"role": role.value}}
            self.store.audit.add(_VOUCHES, "person.role", person.name, **change)
        return self.store.people.get(person.name)

    def _first_time(self, subject: str, role: Role, claimed: str) -> Person:
        name = person_name(claimed)
        if self.store.people.find(name):
            # Whoever may choose their name at the provider must not become somebody who is here already.
            raise ForbiddenError(f"there is another person {name!r} here: the provider must call you something else")
        person = self.store.people.add(name, role, _VOUCHES, subject)
        self.store.audit.add(_VOUCHES, "person.add", name, after={"role": role.value})
        return person

    def _role(self, given: object) -> Role:
        values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = [self.settings.oidc.roles[value] for value in values if value in self.settings.oidc.roles]
        if roles:
            return max(roles, key=lambda role: role.rank)
        if not self.settings.oidc.default_role:
            raise ForbiddenError("the provider knows you, and nothing that it says of you gives a role here")
        return Role(self.settings.oidc.default_role)

    @cached_property
    def _provider(self) -> Provider:
        if not self.settings.oidc.issuer:
            raise NotFoundError("no OpenID provider is set (oidc.issuer)")
        from blocklist.access.oidc import Provider  # noqa: PLC0415 - only where one is set

        return Provider(self.settings.oidc)
