"""The guards that check all bytes of a body: encodings and NUL bytes."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.domain.errors import GuardError
from blocklist.guards.guard import BodyScan, BodyType
from blocklist.guards.guard_settings import GuardSettings
from blocklist.refresh.guard_evaluation import check_body

RUSSIAN = "".join(f"кино-{number}.рф\n" for number in range(20))


def scan(body: bytes, encoding: str = "utf-8", **limits: object) -> BodyScan:
    return check_body(io.BytesIO(body), BodyType(encoding), GuardSettings.model_validate(limits))


def refused(body: bytes, encoding: str = "utf-8", **limits: object) -> str:
    with pytest.raises(GuardError) as error:
        scan(body, encoding, **limits)
    return f"{error.value.guard}: {error.value}"


def test_windows_1251_read_as_utf_8_is_refused_with_the_encoding_it_looks_like() -> None:
    body = RUSSIAN.encode("windows-1251")
    assert refused(body) == (
        "encoding: 20 of 20 lines (100%) hold bytes that are not utf-8; this feed allows 10%; it looks like "
        "windows-1251: set the option encoding=windows-1251"
    )
    assert scan(body, "cp1251") == BodyScan(False, None)


def test_western_text_is_not_taken_for_cyrillic() -> None:
    assert "it looks like windows-1252" in refused("música.example\nanão.example\n".encode("windows-1252"))


def test_utf_8_read_as_a_single_byte_encoding_is_refused() -> None:
    sentence = refused(RUSSIAN.encode(), "cp1251")
    assert "the body is utf-8 throughout (120 letters beyond ASCII)" in sentence
    assert scan(RUSSIAN.encode(), "cp1251", off=["encoding"]) == BodyScan(False, None)
    assert scan("дно.example\n".encode(), "cp1251") == BodyScan(False, None)


def test_a_share_of_bad_lines_as_large_as_allowed_is_let_through() -> None:
    lines = [b"a.example"] * 18 + [b"m\xfasica.example"] * 2
    assert scan(b"\n".join([*lines, b""])) == BodyScan(False, None)
    assert "3 of 21 lines (14%)" in refused(b"\n".join([*lines, b"m\xfa.example", b""]))
    assert scan(b"\n".join([*lines, b"m\xfa.example", b""]), max_undecodable=0.2) == BodyScan(False, None)


def test_a_single_undecodable_line_is_let_through_on_a_list_of_any_length() -> None:
    assert scan(b"m\xfasica.example\n") == BodyScan(False, None)


def test_nul_bytes_are_found_far_behind_the_beginning() -> None:
    body = b"a.example\n" * 300_000 + b"b\0.example\n"
    assert refused(body).startswith("binary: the body holds NUL bytes")
    assert scan(body, off=["binary"]).ends_open is False


def test_a_body_without_nul_bytes_is_refused_as_utf_16() -> None:
    assert refused(b"a.example\n", "utf-16").startswith("encoding: the body is not utf-16")
    assert scan("a.example\n".encode("utf-16"), "utf-16") == BodyScan(False, None)


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=9), min_size=1))
def test_good_utf_8_is_never_refused_for_its_encoding(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    body = "\n".join(["a.example", *(line.replace("\ufffd", "") for line in lines)]).encode()
    found = scan(body, stated_date="off", off=["markup"])
    assert found.ends_open is (body[-1:] not in (b"", b"\n", b"\r"))
