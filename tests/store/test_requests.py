"""Requests that were done are remembered for a day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from blocklist.store import Store
from tests.support import Clock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "blocklist.db")
    yield store
    store.close()


def test_a_request_is_known_from_its_beginning_and_with_its_answer_afterwards(store: Store) -> None:
    assert store.requests.begin("ann", "key", "hash") is None
    known = store.requests.begin("ann", "key", "hash")
    assert known is not None
    assert known.answer is None
    store.requests.answered("ann", "key", {"status": 201})
    known = store.requests.begin("ann", "key", "other")
    assert known is not None
    assert (known.request_hash, known.answer) == ("hash", {"status": 201})


def test_a_key_belongs_to_who_sent_it(store: Store) -> None:
    assert store.requests.begin("ann", "key", "hash") is None
    assert store.requests.begin("bob", "key", "hash") is None


def test_a_request_that_changed_nothing_is_forgotten_at_once_and_any_after_a_day(store: Store, clock: Clock) -> None:
    store.requests.begin("ann", "key", "hash")
    store.requests.forget("ann", "key")
    assert store.requests.begin("ann", "key", "hash") is None
    clock.advance(86_402)
    assert store.requests.begin("ann", "key", "hash") is None
