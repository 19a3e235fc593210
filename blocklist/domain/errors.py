"""The errors that people see. Each message is one sentence: what failed, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

#: Where a field is in nested data: names of members and indexes of items, from the outside in.
FieldPath = tuple[str | int, ...]


class Fault(NamedTuple):
    """One field of a request that is wrong, and what is wrong with it."""

    path: FieldPath
    message: str


def escape_unprintable(text: str) -> str:
    r"""Return text with unprintable characters escaped: no line breaks, cursor moves or marks of the reading order.

    >>> escape_unprintable("no column in \x1b[2J\u202e")
    'no column in \\x1b[2J\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


class BlocklistError(Exception):
    """Something failed that a person can fix. Commands print the message without a traceback. Exit status 1."""

    exit_status = 1
    http_status = 500

    def __str__(self) -> str:
        return escape_unprintable(super().__str__())


class UsageError(BlocklistError):
    """The request itself is wrong: a bad definition, option, setting or target. Exit status 2.

    ``faults`` has the fields that are wrong, where the error is about fields.
    """

    exit_status = 2
    http_status = 400

    def __init__(self, sentence: str, faults: Iterable[tuple[FieldPath, str]] = ()) -> None:
        super().__init__(sentence)
        self.faults = tuple(Fault(*fault) for fault in faults)


class ConfigurationError(UsageError):
    """The configuration file or a ``BLOCKLIST_`` variable cannot be read."""


class UnauthorizedError(BlocklistError):
    """The caller is not authenticated: no token or session, or one that is no longer valid."""

    http_status = 401


class ForbiddenError(BlocklistError):
    """The caller is authenticated and may not do this."""

    http_status = 403


class TooManyError(BlocklistError):
    """The caller tried too often; ``retry_after`` is the number of seconds to wait."""

    http_status = 429

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotFoundError(BlocklistError):
    """A feed, run, override or policy of that name does not exist."""

    http_status = 404


class UnknownPolicyError(NotFoundError):
    """The request names a policy that is not in the configuration. For a command it is wrong usage: exit status 2."""

    exit_status = 2


class ConflictError(BlocklistError):
    """The resource already exists, is in use, or is no longer in the state that the caller expects."""

    http_status = 409


class ChangedError(ConflictError):
    """The resource was changed since the caller read it."""

    http_status = 412


class BusyError(BlocklistError):
    """The service is at a limit of concurrent work; try again later."""

    http_status = 503


class StoreError(BlocklistError):
    """The database or the data folder cannot be used."""


class FetchError(BlocklistError):
    """A feed's body cannot be fetched, or must not be fetched."""


class UnreadableFeedError(BlocklistError):
    """A body cannot be read reliably as a whole: wrong encoding, broken JSON, a missing column."""


class GuardError(UnreadableFeedError):
    """A guard failed the run: its body is no usable list, so no approval is offered. ``guard`` is the guard's name."""

    def __init__(self, guard: str, sentence: str) -> None:
        super().__init__(sentence)
        self.guard = guard


class SnapshotError(BlocklistError):
    """A snapshot file is missing, damaged, or has a format that this version does not read."""

    http_status = 503


class DistributionError(BlocklistError):
    """Signed snapshots cannot be sent, fetched or trusted, or one of their keys cannot be used."""

    http_status = 503
