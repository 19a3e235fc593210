"""Tokens for programs: creating, revoking and recognizing them."""

from __future__ import annotations

from blocklist.access.identity import AuthMethod, Identity, person_behind
from blocklist.access.secrets import hash_secret, new_token, visible_part
from blocklist.access.throttle import Throttle, client_network
from blocklist.domain.access import Role, Token
from blocklist.domain.clock import now
from blocklist.domain.errors import ConflictError, UnauthorizedError, UsageError
from blocklist.store import Store

_MAX_NAME = 100


class TokenService:
    """The tokens of programs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.get, self.all = store.tokens.get, store.tokens.all
        #: Unknown tokens from one sender.
        self.wrong_tokens = Throttle("30/minute", "600/hour")

    def create(self, role: Role, actor: str, name: str = "", expires_at: str | None = None) -> tuple[Token, str]:
        """Create a token and return it with its secret, which is not kept and cannot be shown again.

        :raises UsageError: the name is too long or not printable, or the time is past.
        """
        if len(name) > _MAX_NAME or not name.isprintable():
            problem = f"is up to {_MAX_NAME} printable characters"
            raise UsageError(f"the name of a token {problem}", [(("name",), problem)])
        if expires_at is not None and expires_at <= now():
            problem = f"the token would never be valid: {expires_at} is past"
            raise UsageError(problem, [(("expires_at",), problem)])
        secret = new_token()
        with self._store.database.transaction():
            token = self._store.tokens.add(
                name.strip() or role.value, visible_part(secret), hash_secret(secret), role, actor, expires_at
            )
            after = {"name": token.name, "prefix": token.prefix, "role": role.value, "expires_at": expires_at}
            self._store.audit.add(actor, "token.create", str(token.id), after=after)
        return token, secret

    def revoke(self, id_: int, actor: str) -> Token:
        """Revoke a token and return it; requests that show it are refused from now on.

        :raises NotFoundError: there is no such token.
        :raises ConflictError: it was revoked already.
        """
        with self._store.database.transaction():
            token = self._store.tokens.get(id_)
            if token.revoked_at:
                raise ConflictError(f"token {id_} was revoked already, on {token.revoked_at}")
            self._store.tokens.revoke(id_, actor)
            self._store.audit.add(
                actor, "token.revoke", str(id_), before={"name": token.name, "role": token.role.value}
            )
        return self._store.tokens.get(id_)

    def identity(self, secret: str, remote_address: str | None = None) -> Identity:
        """Return the identity that a token stands for.

        :raises UnauthorizedError: the token is unknown, has expired or was revoked.
        :raises TooManyError: the same sender showed too many unknown tokens.
        """
        who = client_network(remote_address)
        self.wrong_tokens.check(who)
        token = self._store.tokens.by_hash(hash_secret(secret))
        if token is None:
            self.wrong_tokens.record_failure(who)
            raise UnauthorizedError("unknown token: an admin makes one with 'blocklist token create --role viewer'")
        state = token.state(now())
        if state != "active":
            since = token.revoked_at or token.expires_at
            raise UnauthorizedError(f"the token {token.prefix}… is {state} since {since}: ask an admin for another")
        self._store.tokens.note_use(token)
        person = person_behind(token.created_by)
        return Identity(token.name, token.role, AuthMethod.TOKEN, token.id, remote_address, person)
