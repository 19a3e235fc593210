"""App stores: where their URLs have the id of an app. A table, documented in docs/http.md, which a test compares.

Scheme, host, words of the path and names of parameters compare without case; :mod:`.apps` has the case of ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

from blocklist.normalize.hosts import UrlParts

#: The name of an Android package (developer.android.com, "Set the application ID"): two or more parts, each begins with
#: a letter.
PACKAGE = r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+"
#: With a digit: words of letters alone are ids of other kinds, whose case matters.
ASIN = r"B(?=[A-Z]*\d)[0-9A-Z]{9}"
PRODUCT_ID = r"[9BC](?=[A-Z]*\d|(?<=9))[0-9A-Z]{11}"
GALAXY_TV = r"G\d{11}"
HUAWEI = r"C\d{5,}"
PLAYSTATION = r"[A-Z]{2}\d{4}-[A-Z]{4}\d{5}_\d\d-[0-9A-Z]{16}"
ROKU_PAGE = r"[0-9a-f]{32}(?::[0-9a-f]{32})?"
VIZIO = r"vizio\.[A-Z0-9_.-]+"
_FLAGS = re.IGNORECASE | re.ASCII
_LOCALE = r"(?:[a-z]{2}(?:-[a-z]{2})?/)?"


class AppStore(NamedTuple):
    """A store. ``path``: a pattern from the beginning of the path, whose group 1 is the id, or "".

    ``query``: a pattern of the whole path, and the parameters that have an id there. ``id``: a pattern of its ids.
    ``source``: what documents the form of its URLs.
    """

    name: str
    hosts: tuple[str, ...]
    id: str
    source: str
    path: str = ""
    query: str = ""
    parameters: tuple[str, ...] = ()


APP_STORES = (
    AppStore(
        "Google Play",
        ("play.google.com", "market.android.com"),
        PACKAGE,
        "developer.android.com, Linking to Google Play",
        r"/apps/(?:testing|internaltest)/([^/]+)",
        r"/(?:store/apps/)?(?:details(?:/[^/]+)?|datasafety)/?",
        ("id",),
    ),
    AppStore(
        "Apple App Store",
        ("apps.apple.com", "itunes.apple.com", "geo.itunes.apple.com", "ax.itunes.apple.com"),
        r"\d+",
        "developer.apple.com, QA1629",
        r"/(?:[a-z]{2}/)?app/(?:[^/]+/)?id(\d+)(?:/|\Z)",
        r"/WebObjects/MZStore\.woa/wa/(?:viewSoftware|viewContentsUserReviews)/?",
        ("id",),
    ),
    AppStore(
        "Amazon Appstore",
        ("amazon.TLD", "www.amazon.TLD"),
        rf"{ASIN}|{PACKAGE}",
        "developer.amazon.com, Deep links to the Amazon client",
        rf"/(?:[^/]+/)?(?:dp|gp/product|gp/aw/d|gp/mas/dl/android)/({ASIN})(?:/|\Z)",
        r"/gp/mas/dl/android/?",
        ("asin", "p"),
    ),
    AppStore(
        "Roku Channel Store",
        ("channelstore.roku.com",),
        rf"\d+|{ROKU_PAGE}",
        "developer.roku.com, Channel publishing",
        rf"/{_LOCALE}details/(\d+|{ROKU_PAGE})(?:/|\Z)",
    ),
    AppStore(
        "Samsung Galaxy Store",
        ("galaxystore.samsung.com", "apps.samsung.com", "samsungapps.com", "www.samsungapps.com"),
        PACKAGE,
        "as published in links",
        rf"/(?:[^/]+/)*detail/({PACKAGE})(?:/|\Z)",
        r"/(?:[^/]+/)*(?:appquery/appDetail\.as|detail)/?",
        ("appid",),
    ),
    AppStore(
        "Samsung TV",
        ("samsung.com", "www.samsung.com"),
        GALAXY_TV,
        "as published in links; Amazon Web Services, OpenRTB reference, for the id",
        rf"/{_LOCALE}appstore/app/({GALAXY_TV})(?:/|\Z)",
        rf"/{_LOCALE}appstore/app\.do",
        ("appid",),
    ),
    AppStore(
        "LG Content Store",
        ("*.lgappstv.com",),
        r"\d+",
        "as published in links",
        query=r"/main/tvapp/detail/?",
        parameters=("appid",),
    ),
    AppStore(
        "Vizio",
        ("vizio.com", "www.vizio.com"),
        VIZIO,
        "as published in links",
        query=rf"/{_LOCALE}smart-tv-apps/?",
        parameters=("appid",),
    ),
    AppStore(
        "Microsoft Store",
        ("apps.microsoft.com", "microsoft.com", "www.microsoft.com", "www.xbox.com"),
        PRODUCT_ID,
        "learn.microsoft.com, Launch the Microsoft Store app",
        rf"/{_LOCALE}(?:detail|store/(?:detail|apps|productid|p|games)|games/store|p)/(?:[^/]+/)?({PRODUCT_ID})(?:/|\Z)",
        r"/(?:store/)?(?:detail|apps)/?",
        ("productid",),
    ),
    AppStore(
        "Huawei AppGallery",
        ("appgallery.huawei.com", "appgallery.cloud.huawei.com"),
        rf"{HUAWEI}|{PACKAGE}",
        "developer.huawei.com, AppGallery Kit, FAQ",
        rf"/(?:[^/]+/)?app/({HUAWEI}|{PACKAGE})(?:/|\Z)",
        r"/(?:[^/]+/)?app/detail/?",
        ("id",),
    ),
    AppStore(
        "PlayStation Store",
        ("store.playstation.com",),
        PLAYSTATION,
        "as published in links",
        rf"/{_LOCALE}product/({PLAYSTATION})(?:/|\Z)",
    ),
    AppStore(
        "RuStore",
        ("apps.rustore.ru", "www.rustore.ru"),
        PACKAGE,
        "as published in links",
        rf"/(?:catalog/)?app/({PACKAGE})(?:/|\Z)",
    ),
)


class StoreScheme(NamedTuple):
    """Schemes that open a store's app instead of its site; ``path`` is a pattern of what is between ``//`` and ``?``.

    Group 1 of the path, or the parameters, have the id. ``web``: read the rest as a URL of this store's site.
    """

    schemes: tuple[str, ...]
    id: str
    source: str
    path: str = ""
    parameters: tuple[str, ...] = ()
    web: bool = False


STORE_SCHEMES = (
    StoreScheme(
        ("market", "mimarket", "vivomarket", "oppomarket", "appmarket"),
        PACKAGE,
        "developer.android.com, Linking to Google Play; appmarket: developer.huawei.com, AppGallery Kit, FAQ",
        r"(?:details|launch)/?",
        ("id", "packagename"),
    ),
    StoreScheme(
        ("itms-apps", "itms-appss", "itms", "itmss", "macappstore", "macappstores", "com.apple.tvappstore"),
        r"\d+",
        "developer.apple.com, QA1629",
        web=True,
    ),
    StoreScheme(
        ("amzn",),
        rf"{ASIN}|{PACKAGE}",
        "developer.amazon.com, Deep links to the Amazon client",
        "apps/android/?",
        ("asin", "p"),
    ),
    StoreScheme(("samsungapps",), PACKAGE, "as published in links", rf"ProductDetail/({PACKAGE})/?"),
    StoreScheme(
        ("ms-windows-store", "msxbox"),
        PRODUCT_ID,
        "learn.microsoft.com, Launch the Microsoft Store app",
        r"(?:pdp|review|game|assoc)?/?",
        ("productid",),
    ),
    StoreScheme(("store",), rf"{HUAWEI}|{PACKAGE}", "developer.huawei.com, AppGallery Kit, FAQ", web=True),
)
_BY_SCHEME = {name: scheme for scheme in STORE_SCHEMES for name in scheme.schemes}
#: Links that a store shortened, and that show no id: only the store could say which app they open.
SHORT_LINKS = frozenset(
    {"play.app.goo.gl", "appstore.com", "www.appstore.com", "galaxy.store", "amzn.to", "a.co", "my.roku.com"}
)


def ids_in_page(store: AppStore, page: UrlParts) -> Iterator[str]:
    """Yield the ids in a URL of a store, in the order in which they stand there."""
    if store.path:
        # Huawei's pages have their route in the fragment: ``#/app/C1``.
        for path in (page.path, page.fragment):
            if found := re.match(store.path, path, _FLAGS):
                yield from _ids(store.id, [unquote(found[1])])
                break
    if store.query and re.fullmatch(store.query, page.path, _FLAGS):
        yield from _ids(store.id, parameters(page.query, store.parameters))


def is_store_scheme(scheme: str) -> bool:
    """Return whether a scheme in lower case opens an app store."""
    return scheme in _BY_SCHEME


def store_site(scheme: str, rest: str) -> str | None:
    """Return the URL of the store's site that a link means, if the links of its scheme have the form of URLs."""
    return f"https://{rest.lstrip('/')}" if _BY_SCHEME[scheme].web else None


def ids_in_link(scheme: str, rest: str) -> Iterator[str]:
    """Yield the ids in a link such as ``market://details?id=…``; ``rest`` is what follows the scheme's colon."""
    known = _BY_SCHEME[scheme]
    path, _, query = rest.partition("#")[0].lstrip("/").partition("?")
    found = re.fullmatch(known.path, path, _FLAGS)
    if found:
        yield from _ids(known.id, [*found.groups(), *parameters(query, known.parameters)])


def parameters(query: str, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the values of parameters, all of them where one is repeated; ``names`` are in lower case."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if unquote_plus(name).lower() in names:
            yield unquote_plus(value)


def _ids(pattern: str, texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        if re.fullmatch(pattern, text.strip(), _FLAGS):
            yield text.strip()
