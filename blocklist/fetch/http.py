"""Downloading a body: conditional, limited in time and size, and only from public addresses."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import stamina

import blocklist
from blocklist.config import FetchSettings
from blocklist.errors import FetchError
from blocklist.fetch.addresses import public_addresses
from blocklist.fetch.body import Body, BodyWriter

#: Each call inflates to at most this much at a time, so that a bomb stops at the limit and not after it.
_INFLATED_BLOCK = 1 << 20
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})


class _TransientError(Exception):
    """A failure worth another try within the same run."""


def download(
    url: str,
    into: Path,
    settings: FetchSettings,
    validators: dict[str, str],
    secret: tuple[str, str] | None,
    progress: Callable[[int], None],
) -> Body | None:
    """Download a body; None when the server answers 304 to the validators of the body that serves.

    ``validators`` hold ``url``, ``etag`` and ``last-modified`` of that body and count only for the same address.

    :raises FetchError: what went wrong, with the address (without its query, which may hold a secret).
    """
    deadline = time.monotonic() + settings.total_timeout
    request = _Request(url, into, settings, validators, secret, progress, deadline)
    try:
        for attempt in stamina.retry_context(
            on=_TransientError,
            attempts=settings.attempts,
            timeout=settings.total_timeout,
            wait_initial=0.5,
            wait_max=5.0,
        ):
            with attempt:
                return request.once()
    except _TransientError as error:
        raise FetchError(f"{request.shown}: {error} ({settings.attempts} attempts)") from None
    raise AssertionError("stamina tries at least once")


class _Request:
    """One address to download from, through redirects."""

    def __init__(
        self,
        url: str,
        into: Path,
        settings: FetchSettings,
        validators: dict[str, str],
        secret: tuple[str, str] | None,
        progress: Callable[[int], None],
        deadline: float,
    ) -> None:
        self._url = url
        self._into = into
        self._settings = settings
        self._validators = validators if validators.get("url") == url else {}
        self._secret = secret
        self._progress = progress
        self._deadline = deadline
        self._origin = _address(url)
        self.shown = str(self._origin.copy_with(query=None, userinfo=b""))

    def once(self) -> Body | None:
        url = self._origin
        for _ in range(self._settings.max_redirects + 1):
            answer = self._hop(url)
            if not isinstance(answer, httpx.URL):
                return answer
            url = answer
        raise FetchError(f"{self.shown}: more than {self._settings.max_redirects} redirects")

    def _hop(self, url: httpx.URL) -> Body | httpx.URL | None:
        """Ask one address; return the body, the address it redirects to, or None for "not modified"."""
        if url.scheme not in ("http", "https") or not url.host:
            raise FetchError(f"{self.shown}: leads to {url.scheme}://{url.host}, which is not an address for feeds")
        addresses = public_addresses(url.host, url.port or (443 if url.scheme == "https" else 80), self._settings)
        for number, address in enumerate(addresses, 1):
            try:
                return self._ask(url, address)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                if number == len(addresses):
                    raise _TransientError(f"no connection to {url.host}: {error}") from None
            except httpx.TimeoutException:
                raise FetchError(f"{self.shown}: timed out: {url.host} was silent too long") from None
            except httpx.InvalidURL as error:
                raise FetchError(f"{self.shown}: {url.host} redirects to what is not an address: {error}") from None
            except httpx.HTTPError as error:
                if time.monotonic() >= self._deadline:
                    raise FetchError(f"{self.shown}: {self._too_long()}") from None
                raise _TransientError(f"the body did not arrive whole: {error}") from None
        raise AssertionError("public_addresses gives at least one")

    def _ask(self, url: httpx.URL, address: str) -> Body | httpx.URL | None:
        # The connection goes to the very address that was checked, under the name that was asked for: a second look-up
        # could give another one (DNS rebinding). trust_env off: no proxy or netrc of the machine has a say.
        timeout = httpx.Timeout(self._settings.read_timeout, connect=self._settings.connect_timeout)
        cut = _Cut(self._deadline)
        with (
            cut,
            httpx.Client(trust_env=False, timeout=timeout, follow_redirects=False) as client,
            client.stream(
                "GET",
                url.copy_with(host=address, userinfo=b""),
                headers=self._headers(url),
                extensions={"sni_hostname": url.host, "trace": cut.trace},
            ) as response,
        ):
            if response.has_redirect_location:
                return _address(response.headers["location"], url)
            if response.status_code == 304 and self._validators:
                return None
            self._check_status(response)
            return self._read(response)

    def _headers(self, url: httpx.URL) -> dict[str, str]:
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": f"blocklist/{blocklist.__version__}",
            "Accept-Encoding": "gzip",
        }
        for name, header in _VALIDATORS.items():
            if name in self._validators:
                headers[header] = self._validators[name]
        # A redirect to another host or port, or out of https, must not carry the secret there.
        if self._secret and (url.scheme, url.netloc) == (self._origin.scheme, self._origin.netloc):
            headers[self._secret[0]] = self._secret[1]
        return headers

    def _too_long(self) -> str:
        return f"took longer than {self._settings.total_timeout} s (setting fetch.total_timeout)"

    def _check_status(self, response: httpx.Response) -> None:
        status = f"answered {response.status_code} {response.reason_phrase}".rstrip()
        if response.status_code in _TRANSIENT_STATUS:
            raise _TransientError(status)
        if response.status_code in (401, 403):
            raise FetchError(f"{self.shown}: {status}: check the feed's credentials")
        if response.status_code != 200:
            raise FetchError(f"{self.shown}: {status}")

    def _read(self, response: httpx.Response) -> Body:
        writer = BodyWriter(self._into, self._settings.max_bytes)
        try:
            with writer:
                for block in self._decoded(response):
                    if time.monotonic() > self._deadline:
                        raise FetchError(self._too_long())
                    writer.write(block)
                    self._progress(writer.size)
                # A body without a length that was cut off at the deadline ends like one that is whole.
                if time.monotonic() >= self._deadline:
                    raise FetchError(self._too_long())
        except FetchError as error:
            raise FetchError(f"{self.shown}: {error}") from None
        validators = {name: response.headers[name] for name in _VALIDATORS if name in response.headers}
        return writer.body(response.headers.get("content-type"), {"url": self._url, **validators})

    def _decoded(self, response: httpx.Response) -> Iterator[bytes]:
        """Yield the body, inflated in bounded blocks: httpx would inflate a whole received block at once."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding in ("identity", ""):
            yield from response.iter_raw()
        elif encoding in ("gzip", "x-gzip"):
            yield from _inflated(response.iter_raw())
        else:
            raise FetchError(f"the server sent the content encoding {encoding!r}, which was not asked for")


class _Cut:
    """Ends the connection of a request at its deadline, whatever its server is doing.

    Time limits on single reads let a server that sends a byte now and then go on for ever.
    """

    def __init__(self, deadline: float) -> None:
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._end)
        self._timer.daemon = True

    def __enter__(self) -> _Cut:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Take note of the connection when httpcore tells of it (its ``trace`` extension)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")

    def _end(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


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
