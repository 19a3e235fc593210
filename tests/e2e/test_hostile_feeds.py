"""What a publisher may send by mistake or in bad faith: the outcome, its sentence, and lookups that do not change."""

from __future__ import annotations

import functools
import gzip
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import Installation, Publisher, Running, publisher, respond, serving, wait_for

SITES = [f"pirate-{number}.example" for number in range(200)]
GOOD = "".join(f"{site}\n" for site in SITES).encode()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Publisher, Running]]:
    settings = {
        "BLOCKLIST_FETCH__READ_TIMEOUT": "1",
        "BLOCKLIST_FETCH__ATTEMPTS": "2",
        "BLOCKLIST_FETCH__MAX_BYTES": "2000000",
    }
    installation = Installation(tmp_path_factory.mktemp("hostile") / "data", settings)
    bombed()  # it takes longer to make than the settings let a publisher be silent
    with publisher() as published:
        published.answer = lambda handler: respond(handler, GOOD)
        installation.add("court", published.url, "--every", "1d")
        installation.run("refresh", "court")
        with serving(installation) as service:
            yield installation, published, service


def silent(_: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


@functools.cache
def bombed() -> bytes:
    return gzip.compress(bytes(200_000_000), 6)


def bomb(handler: BaseHTTPRequestHandler) -> None:
    respond(handler, bombed(), headers={"Content-Encoding": "gzip"})


def plain(body: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: respond(handler, body, status, named)


HOSTILE = {
    "an error 500": (plain(b"oops", 500), "failed", "answered 500"),
    "a missing page": (plain(b"gone", 404), "failed", "answered 404"),
    "a login wall": (plain(b"no", 403), "failed", "check the feed's credentials"),
    "silence": (silent, "failed", "timed out"),
    "an HTML page": (plain(b"<!DOCTYPE html><html><title>Login</title></html>"), "failed", "HTML or XML page"),
    "an empty body": (plain(b""), "failed", "the body is empty"),
    "white space": (plain(b" \r\n\n"), "failed", "the body is empty"),
    "comments alone": (plain(b"# nothing today\n"), "failed", "gives no rules"),
    "half of its rows": (plain(GOOD[: GOOD.index(b"pirate-100.")]), "held", "of 200 sites (50%); this feed allows 20%"),
    "junk": (plain(b"%%%% not a host %%%%\n" * 300 + GOOD), "held", "rejected 300 of 500 rows (60%)"),
    "a gzip bomb": (bomb, "failed", "larger than 2,000,000 bytes"),
    "a body over the limit": (plain(GOOD * 1000), "failed", "larger than 2,000,000 bytes"),
    "cut-off gzip": (plain(gzip.compress(GOOD)[:-20], Content_Encoding="gzip"), "failed", "ends in the middle"),
    "less than it promised": (plain(GOOD[:500], Content_Length="4000"), "failed", "did not arrive whole"),
    "a zip archive": (plain(b"PK\x03\x04" + bytes(99)), "failed", "a zip archive"),
    "NUL bytes": (plain(b"pirate.example\n\0\0"), "failed", "NUL bytes"),
    "utf-16": (plain(GOOD.decode().encode("utf-16")), "failed", "utf-16"),
    "a redirect inward": (plain(b"", 302, Location="http://127.0.0.2:1/x"), "failed", "not a public address"),
    "a redirect to a file": (plain(b"", 302, Location="file:///etc/passwd"), "failed", "not an address for feeds"),
    "a redirect for ever": (plain(b"", 302, Location="/list.txt"), "failed", "redirects"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_feed_that_sends(what: str, place: tuple[Installation, Publisher, Running]) -> None:
    installation, published, service = place
    answer, outcome, sentence = HOSTILE[what]
    published.answer = answer
    run = installation.json("refresh", "court", status=3 if outcome == "held" else 1)[0]
    assert run["outcome"] == outcome
    assert sentence in run["reason"]
    assert service.verdict(domain="pirate-199.example")["listed"]
    assert not service.verdict(domain="innocent.example")["listed"]
    shown = installation.json("feed", "show", "court")
    assert shown["last_change"] <= shown["last_success"] <= shown["last_attempt"]
    assert shown["listed"] == 200


def test_public_suffixes_on_a_list_are_refused_and_the_rest_of_it_counts(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    with publisher() as published:
        published.answer = plain(GOOD + b"*.com\nco.za\ncom.cn\nblogspot.com\n")
        installation.add("court", published.url)
        run = installation.json("refresh", "court")[0]
    assert run["outcome"] == "applied"
    assert run["rejected_by_code"] == {"public_suffix": 4}
    verdicts = installation.json("lookup", "google.com", "shop.co.za", "someone.blogspot.com", "pirate-1.example")
    assert [verdict["listed"] for verdict in verdicts] == [False, False, False, True]


def test_a_held_body_serves_once_it_is_approved_even_if_the_publisher_has_moved_on(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    with publisher() as published:
        published.answer = plain(GOOD)
        installation.add("court", published.url)
        installation.run("refresh", "court")
        published.answer = plain("".join(f"{site}\n" for site in SITES[:50]).encode())
        held = installation.json("refresh", "court", status=3)[0]
        published.answer = plain(b"", 500)
        installation.run("refresh", "court", status=1)
        with serving(installation) as service:
            assert service.verdict(domain="pirate-199.example")["listed"]
            installation.run("run", "approve", str(held["id"]), "--reason", "the court withdrew 150 orders")
            # Each worker takes the new snapshot in its own time, and any of them may answer.
            wait_for(lambda: not any(service.verdict(domain="pirate-199.example")["listed"] for _ in range(12)))
            assert service.verdict(domain="pirate-49.example")["listed"]
        assert "is approved" in installation.run("run", "approve", str(held["id"]), "--reason", "again", status=1)


def test_a_304_costs_no_body_and_counts_as_a_success(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")

    def conditional(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == '"v1"':
            respond(handler, b"", 304)
        else:
            respond(handler, GOOD, headers={"ETag": '"v1"', "Last-Modified": "Mon, 23 Nov 2026 10:00:00 GMT"})

    with publisher() as published:
        published.answer = conditional
        installation.add("court", published.url)
        assert installation.json("refresh", "court")[0]["outcome"] == "applied"
        run = installation.json("refresh", "court")[0]
        assert run["outcome"] == "unchanged"
        assert run["body_sha256"] is None
        assert published.requests[1]["If-Modified-Since"] == "Mon, 23 Nov 2026 10:00:00 GMT"


def test_a_private_address_is_not_fetched_from_unless_it_is_allowed_by_name(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data", {"BLOCKLIST_FETCH__ALLOW_PRIVATE_HOSTS": "[]"})
    with publisher() as published:
        published.answer = plain(GOOD)
        for number, host in enumerate(("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]")):
            installation.add(f"feed-{number}", f"http://{host}:{published.port}/list.txt")
            run = installation.json("refresh", f"feed-{number}", status=1)[0]
            assert "fetch.allow_private_hosts" in run["reason"], host
        assert published.requests == []


def test_the_service_says_nothing_of_a_refused_secret(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data", {"BLOCKLIST_PIPCU_TOKEN": "s3cret-marker"})
    with publisher() as published:
        published.answer = plain(b"denied", 401)
        installation.run("feed", "add", "uk-pipcu-iwl", "--url", f"{published.url}?key=s3cret-marker")
        said = installation.run("refresh", "uk-pipcu-iwl", status=1)
        assert published.requests[0]["Authorization"] == "Bearer s3cret-marker"
    assert "s3cret-marker" not in said
    assert httpx.URL(published.url).path in said
