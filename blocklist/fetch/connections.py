"""Connections of a fetch: only to addresses that were checked, within one time limit.

A network backend of httpcore (the engine of httpx) resolves each name, checks its addresses, and connects to one of
those same addresses. The name is not resolved a second time, when the result could differ (DNS rebinding). TLS checks
the certificate against the name.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpcore
import httpx

from blocklist.config.settings import FetchSettings
from blocklist.domain.errors import FetchError
from blocklist.fetch.address_guard import public_addresses
from blocklist.fetch.credentials import Secret


class Deadline:
    """The time at which a whole fetch must be over. ``setting`` is the name of the setting with the seconds."""

    def __init__(self, seconds: float, setting: str = "fetch.total_timeout") -> None:
        self._seconds = seconds
        self._setting = setting
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left; 0 once the time is over."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left <= 0

    @property
    def message(self) -> str:
        """The reason that a fetch failed when its time was over."""
        return f"took longer than {self._seconds:g} s (setting {self._setting})"


class _DeadlineStream(httpcore.NetworkStream):
    """A connection that ends at the deadline, even if a slow server keeps sending."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._limited(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._limited(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit = self._limited(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, limit), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _limited(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._deadline.left
        if left <= 0:
            raise error(self._deadline.message)
        return left if timeout is None else min(left, timeout)


class _CheckedBackend(httpcore.NetworkBackend):
    """Connects only to public addresses, and to the same ones that were checked."""

    def __init__(self, settings: FetchSettings, deadline: Deadline) -> None:
        self._settings = settings
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.NetworkStream:
        try:
            addresses = public_addresses(host, port, self._settings, self._deadline.left)
        except TimeoutError:
            raise httpcore.ConnectTimeout(self._deadline.message) from None
        for number, address in enumerate(addresses, 1):
            try:
                limit = min(timeout or self._deadline.left, self._deadline.left)
                if self._settings.proxy:
                    return self._through_proxy(address, port, limit)
                return _DeadlineStream(self._network.connect_tcp(address, port, limit), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                if number == len(addresses) or self._deadline.passed:
                    raise type(error)(f"no connection to {host}: {error}") from None
        raise AssertionError("public_addresses gives at least one")

    def _through_proxy(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        """Ask the proxy for a tunnel to the checked address (RFC 9110, section 9.3.6), also for plain HTTP.

        With the name, the proxy would resolve it again, and that result would not be checked.
        """
        proxy = httpx.URL(self._settings.proxy)
        proxy_port = proxy.port or (443 if proxy.scheme == "https" else 80)
        connection = httpcore.HTTPConnection(
            httpcore.Origin(proxy.raw_scheme, proxy.raw_host, proxy_port),
            ssl_context=tls_context(self._settings.ca_file),
            network_backend=_ProxyBackend(self._deadline),
        )
        target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        headers = [(b"Host", target.encode("ascii"))]
        if proxy.userinfo:
            auth = httpx.BasicAuth(proxy.username, proxy.password)
            signed = next(auth.sync_auth_flow(httpx.Request("CONNECT", "http://proxy.invalid")))
            headers.append((b"Proxy-Authorization", signed.headers["Authorization"].encode("ascii")))
        request = httpcore.Request(
            b"CONNECT",
            httpcore.URL(scheme=proxy.raw_scheme, host=proxy.raw_host, port=proxy_port, target=target.encode("ascii")),
            headers=headers,
            extensions={"timeout": {"connect": timeout, "read": timeout, "write": timeout}},
        )
        try:
            response = connection.handle_request(request)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            connection.close()
            raise httpcore.ConnectError(f"the proxy {proxy.host}:{proxy_port} (setting fetch.proxy): {error}") from None
        if not 200 <= response.status < 300:
            connection.close()
            raise FetchError(
                f"the proxy {proxy.host}:{proxy_port} (setting fetch.proxy) answered {response.status} "
                f"when asked for {target}"
            )
        tunnel: httpcore.NetworkStream = response.extensions["network_stream"]
        return tunnel


class _ProxyBackend(httpcore.NetworkBackend):
    """Connects to the operator's proxy, which may have a private address, within the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(httpcore.SyncBackend().connect_tcp(host, port, timeout), self._deadline)


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class CheckedTransport(httpx.BaseTransport):
    """The transport of an :class:`httpx.Client`. It raises the errors of httpcore."""

    def __init__(self, settings: FetchSettings, deadline: Deadline, context: ssl.SSLContext) -> None:
        # A connection is reused for the next page; requests of a fetch are sequential.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=_CheckedBackend(settings, deadline), http2=False
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=response.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def tls_context(ca_file: str, secret: Secret | None = None) -> ssl.SSLContext:
    """Return a TLS context with the usual authorities, those of ``ca_file``, and the client certificate of ``secret``.

    A context without client certificate is cached: to load the authorities takes as long as a small fetch.

    :raises FetchError: the file or the certificate cannot be used.
    """
    try:
        changed = Path(ca_file).stat().st_mtime_ns if ca_file else 0
        if secret is None:
            return _shared_context(ca_file, changed)
        context = _context(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise FetchError(f"fetch.ca_file: {ca_file}: cannot be used: {error.strerror or error}") from None
    secret.load_into(context)
    return context


def _context(ca_file: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


@lru_cache(maxsize=4)
def _shared_context(ca_file: str, _changed: int) -> ssl.SSLContext:
    return _context(ca_file)
