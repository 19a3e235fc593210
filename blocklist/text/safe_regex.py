"""Regular expressions that people write, searched apart: while one runs, Python runs nothing else beside it.

A pattern such as ``(a+)+b`` takes twice as long for each further character, and the text is a publisher's to choose.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

#: Seconds after which a search is given up, and with it whatever it was for.
SECONDS = 10.0
_PROGRAM = """
import json, re, sys
asked = json.load(sys.stdin)
find = re.compile(asked["pattern"], asked["flags"]).search
found = map(find, asked["texts"])
json.dump([(match.groups(), match.groupdict()) if match else None for match in found], sys.stdout)
"""


class RegexTimeoutError(Exception):
    """A pattern took too long; it says which."""


@dataclass(frozen=True, slots=True)
class RegexMatch:
    """What a pattern found: its groups in order, and those that have a name; None where one took no part."""

    groups: tuple[str | None, ...]
    named: dict[str, str | None]


def search(pattern: str, texts: Sequence[str], flags: int = 0) -> list[RegexMatch | None]:
    """Return the first place in each text that a pattern fits; None where it fits nowhere.

    >>> search("a(b)?", ["ab", "x"])
    [RegexMatch(groups=('b',), named={}), None]

    :raises RegexTimeoutError: the search took longer than ten seconds.
    """
    if not texts:
        return []
    asked = json.dumps({"pattern": pattern, "flags": int(flags), "texts": texts})
    try:
        done = subprocess.run(  # noqa: S603 - this very Python, and a program from above
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=asked.encode(),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise RegexTimeoutError(
            f"the pattern {pattern!r} takes more than {SECONDS:g} seconds, or all memory: "
            "write it without a repetition in a repetition"
        ) from None
    return [RegexMatch(tuple(item[0]), item[1]) if item else None for item in json.loads(done.stdout)]


def matching(pattern: str, texts: Sequence[str]) -> list[bool]:
    """Return for each text whether a pattern fits somewhere in it, case ignored.

    :raises RegexTimeoutError: see :func:`search`.
    """
    return [found is not None for found in search(pattern, texts, re.IGNORECASE)]
