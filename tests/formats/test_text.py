"""The line-based formats: ``lines``, ``hosts`` and ``adblock``."""

from __future__ import annotations

import pytest

from blocklist.domain.errors import UnreadableFeedError, UsageError
from blocklist.domain.listing import Entry, Rejected
from blocklist.formats.registry import FORMATS, format_of
from blocklist.formats.text_body import MAX_LINE
from tests.support import parsed, sites


def test_lines_gives_one_entry_a_line_with_its_number() -> None:
    assert parsed("lines", "a.example\n\nb.example\n") == [Entry("a.example", 1), Entry("b.example", 3)]


def test_lines_reads_byte_order_mark_crlf_tabs_and_a_missing_last_newline() -> None:
    body = b"\xef\xbb\xbfa.example\r\n\tb.example \t\r\nc.example"
    assert parsed("lines", body) == [Entry("a.example", 1), Entry("b.example", 2), Entry("c.example", 3)]


def test_lines_reads_line_ends_of_old_machines() -> None:
    assert sites(parsed("lines", b"a.example\rb.example\r")) == ["a.example", "b.example"]


def test_comments_are_not_entries_and_a_number_sign_inside_a_url_is_not_a_comment() -> None:
    body = """# a title
! another
; a third
// a fourth
//
//a.example/x
b.example   # why
c.example\t; why
d.example // why
http://e.example/#!/page
http://f.example/#x # why
"""
    assert sites(parsed("lines", body)) == [
        "//a.example/x",
        "b.example",
        "c.example",
        "d.example",
        "http://e.example/#!/page",
        "http://f.example/#x",
    ]


@pytest.mark.parametrize("encoding", ["windows-1251", "utf-16", "utf-8", "koi8-r"])
def test_lines_reads_other_encodings(encoding: str) -> None:
    assert sites(parsed("lines", "кино.рф\nb.example\n".encode(encoding), encoding=encoding)) == [
        "кино.рф",
        "b.example",
    ]


def test_a_byte_of_another_encoding_spoils_its_line_alone() -> None:
    assert sites(parsed("lines", b"a.example\n\xff\xfe.example\nc.example\n")) == [
        "a.example",
        "\ufffd\ufffd.example",
        "c.example",
    ]


@pytest.mark.parametrize("format_", ["lines", "hosts", "adblock", "ndjson"])
def test_a_line_of_a_megabyte_ends_the_reading_with_its_number(format_: str) -> None:
    body = b"# title\n" + b"a" * 1_000_000 + b"\nb.example\n"
    with pytest.raises(UnreadableFeedError, match="line 2 is longer than 65536 characters"):
        parsed(format_, body)


def test_a_long_line_within_the_limit_is_read() -> None:
    long = "a.example/" + "x" * (MAX_LINE - 20)
    assert sites(parsed("lines", long + "\nb.example\n")) == [long, "b.example"]


def test_an_empty_body_gives_nothing() -> None:
    for format_ in ("lines", "hosts", "adblock", "ndjson"):
        assert parsed(format_, b"") == []
        assert parsed(format_, b"\xef\xbb\xbf\n \n") == []


def test_hosts_gives_one_entry_a_name() -> None:
    body = "127.0.0.1 a.example\n0.0.0.0\tb.example  www.b.example # why\n::1 c.example\n127.0.0.53 d.example#x\n"
    assert parsed("hosts", body) == [
        Entry("a.example", 1),
        Entry("b.example", 2),
        Entry("www.b.example", 2),
        Entry("c.example", 3),
        Entry("d.example", 4),
    ]


def test_hosts_reads_the_awkward_forms_of_a_real_list() -> None:
    body = "\ufeff127.0.0.1 a.example\r\n127.0.0.1 b.example \t\r\n\r\n# a comment\r\nfe80::1%lo0 c.example".encode()
    assert parsed("hosts", body) == [Entry("a.example", 1), Entry("b.example", 2), Entry("c.example", 5)]


def test_hosts_rejects_a_line_that_is_not_of_a_hosts_file() -> None:
    items = parsed("hosts", "0.0.0.0 a.example\nb.example\n0.0.0.0\n0.0.0.0 # nothing\n")
    assert [(item.position, item.code, item.raw) for item in items if isinstance(item, Rejected)] == [
        (2, "syntax", "b.example"),
        (3, "syntax", "0.0.0.0"),
        (4, "syntax", "0.0.0.0 # nothing"),
    ]
    assert sites(items) == ["a.example"]


def test_adblock_takes_host_rules_and_rejects_every_other_filter() -> None:
    body = """[Adblock Plus 2.0]
! Title: made up
||a.example^
@@||b.example^
||c.example^$third-party
||d.example/path^
||*.e.example^
|http://f.example/
##.advert
g.example##.advert
#@#.advert
h.example
/ads/
//i.example/ads
||j.example^$popup
||bücher.example^
# a comment as in hosts files
"""
    items = parsed("adblock", body)
    assert [item for item in items if isinstance(item, Entry)] == [
        Entry("a.example", 3, "||a.example^"),
        Entry("bücher.example", 16, "||bücher.example^"),
    ]
    rejected = [item for item in items if isinstance(item, Rejected)]
    assert [item.position for item in rejected] == list(range(4, 16))
    assert {item.code for item in rejected} == {"not_a_host_rule"}


def test_the_formats_are_a_closed_set_chosen_by_name() -> None:
    text = ["lines", "hosts", "adblock", "csv", "json", "ndjson"]
    assert list(FORMATS) == [*text, "xlsx", "xls", "ods", "html", "pdf", "rss", "atom", "rpz", "auto"]
    with pytest.raises(UsageError, match=r"format 'os\.system' is unknown: use one of lines, hosts"):
        format_of("os.system", {})


@pytest.mark.parametrize(
    ("format_", "options", "said"),
    [
        ("lines", {"encoding": "klingon"}, "format lines: encoding: 'klingon' is not an encoding"),
        ("lines", {"colour": "red"}, "format lines: colour: is unknown; known: encoding"),
        ("hosts", {"column": 1}, "format hosts: column: is unknown"),
        ("json", {"rows": 3}, "format json: rows: "),
        ("csv", {}, "format csv: column: is missing"),
    ],
)
def test_an_option_that_a_format_does_not_have_is_refused(format_: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        format_of(format_, options)
    assert str(refused.value).startswith(said)


def test_a_line_of_blanks_costs_no_more_than_another() -> None:
    # Sixty of these would take twenty minutes in quadratic time: the time limit of every test is what speaks here.
    assert len(parsed("lines", ("b" + " " * 60_000 + "c\n") * 60)) == 60


@pytest.mark.parametrize("encoding", ["hex", "rot13", "idna", "punycode", "undefined", "no-such"])
def test_an_encoding_that_is_none_of_text_is_refused(encoding: str) -> None:
    with pytest.raises(UsageError, match="is not an encoding"):
        format_of("lines", {"encoding": encoding})
