"""Addresses inside what a publisher sends, read as browsers read them (WHATWG URL), relative to where they stood."""

from __future__ import annotations

import can_ada

from blocklist.domain.errors import FetchError


def absolute(link: str, base: str) -> str:
    r"""Return a link as a whole address, without its fragment.

    >>> absolute(r"\\lists.example\b.txt", "https://www.example/orders/")
    'https://lists.example/b.txt'

    :raises FetchError: it is none, or does not lead to the web.
    """
    try:
        url = can_ada.parse(base) + link
    except ValueError:
        raise FetchError("a link that is no address") from None
    if url.protocol not in ("http:", "https:"):
        raise FetchError(f"a link to {url.protocol}, which is not an address for feeds")
    if url.username or url.password:
        raise FetchError("a link with user and password, which is not followed")
    url.hash = ""
    return str(url.href)
