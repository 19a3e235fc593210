"""Asking publishers: one session a fetch, under one limit of time and of bytes, and only public addresses."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import httpcore
import httpx
import stamina

import blocklist
from blocklist.config.settings import FetchSettings
from blocklist.domain.errors import FetchError
from blocklist.fetch.body import Body, BodyWriter, too_large
from blocklist.fetch.connections import CheckedTransport, Deadline, tls_context
from blocklist.fetch.credentials import Secret

#: Each call inflates to at most this much at a time, so that a bomb stops at the limit and not after it.
_INFLATED_BLOCK = 1 << 20
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
#: Longest wait in seconds between two tries that the publisher did not ask for, and its share of the whole time.
_WAIT_MOST, _WAIT_SHARE = 5.0, 0.2
_Read = TypeVar("_Read")

# They log whole addresses, whose query may hold a secret, and the headers of answers, which may repeat it.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class _TransientError(Exception):
    """A failure worth another try within the same run; ``wait`` are the seconds that the publisher asked for."""

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Answer:
    """A publisher's answer of status 200 (or 304, where validators were sent), its body still to be read.

    ``url`` is where it came from, redirects followed; ``blocks`` is the body, opened where it came compressed.
    """

    url: httpx.URL
    not_modified: bool
    headers: httpx.Headers
    blocks: Iterator[bytes]


class Session:
    """The requests of one fetch: they share its time, its bytes, its connections and its secret."""

    def __init__(self, url: str, settings: FetchSettings, secret: Secret | None = None) -> None:
        """Make ready to fetch from an address; the secret goes to its origin and to no other.

        :raises FetchError: the client certificate or ``fetch.ca_file`` cannot be used.
        """
        self.settings = settings
        self.deadline = Deadline(settings.total_timeout)
        self._origin = _origin(_address(url))
        self._secret = secret
        self._spent = 0
        self._wait_most = min(_WAIT_MOST, settings.total_timeout * _WAIT_SHARE)
        self._shared = self._client(None)
        certificate = secret if secret and secret.kind == "certificate" else None
        self._own = self._client(certificate) if certificate else self._shared

    def __enter__(self) -> Session:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._shared.close()
        self._own.close()

    @property
    def bytes_left(self) -> int:
        """How many bytes the rest of the fetch may take."""
        return self.settings.max_bytes - self._spent

    def ask(self, url: str, read: Callable[[Answer], _Read], headers: dict[str, str] | None = None) -> _Read:
        """Return what ``read`` makes of the answer; what is transient is tried again, from the beginning.

        :raises FetchError: what went wrong, with the address (without its query, which may hold a secret).
        """
        asked = _address(url)
        shown = shown_address(asked)
        tries = 0
        try:
            for attempt in stamina.retry_context(
                on=self._backoff,
                attempts=self.settings.attempts,
                timeout=None,
                wait_initial=0.5,
                wait_max=self._wait_most,
            ):
                with attempt:
                    tries += 1
                    return self._follow(asked, shown, read, headers or {})
        except _TransientError as error:
            asked_for = ""
            if error.wait is not None and error.wait > self.deadline.left:
                asked_for = f"; it asks to be tried again in {error.wait:,.0f} s, which is past fetch.total_timeout"
            raise FetchError(f"{shown}: {error} ({tries} attempts){asked_for}") from None
        raise AssertionError("stamina tries at least once")

    def _backoff(self, error: Exception) -> bool | float:
        """Return whether to try again, or after how many seconds: those that the publisher asked for (RFC 9110)."""
        if not isinstance(error, _TransientError):
            return False
        if error.wait is None:
            return self.deadline.left > self._wait_most
        return error.wait if error.wait < self.deadline.left else False

    def _follow(self, url: httpx.URL, shown: str, read: Callable[[Answer], _Read], headers: dict[str, str]) -> _Read:
        for _ in range(self.settings.max_redirects + 1):
            try:
                answer = self._hop(url, shown, read, headers)
            except httpcore.ConnectTimeout as error:
                raise self._late(shown) or _TransientError(self._said(error)) from None
            except httpcore.TimeoutException:
                silent = FetchError(f"{shown}: timed out: {url.host} was silent too long")
                raise self._late(shown) or silent from None
            except httpcore.ConnectError as error:
                raise self._late(shown) or _TransientError(self._said(error)) from None
            except (httpcore.NetworkError, httpcore.ProtocolError, httpx.StreamError) as error:
                said = f"the body did not arrive whole: {self._said(error)}"
                raise self._late(shown) or _TransientError(said) from None
            except (httpx.InvalidURL, httpx.HTTPError):
                # What is left is httpx reading the address of a redirect; its words would repeat it.
                raise FetchError(f"{shown}: {url.host} redirects to what is not an address") from None
            if not isinstance(answer, httpx.URL):
                return answer
            url = answer
        raise FetchError(f"{shown}: more than {self.settings.max_redirects} redirects")

    def _hop(
        self, url: httpx.URL, shown: str, read: Callable[[Answer], _Read], headers: dict[str, str]
    ) -> _Read | httpx.URL:
        """Ask one address; return what ``read`` makes of it, or the address it redirects to."""
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchError(f"{shown}: leads to {url.scheme}://{url.host}, which is not an address for feeds")
        own = _origin(url) == self._origin
        sent = {"User-Agent": f"blocklist/{blocklist.__version__}", "Accept-Encoding": "gzip", **headers}
        target = url.copy_with(userinfo=b"", fragment=None)
        # A redirect to another host or port, or out of https, must not carry the secret there.
        if self._secret and own:
            target = self._secret.on(target, sent)
        with (self._own if own else self._shared).stream("GET", target, headers=sent) as response:
            if response.has_redirect_location:
                return self._redirected(url, shown, response.headers["location"])
            not_modified = response.status_code == 304 and not sent.keys().isdisjoint(_VALIDATORS.values())
            try:
                if not not_modified:
                    _check_status(response)
                blocks = self._blocks(response)
                if self._secret:
                    blocks = self._secret.blanked(blocks)
                return read(Answer(url, not_modified, response.headers, blocks))
            except FetchError as error:
                raise FetchError(f"{shown}: {error}") from None

    def _redirected(self, url: httpx.URL, shown: str, location: str) -> httpx.URL:
        try:
            return _address(location, url)
        except FetchError as error:
            raise FetchError(f"{shown}: {url.host} redirects to what is {error}") from None

    def _blocks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body, counted on the wire and after it was opened."""
        limit = self.bytes_left
        length = response.headers.get("content-length", "")
        if length and "transfer-encoding" in response.headers:
            raise FetchError(
                "the answer states two lengths (Content-Length and Transfer-Encoding): neither is believed"
            )
        if length.isdecimal() and int(length) > limit:
            raise too_large(self.settings.max_bytes)
        opened = 0
        for block in _decoded(response, _counted(response.iter_raw(), limit, self.settings.max_bytes)):
            opened += len(block)
            if opened > limit:
                raise too_large(self.settings.max_bytes)
            if self.deadline.passed:
                raise FetchError(self.deadline.sentence)
            yield block
        # A body without a length that was cut off at the deadline ends like one that is whole.
        if self.deadline.passed:
            raise FetchError(self.deadline.sentence)
        self._spent += opened

    def _late(self, shown: str) -> FetchError | None:
        return FetchError(f"{shown}: {self.deadline.sentence}") if self.deadline.passed else None

    def _said(self, error: Exception) -> str:
        # A library may put what it was given to send into what it says of it.
        return self._secret.redacted(str(error)) if self._secret else str(error)

    def _client(self, certificate: Secret | None) -> httpx.Client:
        context = tls_context(self.settings.ca_file, certificate)
        # trust_env off: no proxy or netrc of the machine has a say.
        return httpx.Client(
            transport=CheckedTransport(self.settings, self.deadline, context),
            trust_env=False,
            timeout=httpx.Timeout(self.settings.read_timeout, connect=self.settings.connect_timeout),
            follow_redirects=False,
        )


