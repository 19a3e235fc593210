"""The download of a body into a file, unless the server says that the one in use is still current."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from blocklist.domain.clock import later, now
from blocklist.fetch.body import Body, BodyWriter
from blocklist.fetch.http import VALIDATORS, FetchSession, Response

#: Seconds after which a body is downloaded again even if nothing says that it changed.
_ASK_AGAIN = 7 * 86_400


class _ChangedError(Exception):
    """The server answered "not modified", and named another content than the one that is known."""


def download(
    session: FetchSession, url: str, into: Path, validators: dict[str, str], progress: Callable[[int], None]
) -> Body | None:
    """Download a body into a file; return None if the server answers 304, so the body in use is still current.

    ``validators``: ``url``, ``etag``, ``last-modified`` and ``fetched`` (when) of the body in use; sent only to the
    same address. A week after the body was fetched it is downloaded again whatever the server would answer, and at once
    if the server answers 304 with another ``ETag``: some servers and caches answer "not modified" for ever.

    :raises FetchError: the reason, with the address (without its query, which may contain a secret).
    """
    known = validators if validators.get("url") == url else {}
    recent = known.get("fetched", "") >= later(now(), -_ASK_AGAIN)
    conditions = {header: known[name] for name, header in VALIDATORS.items() if recent and name in known}

    def read(response: Response) -> Body | None:
        if response.not_modified:
            if not _is_same(known.get("etag"), response.headers.get("etag")):
                raise _ChangedError
            return None
        with BodyWriter(into, session.settings.max_bytes) as writer:
            for block in response.blocks:
                writer.write(block)
                progress(writer.size)
        stated = {name: response.headers[name] for name in VALIDATORS if name in response.headers}
        return writer.body(response.headers.get("content-type"), {"url": url, "fetched": now(), **stated})

    try:
        return session.request(url, read, conditions)
    except _ChangedError:
        return session.request(url, read)


def _is_same(known: str | None, stated: str | None) -> bool:
    """Return whether two ``ETag`` headers name the same content; also if one is missing.

    Servers that compress add ``-gzip`` to the tag, in one response and not in the other.
    """
    if known is None or stated is None:
        return True
    return _bare_tag(known) == _bare_tag(stated)


def _bare_tag(tag: str) -> str:
    return re.sub(r"(?:--?|;)gzip$", "", tag.strip().removeprefix("W/").strip('"'))
