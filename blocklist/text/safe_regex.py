"""Search with regular expressions that people configure, in a separate process with a time limit.

A pattern such as ``(a+)+b`` takes twice as long for each further character, and publishers choose the text. In the
process itself, such a search would block all other threads and could not be stopped.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

#: Seconds after which a search is stopped.
SECONDS = 10.0
_PROGRAM = """
import json, re, sys
request = json.load(sys.stdin)
search = re.compile(request["pattern"], request["flags"]).search
found = map(search, request["texts"])
json.dump([(match.groups(), match.groupdict()) if match else None for match in found], sys.stdout)
"""


class RegexTimeoutError(Exception):
    """A pattern took too long; the message names it."""


@dataclass(frozen=True, slots=True)
class RegexMatch:
    """A match: its groups in order, and the named ones by name; None for a group that did not take part."""

    groups: tuple[str | None, ...]
    named: dict[str, str | None]


def search(pattern: str, texts: Sequence[str], flags: int = 0) -> list[RegexMatch | None]:
    """Return the first match of a pattern in each text, or None for a text without one.

    >>> search("a(b)?", ["ab", "x"])
    [RegexMatch(groups=('b',), named={}), None]

    :raises RegexTimeoutError: the search took longer than :data:`SECONDS`, or all memory.
    """
    if not texts:
        return []
    request = json.dumps({"pattern": pattern, "flags": int(flags), "texts": texts})
    try:
        done = subprocess.run(  # noqa: S603 - this Python, and the program above
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=request.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise RegexTimeoutError(
            f"the pattern {pattern!r} takes more than {SECONDS:g} seconds, or all memory: "
            "write it without a repetition inside a repetition"
        ) from None
    return [RegexMatch(tuple(item[0]), item[1]) if item else None for item in json.loads(done.stdout)]


def matching(pattern: str, texts: Sequence[str]) -> list[bool]:
    """Return for each text whether a pattern matches anywhere in it, ignoring case.

    :raises RegexTimeoutError: see :func:`search`.
    """
    return [found is not None for found in search(pattern, texts, re.IGNORECASE)]
