"""The guards: what is no list, and when a person has to look."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from blocklist.config.settings import GuardSettings
from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.run import RunCounts
from blocklist.refresh import guards
from blocklist.store.staging import Diff
from tests.support import definition

NO_LISTS = {
    "nothing": (b"", "the body is empty: a list is never published as nothing"),
    "white space": (b"\xef\xbb\xbf \r\n\t\n", "the body is empty"),
    "HTML": (
        b"<!DOCTYPE html>\n<title>Login</title>",
        "HTML or XML page, not a list: it begins with '<!DOCTYPE html>'",
    ),
    "HTML after a mark and a blank line": (b"\xef\xbb\xbf\n <HTML lang=x>", "HTML or XML page"),
    "XML": (b'<?xml version="1.0"?><x/>', "HTML or XML page"),
    "gzip": (gzip.compress(b"a.example\n"), "gzip data, not a list in text"),
    "zip": (b"PK\x03\x04" + bytes(20), "a zip archive or spreadsheet"),
    "PDF": (b"%PDF-1.7\n", "a PDF document"),
    "an image": (b"\x89PNG\r\n\x1a\n", "an image"),
    "zstandard": (b"\x28\xb5\x2f\xfd" + bytes(9), "zstandard data"),
    "an old document": (b"\xd0\xcf\x11\xe0" + bytes(9), "an old Office document"),
    "UTF-16 with a mark": ("a.example\n".encode("utf-16"), "text in utf-16: set the option encoding=utf-16"),
    "UTF-16 without a mark": ("a.example\n".encode("utf-16-le"), "holds NUL bytes: it is binary, or text in utf-16"),
    "binary": (b"a.example\n\x00\x01\x02", "holds NUL bytes"),
}


@pytest.mark.parametrize(("body", "said"), NO_LISTS.values(), ids=NO_LISTS)
def test_a_body_that_is_no_list_fails_with_what_it_is_instead(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableFeedError) as refused:
        guards.check_body(io.BytesIO(body), "utf-8")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"a.example\n", "utf-8"),
        (b'{"list": []}', "utf-8"),
        (b"# <html> in a comment\na.example\n", "utf-8"),
        (b"Domain,<b>\n", "utf-8"),
        ("кино.рф\n".encode("windows-1251"), "cp1251"),
        ("a.example\n".encode("utf-16"), "utf-16"),
    ],
)
def test_a_list_is_let_through(body: bytes, encoding: str) -> None:
    guards.check_body(io.BytesIO(body), encoding)


def test_a_body_without_rules_fails_with_its_figures() -> None:
    with pytest.raises(UnreadableFeedError, match="the body gives no rules: it has no rows"):
        guards.check_counts(RunCounts())
    with pytest.raises(UnreadableFeedError, match="the body gives no rules: all 1,200 rows were rejected"):
        guards.check_counts(RunCounts(entries=1_200, rejected=1_200))
    guards.check_counts(RunCounts(entries=2, rules=1, rejected=1))


def held(counts: RunCounts, diff: Diff, general: GuardSettings | None = None, **own: Any) -> list[str]:
    limits = guards.limits_of(definition(guards=own), general or GuardSettings())
    return [said.sentence for said in guards.holding(guards.Facts(counts, diff), limits)]


def removing(removed: int, before: int) -> Diff:
    return Diff(before - removed, 0, removed, 0, before)


def rejecting(rejected: int, entries: int) -> RunCounts:
    return RunCounts(entries=entries, rules=entries - rejected, rejected=rejected)


def test_a_shrinking_list_is_held_with_its_figures() -> None:
    assert held(rejecting(0, 4_394), removing(12_904, 17_298)) == [
        "would remove 12,904 of 17,298 sites (75%); this feed allows 20%"
    ]


def test_removing_as_much_as_allowed_is_not_held() -> None:
    assert held(rejecting(0, 800), removing(200, 1_000)) == []
    assert len(held(rejecting(0, 799), removing(201, 1_000))) == 1


def test_a_single_delisting_is_everyday_business_even_on_a_short_list() -> None:
    assert held(rejecting(0, 1), removing(1, 2)) == []
    assert len(held(rejecting(0, 1), removing(2, 3))) == 1


def test_many_unreadable_rows_are_held_with_their_figures() -> None:
    assert held(rejecting(600, 1_000), removing(0, 0)) == ["rejected 600 of 1,000 rows (60%); this feed allows 50%"]
    assert held(rejecting(500, 1_000), removing(0, 0)) == []


def test_both_guards_speak_when_both_have_cause() -> None:
    assert len(held(rejecting(9, 10), removing(90, 100))) == 2


def test_a_feed_may_allow_more_or_less_than_the_service() -> None:
    assert held(rejecting(0, 10), removing(90, 100), max_removed=0.9) == []
    assert held(rejecting(0, 95), removing(5, 100), max_removed=0) == [
        "would remove 5 of 100 sites (5%); this feed allows 0%"
    ]
    assert held(rejecting(600, 1_000), removing(0, 0), max_rejected=1) == []
    assert held(rejecting(0, 10), removing(90, 100), GuardSettings(max_removed=1)) == []


def test_an_empty_list_before_is_no_reason_to_hold() -> None:
    assert held(rejecting(0, 10), Diff(10, 10, 0, 0, 0)) == []
