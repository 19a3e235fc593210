"""Addresses that lead inward, in every clothing: not one connection, counted at a real listener."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import minisign
import pytest

from blocklist.config.notifications import WebhookSettings
from blocklist.config.settings import FetchSettings
from blocklist.definitions.source import Source
from blocklist.domain.errors import BlocklistError, FetchError
from blocklist.fetch import fetch
from blocklist.notify.messages import Message
from blocklist.notify.webhook import DeliveryError, post
from tests.e2e.running import Publisher, publisher, respond
from tests.fetch.asking import Getting, answering, in_turn, moved, site

MINISIGN = minisign.KeyPair.generate().public_key.to_base64().decode()
#: Signs what is posted to a webhook.
SIGNING = base64.b64encode(bytes(32)).decode()
#: Stands for the listener's port.
P = "{port}"
LOOPBACK = [
    *("127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1"),
    *("0177.0.0.1", "017700000001", "0x7f.1", "127.0x0.0.1", "0", "0.0.0.0", "00000177.1", "127.0.0.1."),
    *("localhost", "LOCALHOST", "localhost.", "LocalHost", "%6c%6f%63alhost", "%31%32%37.0.0.1"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost", "127．0．0．1"),
]
IPV6 = [
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::7f00:1]"),
    *("[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[fe80::1]"),
    *("[2001:0:7f00:1::]", "[fec0::1]", "[fc00::1]", "[::1%25lo]", "[fe80::1%25lo]", "[::1%lo]", "[0000::0001]"),
]
#: Userinfo, backslashes and other marks over which parsers disagree.
TRICKS = [
    f"http://lists.example@127.0.0.1:{P}/",
    f"http://lists.example:443@127.0.0.1:{P}/",
    f"http://lists.example%40127.0.0.1:{P}/",
    f"http://127.0.0.1:{P}\\@lists.invalid/",
    f"http://lists.invalid\\@127.0.0.1:{P}/",
    f"http:\\\\127.0.0.1:{P}\\",
    f"http:///127.0.0.1:{P}/",
    f"http:/127.0.0.1:{P}/",
    f"http:127.0.0.1:{P}/",
    f"//127.0.0.1:{P}/",
    f"\\\\127.0.0.1:{P}/",
    f"http://127.0.0.1:{P}#@lists.example/",
    f"http://127.0.0.1:{P}?@lists.example/",
    f"http://127.0.0.1\t:{P}/",
    f"HTTP://127.0.0.1:{P}/",
    f" http://127.0.0.1:{P}/ ",
    f"http://127.0.0.1%2elists.invalid:{P}/",
    f"https://127.0.0.1:{P}/",
    f"ftp://127.0.0.1:{P}/",
    f"gopher://127.0.0.1:{P}/_GET",
    f"ws://127.0.0.1:{P}/",
    f"file://127.0.0.1:{P}/etc/passwd",
]
ADDRESSES = [*(f"http://{host}:{P}/list.txt" for host in (*LOOPBACK, *IPV6)), *TRICKS]


class Listener:
    """Counts who connects to any address of this machine, IPv4 or IPv6."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                connection.close()

    def connect(self, host: str) -> None:
        before = self.connections
        socket.create_connection((host, self.port)).close()
        for _ in range(500):
            if self.connections > before:
                return
            threading.Event().wait(0.01)
        raise AssertionError("the listener counts nothing")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    opened = Listener()
    yield opened
    opened.close()


@pytest.fixture
def unreached(listener: Listener) -> Iterator[Listener]:
    """Fail the test if anything connected; then see that the listener would have noticed."""
    before = listener.connections
    yield listener
    assert listener.connections == before
    listener.connect("127.0.0.1")


def refused(folder: Path, source: dict[str, Any], allowed: tuple[str, ...] = (), **settings: Any) -> None:
    """Fetch from what may not even be a definition; either way there must be an error, and nothing left."""
    limits = FetchSettings(allow_private_hosts=allowed, attempts=1, connect_timeout=2, total_timeout=5, **settings)
    with pytest.raises((FetchError, ValueError)):
        fetch(Source.model_validate(source), folder / "body", limits)
    assert not (folder / "body").exists()


