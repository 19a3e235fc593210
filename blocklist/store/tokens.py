"""Tokens for programs: what is known of each, and the hash of its secret."""

from __future__ import annotations

from blocklist.domain.access import Role, Token
from blocklist.domain.clock import later, now
from blocklist.domain.errors import NotFoundError
from blocklist.store.mapping import mapper
from blocklist.store.table import Table

#: Seconds within which the use of a token is not noted again: reading must not become writing.
_USE_NOTED_EVERY = 60


class Tokens(Table):
    """All tokens there were; a revoked one stays, because the log names it."""

    def add(self, name: str, prefix: str, hash_: str, role: Role, by: str, expires_at: str | None) -> Token:
        """Keep a token and return it."""
        with self._database.transaction():
            id_ = self._database.insert(
                "INSERT INTO tokens (name, prefix, hash, role, created_at, created_by, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (name, prefix, hash_, role.value, now(), by, expires_at),
            )
        return self.get(id_)

    def get(self, id_: int) -> Token:
        """Return a token.

        :raises NotFoundError: there never was one of this id.
        """
        row = self._database.row("SELECT * FROM tokens WHERE id = ?", (id_,))
        if row is None:
            raise NotFoundError(f"there is no token {id_}: 'blocklist token list' shows those there are")
        return _token(row)

    def by_hash(self, hash_: str) -> Token | None:
        """Return the token whose secret has this hash."""
        row = self._database.row("SELECT * FROM tokens WHERE hash = ?", (hash_,))
        return _token(row) if row else None

    def all(self, limit: int = -1, after: int = 0) -> list[Token]:
        """Return the tokens whose id is above ``after``, oldest first; ``limit`` -1 is all."""
        many = [] if limit < 0 else [limit]
        rows = self._database.rows(
            f"SELECT * FROM tokens WHERE id > ? ORDER BY id{' LIMIT ?' if many else ''}", (after, *many)
        )
        return [_token(row) for row in rows]

    def note_use(self, token: Token) -> None:
        """Note that a token was used, unless that was noted a moment ago or somebody else is writing."""
        moment = now()
        if token.last_used and later(token.last_used, _USE_NOTED_EVERY) > moment:
            return
        self._database.write_if_free("UPDATE tokens SET last_used = ? WHERE id = ?", (moment, token.id))

    def revoke(self, id_: int, by: str) -> None:
        """Note a token's end."""
        self._update("tokens", {"revoked_at": now(), "revoked_by": by}, "id = ? AND revoked_at IS NULL", id_)


_token = mapper(Token)
