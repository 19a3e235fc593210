"""Tokens for programs: made, shown once, revoked, recognized."""

from __future__ import annotations

from blocklist.access.identity import How, Identity, person_behind
from blocklist.access.secrets import hashed, new_token, shown_part
from blocklist.access.throttle import Throttle, sender
from blocklist.config.settings import Settings
from blocklist.domain.access import Role, Token
from blocklist.domain.clock import now
from blocklist.domain.errors import ConflictError, UnauthorizedError, UsageError
from blocklist.service.publishing import Publishing

_MAX_NAME = 100


class TokenTasks(Publishing):
    """What is done with tokens."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        #: Tokens that nobody knows, from one sender.
        self.wrong_tokens = Throttle("30/minute", "600/hour")

    def create_token(self, role: Role, actor: str, name: str = "", expires_at: str | None = None) -> tuple[Token, str]:
        """Make a token and return it with its secret, which nobody can show again.

        :raises UsageError: the name is too long or not printable, or the time is past.
        """
        if len(name) > _MAX_NAME or not name.isprintable():
            said = f"is up to {_MAX_NAME} printable characters"
            raise UsageError(f"the name of a token {said}", [(("name",), said)])
        if expires_at is not None and expires_at <= now():
            said = f"the token would never open anything: {expires_at} is past"
            raise UsageError(said, [(("expires_at",), said)])
        secret = new_token()
        with self.store.database.transaction():
            token = self.store.tokens.add(
                name.strip() or role.value, shown_part(secret), hashed(secret), role, actor, expires_at
            )
            after = {"name": token.name, "prefix": token.prefix, "role": role.value, "expires_at": expires_at}
            self.store.audit.add(actor, "token.create", str(token.id), after=after)
        return token, secret

    def revoke_token(self, id_: int, actor: str) -> Token:
        """End a token; what it asks from now on is refused.

        :raises NotFoundError: there is no such token.
        :raises ConflictError: it was revoked already.
        """
        with self.store.database.transaction():
            token = self.store.tokens.get(id_)
            if token.revoked_at:
                raise ConflictError(f"token {id_} was revoked already, on {token.revoked_at}")
            self.store.tokens.revoke(id_, actor)
            self.store.audit.add(actor, "token.revoke", str(id_), before={"name": token.name, "role": token.role.value})
        return self.store.tokens.get(id_)

    def identity_of_token(self, secret: str, remote_address: str | None = None) -> Identity:
        """Return whose token this is.

        :raises UnauthorizedError: nobody's, or it expired or was revoked.
        :raises TooManyError: too many of the same sender were nobody's.
        """
        who = sender(remote_address)
        self.wrong_tokens.check(who)
        token = self.store.tokens.by_hash(hashed(secret))
        if token is None:
            self.wrong_tokens.failed(who)
            raise UnauthorizedError(
                "nobody knows this token: an admin makes one with 'blocklist token create --role viewer'"
            )
        state = token.state(now())
        if state != "active":
            since = token.revoked_at or token.expires_at
            raise UnauthorizedError(f"the token {token.prefix}… is {state} since {since}: ask an admin for another")
        self.store.tokens.note_use(token)
        person = person_behind(token.created_by)
        return Identity(token.name, token.role, How.TOKEN, token.id, remote_address, person)
