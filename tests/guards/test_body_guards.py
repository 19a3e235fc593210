"""The guards over the bytes of a body: what is not a list."""

from __future__ import annotations

import gzip
import io

import pytest

from blocklist.domain.errors import GuardError, UnreadableFeedError
from blocklist.guards.guard import BodyType
from blocklist.guards.guard_settings import GuardSettings
from blocklist.refresh.guard_evaluation import check_body


def check(body: bytes, encoding: str = "utf-8", **limits: object) -> None:
    stream = io.BytesIO(body)
    check_body(stream, BodyType(encoding), GuardSettings.model_validate(limits))
    assert stream.tell() == 0


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
    "a symbolic link": (b"../lists/pirates.txt", "is only the name of another file, '../lists/pirates.txt'"),
    "the address of a list": (b"https://court.example/new/list.csv\n", "is only the name of another file"),
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer"),
    "binary": (b"a.example\n\x00\x01\x02", "holds NUL bytes"),
}


@pytest.mark.parametrize(("body", "sentence"), NO_LISTS.values(), ids=NO_LISTS)
def test_a_body_that_is_not_a_list_fails_and_the_sentence_says_what_it_is(body: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFeedError) as refused:
        check(body)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"a.example\n", "utf-8"),
        (b'{"list": []}', "utf-8"),
        (b"https://a.example/films", "utf-8"),
        (b"a.zip\n", "utf-8"),
        (b"a.example/list.txt\nb.example\n", "utf-8"),
        (b"# <html> in a comment\na.example\n", "utf-8"),
        (b"Domain,<b>\n", "utf-8"),
        ("кино.рф\n".encode("windows-1251"), "cp1251"),
        ("a.example\n".encode("utf-16"), "utf-16"),
    ],
)
def test_a_list_is_let_through(body: bytes, encoding: str) -> None:
    check(body, encoding)


PAGES = {
    "a page behind a blank line and a mark": (b"\xef\xbb\xbf\n <HTML>", "begins with '<HTML>'"),
    "a page behind a line of text": (b"Error 503\n<!DOCTYPE html>\n", "begins with '<!DOCTYPE html>'"),
    "a sign-in": (b"<html><input name=p type='password'>", "asks for a password: check the feed's credentials"),
}


@pytest.mark.parametrize(("body", "sentence"), PAGES.values(), ids=PAGES)
def test_a_web_page_is_not_a_list(body: bytes, sentence: str) -> None:
    with pytest.raises(GuardError, match="HTML") as error:
        check(body)
    assert sentence in str(error.value)
    check(body, off=["markup"])
