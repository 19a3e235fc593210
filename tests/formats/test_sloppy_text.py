"""Lists in text as careless publishers leave them: joined files, mails, notes, comments of several lines."""

from __future__ import annotations

import io

import pytest

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, LineBlock, Rejected
from blocklist.formats.registry import format_of
from tests.support import parsed, sites


def rejected(items: list[Entry | Rejected]) -> list[tuple[int, str]]:
    return [(item.position, item.code) for item in items if isinstance(item, Rejected)]


def test_byte_order_marks_of_joined_files_are_dropped_before_comments_are_told() -> None:
    body = "\ufeff# A\na.example\n\ufeff# B\n\ufeffb.example\n\ufeff\n\ufeff\ufeff! C\n\u00ef\u00bb\u00bfc.example\n"
    assert sites(parsed("lines", body)) == ["a.example", "b.example", "c.example"]
    assert sites(parsed("hosts", "0.0.0.0 a.example\n\ufeff0.0.0.0 b.example\n")) == ["a.example", "b.example"]


@pytest.mark.parametrize("end", ["\x1a", "\r\n\x1a", "\n\x1a\x1a"])
def test_the_end_of_file_of_dos_is_not_a_row(end: str) -> None:
    assert sites(parsed("lines", f"a.example{end}")) == ["a.example"]


def test_comments_of_several_lines_are_left_out_and_positions_stay() -> None:
    body = """a.example
/* taken off:
legal.example
*/
b.example /* also
legal.example */
<!-- not any more
legal.example
--> c.example
d.example/*
/* one */ e.example
"""
    assert parsed("lines", body) == [
        *(Entry("a.example", 1), Entry("b.example", 5), Entry("c.example", 9), Entry("d.example/*", 10)),
        Entry("e.example", 11),
    ]


@pytest.mark.parametrize(("format_", "prefix"), [("lines", ""), ("hosts", "0.0.0.0 ")])
def test_plain_lines_within_a_comment_are_not_read_together(format_: str, prefix: str) -> None:
    legal = "".join(f"{prefix}legal-{number}.example\n" for number in range(20_000))
    body = f"{prefix}a.example\n/*\n{legal}*/\n{prefix}b.example\n".encode()
    chosen, options = format_of(format_, {})
    items = list(chosen.blocks(io.BytesIO(body), options, 0))
    assert items == [Entry("a.example", 1), Entry("b.example", 20_004)]


def test_a_comment_that_never_ends_fails_the_run_instead_of_hiding_the_rest() -> None:
    with pytest.raises(UnreadableFeedError, match=r"line 2 opens a comment that never ends: \*/ is missing"):
        parsed("lines", "a.example\n/* why\nb.example\n")


@pytest.mark.parametrize(
    "body",
    [
        "Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\na.example\n",
        "Content-Transfer-Encoding: base64\n\nYS5leGFtcGxl\n",
        f"{'a' * 60}=\nb.example\n{'c' * 70}=\nd.example\nhttps://e.example/watch?v=3D12\n",
    ],
)
def test_a_mail_that_was_saved_as_it_was_sent_is_named(body: str) -> None:
    with pytest.raises(UnreadableFeedError, match="the body is a mail in"):
        parsed("lines", body)


def test_addresses_that_end_in_an_equals_sign_are_no_mail() -> None:
    body = f"https://a.example/{'a' * 50}=\nhttps://b.example/{'b' * 50}=\nhttps://c.example/?q=3D\n"
    assert len(sites(parsed("lines", body.replace("=3D", "=")))) == 3


def test_a_numbered_list_is_not_a_list_of_subdomains() -> None:
    body = "# title\n1.a.example\n2.b.example\n3.c.example\nd.example\n"
    items = parsed("lines", body)
    assert sites(items) == ["d.example"]
    assert rejected(items) == [(2, "numbered"), (3, "numbered"), (4, "numbered")]
    chosen, options = format_of("lines", {})
    many = "".join(f"{number}.site-{number}.example\n" for number in range(1, 100)).encode()
    assert not [item for item in chosen.blocks(io.BytesIO(many), options, 0) if isinstance(item, (Entry, LineBlock))]


@pytest.mark.parametrize(
    "body", ["1.a.example\nb.example\n", "1.a.example\n2.a.example\n3.a.example\n", "2.a.example\n"]
)
def test_a_name_that_begins_with_a_number_is_a_name(body: str) -> None:
    assert sites(parsed("lines", body)) == body.split()


def test_words_behind_a_comment_sign_of_a_hosts_file_are_not_listed() -> None:
    body = """0.0.0.0 a.example ; legal.example
0.0.0.0 b.example // legal.example
0.0.0.0 c.example -- formerly legal.example
0.0.0.0 d.example !legal.example
0.0.0.0 e.example//legal.example
0.0.0.0 http://f.example/
"""
    assert sites(parsed("hosts", body)) == [
        *("a.example", "b.example", "c.example", "d.example", "e.example", "http://f.example/")
    ]


def test_a_line_of_a_hosts_file_with_words_that_are_no_hosts_is_rejected_whole() -> None:
    items = parsed("hosts", "0.0.0.0 a.example see legal.example\n0.0.0.0 b.example www.b.example\n")
    assert rejected(items) == [(1, "syntax")]
    assert sites(items) == ["b.example", "www.b.example"]


def test_a_line_of_a_hosts_file_that_leads_elsewhere_does_not_block() -> None:
    body = "216.239.38.120 search.example\n127.0.0.53 a.example\n192.0.2.7 b.example\n"
    assert rejected(parsed("hosts", body)) == [(1, "not_a_block"), (3, "not_a_block")]
    assert sites(parsed("hosts", body, sinks="192.0.2.7, 192.0.2.8")) == ["a.example", "b.example"]