def download(
    session: Session, url: str, into: Path, validators: dict[str, str], progress: Callable[[int], None]
) -> Body | None:
    """Download a body; None when the server answers 304 to the validators of the body that serves.

    ``validators`` hold ``url``, ``etag`` and ``last-modified`` of that body and count only for the same address.

    :raises FetchError: what went wrong, with the address (without its query, which may hold a secret).
    """
    known = validators if validators.get("url") == url else {}
    conditions = {header: known[name] for name, header in _VALIDATORS.items() if name in known}

    def read(answer: Answer) -> Body | None:
        if answer.not_modified:
            return None
        with BodyWriter(into, session.settings.max_bytes) as writer:
            for block in answer.blocks:
                writer.write(block)
                progress(writer.size)
        stated = {name: answer.headers[name] for name in _VALIDATORS if name in answer.headers}
        return writer.body(answer.headers.get("content-type"), {"url": url, **stated})

    return session.ask(url, read, conditions)


def page(session: Session, url: str, limit: int) -> tuple[bytes, Answer]:
    """Return a small body of at most so many bytes, and the answer it came with.

    :raises FetchError: what went wrong, with the address.
    """

    def read(answer: Answer) -> tuple[bytes, Answer]:
        parts, size = [], 0
        for block in answer.blocks:
            size += len(block)
            if size > limit:
                raise FetchError(f"is larger than {limit:,} bytes, which is too much for what it is asked for")
            parts.append(block)
        return b"".join(parts), answer

    return session.ask(url, read)


