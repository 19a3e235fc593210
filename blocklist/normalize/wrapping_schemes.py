"""Schemes and encodings whose URLs have a page or an app within: ``view-source:``, ``intent:``, ``https%3A%2F%2F``.

What a browser cannot open by itself is read here: what stands within is judged alone. docs/http.md has the same table,
which is generated from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

from blocklist.normalize import app_stores
from blocklist.normalize.app_stores import PACKAGE, parameters

#: The ``via`` of a URL that is percent-encoded whole.
ENCODED = "percent-encoding"


class Inner(NamedTuple):
    """What stands within: the text of a page, or of an app's id.

    ``origin``: only scheme and host of the page are known; the path is another thing's.
    """

    text: str
    is_app: bool = False
    origin: bool = False


class WrappingScheme(NamedTuple):
    """A scheme. ``read`` gets what follows its colon. ``rule`` and ``source`` are for the documentation."""

    scheme: str
    read: Callable[[str], Iterator[Inner]]
    rule: str
    source: str


class Wrapped(NamedTuple):
    """The name of a scheme or encoding, and what stands within."""

    via: str
    inner: tuple[Inner, ...]


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL).match
_WITH_SCHEME = re.compile(r"(?:https?|wss?|blob|filesystem|view-source)(?::|%3a)", re.IGNORECASE).match
#: A text that begins with a scheme, whose colon is encoded.
_IS_ENCODED = re.compile(r"[A-Za-z0-9+.%-]{2,40}?%(?:25)*3a", re.IGNORECASE).match
_HAS_PACKAGE = re.compile(PACKAGE).fullmatch
_STRIPPED = "".join(map(chr, range(0x21)))
_DROPPED = {ord("\t"): None, ord("\n"): None, ord("\r"): None}


def _whole(rest: str) -> Iterator[Inner]:
    if _WITH_SCHEME(rest):
        yield Inner(rest)


def _origin(rest: str) -> Iterator[Inner]:
    if _WITH_SCHEME(rest):
        yield Inner(rest, origin=True)


def _reader(rest: str) -> Iterator[Inner]:
    _, _, query = rest.partition("?")
    yield from map(Inner, parameters(query, ("url",)))


def _intent(rest: str) -> Iterator[Inner]:
    address, _, extras = rest.partition("#Intent;")
    scheme, found = None, []
    for part in extras.split(";"):
        name, _, value = part.strip().partition("=")
        value = unquote(value.strip())
        if name == "scheme":
            scheme = value.lower()
        elif name == "package" and _HAS_PACKAGE(value):
            found.append(Inner(value, is_app=True))
        elif name == "S.browser_fallback_url":
            found.append(Inner(value))
    if scheme in ("http", "https") or (scheme and app_stores.is_store_scheme(scheme)):
        yield Inner(f"{scheme}:{address}")
    yield from found


def _android_app(rest: str) -> Iterator[Inner]:
    package, _, page = rest.lstrip("/").partition("#")[0].partition("/")
    if _HAS_PACKAGE(package):
        yield Inner(package, is_app=True)
        scheme, _, address = page.partition("/")
        if scheme.lower() in ("http", "https") and address:
            yield Inner(f"{scheme}://{address}")


WRAPPING_SCHEMES = (
    WrappingScheme("view-source", _whole, "the URL behind it", "as browsers open it"),
    WrappingScheme("blob", _origin, "the host of the URL behind it", "WHATWG URL, origin of `blob:`"),
    WrappingScheme("filesystem", _origin, "the host of the URL behind it", "chromium, origin of `filesystem:`"),
    WrappingScheme("about", _reader, "`about:reader?url=`", "as Firefox opens it"),
    WrappingScheme("chrome-distiller", _reader, "parameter `url`", "as Chromium opens it"),
    WrappingScheme(
        "intent",
        _intent,
        "the page or store that `scheme` and the address name; the app of `package`; `S.browser_fallback_url`",
        "developer.chrome.com, Android Intents with Chrome",
    ),
    WrappingScheme(
        "android-app",
        _android_app,
        "the app; the page of `/SCHEME/HOST/PATH` behind it",
        "Android Open Source Project, Intent.URI_ANDROID_APP_SCHEME",
    ),
)
_BY_NAME = {scheme.scheme: scheme for scheme in WRAPPING_SCHEMES}


def unwrap(text: str) -> Wrapped | None:
    """Return what stands within a text that no browser opens as a page; None if it is no wrapper.

    >>> unwrap("view-source:https://pirate.example/film")
    Wrapped(via='view-source', inner=(Inner(text='https://pirate.example/film', is_app=False, origin=False),))
    """
    text = text.strip(_STRIPPED).translate(_DROPPED)
    match = _SCHEME(text)
    scheme = match[1].lower() if match else ""
    if match and scheme in _BY_NAME:
        return Wrapped(scheme, tuple(_BY_NAME[scheme].read(match[2])))
    if match and app_stores.is_store_scheme(scheme):
        site = app_stores.store_site(scheme, match[2])
        apps = (Inner(app, is_app=True) for app in app_stores.ids_in_link(scheme, match[2]))
        return Wrapped(scheme, (Inner(site),) if site else tuple(apps))
    if "%" in text and _IS_ENCODED(text):
        return Wrapped(ENCODED, (Inner(unquote(text)),))
    return None
