"""Requests of the lookup plane and the answers that every server of it must give, byte for byte.

A server is known by its address only, so the same cases run against all of them: give it the snapshot of
:func:`contract_snapshot` (or none, for :data:`WITHOUT_SNAPSHOT`), then call :func:`answered` and :func:`check`.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction
from tests.support import compiled, listed, override, rule, source

VERSION = 7
_END = {"version": VERSION, "stale": False}
_LISTED = {"verdict": "listed", "listed": True, "rule": "pirate.example", "scope": "subtree", "feeds": ["it-agcom"]}
_CLEAN = {"verdict": "not_listed", "listed": False}
_BLOCKED = {"verdict": "listed", "rule": "pirate.example", "scope": "subtree", "feeds": ["it-agcom"]}
_PASSED = {"block": False, "verdict": "not_listed"}
_TITLES = {
    **{400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 413: "Request Entity Too Large"},
    **{503: "Service Unavailable"},
}


def contract_snapshot() -> bytes:
    """Return the bytes of the snapshot for the cases."""
    rows = [
        listed(rule("pirate.example"), reference="R-1"),
        listed(rule("video.example/watch?v=1")),
        listed(rule("mixed.example")),
        listed(rule("кино.example/фильм%20один")),
        listed(Rule(RuleKind.IP, "192.0.2.7", Scope.EXACT)),
        listed(Rule(RuleKind.APP, "com.Pirate.App", Scope.EXACT)),
        listed(Rule(RuleKind.APP, "1234567890", Scope.EXACT)),
    ]
    overrides = [
        override(1, OverrideAction.ALLOW, rule("good.pirate.example")),
        override(2, OverrideAction.BLOCK, rule("bad.example")),
        override(3, OverrideAction.ALLOW, rule("mixed.example/legal")),
    ]
    return compiled(rows, overrides, feeds={1: source("it-agcom")}, version=VERSION)


@dataclass(frozen=True)
class Case:
    """A request and its answer. ``body`` None: the answer has none. ``headers``: those that it must contain."""

    name: str
    method: str
    target: str
    status: int
    body: dict[str, Any] | None = None
    sent: bytes | None = None
    request_headers: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    #: For problem documents: a part of their "detail".
    detail: str | None = None


@dataclass(frozen=True)
class Answered:
    """The response of a server."""

    status: int
    headers: dict[str, str]
    body: bytes


def answered(base: str, case: Case) -> Answered:
    """Send a case's request to the server at ``http://host:port``."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(case.method, case.target, case.sent, case.request_headers)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answered(response.status, headers, response.read())
    finally:
        connection.close()


def check(case: Case, got: Answered) -> None:
    """Compare an answer with what the case expects."""
    assert got.status == case.status, (case.name, got)
    assert got.headers.get("cache-control") == "no-store", (case.name, got)
    for name, value in case.headers.items():
        assert got.headers.get(name.lower()) == value, (case.name, name, got)
    if case.method == "HEAD":
        assert got.body == b"", (case.name, got)
    elif case.body is not None:
        assert got.body == encoded(case.body), (case.name, got)
    elif case.detail is not None:
        body = json.loads(got.body)
        assert case.detail in body["detail"], (case.name, got)
        assert (body["status"], body["title"]) == (case.status, _TITLES[case.status]), (case.name, got)
    else:
        assert got.body == b"", (case.name, got)
        assert "content-type" not in got.headers, (case.name, got)
    if got.body:
        kind = "application/problem+json" if case.status >= 400 else "application/json"
        assert got.headers["content-type"] == kind, (case.name, got)


