"""Tokens for programs: what is known of each, and the hash of its secret."""

from __future__ import annotations

from blocklist.domain.access import Role, Token
from blocklist.domain.clock import later, now
from blocklist.store.base_table import Table
from blocklist.store.mapping import mapper

#: Seconds within which the use of a token is not noted again: reading must not become writing.
_USE_NOTED_EVERY = 60


class Tokens(Table):
    """All tokens there were; a revoked one stays, because the log names it."""

    def add(self, name: str, prefix: str, hash_: str, role: Role, by: str, expires_at: str | None) -> Token:
        """Keep a token and return it."""
        secret = {"prefix": prefix, "hash": hash_, "expires_at": expires_at}
        return self.get(self._insert("tokens", name=name, role=role.value, created_at=now(), created_by=by, **secret))

    def get(self, id_: int) -> Token:
        """Return a token.

        :raises NotFoundError: there never was one of this id.
        """
        return _token(self._get("token", "SELECT * FROM tokens WHERE id = ?", id_))

    def by_hash(self, hash_: str) -> Token | None:
        """Return the token whose secret has this hash."""
        row = self._database.row("SELECT * FROM tokens WHERE hash = ?", (hash_,))
        return _token(row) if row else None

    def all(self, limit: int | None = None, after: int = 0) -> list[Token]:
        """Return the tokens whose id is above ``after``, oldest first; up to ``limit``, or all for None."""
        return [_token(row) for row in self._page("tokens", limit, ("id > ?", after))]

    def note_use(self, token: Token) -> None:
        """Note that a token was used, unless that was noted a moment ago or somebody else is writing."""
        moment = now()
        if not token.last_used or later(token.last_used, _USE_NOTED_EVERY) <= moment:
            self._database.write_if_free("UPDATE tokens SET last_used = ? WHERE id = ?", (moment, token.id))

    def revoke(self, id_: int, by: str) -> None:
        """Note a token's end."""
        self._update("tokens", {"revoked_at": now(), "revoked_by": by}, "id = ? AND revoked_at IS NULL", id_)


_token = mapper(Token)
