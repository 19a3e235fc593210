"""The response cache answers with the same bytes as the routes, or not at all."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist import Snapshot, normalize_host
from blocklist.domain.clock import later
from blocklist.domain.listing import AuthorityKind, Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction, Policy
from blocklist.lookup.http import Request
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes
from blocklist.node.http.http1 import response_head
from blocklist.node.http.response_cache import MAX_CACHED, MAX_REQUEST, ResponseCache
from blocklist.node.metrics import LISTED, NOT_LISTED, Counters
from blocklist.normalize.canonical_host import canonical_host_in
from tests.lookup.test_resolver import Holder
from tests.support import DEFAULT_POLICY, EVERYTHING, Clock, listed, override, rule, snapshot_of, source

LATER, EARLIER = "2999-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


def a_snapshot() -> Snapshot:
    rows = [
        listed(rule("pirate.example")),
        listed(rule("pirate.example"), feed=2, reference="R-2"),
        listed(rule("deep.pirate.example"), feed=2),
        listed(Rule(RuleKind.HOST, "only.example", Scope.EXACT)),
        listed(rule("video.example/watch?v=1")),
        listed(rule("industry.example"), feed=2),
    ]
    overrides = [
        override(1, OverrideAction.ALLOW, rule("good.pirate.example")),
        override(2, OverrideAction.BLOCK, rule("bad.example")),
        override(3, OverrideAction.BLOCK, rule("late.example"), EARLIER),
        override(4, OverrideAction.BLOCK, rule("url.example/x"), LATER),
    ]
    twice = Policy("twice", min_authorities=2)
    feeds = {1: source("court"), 2: source("industry", kind=AuthorityKind.INDUSTRY)}
    return snapshot_of(rows, overrides, [DEFAULT_POLICY, EVERYTHING, twice], feeds, version=7)


SNAPSHOT = a_snapshot()
ROUTES = Routes(Resolver(Holder(SNAPSHOT)))
hosts = st.sampled_from(
    [
        *("pirate.example", "deep.pirate.example", "only.example", "a.only.example", "video.example", "clean.example"),
        *("good.pirate.example", "bad.example", "late.example", "url.example", "industry.example", "example", "a..b"),
        *(
            "xn--p1ai.example",
            "1.2.3.4",
            "0x7f.1",
            "a_b.pirate.example",
            "x" * 64 + ".pirate.example",
            "PIRATE.Example",
        ),
    ]
)
befores = st.sampled_from(["", "www.", "m.", "http://", "https://", "HTTPS://www.", "https:", "ftp://", "//", "u:p@"])
afters = st.sampled_from(
    ["", "/", "/watch?v=1", "?a=b", "#f", ":80", ":80/x", "\\x", ".", "/x y", "/ä%zz&", "@evil.example"]
)
tails = st.sampled_from(
    ["", "&explain=1", "&policy=everything", "&policy=nope", "&policy=twice&explain=1", "&x", "&domain=a.example"]
)


#: The head after a request line; a node adds such heads from requests that its parser read.
HEAD = b"Host: a\r\nAccept: */*\r\n\r\n"


def asked(query: str) -> bytes:
    return f"GET /v1/lookup?{query} HTTP/1.1\r\n".encode() + HEAD


def cache() -> tuple[ResponseCache, Counters]:
    counters = Counters()
    made = ResponseCache(Holder(SNAPSHOT), counters)
    made.add(asked("domain=a.example"))
    made.refresh(response_head(200, None, "application/json", "Thu, 01 Jan 1970 00:00:00 GMT")[:-2])
    return made, counters


CACHE, _ = cache()


@given(st.sampled_from(["domain", "url"]), befores, hosts, afters, st.booleans(), tails)
def test_the_response_cache_answers_with_the_bytes_of_the_routes_or_not_at_all(
    name: str, before: str, host: str, after: str, encoded: bool, tail: str
) -> None:
    text = before + host + after
    value = quote(text, safe="") if encoded else quote(text, safe="/:?@#\\%&=")
    query = f"{name}={value}{tail}"
    for _ in range(3):
        answer = CACHE.answer(asked(query))
        if answer is not None:
            begin, _, body = answer.partition(b"\r\n\r\n")
            long = ROUTES.answer(Request("GET", "/v1/lookup", query.partition("#")[0].encode()))
            assert (long.status, long.encoded()) == (200, body)
            assert begin.endswith(b"Content-Length: %d" % len(body))


@pytest.mark.parametrize(
    "query",
    [
        *("domain=www.clean.example", "domain=PIRATE.example", "url=https%3A%2F%2Fm.clean.example%2Fa%20b%3Fc"),
        *("url=https://pirate.example/x", "domain=pirate.example&policy=everything", "domain=clean.example&explain=1"),
    ],
)
def test_the_most_common_requests_need_no_parser(query: str) -> None:
    assert CACHE.answer(asked(query)) is not None


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/lookup?domain=video.example HTTP/1.1",
        b"GET /v1/lookup?domain=good.pirate.example HTTP/1.1",
        b"GET /v1/lookup?domain=clean.example HTTP/1.0",
        b"GET /v1/lookup?domain=clean.example&domain=pirate.example HTTP/1.1",
        b"POST /v1/lookup?domain=clean.example HTTP/1.1",
        b"GET /v1/lookup?url=https%3A%2F%2Fclean.example%5C.pirate.example HTTP/1.1",
        b"GET /v1/lookup?url=https%3A%2F%2Fclean.example%40pirate.example HTTP/1.1",
        b"GET /v1/lookup?domain=clean.example&policy=nope HTTP/1.1",
        b"GET /v1/lookup?domain=pirate.example&policy=twice HTTP/1.1",
        b"",
    ],
)
def test_ambiguous_requests_need_the_parser(line: bytes) -> None:
    assert CACHE.answer(line + b"\r\n" + HEAD) is None


def test_an_unknown_head_needs_the_parser_until_it_is_added() -> None:
    made, _ = cache()
    known, unknown = asked("domain=pirate.example"), asked("domain=pirate.example").replace(b"*/*", b"text/*")
    assert made.answer(known) is not None
    assert made.answer(unknown) is None
    made.add(unknown)
    assert made.answer(unknown) == made.answer(known)
    made.disable()
    assert made.answer(known) is None


def test_the_cache_is_cleared_when_the_snapshot_or_its_staleness_changes() -> None:
    holder = Holder(SNAPSHOT)
    made = ResponseCache(holder, Counters())
    made.add(asked("domain=a.example"))
    request = asked("domain=new.example")

    def ask() -> dict[str, Any]:
        made.refresh(b"")
        return dict(json.loads((made.answer(request) or b"").partition(b"\r\n\r\n")[2]))

    assert (ask()["listed"], ask()["version"], ask()["stale"]) == (False, 7, False)
    holder.snapshot = snapshot_of([listed(rule("new.example"))], version=8)
    assert (ask()["listed"], ask()["version"], ask()["stale"]) == (True, 8, False)
    holder.stale = True
    assert (ask()["listed"], ask()["stale"]) == (True, True)
    holder.snapshot = None
    made.refresh(b"")
    assert made.answer(request) is None


def test_an_added_answer_is_cached_until_its_override_expires(
    clock: Clock,
) -> None:
    made, counters = cache()
    request = asked("url=url.example/x")
    assert made.answer(request) is None
    long = ROUTES.answer(Request("GET", "/v1/lookup", b"url=url.example/x"))
    for _ in range(2):
        made.add(request, long)
    assert (made.answer(request) or b"").partition(b"\r\n\r\n")[2] == long.encoded()
    assert counters.verdicts("default")[LISTED] == 1
    made.refresh(b"")
    assert made.answer(request) is not None
    clock.move_to(later(LATER, 1))
    made.refresh(b"")
    assert made.answer(request) is None


def test_only_verdicts_are_cached_of_added_answers() -> None:
    made, _ = cache()
    for query in ("domain=a..b", "domain=clean.example&policy=nope", "x=1"):
        for _ in range(2):
            made.add(asked(query), ROUTES.answer(Request("GET", "/v1/lookup", query.encode())))
        assert made.answer(asked(query)) is None


def test_without_authentication_a_new_head_needs_no_parser_and_is_known_the_second_time() -> None:
    counters = Counters()
    made = ResponseCache(Holder(SNAPSHOT), counters, open_to_all=True)
    made.refresh(b"")
    request = asked("domain=pirate.example")
    first = made.answer(request)
    assert first is not None and len(made.responses.items) == 0
    for _ in range(3):
        assert made.answer(request) == first
    assert len(made.responses.items) == 1
    early = asked("domain=pirate.example").replace(b"*/*", b"early")
    assert made.answer(early) == first
    for number in range(5_000):
        assert made.answer(asked("domain=pirate.example").replace(b"*/*", b"%d" % number)) == first
    for _ in range(3):
        assert made.answer(early) == first
    assert list(made.responses.items) == [request], "a head seen long ago is new again"
    assert made.answer(asked("domain=pirate.example").replace(b"Accept", b"Expect")) is None
    made.disable()
    assert made.answer(request) is None


def test_the_cache_is_bounded_and_every_hit_is_counted() -> None:
    made, counters = cache()
    tail = "x" * 200
    for number in range(40_000):
        for _ in range(2):
            made.answer(asked(f"url=a{number}.clean.example/{tail}"))
    held = made.responses.items
    assert sum(map(len, held)) < MAX_CACHED
    assert 15_000 < len(held) < 40_000
    for _ in range(3):
        made.answer(asked("domain=pirate.example"))
    counted = counters.verdicts("default")
    assert (counted[NOT_LISTED], counted[LISTED]) == (80_000, 3)
    long = asked("url=https://a.example/" + "x" * MAX_REQUEST)
    for _ in range(3):
        assert made.answer(long) is not None
    assert long not in made.responses.items


@given(st.from_regex(r"(?:https?://)?(?:[a-z0-9_-]{1,12}\.){1,4}[a-z]{1,6}(?:[/?#].{0,8})?", fullmatch=True))
def test_a_plain_host_is_what_the_url_parser_returns(text: str) -> None:
    host = canonical_host_in(text)
    if host is not None:
        assert host == normalize_host(text) == urlsplit(text if "://" in text else "//" + text).hostname
