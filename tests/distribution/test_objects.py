"""Stores: the same behavior of a folder and of S3, and one sentence for whatever fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from blocklist.distribution.objects import ObjectStore, StoreAddress
from blocklist.domain.errors import DistributionError
from tests.distribution.s3 import CREDENTIALS, S3, answering


@pytest.fixture(params=["file", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, s3: S3) -> ObjectStore:
    if request.param == "file":
        return ObjectStore(StoreAddress(f"file://{tmp_path / 'store'}", {}))
    return ObjectStore(StoreAddress(s3.bucket(f"bucket-{abs(hash(tmp_path))}"), s3.options))


def test_create_writes_once_and_replace_always(store: ObjectStore) -> None:
    assert store.create("metadata/1.root.json", b"first")
    assert not store.create("metadata/1.root.json", b"second")
    assert store.read("metadata/1.root.json", 100) == b"first"
    for content in (b"one", b"two"):
        store.replace("metadata/timestamp.json", content)
        assert store.read("metadata/timestamp.json", 100) == content


def test_an_object_is_read_again_only_if_it_changed(store: ObjectStore) -> None:
    store.replace("timestamp.json", b"one")
    found = store.read_if_changed("timestamp.json", 100, None)
    assert found is not None
    assert store.read_if_changed("timestamp.json", 100, found.tag) is None
    store.replace("timestamp.json", b"other")
    changed = store.read_if_changed("timestamp.json", 100, found.tag)
    assert changed is not None
    assert changed.data == b"other"


def test_what_is_missing_is_none_and_of_what_is_polled_an_error(store: ObjectStore) -> None:
    assert store.read("nosuch.json", 100) is None
    assert store.chunks("nosuch.json") is None
    assert store.size("nosuch.json") is None
    store.delete(["nosuch.json"])
    with pytest.raises(DistributionError, match="nothing was published there yet"):
        store.read_if_changed("nosuch.json", 100, None)


def test_an_object_larger_than_the_limit_is_refused(store: ObjectStore) -> None:
    store.replace("big.json", bytes(200_000))
    with pytest.raises(DistributionError, match="has more than 100,000 bytes"):
        store.read("big.json", 100_000)


def test_a_named_object_that_is_cut_off_is_written_again(store: ObjectStore) -> None:
    store.create("snapshots/ab.base.snapshot", b"cut")
    store.create_named("snapshots/ab.base.snapshot", b"cut off no more")
    assert store.read("snapshots/ab.base.snapshot", 100) == b"cut off no more"
    assert store.sizes("snapshots") == {"snapshots/ab.base.snapshot": 15}


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(DistributionError) as caught:
        call()
    said = str(caught.value)
    assert "not-so-secret" not in said
    assert "\n" not in said
    assert len(said) < 300
    return said


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (403, "SignatureDoesNotMatch", "the store refuses the credentials (SignatureDoesNotMatch)"),
        (403, "InvalidAccessKeyId", "the store refuses the credentials (InvalidAccessKeyId)"),
        (403, "AccessDenied", "the store refuses the credentials (AccessDenied)"),
        (403, "RequestTimeTooSkewed", "refuses the time of this machine (RequestTimeTooSkewed): set its clock"),
        (404, "NoSuchBucket", "there is no such bucket or container (NoSuchBucket)"),
        (500, "InternalError", "it answers 500 Internal Server Error (InternalError)"),
    ],
)
def test_what_a_store_answers_is_one_sentence_without_credentials(
    status: int, code: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blocklist.distribution.objects._RETRY", {"max_retries": 0})
    with answering(status, code) as endpoint:
        store = ObjectStore(StoreAddress("s3://bucket/lists", {**CREDENTIALS, "endpoint": endpoint}))
        assert why in refusal(lambda: store.replace("x.json", b""))
        assert why in refusal(lambda: store.read("x.json", 100))


def test_a_store_that_cannot_be_reached_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocklist.distribution.objects._RETRY", {"max_retries": 0})
    store = ObjectStore(StoreAddress("s3://bucket/lists", {**CREDENTIALS, "endpoint": "http://127.0.0.1:9"}))
    assert refusal(lambda: store.create("x.json", b"")).endswith("it cannot be reached")


@pytest.mark.parametrize(
    ("url", "options", "why"),
    [
        ("ftp://bucket/lists", {}, "not the address of a store"),
        ("bucket", {}, "not the address of a store"),
        ("s3://bucket/lists", {"nosuch": "x"}, "an option is not known"),
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str, options: dict[str, str], why: str) -> None:
    assert why in refusal(lambda: ObjectStore(StoreAddress(url, options)))


def test_a_folder_that_cannot_be_written_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    assert "cannot be opened" in refusal(lambda: ObjectStore(StoreAddress(f"file://{tmp_path}/store/deep", {})))
