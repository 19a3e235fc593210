"""Requests to publishers: one session per fetch, under one limit of time and of bytes, to public addresses only."""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

import httpcore
import httpx
import stamina

import blocklist
from blocklist.config.settings import FetchSettings
from blocklist.domain.errors import FetchError
from blocklist.fetch.body import too_large
from blocklist.fetch.connections import CheckedTransport, Deadline, tls_context
from blocklist.fetch.credentials import Secret

#: Bytes that one call may inflate to, so that a decompression bomb stops at the limit and not far beyond it.
_INFLATED_BLOCK = 1 << 20
#: The validators of a body, with the header that sends each back (RFC 9110, section 13.1).
VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
#: The longest wait between two attempts, unless the publisher asks for more: seconds, and share of the whole time.
_MAX_WAIT, _MAX_WAIT_SHARE = 5.0, 0.2
_Read = TypeVar("_Read")

# They log whole addresses, whose query may contain a secret, and response headers, which may repeat it.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class _TransientError(Exception):
    """A failure after which the request is tried again; ``wait``: the seconds that the publisher asked for."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Response(NamedTuple):
    """A publisher's response of status 200 (or 304, if validators were sent), whose body is still to be read.

    ``url`` is its address after redirects; ``blocks`` yields the body, decompressed.
    """

    url: httpx.URL
    not_modified: bool
    headers: httpx.Headers
    blocks: Iterator[bytes]


class Page(NamedTuple):
    """A small body in memory, with its address after redirects and the response headers."""

    body: bytes
    url: httpx.URL
    headers: httpx.Headers


class FetchSession:
    """The requests of one fetch, which share its limits of time and bytes, its connections and its secret."""

    def __init__(self, url: str, settings: FetchSettings, secret: Secret | None = None) -> None:
        """``url`` is the feed's address; the secret is sent only to its origin.

        :raises FetchError: the client certificate or ``fetch.ca_file`` cannot be used.
        """
        self.settings = settings
        self.deadline = Deadline(settings.total_timeout)
        self._origin = _origin(_address(url))
        self._secret = secret
        self._spent = 0
        self._max_wait = min(_MAX_WAIT, settings.total_timeout * _MAX_WAIT_SHARE)
        self._client = self._new_client(None)
        certificate = secret if secret and secret.kind == "certificate" else None
        self._origin_client = self._new_client(certificate) if certificate else self._client

    def __enter__(self) -> FetchSession:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._origin_client.close()

    @property
    def bytes_left(self) -> int:
        """The number of bytes that the rest of the fetch may take."""
        return self.settings.max_bytes - self._spent

    def request(self, url: str, read: Callable[[Response], _Read], headers: dict[str, str] | None = None) -> _Read:
        """Request an address and return what ``read`` returns for the response; transient failures are tried again.

        :raises FetchError: the reason, with the address (without its query, which may contain a secret).
        """
        address = _address(url)
        shown = shown_address(address)
        tries = 0
        try:
            for attempt in stamina.retry_context(
                on=self._backoff,
                attempts=self.settings.attempts,
                timeout=None,
                wait_initial=0.5,
                wait_max=self._max_wait,
            ):
                with attempt:
                    tries += 1
                    return self._follow_redirects(address, shown, read, headers or {})
        except _TransientError as error:
            note = ""
            if error.wait is not None and error.wait > self.deadline.left:
                note = f"; it asks to be tried again in {error.wait:,.0f} s, which is past fetch.total_timeout"
            raise FetchError(f"{shown}: {error} ({tries} attempts){note}") from None
        raise AssertionError("stamina tries at least once")

    def _backoff(self, error: Exception) -> bool | float:
        """Return whether to try again, or the seconds to wait before, if the publisher asked for some (RFC 9110)."""
        if not isinstance(error, _TransientError):
            return False
        if error.wait is None:
            return self.deadline.left > self._max_wait
        return error.wait if error.wait < self.deadline.left else False

    def _follow_redirects(
        self, url: httpx.URL, shown: str, read: Callable[[Response], _Read], headers: dict[str, str]
    ) -> _Read:
        for _ in range(self.settings.max_redirects + 1):
            try:
                result = self._request_once(url, shown, read, headers)
            except (httpcore.ConnectTimeout, httpcore.ConnectError) as error:
                raise self._deadline_error(shown) or _TransientError(self._redacted(error)) from None
            except httpcore.TimeoutException:
                silent = FetchError(f"{shown}: timed out: {url.host} was silent too long")
                raise self._deadline_error(shown) or silent from None
            except (httpcore.NetworkError, httpcore.ProtocolError, httpx.StreamError) as error:
                message = f"the body did not arrive whole: {self._redacted(error)}"
                raise self._deadline_error(shown) or _TransientError(message) from None
            except (httpx.InvalidURL, httpx.HTTPError):
                # The only other cause is the address of a redirect, which the message of httpx would repeat.
                raise FetchError(f"{shown}: {url.host} redirects to something that is not an address") from None
            if not isinstance(result, httpx.URL):
                return result
            url = result
        raise FetchError(f"{shown}: more than {self.settings.max_redirects} redirects")

    def _request_once(
        self, url: httpx.URL, shown: str, read: Callable[[Response], _Read], headers: dict[str, str]
    ) -> _Read | httpx.URL:
        """Request one address; return what ``read`` returns for the response, or the address it redirects to."""
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchError(f"{shown}: leads to {url.scheme}://{url.host}, which is not an address for feeds")
        to_origin = _origin(url) == self._origin
        sent = {"User-Agent": f"blocklist/{blocklist.__version__}", "Accept-Encoding": "gzip", **headers}
        target = url.copy_with(userinfo=b"", fragment=None)
        # A redirect to another host, port or scheme must not carry the secret there.
        if self._secret and to_origin:
            target = self._secret.apply(target, sent)
        with (self._origin_client if to_origin else self._client).stream("GET", target, headers=sent) as response:
            if response.has_redirect_location:
                try:
                    return _address(response.headers["location"], url)
                except FetchError as error:
                    raise FetchError(f"{shown}: {url.host} redirects to something that is {error}") from None
            not_modified = response.status_code == 304 and not sent.keys().isdisjoint(VALIDATORS.values())
            try:
                if not not_modified:
                    _check_status(response)
                blocks = self._blocks(response)
                if self._secret:
                    blocks = self._secret.redact_blocks(blocks)
                return read(Response(url, not_modified, response.headers, blocks))
            except FetchError as error:
                raise FetchError(f"{shown}: {error}") from None

    def _blocks(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body decompressed; its size is limited before and after decompression."""
        limit = self.bytes_left
        length = response.headers.get("content-length", "")
        if length and "transfer-encoding" in response.headers:
            raise FetchError(
                "the response states two lengths (Content-Length and Transfer-Encoding), so neither can be trusted"
            )
        if length.isdecimal() and int(length) > limit:
            raise too_large(self.settings.max_bytes)
        size = 0
        for block in _decoded(response, _limited(response.iter_raw(), limit, self.settings.max_bytes)):
            size += len(block)
            if size > limit:
                raise too_large(self.settings.max_bytes)
            if self.deadline.passed:
                raise FetchError(self.deadline.message)
            yield block
        # A body without a length that is cut off at the deadline looks complete.
        if self.deadline.passed:
            raise FetchError(self.deadline.message)
        self._spent += size

    def _deadline_error(self, shown: str) -> FetchError | None:
        return FetchError(f"{shown}: {self.deadline.message}") if self.deadline.passed else None

    def _redacted(self, error: Exception) -> str:
        # A library may quote what it was to send.
        return self._secret.redact(str(error)) if self._secret else str(error)

    def _new_client(self, certificate: Secret | None) -> httpx.Client:
        context = tls_context(self.settings.ca_file, certificate)
        # trust_env off: the proxy and netrc settings of the machine are not used.
        return httpx.Client(
            transport=CheckedTransport(self.settings, self.deadline, context),
            trust_env=False,
            timeout=httpx.Timeout(self.settings.read_timeout, connect=self.settings.connect_timeout),
            follow_redirects=False,
        )


