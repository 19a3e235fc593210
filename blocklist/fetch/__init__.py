"""A feed's body: from an address, a file or an upload, always ending as one file with its SHA-256.

:func:`fetch` is the only way in; nothing later in a run touches the network.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blocklist.config import FetchSettings
from blocklist.definition import Credentials, Source
from blocklist.errors import FetchError
from blocklist.fetch.body import Body, BodyWriter
from blocklist.fetch.http import download

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

    :raises FetchError: the body could not be had, is too large, or stands where feeds must not be fetched from.
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
    return download(source.url, into, settings, validators or {}, secret, progress)


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


def secret_of(credentials: Credentials) -> tuple[str, str]:
    """Return the header that carries a feed's credentials, and its value.

    :raises FetchError: the environment variable or file that should hold the secret does not.
    """
    if credentials.env is not None:
        secret = os.environ.get(credentials.env, "").strip()
        where = f"the environment variable {credentials.env}"
    else:
        where = f"the file {credentials.file}"
        try:
            secret = Path(credentials.file or "").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise FetchError(f"credentials: {where} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise FetchError(f"credentials: {where} is not UTF-8 text") from None
    if not secret:
        raise FetchError(f"credentials: {where} is empty or not set")
    if not (secret.isascii() and secret.isprintable()):
        raise FetchError(f"credentials: {where} holds a character that no header carries, such as a line break")
    return credentials.header, f"Bearer {secret}" if credentials.kind == "bearer" else secret
