"""Who may do what: roles, tokens, people, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person or a token may do; each may do what those before it may, and they compare in this order."""

    VIEWER = "viewer"
    EDITOR = "editor"
    APPROVER = "approver"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """The place in the order, from 0."""
        return list(Role).index(self)

    def covers(self, needed: Role) -> bool:
        """Return whether this role may do what another may.

        >>> Role.ADMIN.covers(Role.VIEWER), Role.EDITOR.covers(Role.APPROVER)
        (True, False)
        """
        return self.rank >= needed.rank

    # As text, approver would be less than editor.
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
    """A token for programs, without its secret, which nobody can show again; ``prefix`` is how the secret begins.

    ``last_used`` is true to the minute. It opens nothing from ``expires_at`` (None: never) or ``revoked_at`` on.
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
    """Somebody who signs in. ``provider`` tells whether an OpenID provider says who it is, and then the role too."""

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
    """A person signed in with one browser; ``seen_at`` is true to the minute, ``agent`` is what the browser says."""

    id: int
    person: str
    address: str
    agent: str
    created_at: str
    seen_at: str
    ends_at: str
