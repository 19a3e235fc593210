"""Access: roles, tokens, people and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person or a token may do. Each role includes those before it, and roles compare in this order."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """The position in the order, from 0."""
        return list(Role).index(self)

    def covers(self, needed: Role) -> bool:
        """Return whether this role includes another.

        >>> Role.ADMIN.covers(Role.VIEWER), Role.EDITOR.covers(Role.APPROVER)
        (True, False)
        """
        return self.rank >= needed.rank

    # StrEnum would compare the text, and "approver" < "editor".
    def __lt__(self, other: str) -> bool:
        return self.rank < Role(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Role(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Role(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Role(other).rank


@dataclass(frozen=True, slots=True)
class Token:
    """A token for programs, without its secret, which is not stored; ``prefix`` is the beginning of the secret.

    ``last_used`` is exact to the minute. The token is valid until ``expires_at`` (None: no end) or ``revoked_at``.
    """

    id: int
    name: str
    prefix: str
    role: Role
    created_at: str
    created_by: str
    expires_at: str | None = None
    last_used: str | None = None
    revoked_at: str | None = None

    def state(self, moment: str) -> str:
        """Return ``active``, ``expired`` or ``revoked``."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= moment else "active"


@dataclass(frozen=True, slots=True)
class Person:
    """A person who can sign in. ``provider``: an OpenID provider authenticates the person and states the role."""

    id: int
    name: str
    role: Role
    created_at: str
    created_by: str
    has_password: bool = False
    provider: bool = False
    signed_in_at: str | None = None
    disabled_at: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in with one browser. ``seen_at`` is exact to the minute, ``agent`` is the User-Agent header."""

    id: int
    person: str
    address: str
    agent: str
    created_at: str
    seen_at: str
    ends_at: str