def shown_address(url: str | httpx.URL) -> str:
    """Return an address as sentences and logs give it: without its query, which may hold a secret.

    :raises FetchError: it is none.
    """
    address = _address(url) if isinstance(url, str) else url
    return str(address.copy_with(query=None, userinfo=b"", fragment=None))


def _address(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """Return an address, relative to another where one is given.

    :raises FetchError: it is none.
    """
    try:
        address = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchError(f"not an address that can be fetched from: {error}") from None
    if address.port and address.port > 65_535:
        raise FetchError(f"not an address that can be fetched from: there is no port {address.port}")
    return address


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _check_status(response: httpx.Response) -> None:
    status = f"answered {response.status_code} {response.reason_phrase}".rstrip()
    if response.status_code in _TRANSIENT_STATUS:
        raise _TransientError(status, _retry_after(response.headers.get("retry-after", "")))
    if response.status_code in (401, 403):
        raise FetchError(f"{status}: check the feed's credentials")
    if response.status_code != 200:
        raise FetchError(status)


def _retry_after(value: str) -> float | None:
    """Return the seconds that a ``Retry-After`` names, as a number or a date (RFC 9110, 10.2.3)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _counted(blocks: Iterator[bytes], limit: int, said: int) -> Iterator[bytes]:
    """Yield what comes over the wire: a stream may open to nothing at all and never end."""
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise too_large(said)
        yield block


def _decoded(response: httpx.Response, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the body, inflated in bounded blocks: httpx would inflate a whole received block at once."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        yield from blocks
    elif encoding in ("gzip", "x-gzip"):
        yield from _inflated(blocks)
    else:
        raise FetchError(f"the server sent the content encoding {encoding!r}, which was not asked for")


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what a gzip stream of one or more members opens to (RFC 1952).

    :raises FetchError: it is not gzip, or ends in the middle.
    """
    inflater = zlib.decompressobj(wbits=31)
    for block in blocks:
        data = block
        while data:
            try:
                yield inflater.decompress(data, _INFLATED_BLOCK)
            except zlib.error as error:
                raise FetchError(f"the body is not the gzip it claims to be: {error}") from None
            data = inflater.unconsumed_tail
            if inflater.eof and inflater.unused_data:
                data, inflater = inflater.unused_data, zlib.decompressobj(wbits=31)
    if not inflater.eof:
        raise FetchError("the body's gzip ends in the middle")
