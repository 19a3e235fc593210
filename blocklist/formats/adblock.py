"""``adblock``: host rules (``||host^``) of an Adblock list; every other kind of filter is rejected and counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.base import Format
from blocklist.formats.text_body import TextOptions, numbered_lines

#: A lone ``#`` does not begin a comment here, because ``##`` and ``#@#`` are filters.
_COMMENTS = ("!", "[", "# ")
_HOST_RULE = re.compile(r"\|\|([^/\^$*|]+)\^")


def parse(body: BinaryIO, options: TextOptions) -> Iterator[Entry | Rejected]:
    """Yield one Entry per ``||host^``; exceptions, options, paths and cosmetic filters do not list a site."""
    for number, line in numbered_lines(body, options.encoding, _COMMENTS):
        match = _HOST_RULE.fullmatch(line)
        if match:
            yield Entry(match[1], number, line)
        else:
            yield Rejected(line, number, "not_a_host_rule", f"{line[:80]!r} is not a host rule (||host^)")


FORMATS = (Format("adblock", TextOptions, parse, line_based=True),)
