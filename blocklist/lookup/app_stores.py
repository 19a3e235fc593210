"""App stores: the app that a store's page is about. The store itself is never what is listed."""

from __future__ import annotations

import re

from blocklist.domain.verdict import Target
from blocklist.normalize.hosts import parse_app, parse_target

#: Where each store puts the app's id: in the path (group 1), or in a parameter of the query.
_STORES: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "play.google.com": (None, ("id",)),
    "market.android.com": (None, ("id",)),
    "apps.apple.com": (r"/id(\d+)(?:/|$)", ("id",)),
    "itunes.apple.com": (r"/id(\d+)(?:/|$)", ("id",)),
    "www.amazon.com": (r"/(?:dp|gp/product|gp/mas/dl/android)/([A-Z0-9]{10})(?:/|$)", ("p", "asin")),
    "channelstore.roku.com": (r"^/(?:[a-z]{2}-[a-z]{2}/)?details/([^/]+)", ()),
    "apps.samsung.com": (r"/detail/([^/]+)", ("appId", "appid")),
    "galaxystore.samsung.com": (r"/detail/([^/]+)", ("appId", "appid")),
    "apps.microsoft.com": (r"/detail/(?:[^/]+/)?([A-Za-z0-9]{12})(?:/|$)", ("productId", "productid")),
    "www.microsoft.com": (r"/p/(?:[^/]+/)?([A-Za-z0-9]{12})(?:/|$)", ()),
    "appgallery.huawei.com": (r"/app/([^/]+)", ()),
}
_PATHS = {host: re.compile(pattern) for host, (pattern, _) in _STORES.items() if pattern}
#: ``market://details?id=…`` and the like open a store's app instead of its site.
_DEEP_LINK = re.compile(r"(?:market|itms-apps?|itms-appss|amzn|samsungapps|ms-windows-store):", re.IGNORECASE)
_DEEP_ID = re.compile(r"(?:[?&](?:id|p|asin|appid|productid)=|/id(?=\d)|/ProductDetail/)([^&#/]+)", re.IGNORECASE)


def store_targets(url: str) -> list[Target]:
    """Return what a store URL names: the page itself, and the app where the store is a known one.

    >>> [target.app or target.host for target in store_targets("https://apps.apple.com/us/app/films/id1234567890?l=en")]
    ['apps.apple.com', '1234567890']

    :raises ValueError: why no browser could open it.
    """
    if _DEEP_LINK.match(url):
        found = _DEEP_ID.search(url)
        if not found:
            raise ValueError("it names no app")
        return [parse_app(found[1])]
    page = parse_target(url)
    app = _app_of(page)
    return [page, parse_app(app)] if app else [page]


def _app_of(page: Target) -> str | None:
    _, names = _STORES.get(page.host, (None, ()))
    pattern = _PATHS.get(page.host)
    found = pattern.search(page.path or "") if pattern else None
    if found:
        return found[1]
    for name in names:
        for param in page.params:
            if param.startswith(f"{name}="):
                return param[len(name) + 1 :]
    return None
