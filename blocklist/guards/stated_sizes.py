"""What a body states about its own size, in its first and last lines: a count, a part of several, its end."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Lines at the end of a body that are searched, and characters of a line.
_LAST_LINES, _MAX_LINE = 5, 200
_COUNTED = r"(?:entries|rows|records|domains?|domain[ ]names|hosts|hostnames|sites|websites|rules|filters|urls|items)"
#: ``# Number of entries: 2,153``, ``! Total domains: 2153``, ``# Total: 2153`` and ``Total,2153`` in the last lines.
_STATED = re.compile(
    rf"""^[\s\#!;/*"']*
    (?:(?:the[ ])?(?:total|overall)[ ]?)?(?:(?:number|no\.?|nr\.?|count|total)[ ]of[ ])?
    (?:(?:unique|blocked|listed|all|active)[ ])?
    (?:{_COUNTED}(?:[ ](?:count|total|in[ ]total))?|(?:grand[ ])?total|count)
    ["']?\s*(?P<sign>[:=,;\t|])\s*["']?
    (?P<count>\d{{1,3}}(?:[.,'\u202f\u00a0 ]\d{{3}})+|\d{{1,9}})["']?\s*[.;,]*\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
#: ``# 2,153 entries``
_COUNT_FIRST = re.compile(
    rf"^\s*[#!;]+\s*(?P<count>\d{{1,3}}(?:[.,'\u202f\u00a0]\d{{3}})+|\d{{1,9}})\s+(?:unique\s+)?{_COUNTED}\.?\s*$",
    re.IGNORECASE,
)
#: ``# part 1 of 3``
_PART = re.compile(r"^\s*[#!;/*]+.*\bpart\s+(?P<part>\d{1,4})\s*(?:/|of)\s*(?P<parts>\d{1,4})\b", re.IGNORECASE)
#: ``# EOF``, ``### END OF LIST ###``
_END = re.compile(
    r"^\s*[#!;/*]+[\s\-=*#]*(?:eof|end(?:\s+of(?:\s+the)?\s+(?:file|list|data|document|blocklist))?|fine\s+(?:lista|elenco)|"
    r"fin\s+de\s+la\s+lista|ende\s+der\s+liste)\b",
    re.IGNORECASE,
)


class StatedSize(NamedTuple):
    """What a body states about its size: the number of its ``entries``, or which part of the list it is; or nothing.

    ``line`` is where it states that.
    """

    entries: int = 0
    part: int = 0
    parts: int = 0
    line: str = ""


def stated_size(head: str, tail: str) -> StatedSize:
    """Return what the first and last lines of a body state about its size.

    >>> stated_size("# Number of entries: 2,153", "").entries, stated_size("", "# END (part 1/3)").parts
    (2153, 3)
    """
    last = tail.rstrip().splitlines()[-_LAST_LINES:]
    lines = [line[:_MAX_LINE] for line in (*head.splitlines(), *last)]
    for line in lines:
        if (match := _PART.match(line)) and int(match["part"]) != int(match["parts"]):
            return StatedSize(part=int(match["part"]), parts=int(match["parts"]), line=line.strip())
    for number, line in enumerate(lines):
        is_last = number >= len(lines) - len(last)
        match = _COUNT_FIRST.match(line) or _STATED.match(line)
        # Behind a comma, a number can be the cell of a row.
        if match and (is_last or match.groupdict().get("sign", ":") in ":="):
            return StatedSize(entries=int(re.sub(r"\D", "", match["count"])), line=line.strip())
    return StatedSize()


def has_end_marker(tail: str) -> bool:
    r"""Return whether the last line of a body that is not blank says that this is the end.

    >>> has_end_marker("pirate-one.example\n# EOF\n"), has_end_marker("pirate-one.example\n")
    (True, False)
    """
    lines = tail.rstrip().rsplit("\n", 1)
    return bool(_END.match(lines[-1][:_MAX_LINE]))
