"""A feed's body: from an address, a file or an upload, always ending as one file with its SHA-256.

:func:`fetch` is the only way in; nothing later in a run touches the network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blocklist.config.settings import FetchSettings
from blocklist.definitions.source import Source
from blocklist.domain.errors import FetchError
from blocklist.fetch.body import Body, BodyWriter
from blocklist.fetch.credentials import Secret, secret_of
from blocklist.fetch.discovery import discover
from blocklist.fetch.http import Session, download
from blocklist.fetch.integrity import verify
from blocklist.fetch.paged_lists import download_pages

__all__ = ["Body", "fetch", "fetch_file"]

_BLOCK = 1 << 20


def fetch(
    source: Source,
    into: Path,
    settings: FetchSettings,
    validators: dict[str, str] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Body | None:
    """Bring a feed's body into a file; None when its publisher says that it has not changed.

    ``validators`` are those of the body that serves now; ``progress`` is told the bytes so far.

    :raises FetchError: the body could not be had, is too large, is not what its publisher signed, or stands where feeds
        must not be fetched from. No secret is in what it says.
    """
    if source.file is not None:
        return fetch_file(Path(source.file), into, settings)
    if source.url is None:
        raise FetchError(
            "this feed has no address: bring its list with 'blocklist refresh NAME --file PATH', "
            "or add the feed anew with --url"
        )
    parts = urlsplit(source.url)
    if parts.scheme == "file":
        return fetch_file(Path(unquote(parts.path)), into, settings)
    secret = secret_of(source.credentials) if source.credentials else None
    try:
        return _from_the_web(source, source.url, into, settings, validators or {}, secret, progress)
    except BaseException as error:
        into.unlink(missing_ok=True)
        if secret is None or not isinstance(error, Exception) or secret.redacted(str(error)) == str(error):
            raise
        # A publisher may send the secret back, and a library quote what it was given: neither may be kept.
        raise FetchError(secret.redacted(str(error))) from None


def fetch_file(path: Path, into: Path, settings: FetchSettings) -> Body:
    """Copy a body from a file, so that a change while it is being read changes nothing.

    :raises FetchError: it cannot be read, or is larger than ``max_bytes``.
    """
    writer = BodyWriter(into, settings.max_bytes)
    try:
        with path.open("rb") as file, writer:
            while block := file.read(_BLOCK):
                writer.write(block)
    except OSError as error:
        raise FetchError(f"{path}: cannot be read: {error.strerror}") from None
    return writer.body(None, {})


def _from_the_web(
    source: Source,
    url: str,
    into: Path,
    settings: FetchSettings,
    validators: dict[str, str],
    secret: Secret | None,
    progress: Callable[[int], None],
) -> Body | None:
    with Session(url, settings, secret) as session:
        at = discover(session, url, source.discovery) if source.discovery else url
        if source.pagination:
            body: Body | None = download_pages(session, at, into, source.pagination, progress)
        else:
            proof = _proof(source)
            # What was fetched without this proof must be fetched again, even if its publisher has not touched it.
            known = validators if validators.get("integrity", "") == proof else {}
            body = download(session, at, into, known, progress)
            if body and source.integrity:
                verify(session, at, body, source.integrity)
                body = replace(body, validators=body.validators | {"integrity": proof})
    if body is None:
        return None
    stated = body.validators | ({"from": at} if source.discovery else {})
    if secret:
        stated = {name: value for name, value in stated.items() if secret.redacted(value) == value}
    return replace(body, validators=stated)


def _proof(source: Source) -> str:
    """Return a word for what must prove a body; empty where nothing need."""
    return hashlib.sha256(source.integrity.model_dump_json().encode()).hexdigest()[:16] if source.integrity else ""
