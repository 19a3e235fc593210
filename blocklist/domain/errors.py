"""The errors a person sees: one sentence that says what, where and what next."""

from __future__ import annotations

from collections.abc import Sequence

#: The way to a field: names of members and numbers of items.
FieldPath = tuple[str | int, ...]


def escape_unprintable(text: str) -> str:
    r"""Return text that moves no cursor, breaks no line and turns no writing round, wherever it is shown.

    >>> escape_unprintable("no column in \x1b[2J\u202e")
    'no column in \\x1b[2J\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


class BlocklistError(Exception):
    """Something failed that a person can mend; its text is one line without a traceback. Exit status 1."""

    exit_status = 1
    http_status = 500

    def __str__(self) -> str:
        return escape_unprintable(super().__str__())


class UsageError(BlocklistError):
    """The request itself is wrong: a bad definition, option, setting or target. Exit status 2.

    ``faults`` names each field that is at fault, as a path into what was sent, and what is wrong with it.
    """

    exit_status = 2
    http_status = 400

    def __init__(self, sentence: str, faults: Sequence[tuple[FieldPath, str]] = ()) -> None:
        super().__init__(sentence)
        self.faults = tuple(faults)


class ConfigurationError(UsageError):
    """The configuration file or a ``BLOCKLIST_`` variable cannot be read."""


class UnauthorizedError(BlocklistError):
    """Nobody knows who asks: no token or session, or one that opens nothing any more."""

    http_status = 401


class ForbiddenError(BlocklistError):
    """Whoever asks is known and may not do this."""

    http_status = 403


class TooManyError(BlocklistError):
    """Somebody tried too often; ``retry_after`` is the number of seconds until they may again."""

    http_status = 429

    def __init__(self, sentence: str, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotFoundError(BlocklistError):
    """A feed, run, override or policy of that name does not exist."""

    http_status = 404


class ConflictError(BlocklistError):
    """The thing exists already, is in use, or is no longer in the state the caller thinks."""

    http_status = 409


class ChangedError(ConflictError):
    """Somebody else changed the thing since the caller looked at it."""

    http_status = 412


class BusyError(BlocklistError):
    """The service does as much as it may at once; later it will do this too."""

    http_status = 503


class StoreError(BlocklistError):
    """The database or the data folder cannot be used."""


class FetchError(BlocklistError):
    """A feed's body could not be had, or must not be."""


class UnreadableFeedError(BlocklistError):
    """A body of which no later row could be trusted (wrong encoding, broken JSON, a missing column)."""


class GuardError(UnreadableFeedError):
    """A guard failed the run: no approval could make sense of its body. ``guard`` is the guard's name."""

    def __init__(self, guard: str, sentence: str) -> None:
        super().__init__(sentence)
        self.guard = guard


class SnapshotError(BlocklistError):
    """A snapshot file is missing, damaged, or of a form this version does not read."""

    http_status = 503
