"""Template filters: times, durations and numbers for people, and safe display of untrusted text.

Text that a feed published can contain markup (Jinja escapes it), characters that change the text direction, control
characters, and can be very long.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from markupsafe import Markup, escape

from blocklist.domain.clock import now, seconds_between

#: Number of characters that are shown; the rest can be expanded.
_SHOWN = 200
#: Maximum number of characters that can be expanded: a row of 10 MB would make a page of 10 MB.
_MAX_EXPANDED = 20_000
#: Categories of invisible characters: control, format (direction marks, zero width), surrogate, private, unassigned.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_LINK = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_STEPS = ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))


def moment(text: str | None, without: str = "") -> Markup | str:
    """Return a time (RFC 3339, UTC) for people, or the text ``without`` if there is none.

    >>> moment("2026-01-02T03:04:05Z")
    Markup('<time datetime="2026-01-02T03:04:05Z">2 Jan 2026, 03:04 UTC</time>')
    """
    if not text:
        return without
    day = f"{int(text[8:10])} {_MONTHS[int(text[5:7]) - 1]} {text[:4]}"
    return Markup('<time datetime="{}">{}, {} UTC</time>').format(text, day, text[11:16])


def day(text: str) -> Markup:
    """Return the day of a time for people.

    >>> day("2026-01-02")
    Markup('<time datetime="2026-01-02">2 Jan 2026</time>')
    """
    return Markup('<time datetime="{}">{} {} {}</time>').format(
        text[:10], int(text[8:10]), _MONTHS[int(text[5:7]) - 1], text[:4]
    )


def ago(text: str | None, without: str = "never") -> Markup | str:
    """Return how long ago a time is, or the text ``without`` if there is none; the exact time is a tooltip."""
    if not text:
        return without
    away = seconds_between(text, now())
    shown = f"in {span(-away)}" if away < -1 else f"{span(away)} ago" if away >= 1 else "just now"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(text, text[:-1].replace("T", " "), shown)


def span(seconds: float) -> str:
    """Return a duration in its largest unit.

    >>> span(5), span(3_700), span(86_400 * 45)
    ('5 seconds', '1 hour', '1 month')
    """
    for length, unit in (*_STEPS, (1, "second")):
        number = int(seconds // length)
        if number:
            return f"{number:,} {unit}{'s' if number > 1 else ''}"
    return "0 seconds"


def number(value: float | None, without: str = "none") -> str:
    """Return a number with thousands separators, or the text ``without`` if there is none."""
    return without if value is None else f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun in the singular or plural.

    >>> counted(1, "feed"), counted(1_200, "entry", "entries")
    ('1 feed', '1,200 entries')
    """
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(value: float) -> str:
    """Return a share (0 to 1) as a percentage.

    >>> share(0.5), share(0.0004)
    ('50%', '0.04%')
    """
    return f"{value * 100:.2g}%" if 0 < value < 0.1 else f"{value:.0%}"


def size(number_of_bytes: int | None) -> str:
    """Return a number of bytes in a suitable unit.

    >>> size(900), size(2_500_000)
    ('900 bytes', '2.5 MB')
    """
    value = float(number_of_bytes or 0)
    for unit in ("bytes", "kB", "MB"):
        if value < 1_000:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1_000
    return f"{value:,.1f} GB"


def untrusted(text: str | None, most: int = _SHOWN) -> Markup:
    r"""Return untrusted text as safe HTML: escaped, with an isolated direction and visible invisible characters.

    Only the first ``most`` characters are shown; the rest can be expanded.

    >>> untrusted("a\u202eb<b>")
    Markup('<bdi>a<span class="mark">U+202E</span>b&lt;b&gt;</bdi>')
    """
    whole = text or ""
    if len(whole) <= most:
        return _isolated(whole)
    rest = whole[most:_MAX_EXPANDED]
    limit = f" (first {_MAX_EXPANDED:,})" if len(whole) > _MAX_EXPANDED else ""
    return Markup(
        '{}<span aria-hidden="true">…</span>'
        '<details class="rest"><summary>show all {:,} characters{}</summary>{}</details>'
    ).format(_isolated(whole[:most]), len(whole), limit, _isolated(rest))


def plain(text: str | None, most: int = _SHOWN) -> str:
    r"""Return untrusted text without markup, for titles and attributes: shortened, with visible invisible characters.

    >>> plain("a\u202eb")
    'a[U+202E]b'
    """
    whole = text or ""
    return "".join(f"[{_name(c)}]" if _invisible(c) else c for c in whole[:most]) + ("…" if len(whole) > most else "")


def linked(text: str | None) -> Markup:
    """Return an http(s) address or an e-mail address as a link, and any other text as untrusted text."""
    whole = (text or "").strip()
    if len(whole) <= 2_000 and _LINK.fullmatch(whole):
        return Markup('<a href="{}" rel="noreferrer noopener nofollow">{}</a>').format(whole, plain(whole, 80))
    if len(whole) <= 254 and _MAIL.fullmatch(whole):
        return Markup('<a href="mailto:{}">{}</a>').format(whole, whole)
    return untrusted(whole)


def _isolated(text: str) -> Markup:
    shown: list[Markup] = []
    for invisible, characters in groupby(text, _invisible):
        if invisible:
            shown += [Markup('<span class="mark">{}</span>').format(_name(c)) for c in characters]
        else:
            shown.append(escape("".join(characters)))
    return Markup("<bdi>{}</bdi>").format(Markup("").join(shown))


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _name(character: str) -> str:
    return f"U+{ord(character):04X}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FILTERS = (moment, day, ago, span, number, counted, share, size, untrusted, plain, linked)