def encoded(body: dict[str, Any]) -> bytes:
    """Return a body as bytes: the order of members and white space count."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _get(name: str, target: str, body: dict[str, Any], **more: Any) -> Case:
    return Case(name, "GET", f"/v1/lookup?{target}", 200, body | more | _END)


def _refused(name: str, method: str, target: str, status: int, detail: str, sent: bytes | None = None) -> Case:
    return Case(name, method, target, status, detail=detail, sent=sent)


def _batch(name: str, request: Any, results: list[dict[str, Any]]) -> Case:
    return Case(name, "POST", "/v1/lookup", 200, _END | {"results": results}, json.dumps(request).encode())


def _bid(name: str, request: Any, body: dict[str, Any], query: str = "") -> Case:
    sent = request if isinstance(request, bytes) else json.dumps(request).encode()
    return Case(name, "POST", f"/v1/openrtb{query}", 200, body | _END, sent)


def _bidder(name: str, request: Any, body: dict[str, Any] | None) -> Case:
    status = 204 if body is None else 200
    return Case(name, "POST", "/v1/openrtb?respond=openrtb", status, body, json.dumps(request).encode())


def _block(field_: str, reason: int = 7, **more: Any) -> dict[str, Any]:
    return {"block": True, "nbr": reason, "field": field_} | _BLOCKED | more


def _gate(name: str, query: str, headers: dict[str, str], rule_: str | None, via: str = "") -> Case:
    answer_headers = {"Blocklist-Version": str(VERSION), "Blocklist-Verdict": "listed" if rule_ else "not_listed"}
    if rule_:
        answer_headers |= {"Blocklist-Rule": rule_, "Blocklist-Feeds": "it-agcom"}
    if via:
        answer_headers |= {"Blocklist-Via": via}
    return Case(name, "GET", f"/v1/gate{query}", 403 if rule_ else 204, None, None, headers, answer_headers)


_CYRILLIC = "xn--h1adke.example/%D1%84%D0%B8%D0%BB%D1%8C%D0%BC%20%D0%BE%D0%B4%D0%B8%D0%BD"
_SCHAIN = {
    "complete": 1,
    "nodes": [{"asi": "ssp.example", "sid": "1"}, {"asi": "x.example", "domain": "pirate.example"}],
}

LOOKUPS = [
    _get("a listed domain", "domain=www.pirate.example", _LISTED),
    _get("a listed URL, encoded", "url=https%3A%2F%2FWWW.Pirate.Example%3A8443%2Ffilm%3Fa%3Db%26c", _LISTED),
    _get("plus is a space", "url=http://pirate.example/a+b", _LISTED),
    _get("a clean domain", "domain=example.com", _CLEAN),
    _get("a domain with URLs listed on it", "domain=video.example", _CLEAN, partial=True),
    _get("a clean page of that domain", "url=http://video.example/watch", _CLEAN),
    _get(
        *("a URL rule", "url=http://video.example/watch%3Fv%3D1%26t%3D2"),
        _LISTED | {"rule": "video.example/watch?v=1", "scope": "prefix"},
    ),
    _get("an address", "url=http://0xc0.0.2.7/", _LISTED | {"rule": "192.0.2.7", "scope": "exact"}),
    _get("an app", "app=com.Pirate.App", _LISTED | {"rule": "com.Pirate.App", "scope": "exact"}),
    _get(
        "an app by its page in a store",
        "app=https%3A%2F%2Fapps.apple.com%2Fus%2Fapp%2Fx%2Fid1234567890%3Fmt%3D8",
        _LISTED | {"rule": "1234567890", "scope": "exact"},
    ),
    _get(
        "an app by a link",
        "app=market%3A%2F%2Fdetails%3Fid%3Dcom.Pirate.App",
        _LISTED | {"rule": "com.Pirate.App", "scope": "exact"},
    ),
    _get(
        "an app's page in a store, as a page",
        "url=https%3A%2F%2Fapps.apple.com%2Fapp%2Fid1234567890",
        _LISTED | {"rule": "1234567890", "scope": "exact"},
        via="apps.apple.com",
    ),
    _get(
        "an archive of a listed page",
        "url=https://web.archive.org/web/2024/https://pirate.example/film",
        _LISTED,
        via="web.archive.org",
    ),
    _get("an archive of a clean page", "url=https://web.archive.org/web/2024/https://a.example/film", _CLEAN),
    _get(
        "an AMP cache of a listed host",
        "domain=pirate-example.cdn.ampproject.org",
        _LISTED,
        via="pirate-example.cdn.ampproject.org",
    ),
    _get(
        "a translation of a host with listed URLs",
        "domain=video-example.translate.goog",
        _CLEAN,
        via="video-example.translate.goog",
        partial=True,
    ),
    _get(
        "a translation of a listed URL",
        "url=https://video-example.translate.goog/watch%3Fv%3D1%26_x_tr_sl%3Den",
        _LISTED | {"rule": "video.example/watch?v=1", "scope": "prefix"},
        via="video-example.translate.goog",
    ),
    _get("a scheme around a listed page", "url=view-source:http://pirate.example/", _LISTED, via="view-source"),
    _get(
        "an address that is encoded whole",
        "url=https%253A%252F%252Fpirate.example%252F",
        _LISTED,
        via="percent-encoding",
    ),
    _get(
        "an allowed page within a wrapper",
        "url=https://web.archive.org/web/2024/https://good.pirate.example/",
        _CLEAN,
        rule="good.pirate.example",
        scope="subtree",
        override="allow",
        via="web.archive.org",
    ),
    _get("a site of Google that is no wrapper", "url=https://mail.google.com/amp/s/pirate.example", _CLEAN),
    _get("an app in another case", "app=com.pirate.app", _CLEAN),
    _get(
        "an override to allow",
        "domain=good.pirate.example",
        _CLEAN,
        rule="good.pirate.example",
        scope="subtree",
        override="allow",
    ),
    _get(
        "an override to block",
        "domain=bad.example",
        _LISTED | {"rule": "bad.example", "feeds": [], "override": "block"},
    ),
    _get("an empty policy is the default one", "domain=pirate.example&policy=", _LISTED),
    _get("another policy", "domain=pirate.example&policy=everything", _LISTED),
    _get(
        *("explained", "domain=pirate.example&explain=1"),
        _LISTED,
        listings=[
            {
                **{"feed": "it-agcom", "authority": "Authority of it-agcom", "kind": "court", "country": "GB"},
                **{"rule": "pirate.example", "scope": "subtree", "reference": "R-1", "legal_basis": None},
                **{"published_at": None, "listed_from": "2026-01-02T03:04:05Z"},
                **{"appeal_contact": "appeals@it-agcom.example", "entry": "pirate.example"},
            }
        ],
    ),
    Case("HEAD", "HEAD", "/v1/lookup?domain=pirate.example", 200),
    _refused("nothing named", "GET", "/v1/lookup", 400, "name exactly one of url, domain and app"),
    _refused("two named", "GET", "/v1/lookup?domain=a.example&url=b.example", 400, "name exactly one"),
    _refused("a host that is none", "GET", "/v1/lookup?domain=a..b", 400, "empty label"),
    _refused("no value", "GET", "/v1/lookup?url=null", 400, "'null' names no site: it stands for no value"),
    _refused("a macro", "GET", "/v1/lookup?url=https://%24%7BX%7D/", 400, "holds a macro that was not replaced"),
    _refused("no dot", "GET", "/v1/lookup?domain=localhost", 400, "'localhost' has no dot"),
    _refused("a host of nothing", "GET", "/v1/lookup?url=http://%E1%A0%8E/host", 400, ""),
    _refused("bytes that are no text", "GET", "/v1/lookup?domain=%ff%fe", 400, "no browser could open"),
    _refused("no such policy", "GET", "/v1/lookup?domain=a.example&policy=nope", 404, "there is no policy 'nope'"),
    _refused("another method", "DELETE", "/v1/lookup", 405, "method"),
]
BATCHES = [
    _batch(
        "a batch",
        {
            "items": [
                {"url": "http://pirate.example/"},
                {"domain": "video.example"},
                {"app": "x"},
                "bad.example",
                {"url": "a..b"},
                7,
            ]
        },
        [
            _LISTED,
            _CLEAN | {"partial": True},
            _CLEAN,
            _LISTED | {"rule": "bad.example", "feeds": [], "override": "block"},
            {
                "verdict": "unknown",
                "listed": None,
                "error": "no browser could open 'a..b': the host has an empty label",
            },
            {"verdict": "unknown", "listed": None, "error": "an item is a string or an object with url, domain or app"},
        ],
    ),
    _batch(
        "a batch of what names no site",
        {"items": ["null", {"domain": "localhost"}]},
        [
            {"verdict": "unknown", "listed": None, "error": "'null' names no site: it stands for no value"},
            {
                "verdict": "unknown",
                "listed": None,
                "error": "the host 'localhost' has no dot: it names no site of the internet",
            },
        ],
    ),
    _batch("an empty batch", {"items": [], "policy": "everything"}, []),
    _refused("no JSON", "POST", "/v1/lookup", 400, "the body is not JSON", b"nothing"),
    _refused("no items", "POST", "/v1/lookup", 400, "an object with a list", b"{}"),
    _refused("nested too deeply", "POST", "/v1/lookup", 400, "the body is not JSON", b"[" * 100_000),
    _refused("no such policy of a batch", "POST", "/v1/lookup", 404, "no policy", b'{"items":[],"policy":"nope"}'),
    _refused("too many items", "POST", "/v1/lookup", 413, "10,001 items", b'{"items":[' + b"1," * 10_000 + b"1]}"),
]
BIDS = [
    _bid("page", {"id": "1", "site": {"page": "https://www.pirate.example/film"}}, _block("site.page")),
    _bid(
        "page and domain disagree",
        {"site": {"page": "https://a.example/", "domain": "pirate.example"}},
        _block("site.domain"),
    ),
    _bid("explain", {"app": {"bundle": "x.y"}}, _PASSED, "?explain=1"),
    _bid(
        "the supply chain",
        {"site": {"page": "https://a.example/"}, "source": {"schain": _SCHAIN}},
        _block("source.schain.nodes[1].domain", 17, sellers=[{"asi": "x.example"}]),
    ),
    _bid(
        "the supply chain of 2.5",
        {"source": {"ext": {"schain": _SCHAIN}}},
        _block("source.ext.schain.nodes[1].domain", 17, sellers=[{"asi": "x.example"}]),
    ),
    _bid(
        "the sellers of a listed page",
        {"site": {"page": "https://pirate.example/"}, "source": {"schain": _SCHAIN}},
        _block("site.page", sellers=[{"asi": "ssp.example", "sid": "1"}, {"asi": "x.example"}]),
    ),
    _bid(
        "the inventory partner of 2.5",
        {"site": {"page": "https://a.example/", "ext": {"inventorypartnerdomain": "pirate.example"}}},
        _block("site.ext.inventorypartnerdomain"),
    ),
    _bid("a member in another case", {"SITE": {"Page": "https://pirate.example/"}}, _block("site.page")),
    _bid(
        "an allowed path, and the domain of the same site",
        {"site": {"page": "https://mixed.example/legal/x", "domain": "www.mixed.example"}},
        _PASSED,
    ),
    _bid(
        *("an empty page, and a domain with URLs listed on it", {"site": {"page": "", "domain": "video.example"}}),
        _PASSED | {"partial": True},
    ),
    _bid(
        "the store",
        {"app": {"storeurl": "https://apps.apple.com/us/app/x/id1234567890"}},
        _block("app.storeurl", rule="1234567890", scope="exact"),
    ),
    _bid(
        "the store's URL as the bundle",
        {"app": {"bundle": "https://apps.apple.com/us/app/x/id1234567890"}},
        _block("app.bundle", rule="1234567890", scope="exact"),
    ),
    _bid(
        "a link into the store",
        {"app": {"storeurl": "itms-apps://apps.apple.com/us/app/x/id1234567890?mt=8"}},
        _block("app.storeurl", rule="1234567890", scope="exact"),
    ),
    _bid(
        "an archive of a page",
        {"site": {"page": "https://archive.ph/newest/https://pirate.example/"}},
        _block("site.page", via="archive.ph"),
    ),
    _bid(
        "3.0",
        {"openrtb": {"request": {"context": {"site": {"pub": {"domain": "pirate.example"}}}}}},
        _block("site.pub.domain"),
    ),
    _bid(
        "an override",
        {"site": {"domain": "bad.example"}},
        _block("site.domain", rule="bad.example", feeds=[], override="block"),
    ),
    _bid("clean", {"site": {"page": "https://a.example/"}}, _PASSED),
    _bid("nothing to judge", {"id": "1", "imp": [{}]}, {"block": None, "verdict": "unknown"}),
    _bid(
        *("one field that cannot be read", {"site": {"page": 7, "domain": "pirate.example"}}),
        _block("site.domain", unreadable=[{"field": "site.page", "error": "must be a string"}]),
    ),
    _bid("partial", {"site": {"page": "", "domain": "video.example"}}, _PASSED | {"partial": True}),
    _bidder("a bidder's no", {"id": "b-1", "site": {"page": "https://pirate.example/"}}, {"id": "b-1", "nbr": 7}),
    _bidder("a bidder may", {"id": "b-1", "site": {"page": "https://a.example/"}}, None),
    _bidder(
        "a bidder's no in 3.0",
        {
            "openrtb": {
                "ver": "3.0",
                "domainspec": "adcom",
                "request": {"id": "b-2", "context": {"site": {"page": "pirate.example"}}},
            }
        },
        {"openrtb": {"ver": "3.0", "domainspec": "adcom", "response": {"id": "b-2", "nbr": 7}}},
    ),
    _refused("a bid request without JSON", "POST", "/v1/openrtb", 400, "not JSON", b""),
    _refused("a bid request that is a list", "POST", "/v1/openrtb", 400, "a JSON object", b"[]"),
    _refused("a page named twice", "POST", "/v1/openrtb", 400, "'page' twice", b'{"site":{"page":"a","page":"b"}}'),
    _refused(
        *("a page named twice, in two cases", "POST", "/v1/openrtb", 400, "'page' and 'PAGE'"),
        b'{"site":{"page":"a","PAGE":"b"}}',
    ),
    _refused("not a number", "POST", "/v1/openrtb", 400, "not JSON", b'{"x":NaN}'),
    _refused("a bid request nested too deeply", "POST", "/v1/openrtb", 400, "too deeply", b'{"x":' + b"[" * 100_000),
    _refused("half a surrogate", "POST", "/v1/openrtb", 400, "not JSON", b'{"site":{"page":"\\ud800"}}'),
    _refused("no such policy of a bid", "POST", "/v1/openrtb?policy=nope", 404, "no policy", b"{}"),
    _refused("no such respond", "POST", "/v1/openrtb?respond=vast", 400, "respond", b"{}"),
    _refused("a bid request too large", "POST", "/v1/openrtb", 413, "1,048,576 bytes", b" " * 1_048_577),
    _refused("a bid request by GET", "GET", "/v1/openrtb", 405, "method"),
]
GATES = [
    _gate("url", "?url=https%3A%2F%2Fpirate.example%2Fx", {}, "pirate.example"),
    _gate("url before header", "?url=a.example", {"X-Page-URL": "http://pirate.example/"}, None),
    _gate("X-Page-URL", "", {"X-Page-URL": "http://pirate.example/", "Referer": "http://a.example/"}, "pirate.example"),
    _gate(
        "an empty header is none", "?url=", {"X-Page-URL": "", "Referer": "http://pirate.example/"}, "pirate.example"
    ),
    _gate("Referer", "", {"Referer": "http://www.pirate.example/", "Origin": "http://a.example"}, "pirate.example"),
    _gate("Origin", "", {"Origin": "https://pirate.example"}, "pirate.example"),
    _gate("raw UTF-8", "", {"Referer": "http://кино.example/фильм один".encode().decode("latin-1")}, _CYRILLIC),
    _gate("a clean page", "", {"Referer": "https://a.example/"}, None),
    _gate("an Android app", "", {"Referer": "android-app://com.Pirate.App/"}, "com.Pirate.App"),
    _gate(
        "an AMP cache",
        "",
        {"Origin": "https://pirate-example.cdn.ampproject.org"},
        "pirate.example",
        via="pirate-example.cdn.ampproject.org",
    ),
    _gate("a rule that is not ASCII", f"?url=http://{_CYRILLIC}", {}, _CYRILLIC),
    _gate("another policy of the gate", "?policy=everything", {"Referer": "https://pirate.example/"}, "pirate.example"),
    *(
        Case(
            name,
            "GET",
            "/v1/gate",
            204,
            None,
            None,
            headers,
            {"Blocklist-Verdict": "unknown", "Blocklist-Version": "7"},
        )
        for name, headers in (
            ("no page", {}),
            ("Origin null names no site", {"Origin": "null"}),
            ("a page without a site", {"Origin": "data:"}),
            ("a page that cannot be read", {"X-Page-URL": "http://a..b/", "Referer": "http://pirate.example/"}),
            (
                "what a proxy says of itself is no page",
                {"X-Original-URL": "http://pirate.example/", "X-Forwarded-Host": "pirate.example"},
            ),
        )
    ),
    _refused("no such policy of the gate", "GET", "/v1/gate?policy=nope", 404, "no policy"),
    _refused("the gate by POST", "POST", "/v1/gate", 405, "method", b""),
]
HEALTH = [
    Case("alive", "GET", "/healthz", 200, {"status": "ok"}),
    Case("ready", "GET", "/readyz", 200, {"status": "ready"} | _END),
    _refused("nowhere", "GET", "/v1/nothing", 404, ""),
]
CASES = [*LOOKUPS, *BATCHES, *BIDS, *GATES, *HEALTH]
WITHOUT_SNAPSHOT = [
    Case("alive all the same", "GET", "/healthz", 200, {"status": "ok"}),
    *(
        _refused(f"{method} {target}", method, target, 503, "there is no snapshot yet", sent)
        for method, target, sent in (
            *(("GET", "/readyz", None), ("GET", "/v1/lookup?domain=a.example", None), ("GET", "/v1/gate", None)),
            *(("POST", "/v1/lookup", b"{}"), ("POST", "/v1/openrtb", b"{}")),
        )
    ),
]
