"""Bodies from files, what a fetch may cost, and which addresses are public."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
from pathlib import Path

import pytest

from blocklist.config.settings import FetchSettings
from blocklist.definitions.source import Source
from blocklist.domain.errors import FetchError, NotFoundError, StoreError
from blocklist.fetch import fetch, fetch_file
from blocklist.fetch.address_guard import public_addresses
from blocklist.fetch.body import BodyStore
from blocklist.normalize.public_addresses import is_public

PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:2800:21f::1", "::ffff:93.184.215.14"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "2002:7f00:1::"),
    *("2001:0:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fd00:ec2::254"),
    *("64:ff9b::5db8:d70e", "64:ff9b:1::5db8:d70e", "2002:5db8:d70e::1", "::93.184.215.14", "::ffff:0:5db8:d70e"),
    *("0.1.2.3", "100.127.255.255", "198.19.255.255", "239.255.255.255", "255.255.255.254", "192.0.0.171", "fec0::1"),
    *("2001:10::1", "2001:20::1", "2001:2::1", "3fff::1", "5f00::1", "100::1", "4000::1", "ff0e::1"),
    *("2606:2800:21f::1%eth0", "2606:2800:21f::1%2"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_leads_inward_or_to_many_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433", "::1", "0"])
def test_a_host_that_leads_inward_is_refused_with_the_setting_that_allows_it(host: str) -> None:
    with pytest.raises(FetchError, match=r"leads to .*, which is not a public address; .*fetch\.allow_private_hosts"):
        public_addresses(host, 80, FetchSettings())


def test_a_private_host_is_allowed_by_its_very_name_alone() -> None:
    allowed = FetchSettings(allow_private_hosts=("127.0.0.1", "LocalHost"))
    assert public_addresses("localhost", 80, allowed)
    assert public_addresses("127.0.0.1", 80, allowed) == ["127.0.0.1"]
    with pytest.raises(FetchError, match="not a public address"):
        public_addresses("127.0.0.2", 80, allowed)


def test_a_name_server_that_takes_its_time_does_not_stretch_a_fetch(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(60) and [])
    try:
        with pytest.raises(FetchError, match="took longer than 1 s"):
            fetch(Source(url="http://slow.example/"), tmp_path / "into", FetchSettings(total_timeout=1))
    finally:
        done.set()


def test_a_name_that_does_not_resolve_is_said() -> None:
    for host in ("nowhere.invalid", "a" * 64 + ".example"):
        with pytest.raises(FetchError, match="the name cannot be resolved"):
            public_addresses(host, 80, FetchSettings())


def test_a_file_is_copied_with_its_hash_and_size(tmp_path: Path) -> None:
    source = tmp_path / "a list.txt"
    source.write_bytes(b"a.example\n")
    for where in (Source(file=str(source)), Source(url=source.as_uri())):
        body = fetch(where, tmp_path / "into", FetchSettings())
        assert body is not None
        assert (body.size, body.sha256) == (10, hashlib.sha256(b"a.example\n").hexdigest())
        assert body.path.read_bytes() == b"a.example\n"
        assert body.validators == {}


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"none\.txt: cannot be read: No such file or directory"):
        fetch_file(tmp_path / "none.txt", tmp_path / "into", FetchSettings())
    with pytest.raises(FetchError, match="cannot be read: Is a directory"):
        fetch_file(tmp_path, tmp_path / "into", FetchSettings())


def test_a_body_larger_than_allowed_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"x" * 1_001)
    limited = FetchSettings(max_bytes=1_000)
    with pytest.raises(FetchError, match=r"larger than 1,000 bytes \(setting fetch\.max_bytes\)"):
        fetch_file(tmp_path / "list.txt", tmp_path / "into", limited)
    assert not (tmp_path / "into").exists()
    (tmp_path / "list.txt").write_bytes(b"x" * 1_000)
    assert fetch_file(tmp_path / "list.txt", tmp_path / "into", limited).size == 1_000


def test_a_body_is_kept_once_under_its_hash(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a.example\n")
    bodies = BodyStore(tmp_path / "bodies")
    body = fetch_file(tmp_path / "list.txt", tmp_path / "into", FetchSettings())
    bodies.keep(body)
    bodies.keep(body)
    (kept,) = (path for path in (tmp_path / "bodies").rglob("*") if path.is_file())
    assert kept.name == f"{body.sha256}.gz"
    assert gzip.decompress(kept.read_bytes()) == b"a.example\n"
    with bodies.open(body.sha256) as opened:
        assert opened.read() == b"a.example\n"
    kept.unlink()
    with pytest.raises(NotFoundError, match=r"the body .* was deleted by hand"), bodies.open(body.sha256):
        pass


def test_a_body_is_kept_beside_its_reading_whatever_becomes_of_that(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"a.example\n")
    body = fetch_file(tmp_path / "list.txt", tmp_path / "into", FetchSettings())
    bodies = BodyStore(tmp_path / "bodies")
    with pytest.raises(ZeroDivisionError), bodies.keeping(body):
        raise ZeroDivisionError
    with bodies.open(body.sha256) as kept:
        assert kept.read() == b"a.example\n"
    (tmp_path / "file").touch()
    with (
        pytest.raises(StoreError, match="cannot be written: Not a directory"),
        BodyStore(tmp_path / "file").keeping(body),
    ):
        pass
