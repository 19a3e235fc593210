"""App stores: the app that a page of a store is about. The store's host itself is never listed."""

from __future__ import annotations

import re

from blocklist.domain.verdict import Target
from blocklist.normalize.hosts import parse_app, parse_target

#: The location of the app id in each store's URLs: a pattern of the path (group 1), or query parameters.
_APP_STORES: dict[str, tuple[str | None, tuple[str, ...]]] = {
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
_PATHS = {host: re.compile(pattern) for host, (pattern, _) in _APP_STORES.items() if pattern}
#: Schemes such as ``market:`` open the store's app instead of its site.
_DEEP_LINK = re.compile(r"(?:market|itms-apps?|itms-appss|amzn|samsungapps|ms-windows-store):", re.IGNORECASE)
_DEEP_ID = re.compile(r"(?:[?&](?:id|p|asin|appid|productid)=|/id(?=\d)|/ProductDetail/)([^&#/]+)", re.IGNORECASE)


def app_store_targets(url: str) -> list[Target]:
    """Return the targets of a store URL: the page itself, and the app if the store is known.

    >>> [target.app or target.host for target in app_store_targets("https://apps.apple.com/us/app/films/id1234567890?l=en")]
    ['apps.apple.com', '1234567890']

    :raises ValueError: no browser could open the URL, with the reason; or a deep link names no app.
    """
    if _DEEP_LINK.match(url):
        found = _DEEP_ID.search(url)
        if not found:
            raise ValueError("the deep link names no app")
        return [parse_app(found[1])]
    page = parse_target(url)
    app = _app_id(page)
    return [page, parse_app(app)] if app else [page]


def _app_id(page: Target) -> str | None:
    _, names = _APP_STORES.get(page.host, (None, ()))
    pattern = _PATHS.get(page.host)
    found = pattern.search(page.path or "") if pattern else None
    if found:
        return found[1]
    for name in names:
        for param in page.params:
            if param.startswith(f"{name}="):
                return param[len(name) + 1 :]
    return None
