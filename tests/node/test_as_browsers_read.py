"""A URL is listed exactly if a browser would open it on a listed site, however it is written."""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from blocklist.domain.listing import Rule, RuleKind, Scope
from tests.e2e.browsing import CHROMIUM
from tests.node.browser import Meaning, meanings
from tests.node.running import RunningNode, node, publish
from tests.node.url_vectors import IPV4, IPV6, LISTED_HOSTS, LISTED_PATH, VIDEO, bare, urls
from tests.support import compiled, host_rule, listed

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

URLS, BARE = urls(), bare()
_WEB = ("http:", "https:", "ws:", "wss:", "ftp:")
_SITE_NAME = re.compile(r"[\w-]+(\.[\w-]+)+", re.ASCII)
#: The parser does not check the Bidi rule (RFC 5893) as strictly as Chromium: it reads names that nobody could open.
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
_UNRESERVED = re.compile(r"%(2D|2E|5F|7E|3\d|[46][1-9A-F]|[57][0-9A])", re.IGNORECASE)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Meaning | None]:
    asked = list(dict.fromkeys([*map(behind_scheme, URLS), *(f"http://{text}" for text in BARE)]))
    return dict(zip(asked, meanings(asked, tmp_path_factory.mktemp("browser")), strict=True))


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    rules = [
        *map(host_rule, LISTED_HOSTS),
        *(Rule(RuleKind.IP, address, Scope.EXACT) for address in (IPV4, IPV6)),
        Rule(RuleKind.URL, VIDEO + LISTED_PATH, Scope.PREFIX),
    ]
    folder = tmp_path_factory.mktemp("snapshots")
    publish(folder, compiled([listed(rule) for rule in rules], version=7), 7)
    with node(folder) as running:
        yield running


def site(meaning: Meaning | None) -> str | None:
    """The site that the browser would open; None if there is none."""
    if meaning is None or meaning.protocol not in _WEB:
        return None
    host = meaning.host.removesuffix(".")
    if host.startswith("["):
        address = ipaddress.IPv6Address(host[1:-1])
        return str(address.ipv4_mapped or address)
    # Chromium escapes what the standard keeps; a space it lets pass although the standard forbids it (3.2).
    host = host.replace("%2A", "*")
    if "%" in host:
        return None
    # What the URL standard takes and DNS does not (RFC 1035, 2.3.4): no name server would find it.
    return host if len(host) <= 253 and all(0 < len(label) <= 63 for label in host.split(".")) else None


def is_listed(meaning: Meaning | None) -> bool:
    host = site(meaning)
    if host is None or meaning is None:
        return False
    path = _UNRESERVED.sub(lambda match: chr(int(match[1], 16)), meaning.path)
    path = re.sub("/+", "/", re.sub("(;|%3B)[^/]*", "", path, flags=re.IGNORECASE))
    on_page = host.removeprefix("www.") == VIDEO and (path == LISTED_PATH or path.startswith(f"{LISTED_PATH}/"))
    below = any(host == name or host.endswith(f".{name}") for name in LISTED_HOSTS)
    return below or host in (IPV4, IPV6) or on_page


def behind_scheme(text: str) -> str:
    """The URL that the browser gets for a text: one without a scheme is taken as a host."""
    return text if re.match(r"[\0-\x20]*[a-z][a-z0-9+.\t\r\n-]*:", text, re.IGNORECASE) else f"http://{text}"


def expected(meaning: Meaning | None) -> str:
    host = site(meaning)
    if host is None:
        return "unknown"
    if is_listed(meaning):
        return "listed"
    # A browser opens `http` and `a,b.example`, too, but no site of the internet has such a name.
    return "not_listed" if _SITE_NAME.fullmatch(host) or ":" in host else "unknown"


def verdicts(serving: RunningNode, vectors: list[str]) -> dict[str, dict[str, str]]:
    """The verdict on each vector, by form of request."""
    client = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
    found: dict[str, dict[str, str]] = {}

    def ask(method: str, target: str, body: Any = None) -> Any:
        client.request(method, target, body and json.dumps(body))
        return json.loads(client.getresponse().read())

    for name, items in (("item", [{"url": text} for text in vectors]), ("text", list[Any](vectors))):
        found[name] = {
            text: result["verdict"]
            for text, result in zip(vectors, ask("POST", "/v1/lookup", {"items": items})["results"], strict=True)
        }
    # Encoded whole, and no more than a request line needs: the node reads some of the latter by a pattern of its own.
    for name, safe in (("encoded", ""), ("as it is", "/:?@!$'()*,;=[]|\\^`{}")):
        found[name] = {
            text: ask("GET", f"/v1/lookup?url={quote(text, safe=safe)}").get("verdict", "unknown") for text in vectors
        }
    client.close()
    return found


def differences(
    serving: RunningNode, vectors: list[str], meant: list[Meaning | None]
) -> list[tuple[str, str, str, str, Meaning | None]]:
    answers = verdicts(serving, vectors)
    return [
        (way, text, found[text], expected(meaning), meaning)
        for way, found in answers.items()
        for text, meaning in zip(vectors, meant, strict=True)
        if found[text] != expected(meaning) and not (meaning is None and _RIGHT_TO_LEFT.search(text))
    ]


def test_the_browser_asks_the_network_for_the_host_that_its_parser_names(browser: dict[str, Meaning | None]) -> None:
    opened = [meaning for meaning in browser.values() if meaning and meaning.opened]
    assert len(opened) > 700
    assert [meaning for meaning in opened if meaning.opened != meaning.host] == []


def test_a_url_is_listed_exactly_if_the_browser_opens_it_on_the_listed_host(
    serving: RunningNode, browser: dict[str, Meaning | None]
) -> None:
    meant = [browser[behind_scheme(text)] for text in URLS]
    assert sum(map(is_listed, meant)) > 300
    assert sum(not is_listed(meaning) for meaning in meant) > 300
    assert differences(serving, URLS, meant) == []


def test_a_host_without_a_scheme_is_listed_exactly_if_the_browser_opens_it_with_one(
    serving: RunningNode, browser: dict[str, Meaning | None]
) -> None:
    meant = [browser[f"http://{text}"] for text in BARE]
    assert sum(map(is_listed, meant)) > 100
    assert differences(serving, BARE, meant) == []
