"""The secret of a feed: read when it is needed, sent to the feed's own origin alone, and never said."""

from __future__ import annotations

import base64
import json
import os
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import httpx

from blocklist.definitions.source import Credentials
from blocklist.domain.errors import FetchError

#: Shorter ones guard nothing, and blanking them would spoil sentences.
_SHORTEST_BLANKED = 4
#: In a body, which may hold a short word such as "test" by right, only what cannot be there by chance is blanked.
_SHORTEST_IN_BODIES = 12
_BLANK = "[secret]"


class Secret:
    """What the requests of one fetch carry. Neither its text nor its ``repr`` shows it."""

    def __init__(self, credentials: Credentials, value: str) -> None:
        self.kind = credentials.kind
        self._credentials = credentials
        self._value = value

    def on(self, url: httpx.URL, headers: dict[str, str]) -> httpx.URL:
        """Put the secret on a request: into its headers, or into the address that is returned."""
        if self.kind == "query":
            assert self._credentials.parameter is not None
            return url.copy_set_param(self._credentials.parameter, self._value)
        if self.kind != "certificate":
            headers[self._credentials.header] = self._header()
        return url

    def load_into(self, context: ssl.SSLContext) -> None:
        """Give a TLS context the client certificate and its key.

        :raises FetchError: they cannot be read, do not belong together, or are behind a password.
        """
        where = _place(self._credentials)
        try:
            if self._credentials.file is not None:
                context.load_cert_chain(self._credentials.file, password=_no_password)
            else:
                _load_from_memory(context, self._value)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "no PEM"
            raise FetchError(
                f"credentials: {where} does not hold a client certificate and its key, in PEM and without a password: "
                f"{reason}"
            ) from None

    def redacted(self, text: str) -> str:
        """Return a text with the secret, in every form in which it is sent, blanked out."""
        for form in self._forms():
            text = text.replace(form, _BLANK)
        return text

    def blanked(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a body with the secret blanked out, as it stands and as JSON writes it, also across blocks.

        Publishers do send it back: in links to the next page, or in an error of status 200.
        """
        forms = [form for form in self._forms() if len(form) >= _SHORTEST_IN_BODIES]
        written = {*forms, *(json.dumps(form)[1:-1] for form in forms), *(form.replace("/", "\\/") for form in forms)}
        blanked = sorted((form.encode() for form in written), key=len, reverse=True)
        kept_back = len(blanked[0]) - 1 if blanked else 0
        held = b""
        for block in blocks:
            held += block
            for form in blanked:
                held = held.replace(form, _BLANK.encode())
            ready = max(0, len(held) - kept_back)
            yield held[:ready]
            held = held[ready:]
        yield held

    def _header(self) -> str:
        if self.kind == "bearer":
            return f"Bearer {self._value}"
        if self.kind == "basic":
            return f"Basic {base64.b64encode(self._pair().encode()).decode('ascii')}"
        return self._value

    def _pair(self) -> str:
        return f"{self._credentials.user}:{self._value}" if self._credentials.user else self._value

    def _forms(self) -> list[str]:
        words = {self._value}
        if self.kind == "basic":
            words |= {self._pair(), self._pair().partition(":")[2], self._header().partition(" ")[2]}
        if self.kind == "certificate":
            # The file is no text that a message would hold; lines of a key are.
            words |= {line for line in self._value.splitlines() if not line.startswith("-----")}
        forms = words | {quote(word, safe="") for word in words} | {quote(word) for word in words}
        forms |= {quote_plus(word) for word in words}
        return sorted((form for form in forms if len(form) >= _SHORTEST_BLANKED), key=len, reverse=True)


def secret_of(credentials: Credentials) -> Secret:
    """Return a feed's secret.

    :raises FetchError: the environment variable or file that should hold it does not.
    """
    where = _place(credentials)
    if credentials.env is not None:
        value = os.environ.get(credentials.env, "").strip()
    else:
        try:
            value = Path(credentials.file or "").read_text(encoding="utf-8").strip()
        except OSError as error:
            raise FetchError(f"credentials: {where} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise FetchError(f"credentials: {where} is not UTF-8 text") from None
    if not value:
        raise FetchError(f"credentials: {where} is empty or not set")
    if credentials.kind in ("bearer", "header") and not (value.isascii() and value.isprintable()):
        raise FetchError(f"credentials: {where} holds a character that no header carries, such as a line break")
    if credentials.kind in ("basic", "query") and not value.isprintable():
        raise FetchError(f"credentials: {where} holds a character that no password has, such as a line break")
    if credentials.kind == "basic" and credentials.user is None and ":" not in value:
        raise FetchError(f"credentials: {where} holds no user:password; or give the user in source.credentials.user")
    return Secret(credentials, value)


def _place(credentials: Credentials) -> str:
    if credentials.env is not None:
        return f"the environment variable {credentials.env}"
    return f"the file {credentials.file}"


def _no_password() -> str:
    # Without this, OpenSSL asks on the terminal, and a service waits there for ever.
    return ""


def _load_from_memory(context: ssl.SSLContext, pem: str) -> None:
    """Load a certificate that is in no file: OpenSSL's Python face takes a path alone."""
    memory = os.memfd_create("client-certificate")
    try:
        os.write(memory, pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=_no_password)
    finally:
        os.close(memory)
