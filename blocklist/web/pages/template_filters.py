"""How values look on pages: moments, spans of time and numbers for people, and hostile text made harmless.

What a feed published may hold markup (Jinja escapes it), marks that turn the direction of what follows, control
characters, and ten thousand letters where ten belong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from blocklist.domain.clock import now, seconds_between

#: Letters of a text that are shown at once; the rest on demand.
_SHOWN = 200
#: Letters of a text that are shown at all: a row of 10 MB would make a page of 10 MB.
_MOST = 20_000
#: Invisible: controls, formatting (direction marks, zero-width letters), surrogates, private use, unassigned.
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_LINK = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_STEPS = ((31_536_000, "year"), (2_592_000, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))


def moment(text: str | None, without: str = "") -> Markup | str:
    """Show a time of ours (RFC 3339, UTC) as people read it, or say that there is none.

    >>> moment("2026-01-02T03:04:05Z")
    Markup('<time datetime="2026-01-02T03:04:05Z">2 Jan 2026, 03:04 UTC</time>')
    """
    if not text:
        return without
    day = f"{int(text[8:10])} {_MONTHS[int(text[5:7]) - 1]} {text[:4]}"
    return Markup('<time datetime="{}">{}, {} UTC</time>').format(text, day, text[11:16])


def day(text: str) -> Markup:
    """Show the day of a moment.

    >>> day("2026-01-02")
    Markup('<time datetime="2026-01-02">2 Jan 2026</time>')
    """
    return Markup('<time datetime="{}">{} {} {}</time>').format(
        text[:10], int(text[8:10]), _MONTHS[int(text[5:7]) - 1], text[:4]
    )


def ago(text: str | None, without: str = "never") -> Markup | str:
    """Show how far a moment is from now, or say that there is none; the moment itself is in the element."""
    if not text:
        return without
    away = seconds_between(text, now())
    said = f"in {span(-away)}" if away < -1 else f"{span(away)} ago" if away >= 1 else "just now"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(text, text[:-1].replace("T", " "), said)


def span(seconds: float) -> str:
    """Return a length of time in the largest unit that fits.

    >>> span(5), span(3_700), span(86_400 * 45)
    ('5 seconds', '1 hour', '1 month')
    """
    for length, unit in (*_STEPS, (1, "second")):
        number = int(seconds // length)
        if number:
            return f"{number:,} {unit}{'s' if number > 1 else ''}"
    return "0 seconds"


def number(value: float | None, without: str = "none") -> str:
    """Return a number with its thousands apart."""
    return without if value is None else f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """Return a number and what it counts.

    >>> counted(1, "feed"), counted(1_200, "entry", "entries")
    ('1 feed', '1,200 entries')
    """
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def share(value: float) -> str:
    """Return a share of one as a percentage.

    >>> share(0.5), share(0.0004)
    ('50%', '0.04%')
    """
    return f"{value * 100:.2g}%" if 0 < value < 0.1 else f"{value:.0%}"


def size(number_of_bytes: int | None) -> str:
    """Return a number of bytes in the unit that people use.

    >>> size(900), size(2_500_000)
    ('900 bytes', '2.5 MB')
    """
    value = float(number_of_bytes or 0)
    for unit in ("bytes", "kB", "MB"):
        if value < 1_000:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:,.1f} {unit}"
        value /= 1_000
    return f"{value:,.1f} GB"


def inert(text: str | None, most: int = _SHOWN) -> Markup:
    r"""Show what somebody else wrote so that it stays what it is: text, within its own bounds, invisible marks named.

    What is longer than ``most`` letters is cut, and the rest is there on demand.

    >>> inert("a\u202eb<b>")
    Markup('<bdi>a<span class="mark">U+202E</span>b&lt;b&gt;</bdi>')
    """
    whole = text or ""
    if len(whole) <= most:
        return _isolated(whole)
    rest = whole[most:_MOST]
    beyond = f", of which {_MOST:,} are shown" if len(whole) > _MOST else ""
    return Markup(
        '{}<span aria-hidden="true">…</span>'
        '<details class="rest"><summary>the rest of {:,} letters{}</summary>{}</details>'
    ).format(_isolated(whole[:most]), len(whole), beyond, _isolated(rest))


def plain(text: str | None, most: int = _SHOWN) -> str:
    r"""Return what somebody else wrote for a place that takes no markup (a title, an attribute), cut and named alike.

    >>> plain("a\u202eb")
    'a[U+202E]b'
    """
    whole = text or ""
    return "".join(f"[{_name(c)}]" if _invisible(c) else c for c in whole[:most]) + ("…" if len(whole) > most else "")


def linked(text: str | None) -> Markup:
    """Show an address as a link if it is one of the web, a mail address as one to write to, and else as text."""
    whole = (text or "").strip()
    if len(whole) <= 2_000 and _LINK.fullmatch(whole):
        return Markup('<a href="{}" rel="noreferrer noopener nofollow">{}</a>').format(whole, plain(whole, 80))
    if len(whole) <= 254 and _MAIL.fullmatch(whole):
        return Markup('<a href="mailto:{}">{}</a>').format(whole, whole)
    return inert(whole)


def _isolated(text: str) -> Markup:
    shown = Markup("").join(
        Markup('<span class="mark">{}</span>').format(_name(c)) if _invisible(c) else escape(c) for c in _pieces(text)
    )
    return Markup("<bdi>{}</bdi>").format(shown)


def _pieces(text: str) -> list[str]:
    """Return a text in pieces: each invisible letter alone, what is between them whole."""
    pieces, begun = [], 0
    for index, letter in enumerate(text):
        if _invisible(letter):
            pieces += [text[begun:index], letter]
            begun = index + 1
    return [piece for piece in (*pieces, text[begun:]) if piece]


def _invisible(text: str) -> bool:
    return len(text) == 1 and unicodedata.category(text) in _INVISIBLE


def _name(letter: str) -> str:
    return f"U+{ord(letter):04X}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "day": day,
    "ago": ago,
    "span": span,
    "number": number,
    "counted": counted,
    "share": share,
    "size": size,
    "inert": inert,
    "plain": plain,
    "linked": linked,
}
