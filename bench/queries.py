"""What the lookup measurements ask: hosts with the answers that are right, and the requests made of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

#: Lines that come again: fewer than a node remembers. And lines that do not: after so many others it remembers none.
REPEATED, FRESH = 20_000, 300_000
_LABELS = ("", "www.", "m.", "news.")
_BATCH, _BODIES, _BID_BYTES = 100, 500, 3_000


@dataclass(frozen=True, slots=True)
class Query:
    """A host, and whether the list covers it."""

    host: str
    listed: bool


def draw(listed: list[str], count: int, hits: float, rng: random.Random) -> list[Query]:
    """Return so many distinct hosts, the share ``hits`` of them on or below a listed one."""
    found: dict[str, bool] = {}
    while len(found) < count:
        hit = rng.random() < hits
        name = rng.choice(listed)
        # No listed name has an "x" behind its hyphen: see bench.ingest.hosts.
        host = rng.choice(_LABELS) + (name if hit else name.replace("-", f"-x{len(found)}-", 1))
        found[f"s{len(found)}.{host}" if host in found else host] = hit
    return [Query(host, hit) for host, hit in found.items()]


def url_of(query: Query) -> str:
    """Return a page on the host, as long as those of a bid request usually are, and encoded as browsers report it."""
    number = len(query.host)
    return f"https://{query.host}/watch/season%201/%C3%A9pisode-{number}.html?utm_source=ads&id={number}#top"


def _mixed_case(host: str) -> str:
    return "".join(letter.upper() if number % 3 == 0 else letter for number, letter in enumerate(host))


@dataclass(frozen=True, slots=True)
class Mix:
    """A kind of request: how many are listed, and its line as a node and as nginx's ``map`` can be asked."""

    name: str
    says: str
    hits: float
    line: Callable[[Query], str]
    nginx: Callable[[Query], str]


def _domain(query: Query) -> str:
    return f"/v1/lookup?domain={query.host}"


def _upper(query: Query) -> str:
    return f"/v1/lookup?domain={_mixed_case(query.host)}"


#: nginx has nothing that reads a URL or explains: it is asked for the same hosts with ``domain=``.
MIXES = (
    Mix("domain", "`domain=`, 10 % listed", 0.1, _domain, _domain),
    Mix(
        "url",
        "`url=`, a whole encoded URL, 10 % listed",
        0.1,
        lambda query: f"/v1/lookup?url={quote(url_of(query), safe='')}",
        _domain,
    ),
    Mix("case", "`domain=` in mixed case, 10 % listed", 0.1, _upper, _upper),
    Mix("half", "`domain=`, 50 % listed", 0.5, _domain, _domain),
    Mix("explain", "`domain=` with `explain=1`, 10 % listed", 0.1, lambda q: f"{_domain(q)}&explain=1", _domain),
)


def batches(queries: list[Query]) -> Iterator[str]:
    """Yield requests of a hundred hosts each, as path, tab, body."""
    for start in range(0, len(queries) - _BATCH + 1, _BATCH):
        items = [{"domain": query.host} for query in queries[start : start + _BATCH]]
        yield f"/v1/lookup\t{json.dumps({'items': items})}"


def bid_requests(queries: list[Query]) -> Iterator[str]:
    """Yield bid requests of some 3,000 bytes, as an exchange sends them (OpenRTB 2.6), as path, tab, body."""
    for number, query in enumerate(queries[:_BODIES]):
        yield f"/v1/openrtb\t{json.dumps(_bid_request(number, query), ensure_ascii=False)}"


def _bid_request(number: int, query: Query) -> dict[str, object]:
    formats = [{"w": width, "h": height} for width, height in ((300, 250), (336, 280), (728, 90), (970, 250))]
    bid: dict[str, object] = {
        "id": f"{number:032x}",
        "at": 1,
        "tmax": 120,
        "cur": ["USD", "EUR"],
        "bcat": [f"IAB{major}-{minor}" for major in (7, 8, 9, 25, 26) for minor in range(1, 9)],
        "badv": [f"advertiser-{n}.example" for n in range(12)],
        "imp": [
            {
                "id": str(n),
                "banner": {"format": formats, "pos": n, "battr": [1, 3, 5, 8, 9], "api": [3, 5, 7]},
                "tagid": f"/1234567/slot-{n}",
                "bidfloor": 0.35,
                "secure": 1,
            }
            for n in range(1, 4)
        ],
        "site": {
            "id": "102855",
            "domain": query.host,
            "page": url_of(query),
            "ref": "https://search.example/?q=film",
            "cat": ["IAB1", "IAB1-5"],
            "publisher": {"id": "8953", "name": "Publisher", "domain": "publisher.example"},
        },
        "device": {
            "ua": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
            "ip": "203.0.113.7",
            "language": "en",
            "geo": {"country": "GBR", "city": "London", "type": 2},
        },
        "source": {
            "tid": f"{number:032x}",
            "schain": {
                "ver": "1.0",
                "complete": 1,
                "nodes": [{"asi": f"exchange-{n}.example", "sid": f"{n}00", "hp": 1} for n in range(3)],
            },
        },
        "user": {"id": f"{number:040x}", "ext": {"consent": ""}},
    }
    missing = _BID_BYTES - len(json.dumps(bid, ensure_ascii=False).encode())
    bid["user"] = {"id": f"{number:040x}", "ext": {"consent": "C" * max(0, missing)}}
    return bid


def written(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
