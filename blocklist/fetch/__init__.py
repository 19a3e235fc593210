"""Fetches a feed's body from an address or a file into one local file with its SHA-256.

Nothing after :func:`fetch` in a run uses the network.
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
from blocklist.fetch.credentials import Secret, load_secret
from blocklist.fetch.discovery import discover
from blocklist.fetch.download import download
from blocklist.fetch.http import FetchSession
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
    """Fetch a feed's body into the file ``into``; return None if the publisher answers that it has not changed.

    ``validators`` are those of the body in use; ``progress`` is called with the number of bytes so far.

    :raises FetchError: the body cannot be fetched, is too large, does not match its hash or signature, or is at an
        address that feeds must not be fetched from. The message contains no secret.
    """
    if source.file is not None:
        return fetch_file(Path(source.file), into, settings)
    if source.url is None:
        raise FetchError(
            "this feed has no address: read its list with 'blocklist refresh NAME --file PATH', "
            "or set its address with 'blocklist feed edit NAME --url URL'"
        )
    parts = urlsplit(source.url)
    if parts.scheme == "file":
        return fetch_file(Path(unquote(parts.path)), into, settings)
    secret = load_secret(source.credentials) if source.credentials else None
    try:
        return _fetch_from_web(source, source.url, into, settings, validators or {}, secret, progress)
    except BaseException as error:
        into.unlink(missing_ok=True)
        if secret is None or not isinstance(error, Exception) or secret.redact(str(error)) == str(error):
            raise
        # The message may quote the secret, from the publisher's response or from a library's error.
        raise FetchError(secret.redact(str(error))) from None


def fetch_file(path: Path, into: Path, settings: FetchSettings) -> Body:
    """Copy a body from a file, so that later changes to that file do not affect the run.

    :raises FetchError: the file cannot be read, or is larger than ``max_bytes``.
    """
    writer = BodyWriter(into, settings.max_bytes)
    try:
        with path.open("rb") as file, writer:
            while block := file.read(_BLOCK):
                writer.write(block)
    except OSError as error:
        raise FetchError(f"{path}: cannot be read: {error.strerror}") from None
    return writer.body(None, {})


def _fetch_from_web(
    source: Source,
    url: str,
    into: Path,
    settings: FetchSettings,
    validators: dict[str, str],
    secret: Secret | None,
    progress: Callable[[int], None],
) -> Body | None:
    with FetchSession(url, settings, secret) as session:
        list_url = discover(session, url, source.discovery) if source.discovery else url
        if source.pagination:
            body: Body | None = download_pages(session, list_url, into, source.pagination, progress)
        else:
            how = source.integrity.model_dump_json() if source.integrity else ""
            proof = hashlib.sha256(how.encode()).hexdigest()[:16] if how else ""
            # A body that was not verified in this way must be fetched again, even if it has not changed.
            known = validators if validators.get("integrity", "") == proof else {}
            body = download(session, list_url, into, known, progress)
            if body and source.integrity:
                verify(session, list_url, body, source.integrity)
                body = replace(body, validators=body.validators | {"integrity": proof})
    if body is None:
        return None
    stated = body.validators | ({"from": list_url} if source.discovery else {})
    if secret:
        stated = {name: value for name, value in stated.items() if secret.redact(value) == value}
    return replace(body, validators=stated)
