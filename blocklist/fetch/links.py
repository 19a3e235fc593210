"""Links in what a publisher sends, resolved as browsers do (WHATWG URL)."""

from __future__ import annotations

import can_ada

from blocklist.domain.errors import FetchError


def resolve_link(link: str, base: str) -> str:
    r"""Return a link as an absolute address without fragment; ``base`` is the address of the page it is on.

    >>> resolve_link(r"\\lists.example\b.txt", "https://www.example/orders/")
    'https://lists.example/b.txt'

    :raises FetchError: the link is not a web address, or contains a user and password.
    """
    try:
        url = can_ada.parse(base) + link
    except ValueError:
        raise FetchError("a link that is not an address") from None
    if url.protocol not in ("http:", "https:"):
        raise FetchError(f"a link to {url.protocol}, which is not an address for feeds")
    if url.username or url.password:
        raise FetchError("a link with user and password, which is not followed")
    url.hash = ""
    return str(url.href)
