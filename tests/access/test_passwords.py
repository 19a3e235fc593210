"""Passwords that are refused, and those that are kept."""

from __future__ import annotations

import time

import pytest

from blocklist.access.passwords import check_password, hash_password, needs_rehash, verify_password
from blocklist.domain.errors import UsageError


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("abababababab", "few different"),
        ("Anna.Berg anna", "your name"),
        ("my BlockList pw", "name of this program"),
    ],
)
def test_a_password_that_is_guessed_easily_is_refused(password: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_password(password, "anna.berg")


def test_a_password_is_kept_as_argon2id_and_found_again_however_it_was_typed() -> None:
    kept = hash_password("ﬁne Übung macht")
    assert kept.startswith("$argon2id$")
    assert verify_password(kept, "fine U\u0308bung macht")
    assert not verify_password(kept, "fine Ubung macht")
    assert not verify_password("nonsense", "fine Ubung macht")
    assert not needs_rehash(kept)
    assert needs_rehash("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHQ$JWZyLGNkYmFhYmNkZWZnaGlqa2xtbm9w")


def test_an_unknown_name_costs_as_much_as_a_wrong_password() -> None:
    kept = hash_password("four words in a row")

    def cost(of: str | None) -> float:
        started = time.thread_time()
        assert not verify_password(of, "three words in a row")
        return time.thread_time() - started

    cost(None)
    known, unknown = min(cost(kept) for _ in range(5)), min(cost(None) for _ in range(5))
    assert 0.5 < unknown / known < 2


def test_half_a_surrogate_pair_is_a_wrong_password_and_no_fault() -> None:
    assert not verify_password(None, "\ud800" * 12)
