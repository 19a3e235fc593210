"""A look through the bytes: encodings, NULs, ends and stated dates."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.config.settings import GuardSettings
from blocklist.domain.errors import GuardError, UnreadableFeedError
from blocklist.refresh import guards
from blocklist.refresh.encoding_check import BodyScan, look_through
from blocklist.refresh.stated_dates import stated_date

RUSSIAN = "".join(f"кино-{number}.рф\n" for number in range(20))


def look(body: bytes, encoding: str = "utf-8", **limits: object) -> BodyScan:
    return look_through(io.BytesIO(body), encoding, GuardSettings.model_validate(limits))


def refused(body: bytes, encoding: str = "utf-8", **limits: object) -> str:
    with pytest.raises(GuardError) as error:
        look(body, encoding, **limits)
    return f"{error.value.guard}: {error.value}"


def test_windows_1251_read_as_utf_8_is_refused_with_the_encoding_it_looks_like() -> None:
    body = RUSSIAN.encode("windows-1251")
    assert refused(body) == (
        "encoding: 20 of 20 lines (100%) hold bytes that are not utf-8; this feed allows 10%; it looks like "
        "windows-1251: set the option encoding=windows-1251"
    )
    assert look(body, "cp1251") == BodyScan(False, None)


def test_western_bytes_are_not_taken_for_cyrillic_ones() -> None:
    assert "it looks like windows-1252" in refused("música.example\nanão.example\n".encode("windows-1252"))


def test_utf_8_read_as_a_single_byte_encoding_is_refused() -> None:
    said = refused(RUSSIAN.encode(), "cp1251")
    assert "the body is utf-8 throughout (120 letters beyond ASCII)" in said
    assert look(RUSSIAN.encode(), "cp1251", off=["encoding"]) == BodyScan(False, None)
    assert look("дно.example\n".encode(), "cp1251") == BodyScan(False, None)


def test_a_share_of_bad_lines_as_large_as_allowed_is_let_through() -> None:
    lines = [b"a.example"] * 18 + [b"m\xfasica.example"] * 2
    assert look(b"\n".join([*lines, b""])) == BodyScan(False, None)
    assert "3 of 21 lines (14%)" in refused(b"\n".join([*lines, b"m\xfa.example", b""]))
    assert look(b"\n".join([*lines, b"m\xfa.example", b""]), max_undecodable=0.2) == BodyScan(False, None)


def test_one_bad_line_spoils_no_list_however_short() -> None:
    assert look(b"m\xfasica.example\n") == BodyScan(False, None)


def test_nul_bytes_are_found_far_behind_the_first_ones() -> None:
    body = b"a.example\n" * 300_000 + b"b\0.example\n"
    assert refused(body).startswith("binary: the body holds NUL bytes")
    assert look(body, off=["binary"]).ends_open is False


def test_what_is_no_utf_16_is_not_read_as_such() -> None:
    assert refused(b"a.example\n", "utf-16").startswith("encoding: the body is not utf-16")
    assert look("a.example\n".encode("utf-16"), "utf-16") == BodyScan(False, None)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9), min_size=1))
def test_good_utf_8_is_never_refused_for_its_encoding(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    body = "\n".join(line.replace("\ufffd", "") for line in lines).encode()
    found = look(body, stated_date="off")
    assert found.ends_open is (body[-1:] not in (b"", b"\n", b"\r"))


DATES = {
    "Updated: 2016-06-13 12:04:00 +0000": "2016-06-13T12:04:00Z",
    "\ufeff# Last modified: 2026-07-06 00:40:29 UTC": "2026-07-06T00:40:29Z",
    "! Last modified: 24 Aug 2025 00:15 UTC": "2025-08-24T00:15:00Z",
    '{\n  "date": "2024-08-29 16:40:00",': "2024-08-29T16:40:00Z",
    "0000350_2025.29.08": "2025-08-29T00:00:00Z",
    "; generated on: Mon, 02 Mar 2026 10:00:00 +0200": "2026-03-02T08:00:00Z",
    "# Stand: 03.02.2024": "2024-02-03T00:00:00Z",
    "@ 3600 IN SOA ns.example. host.example. 2025010203 7200 900 1209600 86400": "2025-01-02T00:00:00Z",
    "# Last updated: 2026/7/6": "2026-07-06T00:00:00Z",
    "updated.example": None,
    "Updated: yesterday": None,
    "# Last modified: 2026-13-45": None,
    "date,domain": None,
    "2026-01-01": None,
}


@pytest.mark.parametrize(("head", "moment"), DATES.items())
def test_the_usual_places_of_a_date_are_known(head: str, moment: str | None) -> None:
    assert stated_date(f"{head}\na.example\n") == moment


def test_a_feed_says_where_its_date_is_or_that_it_has_none() -> None:
    assert stated_date("list no. 7 (03/02/26)", r"\((?P<day>\d\d)/(?P<month>\d\d)/26(?P<year>)\)") is None
    assert stated_date("Allegato B del 2026-02-03", r"del (\S+)") == "2026-02-03T00:00:00Z"
    assert stated_date("Updated: 2016-06-13", "off") is None


@given(st.text(max_size=200))
def test_no_header_breaks_the_search_for_a_date(head: str) -> None:
    found = stated_date(head)
    assert found is None or len(found) >= 20


PAGES = {
    "a page behind a blank line and a mark": (b"\xef\xbb\xbf\n <HTML>", "begins with '<HTML>'"),
    "a page behind a line of text": (b"Error 503\n<!DOCTYPE html>\n", "begins with '<!DOCTYPE html>'"),
    "a sign-in": (b"<html><input name=p type='password'>", "asks for a password: check the feed's credentials"),
}


@pytest.mark.parametrize(("body", "said"), PAGES.values(), ids=PAGES)
def test_a_page_is_no_list(body: bytes, said: str) -> None:
    with pytest.raises(GuardError, match="HTML") as error:
        guards.check_body(io.BytesIO(body), "utf-8")
    assert said in str(error.value)
    guards.check_body(io.BytesIO(body), "utf-8", off=("markup",))


def test_a_pattern_that_takes_too_long_fails_the_run_and_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blocklist.text.safe_regex.SECONDS", 0.5)
    with pytest.raises(UnreadableFeedError, match=r"\(a\+\)\+b\(c\).*guards\.stated_date"):
        look(b"# " + b"a" * 60 + b"!\na.example\n", stated_date="(a+)+b(c)")
