"""The secret of a feed: read when it is needed, sent only to the feed's own origin, and removed from all messages."""

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

#: Characters. A shorter secret protects nothing, and to redact it would garble ordinary words.
_MIN_REDACTED = 4
#: The same in bodies, where a short word such as "test" may occur by chance.
_MIN_REDACTED_IN_BODIES = 12
_REDACTED = "[secret]"
#: Without one, OpenSSL asks on the terminal, and the service waits there forever.
_NO_PASSWORD = ""


class Secret:
    """The secret that the requests of one fetch send. Neither ``str`` nor ``repr`` shows it."""

    def __init__(self, credentials: Credentials, value: str) -> None:
        self.kind = credentials.kind
        self._credentials = credentials
        self._value = value

    def apply(self, url: httpx.URL, headers: dict[str, str]) -> httpx.URL:
        """Add the secret to the headers of a request, or to its address; return the address."""
        if self.kind == "query":
            assert self._credentials.parameter is not None
            return url.copy_set_param(self._credentials.parameter, self._value)
        if self.kind != "certificate":
            headers[self._credentials.header] = self._header()
        return url

    def load_into(self, context: ssl.SSLContext) -> None:
        """Load the client certificate and its key into a TLS context.

        :raises FetchError: they cannot be read, do not belong together, or need a password.
        """
        where = _location(self._credentials)
        try:
            if self._credentials.file is not None:
                context.load_cert_chain(self._credentials.file, password=_NO_PASSWORD)
            else:
                _load_from_memory(context, self._value)
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "not PEM"
            raise FetchError(
                f"credentials: {where} does not contain a client certificate and key in PEM without a password: "
                f"{reason}"
            ) from None

    def redact(self, text: str) -> str:
        """Return a text with the secret replaced by ``[secret]``, in every form in which it is sent."""
        for form in self._forms():
            text = text.replace(form, _REDACTED)
        return text

    def redact_blocks(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a body with the secret replaced, as plain text and as JSON text, also where it spans two blocks.

        Publishers do send it back: in links to the next page, or in an error of status 200.
        """
        forms = [form for form in self._forms() if len(form) >= _MIN_REDACTED_IN_BODIES]
        written = {*forms, *(json.dumps(form)[1:-1] for form in forms), *(form.replace("/", "\\/") for form in forms)}
        patterns = sorted((form.encode() for form in written), key=len, reverse=True)
        kept_back = len(patterns[0]) - 1 if patterns else 0
        pending = b""
        for block in blocks:
            pending += block
            for form in patterns:
                pending = pending.replace(form, _REDACTED.encode())
            ready = max(0, len(pending) - kept_back)
            yield pending[:ready]
            pending = pending[ready:]
        yield pending

    def _header(self) -> str:
        if self.kind == "bearer":
            return f"Bearer {self._value}"
        if self.kind == "basic":
            return f"Basic {base64.b64encode(self._pair().encode()).decode('ascii')}"
        return self._value

    def _pair(self) -> str:
        return f"{self._credentials.user}:{self._value}" if self._credentials.user else self._value

    def _forms(self) -> list[str]:
        """Return every form of the secret that a request contains, the longest first."""
        words = {self._value}
        if self.kind == "basic":
            words |= {self._pair(), self._pair().partition(":")[2], self._header().partition(" ")[2]}
        if self.kind == "certificate":
            # No message contains the whole file, but one may contain lines of the key.
            words |= {line for line in self._value.splitlines() if not line.startswith("-----")}
        forms = words | {quote(word, safe="") for word in words} | {quote(word) for word in words}
        forms |= {quote_plus(word) for word in words}
        return sorted((form for form in forms if len(form) >= _MIN_REDACTED), key=len, reverse=True)


def load_secret(credentials: Credentials) -> Secret:
    """Return a feed's secret from its environment variable or file.

    :raises FetchError: the variable or file is missing, empty or not usable.
    """
    where = _location(credentials)
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
        raise FetchError(f"credentials: {where} contains a character that no header can carry, such as a line break")
    if credentials.kind in ("basic", "query") and not value.isprintable():
        raise FetchError(f"credentials: {where} contains a character that no password has, such as a line break")
    if credentials.kind == "basic" and credentials.user is None and ":" not in value:
        raise FetchError(
            f"credentials: {where} does not contain user:password; set the user in source.credentials.user"
        )
    return Secret(credentials, value)


def _location(credentials: Credentials) -> str:
    if credentials.env is not None:
        return f"the environment variable {credentials.env}"
    return f"the file {credentials.file}"


def _load_from_memory(context: ssl.SSLContext, pem: str) -> None:
    """Load a certificate that is not in a file: Python's ``ssl`` accepts only paths."""
    memory = os.memfd_create("client-certificate")
    try:
        os.write(memory, pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=_NO_PASSWORD)
    finally:
        os.close(memory)
