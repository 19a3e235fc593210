"""Ids of apps in one canonical form, on the side of lists and on the side of requests.

The canonical form is the bare id that OpenRTB has in ``app.bundle``: the name of an Android package, Apple's number,
the id of another store. Ids of one app in several stores (package and ASIN, Roku's number and the hash in its URLs,
Microsoft's ProductId and package family name) cannot be computed from each other: each is an app of its own. Bare
numbers of Apple, Roku and LG cannot be told apart: a rule for one of them covers the same number in the other stores.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from blocklist.domain.verdict import Target
from blocklist.normalize.app_stores import ASIN, GALAXY_TV, HUAWEI, PACKAGE, PLAYSTATION, PRODUCT_ID, ROKU_PAGE, VIZIO
from blocklist.normalize.hosts import shorten
from blocklist.normalize.no_site import NoSiteError, has_macro, is_no_value, is_quoted

#: Apple's number as stores and exchanges write it; the ids of Google Ads: ``1-`` iOS, ``2-`` Android (Google Ads API,
#: MobileApplicationInfo), with ``mobileapp::`` in its reports of placements.
_APPLE = re.compile(r"(?:id|(?:mobileapp::)?1-)(\d+)", re.IGNORECASE | re.ASCII).fullmatch
_ANDROID = re.compile(rf"(?:mobileapp::)?2-({PACKAGE})", re.IGNORECASE | re.ASCII).fullmatch
#: Ids whose case does not matter, and how it is written. All others keep it: Android packages and iOS bundles that
#: differ in case are different apps.
_FOLDED: tuple[tuple[Callable[[str], re.Match[str] | None], Callable[[str], str]], ...] = (
    (
        re.compile("|".join((ASIN, PRODUCT_ID, GALAXY_TV, HUAWEI, PLAYSTATION)), re.IGNORECASE | re.ASCII).fullmatch,
        str.upper,
    ),
    (re.compile(f"{ROKU_PAGE}|{VIZIO}", re.IGNORECASE | re.ASCII).fullmatch, str.lower),
)
#: What an id in a list may consist of. A store's ids have no other characters: a comma or a brace means two ids, or a
#: placeholder.
_PUBLISHED_ID = re.compile(r"(?=[^A-Za-z0-9]*[A-Za-z0-9])[A-Za-z0-9._:+!~-]+").fullmatch
#: What publishers put around an id: white space, invisible marks, quotes, and punctuation of lists.
_AROUND = " \t\r\n\ufeff\u200b\u200e\u200f\u00a0\"'“”‘’,;"
_MAX_ID = 256
#: The beginnings of values of ``app`` rules in databases of version 0.2 and before, which kept URLs as published.
URL_BEGINNINGS = (
    "http",
    "HTTP",
    "Http",
    "market:",
    "itms",
    "amzn:",
    "samsungapps:",
    "ms-windows-store:",
    "android-app:",
)


def parse_app(app: str) -> Target:
    """Return the target of a bare app bundle or store id, in its canonical form.

    :func:`.app_candidates` reads URLs too.

    >>> [parse_app(app).app for app in (" com.Example.App ", "id123456789", "b0pirate01", "mobileapp::2-com.example.a")]
    ['com.Example.App', '123456789', 'B0PIRATE01', 'com.example.a']

    :raises NoSiteError: it is empty, stands for no value, is in quotes, or holds a macro.
    :raises ValueError: it is longer than 256 characters, or contains white space or control characters.
    """
    app = app.strip()
    if app[:4].lower() == "app:":
        app = app[4:]
    if not app:
        raise NoSiteError("the app id is empty")
    if has_macro(app) or is_quoted(app) or (is_no_value(app) and not app.isdecimal()):
        raise NoSiteError(
            f"{shorten(app)} is no app id: it stands for no value, is in quotes, or is a macro that was not replaced"
        )
    if len(app) > _MAX_ID or any(ch.isspace() or not ch.isprintable() for ch in app):
        raise ValueError(f"{shorten(app)} is not an app bundle or store id")
    return Target("", app=_canonical(app))


def published_id(published: str) -> str:
    """Return a bare id of a list, without quotes and the punctuation after it.

    :raises ValueError: no store has such an id; the message says why.
    """
    text = published.strip(_AROUND).rstrip(".")
    if not text:
        raise ValueError("the app id is empty")
    if not _PUBLISHED_ID(text):
        strange = next((ch for ch in text if not (ch.isascii() and (ch.isalnum() or ch in "._:+!~-"))), None)
        why = f"holds {strange!r}, which no app id does" if strange else "is no app id"
        raise ValueError(f"{shorten(published)} {why}")
    return text


def _canonical(app: str) -> str:
    if found := _APPLE(app) or _ANDROID(app):
        app = found[1]
    for matches, fold in _FOLDED:
        if matches(app):
            return fold(app)
    return app
