"""Lines read together give exactly the same as lines read one by one."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocklist.config.settings import Settings
from blocklist.domain.errors import UnreadableFeedError
from blocklist.domain.listing import HostBlock, LineBlock, Scope
from blocklist.formats.registry import format_of
from blocklist.formats.text_body import MAX_LINE
from blocklist.guards.entry_guards import NeverBlock
from blocklist.normalize.batch_rules import rules_in_blocks
from blocklist.normalize.rules import Reading, rule_maker
from blocklist.refresh.body_reader import BodyReader, opened_body
from blocklist.service import Service
from tests.feeds.reading import entries
from tests.support import definition

NAMES = [
    *(
        "a.example",
        "b.c.example",
        "under_score.example",
        "-a.example",
        "a-.example",
        "ab--cd.example",
        "a.b",
        "1.example",
    ),
    *(
        "www.a.example",
        "www.co.uk",
        "www.www.b.example",
        "co.uk",
        "kobe.jp",
        "x.kobe.jp",
        "foo.ck",
        "www.ck",
        "blogspot.com",
    ),
    *(
        "xn--p1ai.example",
        "xn--zz.example",
        "axn--b.example",
        "10.1",
        "1.2.3.4",
        "127.0.0.1",
        "8.8.8.8",
        "localhost",
        "com",
    ),
    *(
        "a..b.example",
        ".a.example",
        "a.example.",
        "a.0x1",
        f"{'l' * 63}.example",
        f"{'l' * 64}.example",
        "l." * 40 + "example",
    ),
    *("shop.example", "pay.shop.example", "x.pay.shop.example", "pirate.pay.shop.example.org", "c" * 255 + ".example"),
]
ODD = [
    "",
    "  ",
    "# why",
    "! x",
    "//",
    "//a.example",
    "A.example",
    "http://a.example/x",
    "a.example  # why",
    "a b",
    "\t c.example",
]
READINGS = [Reading(), Reading(www="keep", scope=Scope.EXACT), Reading(entries="apps")]


def lines_of(prefixes: tuple[str, ...], odd: list[str]) -> st.SearchStrategy[str]:
    """Bodies with runs of names long enough to be read together, each with one beginning, and other lines between."""
    name = st.sampled_from(NAMES)
    runs = st.tuples(st.sampled_from(prefixes), st.lists(name, min_size=14, max_size=24)).map(
        lambda run: [run[0] + line for line in run[1]]
    )
    others = st.lists(st.sampled_from(odd), max_size=3)
    bodies = st.lists(st.one_of(runs, others), min_size=1, max_size=5)
    ends = st.tuples(st.sampled_from(["\n", "\n", "\r\n", "\r"]), st.booleans())
    return st.builds(
        lambda parts, end: end[0].join([line for part in parts for line in part]) + end[0] * end[1], bodies, ends
    )


def assert_the_same(format_: str, body: str, reading: Reading) -> None:
    chosen, options = format_of(format_, {})
    encoded = body.encode()
    one_by_one = list(chosen.entries(io.BytesIO(encoded), options, 0))
    blocks = list(chosen.blocks(io.BytesIO(encoded), options, 0))
    assert [
        entry for item in blocks for entry in (item.entries() if isinstance(item, LineBlock) else [item])
    ] == one_by_one
    ruled = list(rules_in_blocks(blocks, reading))
    expanded = [pair for item in ruled for pair in (item.ruled() if isinstance(item, HostBlock) else [item])]
    assert expanded == list(map(rule_maker(reading), one_by_one))


@settings(max_examples=150, deadline=None)
@given(lines_of(("",), ODD), st.sampled_from(READINGS))
def test_lines_give_the_same_together_as_one_by_one(body: str, reading: Reading) -> None:
    assert_the_same("lines", body, reading)


@settings(max_examples=100, deadline=None)
@given(
    lines_of(
        ("0.0.0.0 ", "0.0.0.0\t", "127.0.0.1 ", "0.0.0.0  ", "::1 "), [*ODD, "0.0.0.0", "0.0.0.0 a b", "0.0.0.0 a # b"]
    ),
    st.sampled_from(READINGS),
)
def test_hosts_give_the_same_together_as_one_by_one(body: str, reading: Reading) -> None:
    assert_the_same("hosts", body, reading)


def test_names_of_every_length_and_shape_give_the_same_rule_either_way() -> None:
    rng = random.Random(11)
    letters = "ab-_.09x"
    names = [
        "".join(rng.choice(letters) for _ in range(rng.randint(1, 70))) + rng.choice(["", ".com", ".a", ".uk"])
        for _ in range(3000)
    ]
    assert_the_same("lines", "\n".join(names) + "\n", Reading())


@pytest.mark.parametrize(("format_", "prefix"), [("lines", ""), ("hosts", "0.0.0.0 ")])
def test_plain_hosts_are_read_together(format_: str, prefix: str) -> None:
    chosen, options = format_of(format_, {})
    body = "# one\n" + "".join(f"{prefix}site-{number}.example\n" for number in range(40)) + f"{prefix}co.uk\n"
    (hosts, refused) = rules_in_blocks(chosen.blocks(io.BytesIO(body.encode()), options, 0), Reading())
    assert isinstance(hosts, HostBlock)
    assert (len(hosts.values), hosts.position, hosts.scope) == (40, 2, Scope.SUBTREE)
    assert refused[1:3] == (42, "public_suffix")


def test_a_line_that_is_too_long_is_named_by_its_number_wherever_a_chunk_of_the_body_ends() -> None:
    chosen, options = format_of("lines", {})
    plain = "".join(f"site-{number}.example\n" for number in range(20_000))
    for long in ("x" * MAX_LINE, "x" * (3 * MAX_LINE), "x " * (5 * MAX_LINE)):
        with pytest.raises(UnreadableFeedError, match="line 20001 is longer"):
            list(chosen.blocks(io.BytesIO(f"{plain}{long}\n{plain}".encode()), options, 0))
    kept = list(chosen.entries(io.BytesIO(f"{'x' * (MAX_LINE - 1)}\n".encode()), options, 0))
    assert len(kept) == 1


@given(st.lists(st.sampled_from(NAMES), min_size=16, max_size=40))
def test_a_name_that_is_never_blocked_is_refused_among_hosts_read_together(names: list[str]) -> None:
    body = io.BytesIO(("\n".join(names) + "\n").encode())
    refusal = NeverBlock(["pay.shop.example", "8.8.8.8", "b.example"])
    with opened_body(definition(), body) as opened:
        together = BodyReader(opened, [refusal])
        read = list(entries(together))
        body.seek(0)
        expected = [pair for pair in entries(BodyReader(opened)) if refusal(*pair) is None]
    assert read == expected
    assert together.result().entries == len(names)


def test_the_last_of_hosts_read_together_is_the_last_entry_of_the_body() -> None:
    body = io.BytesIO("".join(f"site-{number}.example\n" for number in range(20)).encode())
    with opened_body(definition(), body) as opened:
        reader = BodyReader(opened)
        list(reader.read_in_blocks())
    last, last_rule = reader.result().last, reader.result().last_rule
    assert last is not None and last_rule is not None
    assert (last.position, last_rule.value) == (20, "site-19.example")


def test_lines_read_together_are_listed_like_lines_read_one_by_one(tmp_path: Path) -> None:
    service = Service(Settings(data_dir=tmp_path))
    file = service.settings.data_dir / "list.txt"
    hosts = [f"site-{number}.example" for number in range(30)]
    file.write_text("\n".join(["# a", *hosts, "www.site-3.example", "http://video.example/x", *hosts[:18], ""]))
    service.feeds.add(definition("court", source={"file": str(file)}), "tester")
    run = service.refresher.refresh("court", "tester")
    assert (run.counts.entries, run.counts.rules, run.counts.duplicates) == (50, 31, 19)
    rows = service.store.database.tuples("SELECT value, kind, scope, position, raw FROM listings ORDER BY position")
    expected = [(host, "host", "subtree", number, None) for number, host in enumerate(hosts, 2)]
    assert list(rows) == [*expected, ("video.example/x", "url", "prefix", 33, "http://video.example/x")]
    service.close()