def fetch_page(session: FetchSession, url: str, max_bytes: int) -> Page:
    """Fetch a small body into memory.

    :raises FetchError: the reason, with the address.
    """

    def read(response: Response) -> Page:
        parts, size = [], 0
        for block in response.blocks:
            size += len(block)
            if size > max_bytes:
                raise FetchError(f"is larger than {max_bytes:,} bytes, the limit for a page, a hash or a signature")
            parts.append(block)
        return Page(b"".join(parts), response.url, response.headers)

    return session.request(url, read)


def shown_address(url: str | httpx.URL) -> str:
    """Return an address as messages and logs show it: without its query, which may contain a secret.

    :raises FetchError: ``url`` is not an address.
    """
    address = _address(url) if isinstance(url, str) else url
    return str(address.copy_with(query=None, userinfo=b"", fragment=None))


def _address(url: str, base: httpx.URL | None = None) -> httpx.URL:
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
    """Return the seconds of a ``Retry-After`` header, a number or a date (RFC 9110, section 10.2.3)."""
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _limited(blocks: Iterator[bytes], limit: int, setting: int) -> Iterator[bytes]:
    """Yield the bytes received, up to a limit: a compressed stream may decompress to nothing and never end."""
    size = 0
    for block in blocks:
        size += len(block)
        if size > limit:
            raise too_large(setting)
        yield block


def _decoded(response: httpx.Response, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the body, decompressed in limited blocks: httpx would decompress a whole received block at once."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        yield from blocks
    elif encoding in ("gzip", "x-gzip"):
        yield from _inflated(blocks)
    else:
        raise FetchError(f"the server sent the content encoding {encoding!r}, which was not asked for")


def _inflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content of a gzip stream of one or more members (RFC 1952)."""
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
