"""Who makes a request, and by what they were identified."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from blocklist.domain.access import Role
from blocklist.domain.errors import ForbiddenError

_BEHIND_A_TOKEN = re.compile(r" \(token \d+ of ([^()]+)\)$")
_ON_THE_COMMAND_LINE = " (command line)"


class AuthMethod(StrEnum):
    """How whoever makes a request was identified."""

    TOKEN = "token"  # noqa: S105 - not a secret
    SESSION = "session"
    COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Identity:
    """A person who signed in, a token of a program, or the system user who runs a command.

    ``id`` is that of the person or the token; ``person`` is the person responsible: for a token, who created it.
    """

    name: str
    role: Role
    method: AuthMethod
    id: int | None = None
    remote_address: str | None = None
    person: str = ""

    @property
    def actor(self) -> str:
        """The actor in the audit log.

        >>> Identity("nightly", Role.EDITOR, AuthMethod.TOKEN, 3, person="anna").actor
        'nightly (token 3 of anna)'
        """
        if self.method is AuthMethod.TOKEN:
            return f"{self.name} (token {self.id} of {self.person})"
        return f"{self.name}{_ON_THE_COMMAND_LINE}" if self.method is AuthMethod.COMMAND_LINE else self.name


def person_behind(actor: str) -> str:
    """Return the person responsible for an actor of the audit log.

    >>> person_behind("nightly (token 3 of anna)"), person_behind("anna (command line)"), person_behind("anna")
    ('anna', 'anna', 'anna')
    """
    if match := _BEHIND_A_TOKEN.search(actor):
        return match[1]
    return actor.removesuffix(_ON_THE_COMMAND_LINE)


def refuse_same_person(actor: str, authors: Iterable[str], what: str) -> None:
    """Refuse an approval by the person whose change it is (setting ``access.two_people``).

    :raises ForbiddenError: the person behind ``actor`` is one of the authors.
    """
    person = person_behind(actor)
    if person in {person_behind(author) for author in authors}:
        raise ForbiddenError(
            f"{what} is {person}'s own change: another person must approve it (setting access.two_people)"
        )
