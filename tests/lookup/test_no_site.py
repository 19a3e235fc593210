"""What names no site is ``unknown`` with a reason, whichever way it is asked; and a macro elsewhere changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from blocklist.lookup.http import Request
from blocklist.lookup.resolver import Resolver
from blocklist.lookup.routes import Routes
from tests.lookup.test_resolver import Holder
from tests.support import listed, rule, snapshot_of

SNAPSHOT = snapshot_of([listed(rule("pirate-one.example")), listed(rule("host-a.example/films"))])
ROUTES = Routes(Resolver(Holder(SNAPSHOT)))

NO_SITES = [
    # Words for no value.
    *(
        "null",
        "NULL",
        '"null"',
        "undefined",
        "(null)",
        "None",
        "N/A",
        "unknown",
        "-",
        "--",
        "-1",
        "0",
        "[]",
        "{}",
        '""',
    ),
    *("(not set)", "[object Object]", "https://null/", "http://undefined", "http://", "https:", "//", "?", "NaN", "*"),
    # Macros of ad servers and players, also percent-encoded.
    *(
        "${PAGE_URL}",
        "%%PAGE%%",
        "%%PATTERN:url%%",
        "{site.domain}",
        "[PAGE]",
        "[PAGE URL]",
        "{{PAGE}}",
        "__page-url__",
    ),
    *(
        "##page##",
        "$PAGE",
        "%u",
        "%epid!",
        "%24%7BPAGE_URL%7D",
        "%5BPAGEURL%5D",
        "%7B%7BDOMAIN%7D%7D",
        "%25%25PAGE%25%25",
    ),
    *(
        "https://${DOMAIN}/",
        "https://%%DOMAIN%%/film",
        "http://[DOMAIN]/",
        "//{{domain}}/x",
        "https://{a}.good.example/",
    ),
    "{{https://pirate-one.example/}}",
    # Quotes and markup.
    *('"https://pirate-one.example/"', "'https://pirate-one.example/'", '"pirate-one.example"', "<pirate-one.example>"),
    *(
        "\u201chttps://pirate-one.example/\u201d",
        "\u00abpirate-two.example/x\u00bb",
    ),
    *("1", "12345", "9999999"),
    # Two values in one, and schemes that are not written as such.
    *(
        "https://pirate-one.example,https://good.example",
        "pirate-one.example,good.example",
        "pirate-one.example;x.example",
    ),
    *("http://http://pirate-one.example/", "https//pirate-one.example/", "http://https//pirate-one.example/"),
    *("https://good.examplehttps://pirate-one.example/", "\ufeffhttps://pirate-one.example/"),
    # What browsers show without a site, and names that no other machine knows.
    *("about:blank", "about:srcdoc", "data:text/html,x", "javascript:void(0)", "file:///tmp/x", "chrome://version"),
    *("localhost", "http://localhost:3000/x", "intranet", "http://intranet/"),
]
SITES = {
    "https://pirate-one.example/?page=${PAGE_URL}": "listed",
    "https://pirate-one.example/{{x}}/[PAGE]#%%X%%": "listed",
    "https://good.example/?page=null,https://x.example": "not_listed",
    'https://good.example/"quoted"': "not_listed",
    "null.example": "not_listed",
    "unknown.pirate-one.example": "listed",
    "https://a,b.pirate-one.example/": "listed",
    "https://{x}.pirate-one.example/": "listed",
    "_dmarc.pirate-one.example": "listed",
    "\ufeffpirate-one.example": "listed",
    "http://0.example/": "not_listed",
    "7.example": "not_listed",
    "http://7/": "not_listed",
    "\u201cx.pirate-one.example": "listed",
    "\u2603.good.example": "not_listed",
    "l\u00b7l.good.example": "not_listed",
    "https.example": "not_listed",
    "http://http.example/http://x": "not_listed",
}


def answer(method: str, target: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    path, _, query = target.partition("?")
    sent = json.dumps(body).encode() if body else b""
    return ROUTES.answer(Request(method, path, query.encode(), headers or {}, sent))


def said(method: str, target: str, body: Any = None) -> Any:
    return json.loads(answer(method, target, body).encoded())


def by_parameter(name: str) -> Callable[[str], tuple[str, Any]]:
    def ask(text: str) -> tuple[str, Any]:
        body = said("GET", f"/v1/lookup?{name}={quote(text, safe='')}")
        return body["verdict"], body.get("detail")

    return ask


def in_batch(item: Callable[[str], Any]) -> Callable[[str], tuple[str, Any]]:
    def ask(text: str) -> tuple[str, Any]:
        (result,) = said("POST", "/v1/lookup", {"items": [item(text)]})["results"]
        return result["verdict"], result.get("error")

    return ask


def in_bid(request: Callable[[str], Any]) -> Callable[[str], tuple[str, Any]]:
    def ask(text: str) -> tuple[str, Any]:
        body = said("POST", "/v1/openrtb", request(text))
        return body["verdict"], body.get("unreadable", [{}])[0].get("error")

    return ask


def at_gate(text: str) -> tuple[str, Any]:
    headers = dict(answer("GET", f"/v1/gate?url={quote(text, safe='')}").headers)
    return headers["Blocklist-Verdict"], "the gate gives no reason"


def in_process(lookup: Callable[[str], Any]) -> Callable[[str], tuple[str, Any]]:
    def ask(text: str) -> tuple[str, Any]:
        verdict = lookup(text)
        return verdict.verdict.value, verdict.reason

    return ask


WAYS: dict[str, Callable[[str], tuple[str, Any]]] = {
    "GET url": by_parameter("url"),
    "GET domain": by_parameter("domain"),
    "batch url": in_batch(lambda text: {"url": text}),
    "batch domain": in_batch(lambda text: {"domain": text}),
    "batch text": in_batch(lambda text: text),
    "batch explained": in_batch(lambda text: {"url": text, "x": 1}),
    "OpenRTB 2.6 page": in_bid(lambda text: {"site": {"page": text}}),
    "OpenRTB 2.6 domain": in_bid(lambda text: {"site": {"domain": text}}),
    "OpenRTB 3.0": in_bid(lambda text: {"openrtb": {"request": {"context": {"site": {"page": text}}}}}),
    "gate": at_gate,
    "lookup": in_process(SNAPSHOT.lookup),
    "lookup_host": in_process(SNAPSHOT.lookup_host),
    "lookup_batch": in_process(lambda text: SNAPSHOT.lookup_batch([text])[0]),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_names_no_site_is_unknown_with_a_reason_whichever_way_it_is_asked(way: str) -> None:
    answers = {text: WAYS[way](text) for text in NO_SITES}
    assert {text: got for text, got in answers.items() if got[0] != "unknown" or not got[1]} == {}


@pytest.mark.parametrize("way", WAYS)
def test_what_looks_like_no_value_outside_the_host_changes_nothing(way: str) -> None:
    assert {text: WAYS[way](text)[0] for text in SITES} == SITES


def test_a_get_for_no_site_is_a_problem_with_the_reason() -> None:
    got = answer("GET", "/v1/lookup?url=https%3A%2F%2F%24%7BDOMAIN%7D%2F")
    assert (got.status, got.content_type) == (400, "application/problem+json")
    assert json.loads(got.encoded())["detail"] == "the host '${domain}' holds a macro that was not replaced"


@pytest.mark.parametrize("page", ["", " ", "null", "${PAGE_URL}", "http://a..b/", "localhost"])
def test_a_domain_is_partial_if_the_page_says_nothing(page: str) -> None:
    body = said("POST", "/v1/openrtb", {"site": {"page": page, "domain": "host-a.example"}})
    assert (body["block"], body["partial"]) == (False, True)
    assert [field["field"] for field in body.get("unreadable", [])] == (["site.page"] if page.strip() else [])


def test_a_domain_is_not_partial_beside_a_page_that_was_judged() -> None:
    body = said("POST", "/v1/openrtb", {"site": {"page": "https://host-a.example/x", "domain": "host-a.example"}})
    assert body["block"] is False
    assert "partial" not in body


def test_a_bid_request_of_values_that_name_nothing_is_unknown_and_says_which() -> None:
    body = said("POST", "/v1/openrtb", {"site": {"page": "null", "domain": "localhost"}, "app": {"bundle": "${APP}"}})
    assert (body["block"], body["verdict"]) == (None, "unknown")
    assert [field["field"] for field in body["unreadable"]] == ["site.page", "site.domain", "app.bundle"]


@pytest.mark.parametrize("headers", [{"origin": "null"}, {"referer": "about:srcdoc"}, {"x-page-url": "${PAGE_URL}"}])
def test_the_gate_treats_a_header_that_names_no_site_as_configured(headers: dict[str, str]) -> None:
    blocking = Routes(Resolver(Holder(SNAPSHOT), unknown_page="block"))
    for routes, status in ((ROUTES, 204), (blocking, 403)):
        got = routes.answer(Request("GET", "/v1/gate", b"", headers))
        assert (got.status, dict(got.headers)["Blocklist-Verdict"]) == (status, "unknown")


def test_a_header_in_utf_8_is_read_as_utf_8_and_one_in_latin_1_as_latin_1() -> None:
    pirates = snapshot_of([listed(rule("кино.example")), listed(rule("bücher.example"))])
    routes = Routes(Resolver(Holder(pirates)))
    for raw in ("https://кино.example/фильм".encode(), "https://bücher.example/".encode("latin-1")):
        for name in ("x-page-url", "referer", "origin"):
            # Servers give the bytes of a header as Latin-1 (PEP 3333).
            got = routes.answer(Request("GET", "/v1/gate", b"", {name: raw.decode("latin-1")}))
            assert got.status == 403, raw
