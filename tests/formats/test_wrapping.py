"""Wrapped lists, bombs among them, and what ``auto`` takes a body for."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from blocklist.domain.errors import UnreadableFeedError
from blocklist.formats.recognition import recognize
from blocklist.formats.wrapping import unwrap
from blocklist.service import Service
from tests.formats.making import cell, ods, pdf, xlsx, zipped
from tests.support import definition, parsed, sites

LIST = b"a.example\nb.example\n" * 5_000
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstandard": zstandard.compress,
    "zip (list.txt)": lambda data: zipped({"list.txt": data, "README.md": "x"}),
}


def opened(body: bytes, max_bytes: int = 1 << 20, member: str | None = None) -> tuple[bytes, str | None]:
    with unwrap(io.BytesIO(body), max_bytes, member) as (inside, wrapping):
        return inside.read(), wrapping


def refused(body: bytes, max_bytes: int = 1 << 20, member: str | None = None) -> str:
    with pytest.raises(UnreadableFeedError) as found:
        opened(body, max_bytes, member)
    return str(found.value)


@pytest.mark.parametrize("kind", PACKED)
@settings(max_examples=20, deadline=None)
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_what_was_packed_comes_out_as_it_was(kind: str, parts: list[bytes]) -> None:
    data = b"a.example\n" + b"".join(parts)
    assert opened(PACKED[kind](data)) == (data, kind)
    if not kind.startswith("zip"):
        assert opened(b"".join(map(PACKED[kind], [b"a.example\n", *parts])))[0] == data


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_list_that_is_cut_off_or_too_large_fails(kind: str) -> None:
    body = PACKED[kind](LIST)
    assert "ends in the middle" in refused(body[:-10]) or "not a zip" in refused(body[:-10])
    assert "opens to more than 50,000 bytes (setting fetch.max_bytes)" in refused(body, 50_000)


@pytest.mark.parametrize("kind", PACKED)
def test_a_bomb_costs_no_memory(kind: str) -> None:
    bomb = PACKED[kind](bytes(100_000_000))
    tracemalloc.start()
    assert "opens to more than 10,000,000 bytes" in refused(bomb, 10_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32_000_000


def test_evidence_that_is_compressed_itself_is_unwrapped_the_same() -> None:
    for kind, pack in PACKED.items():
        with unwrap(gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(pack(LIST)))), 1 << 20) as (inside, wrapping):  # type: ignore[arg-type]
            assert (inside.read(), wrapping) == (LIST, kind)


def test_a_zip_with_several_lists_names_them_until_one_is_chosen() -> None:
    body = zipped({"x/a.csv": LIST, "x/b.txt": b"b.example\n", "__MACOSX/x/b.txt": b""})
    assert "2 files in the zip may be the list: 'x/a.csv', 'x/b.txt'; set the option member" in refused(body)
    assert opened(body, member="x/b*.txt")[0] == b"b.example\n"
    assert opened(body, member="a.csv")[0] == LIST
    assert "no file in the zip is 'c'; it has 'x/a.csv'" in refused(body, member="c")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (gzip.compress(gzip.compress(LIST)), "the gzip contains another archive (gzip)"),
        (zipped({"a.gz": gzip.compress(LIST)}), "the zip (a.gz) contains another archive (gzip)"),
        (gzip.compress(LIST) + b"junk", "damaged"),
        (zipped({}), "without a file in it"),
        (b"Rar!\x1a\x07", "a rar archive"),
        (bytes(257) + b"ustar" + bytes(300), "a tar archive"),
        (b"PK\x03\x04" + bytes(30), "cannot be opened"),
    ],
    ids=["twice", "zip in gzip", "junk after gzip", "empty zip", "rar", "tar", "broken zip"],
)
def test_what_is_not_opened_says_why(body: bytes, said: str) -> None:
    assert said in refused(body)


def test_a_locked_zip_is_told_as_such() -> None:
    body = bytearray(zipped({"a.txt": LIST}))
    with zipfile.ZipFile(io.BytesIO(bytes(body))) as archive:
        contents = archive.start_dir
    body[6] |= 1
    body[contents + 8] |= 1
    assert "locked with a password" in refused(bytes(body))


def test_a_zip_with_a_huge_table_of_contents_is_not_read() -> None:
    assert "table of contents" in refused(zipped({f"{number:060}": b"" for number in range(25_000)}))


@pytest.mark.parametrize(
    ("body", "format_", "content_type"),
    [
        (b"# list\na.example\nb.example # x\n", "lines", None),
        (b"0.0.0.0 a.example\n::1 b.example\n", "hosts", "text/plain"),
        (b"[Adblock Plus]\n||a.example^\n", "adblock", None),
        (b"Site;Day\na.example;1\n", "csv", None),
        (b"Site\na.example\n", "csv", "text/csv; charset=utf-8"),
        (b'["a.example"]', "json", None),
        (b'{"d": "a.example"}\n{"d": "b.example"}\n', "ndjson", "text/plain"),
        (xlsx({"A": ""}), "xlsx", "application/octet-stream"),
        (ods([]), "ods", None),
        (b"\xd0\xcf\x11\xe0", "xls", None),
        (pdf("x"), "pdf", None),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "html", "text/plain"),
        (b'<?xml version="1.0"?><!-- x --><rss>', "rss", "text/html"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", "atom", None),
        (b"$TTL 60\n@ SOA a. b. 1 2 3 4 5\na.example CNAME .\n", "rpz", None),
        ("a.example\nb.example\n".encode("utf-16"), "lines", None),
    ],
)
def test_auto_tells_a_format_and_why(body: bytes, format_: str, content_type: str | None) -> None:
    seen = recognize(io.BytesIO(body), content_type)
    assert seen.format == format_
    assert seen.reason
    assert (content_type or "") in seen.reason


@pytest.mark.parametrize(
    "body", [b"some words of prose\nand some more\n", b"<foo/>", b"\0\1\2", b"# nothing\n", b"<!---->" * 585 + b"<1"]
)
def test_auto_does_not_guess(body: bytes) -> None:
    with pytest.raises(UnreadableFeedError, match="format auto: "):
        recognize(io.BytesIO(body))


def test_auto_names_the_columns_when_nobody_said_which() -> None:
    with pytest.raises(UnreadableFeedError, match="column: is missing; its first row is Name, Day"):
        parsed("auto", "Name;Day\na.example;1\n")
    assert sites(parsed("auto", "Site;Day\na.example;1\n", column="Site")) == ["a.example"]
    assert sites(parsed("auto", "a.example\nb.example\n".encode("utf-16"))) == ["a.example", "b.example"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_auto_takes_any_bytes_for_something_or_says_that_it_cannot(body: bytes) -> None:
    try:
        with unwrap(io.BytesIO(body), 1 << 20) as (inside, _):
            recognize(inside)
    except UnreadableFeedError:
        pass


def test_a_run_and_a_preview_say_what_a_body_was_read_as(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "list.zip"
    path.write_bytes(zipped({"list.csv": "Site;Day\na.example;1\nb.example;2\n"}))
    made = definition(format="auto", options={"column": "Site"}, source={"file": str(path)})
    said = "zip (list.csv), in it csv (its lines have columns, separated by semicolon)"
    assert service.feeds.preview(made).seen == said
    service.feeds.add(made, "tester")
    run = service.runs.refresh("court", "tester")
    assert (run.outcome, run.seen, run.counts.rules) == ("applied", said, 2)


def test_a_held_spreadsheet_is_approved_from_its_evidence(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx.gz"

    def publish(count: int) -> None:
        rows = "".join(f'<row r="{n}">{cell(f"A{n}", f"p{n}.example")}</row>' for n in range(1, count + 1))
        path.write_bytes(gzip.compress(xlsx({"A": rows})))

    publish(10)
    options = {"column": 1, "header": False}
    service.feeds.add(definition(format="xlsx", options=options, source={"file": str(path)}), "tester")
    assert service.runs.refresh("court", "tester").counts.rules == 10
    publish(3)
    held = service.runs.refresh("court", "tester")
    assert held.outcome == "held"
    assert service.runs.approve(held.id, "tester", "withdrawn").counts.rules == 3
