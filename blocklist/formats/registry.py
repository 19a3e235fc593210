"""The table of formats. The set is closed: a definition names a format, never a module, so it cannot run code.

Each module defines its own ``FORMATS``. Heavy libraries (document readers, dnspython, zstandard) are loaded only when a
body needs them.
"""

from __future__ import annotations

from typing import Any

from blocklist.domain.errors import UsageError
from blocklist.formats import adblock, csv, hosts, html, json, lines, pdf, rpz, rss, spreadsheet
from blocklist.formats.auto import auto_format
from blocklist.formats.base import Format, FormatOptions

_MODULES = (lines, hosts, adblock, csv, json, spreadsheet, html, pdf, rss, rpz)
_NAMED = tuple(format_ for module in _MODULES for format_ in module.FORMATS)
#: Every format by its name.
FORMATS = {format_.name: format_ for format_ in (*_NAMED, auto_format(_NAMED))}


def format_of(name: str, options: dict[str, Any]) -> tuple[Format, FormatOptions]:
    """Return a format and its validated options.

    :raises UsageError: the format or an option is unknown, or an option's value is wrong.
    """
    if name not in FORMATS:
        raise UsageError(f"format {name!r} is unknown: use one of {', '.join(FORMATS)}")
    return FORMATS[name], FORMATS[name].validated(options)
