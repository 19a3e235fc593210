"""Reading targets as people write them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from blocklist.domain.errors import UsageError
from blocklist.domain.verdict import Target
from blocklist.guards.setting_types import target_of
from blocklist.normalize.candidates import Candidates, app_candidates, page_candidates

#: What a URL parser drops around a target (WHATWG URL, 4.4): other white space is part of it.
_DROPPED = "".join(map(chr, range(0x21)))


def target_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield the targets of a list with one on each line; blank lines are left out.

    A line keeps all characters that a request keeps, so that both give the same verdict.
    """
    return (target for line in lines if (target := line.strip(_DROPPED)))


def read_target(text: str) -> Target:
    """Return the one target of a text, of which a rule is made: a host, a URL, or ``app:`` and an app's id.

    :raises UsageError: the text is none of these; the message tells why.
    """
    try:
        return target_of(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def read_candidates(text: str) -> Candidates:
    """Return what a text names and what stands within, which lookups judge.

    :raises UsageError: the text is no target; the message tells why.
    """
    try:
        return app_candidates(text[4:]) if text[:4] == "app:" else page_candidates(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