def test_there_are_more_than_forty_five_of_them() -> None:
    assert len(set(ADDRESSES)) > 45


def test_the_listener_hears_both_kinds_of_loopback(listener: Listener) -> None:
    for host in ("127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"):
        listener.connect(host)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_definition_that_points_inward_connects_to_nothing(unreached: Listener, tmp_path: Path, address: str) -> None:
    refused(tmp_path, {"url": address.format(port=unreached.port)})


@pytest.fixture(scope="module")
def outside() -> Iterator[Publisher]:
    """A publisher that is allowed by name, and leads elsewhere."""
    with publisher() as opened:
        yield opened


#: The publisher itself is allowed, as localhost; these are the others.
FOREIGN = [address for address in ADDRESSES if not re.search("local|%6c|ⓛ", address, re.IGNORECASE)]


@pytest.mark.parametrize("address", FOREIGN)
def test_a_redirect_link_next_page_or_proof_that_points_inward_connects_to_nothing(
    unreached: Listener, outside: Publisher, tmp_path: Path, address: str
) -> None:
    there = address.format(port=unreached.port)
    start = f"http://localhost:{outside.port}/start"
    allowed = ("localhost",)
    as_header = there.encode("utf-8").decode("latin-1").replace("\t", "")

    site(outside, {"/start": moved(as_header)})
    refused(tmp_path, {"url": start}, allowed)
    site(outside, {"/start": f'<base href="{start}"><a href="{there}">list</a>'.encode()})
    refused(tmp_path, {"url": start, "discovery": {"text": "list"}}, allowed)
    site(outside, {"/start": f'<base href="{there}"><a href="list.txt">list</a>'.encode()})
    refused(tmp_path, {"url": start, "discovery": {"text": "list"}}, allowed)
    site(outside, {"/start": json.dumps({"rows": ["a.example"], "next": there}).encode()})
    pages = {"kind": "next", "field": "next", "rows": "rows"}
    refused(tmp_path, {"url": start, "pagination": pages}, allowed)
    site(outside, {"/start": answering(b'["a.example"]', Link=f'<{as_header}>; rel="next"')})
    refused(tmp_path, {"url": start, "pagination": {"kind": "link"}}, allowed)
    site(outside, {"/start": b"a.example\n"})
    refused(tmp_path, {"url": start, "integrity": {"kind": "sha256", "url": there}}, allowed)
    refused(tmp_path, {"url": start, "integrity": {"kind": "minisign", "key": MINISIGN, "url": there}}, allowed)
    second = f'<base href="{start}"><a href="{start}2">page</a>'.encode()
    site(outside, {"/start": second, "/start2": f'<a href="{there}">list</a>'.encode()})
    refused(tmp_path, {"url": start, "discovery": {"text": "page", "then": {"text": "list"}}}, allowed)
    site(outside, {"/start": moved("/next"), "/next": moved(as_header)})
    refused(tmp_path, {"url": start}, allowed)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_webhook_that_points_inward_connects_to_nothing(
    unreached: Listener, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("A_SECRET", SIGNING)
    with pytest.raises((BlocklistError, ValueError)):
        told(address.format(port=unreached.port))


def test_a_webhook_that_is_allowed_by_name_is_reached_and_its_redirect_inward_is_not_followed(
    unreached: Listener, outside: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", SIGNING)
    posted: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        posted.append(handler.path)
        respond(
            handler, b"", 302 if handler.path == "/away" else 200, {"Location": f"http://127.0.0.1:{unreached.port}/"}
        )

    outside.answer = answer
    told(f"http://localhost:{outside.port}/hook", allowed=("localhost",))
    with pytest.raises(DeliveryError, match="answered 302"):
        told(f"http://localhost:{outside.port}/away", allowed=("localhost",))
    assert posted == ["/hook", "/away"]


#: Networks that lead inward, to many, or nowhere, each by an address in it (RFC 6890 and its successors).
INWARD = [
    *(
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
    ),
    *("198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("[fd00:ec2::254]", "[fe80::a9fe:a9fe]", "[ff02::1]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]"),
    *("[::ffff:169.254.169.254]", "[::ffff:0a00:1]", "[100::1]", "[2001:db8::1]", "[5f00::1]", "255.255.255.255"),
    "0xa9.254.43518",
    *("2852039166", "0251.0376.0251.0376"),
]


@pytest.mark.parametrize("host", INWARD)
def test_no_connection_is_tried_to_an_address_that_is_not_of_the_internet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    tried: list[Any] = []

    def connecting(address: Any, *_: Any, **__: Any) -> Any:
        tried.append(address)
        raise OSError("no way out of a test")

    monkeypatch.setattr(socket, "create_connection", connecting)
    refused(tmp_path, {"url": f"http://{host}/latest/meta-data/"})
    monkeypatch.setenv("A_SECRET", SIGNING)
    with pytest.raises((BlocklistError, ValueError)):
        told(f"http://{host}/")
    monkeypatch.undo()
    assert tried == []


def told(url: str, allowed: tuple[str, ...] = ()) -> None:
    """Post a message to a webhook."""
    channel = WebhookSettings.model_validate({"url": url, "secret_env": "A_SECRET"})
    post(channel, FetchSettings(allow_private_hosts=allowed), 5, Message("msg_1", "a test", {"type": "test"}))


def test_a_name_that_leads_elsewhere_the_second_time_it_is_asked_connects_to_nothing_inward(
    unreached: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[str] = []

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        # A public address of documentation's neighbor that answers nothing here, then the loopback.
        answers.append("203.0.114.1" if not answers else "127.0.0.1")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[-1], port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    connected: list[Any] = []

    def connecting(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address[0])
        raise OSError("no way out of a test")

    monkeypatch.setattr(socket, "create_connection", connecting)
    refused(tmp_path, {"url": f"http://rebinding.example:{unreached.port}/"})
    monkeypatch.undo()
    assert answers == ["203.0.114.1"]
    assert connected == ["203.0.114.1"]


def test_a_name_is_checked_anew_when_a_try_is_repeated(
    unreached: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def turning(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        address = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def no_way(*_: Any, **__: Any) -> Any:
        raise OSError("no way out of a test")

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    with monkeypatch.context() as blocked, pytest.raises(FetchError, match=r"leads to 127\.0\.0\.1"):
        blocked.setattr(socket, "create_connection", no_way)
        fetch(Source(url=f"http://turning.example:{unreached.port}/"), tmp_path / "body", FetchSettings(attempts=2))
    monkeypatch.undo()
    assert len(asked) == 2


def test_of_a_name_with_public_and_private_addresses_only_the_public_ones_are_tried(
    unreached: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[Any] = []

    def both(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("127.0.0.1", "203.0.114.1", "10.0.0.1")
        ]

    def connecting(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address[0])
        raise OSError("no way out of a test")

    monkeypatch.setattr(socket, "getaddrinfo", both)
    monkeypatch.setattr(socket, "create_connection", connecting)
    refused(tmp_path, {"url": f"http://both.example:{unreached.port}/"})
    monkeypatch.undo()
    assert connected == ["203.0.114.1"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"])
def test_a_proxy_of_the_environment_is_not_asked(
    unreached: Listener, outside: Publisher, get: Getting, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{unreached.port}")
    outside.answer = in_turn(answering(b"a.example\n"))
    assert get(outside.url) is not None


@pytest.mark.parametrize("host", [*LOOPBACK[:14], *IPV6])
def test_a_proxy_is_not_even_asked_for_an_address_that_points_inward(
    unreached: Listener, tmp_path: Path, host: str
) -> None:
    refused(tmp_path, {"url": f"http://{host}:80/"}, proxy=f"http://127.0.0.1:{unreached.port}")
