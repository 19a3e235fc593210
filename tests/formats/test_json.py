"""``json`` and ``ndjson``."""

from __future__ import annotations

import json

import pytest

from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import Entry, Rejected
from tests.support import parsed, sites


def test_a_list_of_strings_needs_no_option() -> None:
    assert parsed("json", '["a.example", "b.example"]') == [Entry("a.example", 1), Entry("b.example", 2)]


def test_a_field_leads_into_objects() -> None:
    body = '[{"site": {"host": "a.example"}, "x": [1, {"y": 2}]}, {"site": {"host": " b.example "}}]'
    assert sites(parsed("json", body, field="site.host")) == ["a.example", "b.example"]


def test_rows_lead_to_a_nested_list() -> None:
    body = '{"meta": {"list": ["no.example"]}, "data": {"list": [{"d": "a.example"}, {"d": "b.example"}]}}'
    assert parsed("json", body, rows="data.list", field="d") == [Entry("a.example", 1), Entry("b.example", 2)]


def test_a_field_may_hold_several_sites() -> None:
    items = parsed("json", '[{"d": ["a.example", "b.example", null]}, {"d": []}]', field="d")
    assert sites(items) == ["a.example", "b.example"]
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [(1, "empty")]


def test_what_a_row_states_is_kept_with_its_entry() -> None:
    row = {"d": "a.example", "o": {"ref": 7}, "on": "2026-01-01", "law": "Art. 1", "who": "Court A", "cc": "IT"}
    options = {"reference": "o.ref", "published_at": "on", "legal_basis": "law", "authority": "who", "country": "cc"}
    body = json.dumps([row, {"d": "b.example", "on": None, "law": ""}])
    expected = [Entry("a.example", 1, None, "7", "Art. 1", "2026-01-01", "Court A", "IT"), Entry("b.example", 2)]
    assert parsed("json", body, field="d", **options) == expected
    lines = "\n".join(map(json.dumps, json.loads(body)))
    assert parsed("ndjson", lines, field="d", **options) == expected


@pytest.mark.parametrize("row", ["null", "7", "{}", '{"d": null}', '{"d": 7}', '{"d": ""}', '{"d": {"x": 1}}', "true"])
def test_a_row_without_a_site_is_rejected_with_its_number(row: str) -> None:
    items = parsed("json", f'[{{"d": "a.example"}}, {row}, {{"d": "c.example"}}]', field="d")
    assert sites(items) == ["a.example", "c.example"]
    assert [(item.position, item.code, item.reason) for item in items if isinstance(item, Rejected)] == [
        (2, "empty", "row 2 has no site at 'd'")
    ]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert sites(parsed("json", b'\xef\xbb\xbf["a.example"]')) == ["a.example"]
    assert sites(parsed("ndjson", b'\xef\xbb\xbf"a.example"\r\n"b.example"')) == ["a.example", "b.example"]


@pytest.mark.parametrize(
    "body",
    [
        b'["a.example", "b.exam',
        b'["a.example", ',
        b'["a.example"',
        b'[{"d": "a.example"}, {"d"',
        b'["a.example"] trailing',
        b'["a.example",, "b.example"]',
        b"not json",
        b'["\xff"]',
        b"",
    ],
)
def test_json_that_is_cut_off_or_broken_is_not_half_read(body: bytes) -> None:
    with pytest.raises(UnreadableFeedError, match="not JSON that can be read: ") as refused:
        parsed("json", body)
    assert "b'" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("rows", "body"), [("", '{"list": []}'), ("list", '{"other": []}'), ("list", '{"list": null}')]
)
def test_a_path_that_leads_to_no_list_is_said(rows: str, body: str) -> None:
    with pytest.raises(UnreadableFeedError, match="rows: no list at "):
        parsed("json", body, rows=rows)


def test_an_empty_list_is_a_list() -> None:
    assert parsed("json", "[]") == []
    assert parsed("json", '{"list": []}', rows="list") == []


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_nested_without_end_costs_no_memory(opening: str) -> None:
    with pytest.raises(UnreadableFeedError, match="nested deeper than 100 levels"):
        parsed("json", opening * 100_000)


def test_a_bad_line_of_ndjson_is_rejected_alone() -> None:
    body = '{"d": "a.example"}\n{"d": "b.exa\n\n[[[\n' + "[" * 50_000 + '\n{"d": "c.example"}\n'
    items = parsed("ndjson", body, field="d")
    assert sites(items) == ["a.example", "c.example"]
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [
        (2, "syntax"),
        (4, "syntax"),
        (5, "syntax"),
    ]
    assert isinstance(items[-1], Entry)
    assert items[-1].position == 6


HALF_A_PAIR = ['{"d": "\\ud800.example"}', '{"d": "good.example", "r": "x\\udfff"}']


def test_a_line_that_no_encoding_carries_spoils_no_other() -> None:
    bad, good = parsed("ndjson", "\n".join(HALF_A_PAIR), field="d", reference="r")
    assert isinstance(bad, Entry)
    assert "\ufffd" in bad.site
    assert isinstance(good, Entry)
    assert (good.site, good.reference) == ("good.example", "x\ufffd")


def test_a_body_that_no_encoding_carries_is_unreadable_and_no_fault_of_the_service() -> None:
    with pytest.raises(UnreadableFeedError, match="half a surrogate pair"):
        parsed("json", f"[{', '.join(HALF_A_PAIR)}]", field="d", reference="r")


@pytest.mark.parametrize("format_", ["json", "ndjson"])
def test_a_row_with_a_member_twice_is_rejected_alone(format_: str) -> None:
    rows = [
        '{"domain": "a.example", "domain": "b.example"}',
        '{"domain": "c.example", "by": {"x": 1, "x": 2}}',
        '{"domain": "d.example", "by": {"domain": 1}, "more": [{"x": 1}, {"x": 2}]}',
    ]
    body = f"[{','.join(rows)}]" if format_ == "json" else "\n".join(rows)
    items = parsed(format_, body, field="domain")
    assert sites(items) == ["d.example"]
    assert [(item.position, item.code) for item in items if isinstance(item, Rejected)] == [
        *((1, "repeated_member"), (2, "repeated_member"))
    ]


def test_what_json_does_not_have_is_no_value_in_ndjson() -> None:
    items = parsed("ndjson", '{"domain": "a.example", "score": NaN}\n{"domain": "b.example"}\n', field="domain")
    assert sites(items) == ["b.example"]
