"""Lists that can be read and are not what they should be; and hosts files, filter lists, zones and ``auto``."""

from __future__ import annotations

from tests.hostile.cases import also, applied, failed, held, unchanged
from tests.hostile.good import SITES, ZONE, good
from tests.hostile.served import Case
from tests.hostile.text import LOGIN

LINES = good("lines")
DATED = b"# Last modified: 2026-07-06 00:40 UTC\n"
NEWS = [f"news-{number}.example" for number in range(60)]

LISTS: list[Case] = [
    unchanged(
        "lines",
        "the very list that serves, with other comments and its lines the other way round",
        b"# x\n" + "".join(f"{site}\r\n" for site in reversed(SITES)).encode(),
        next=also("next.example"),
    ),
    held(
        "lines",
        "half of the list",
        good("lines", sites=SITES[:10]),
        "remove 10 of 20 sites (50%); this feed allows 20%",
    ),
    held("lines", "one site of it, ten thousand times", b"site-0.example\n" * 10_000, "remove 19 of 20"),
    held("lines", "another list altogether", good("lines", sites=NEWS[:20]), "remove 20 of 20"),
    held(
        "lines",
        "the list and four times as many",
        also(*NEWS, *(f"x{site}" for site in NEWS)),
        "would add 120 to 20 sites",
    ),
    held("lines", "the list cut off in the middle of a name", LINES[:-3], "may be cut off"),
    held(
        "lines",
        "the list cut off where a URL is its host still",
        also("https://video.example/watch/1")[:-9],
        "may be cut off",
    ),
    held("lines", "more noise than list", b"%% noise %%\n" * 30 + LINES, "rejected 30 of 50 rows (60%)"),
    held(
        "lines",
        "a list that was published before",
        b"# Last modified: 2026-07-05 00:40 UTC\n" + LINES,
        "older than 2026-07-06",
        before=DATED + LINES,
        next=DATED + also("next.example"),
    ),
    applied(
        "lines",
        "a day that is none",
        b"# Last modified: 2026-99-99\n" + also("new.example"),
        listed=("new.example",),
        before=DATED + LINES,
        next=DATED + also("next.example"),
    ),
    held(
        "lines",
        "a list without the canary that it must have",
        good("lines", sites=SITES[1:]),
        "would not cover site-0.example",
        feed={"guards": {"must_match": ["site-0.example"]}},
    ),
    failed(
        "lines",
        "a list that covers the canary that none may",
        also("shop.example"),
        "so cover www.shop.example",
        feed={"guards": {"must_not_match": ["www.shop.example"]}},
    ),
    held(
        "lines",
        "fewer sites than the feed has at least",
        good("lines", sites=SITES[:17]),
        "this feed has at least 18",
        feed={"guards": {"min_entries": 18}},
    ),
    applied(
        "lines",
        "a hundred thousand comments round the list",
        lambda: b"# x\n" * 50_000 + also("new.example") + b"# y\n" * 50_000,
        listed=("new.example",),
        rejected={},
    ),
    applied(
        "lines",
        "an address of sixty thousand characters",
        also("new.example/" + "a" * 60_000, "new.example"),
        listed=("new.example",),
        rejected={},
    ),
]

HOSTS: list[Case] = [
    applied(
        "hosts",
        "the names of the machine itself",
        good(
            "hosts",
            "localhost\n127.0.0.1 localhost.localdomain local\n::1 ip6-localhost ip6-loopback",
            "0.0.0.0\nff02::1 ip6-allnodes",
            "new.example",
        ),
        listed=("new.example",),
        spared=("localhost", "0.0.0.0"),
        rejected={"single_label": 3, "syntax": 1, "not_a_block": 1, "private_address": 1},
    ),
    applied(
        "hosts",
        "addresses where names should be, and names where addresses should be",
        good("hosts", "new.example") + b"one.example 0.0.0.0\n0.0.0.0\n0.0.0.0 8.8.8.8\n",
        listed=("new.example",),
        spared=("one.example",),
        rejected={"syntax": 2},
    ),
    applied(
        "hosts",
        "a redirection of somebody else's site",
        good("hosts", "new.example") + b"6.6.6.6 www.google.com\n",
        listed=("new.example",),
        spared=("google.com",),
        rejected={"not_a_block": 1},
    ),
    failed("hosts", "a list of bare names, which is another format", good("lines"), "all 20 rows were rejected"),
    held(
        "hosts",
        "a list that is a filter list from the middle on",
        good("hosts", sites=SITES[:9]) + good("adblock", sites=SITES[9:]),
        "remove 11 of 20",
    ),
]

ADBLOCK: list[Case] = [
    applied(
        "adblock",
        "filters that mean something else than a site",
        good("adblock", "new.example")
        + b"@@||one.example^\n||one.example^$third-party\n||one.example/ads/\n"
        + b"/one\\.example/\none.example##.ad\n||one.example\n",
        listed=("new.example",),
        spared=("one.example",),
        rejected={"not_a_host_rule": 6},
    ),
    applied(
        "adblock",
        "filters over everything",
        good("adblock", "new.example") + b"||com^\n||*^\n||*.com^\n||^\n*\n||co.uk^\n",
        listed=("new.example",),
        spared=("google.com", "bbc.co.uk"),
        rejected={"public_suffix": 2, "not_a_host_rule": 4},
    ),
    failed("adblock", "a list of bare names, which is another format", good("lines"), "all 20 rows were rejected"),
]

RPZ: list[Case] = [
    failed(
        "rpz",
        "a zone that includes a file of this machine",
        ZONE.encode() + b"$INCLUDE /etc/passwd\n",
        "$INCLUDE is not supported",
    ),
    failed(
        "rpz",
        "a zone that generates four billion records",
        ZONE.encode() + b"$GENERATE 0-4294967295 x$ CNAME .\n",
        "$GENERATE is not supported",
    ),
    failed(
        "rpz", "a parenthesis that is never closed", good("rpz") + b"x.example TXT (\n" + b"a\n" * 500, "never closed"
    ),
    applied(
        "rpz",
        "the root and top-level domains, whole",
        good("rpz", "*", "com", "*.com", "*.co.uk", "new.example"),
        listed=("new.example",),
        spared=("google.com", "bbc.co.uk"),
        rejected={"public_suffix": 3, "unreadable": 1},
    ),
    applied(
        "rpz",
        "exemptions, and triggers that are about who asks",
        good("rpz", "new.example")
        + b"one.example CNAME rpz-passthru.\n32.1.0.0.10.rpz-client-ip CNAME .\n"
        + b"8.0.0.0.8.rpz-ip CNAME .\nns.one.example.rpz-nsdname CNAME .\n",
        listed=("new.example",),
        spared=("one.example", "8.8.8.8"),
        rejected={"passthru": 1, "not_a_site": 2, "network": 1},
    ),
    applied(
        "rpz",
        "names with escapes, quotes and words of prose",
        good("rpz", "new.example")
        + b'a\\.b.example CNAME .\n"one.example" CNAME .\nthree words here\nx\\000.example CNAME .\n',
        listed=("new.example",),
        spared=("b.example",),
    ),
]

AUTO: list[Case] = [
    failed("auto", "a login page where lines were", LOGIN, "select"),
    failed(
        "auto",
        "comments that a pattern could divide in more ways than there is time",
        b"<!---->" * 585 + b"<1",
        "HTML or XML of no known kind",
    ),
    failed("auto", "prose", b"The list has moved.\nPlease write to us.\n", "format of the body is not recognized"),
    failed(
        "auto",
        "a table, of which nobody said which column counts",
        good("csv").replace(b"Site", b"Name"),
        "column: is missing",
    ),
    failed("auto", "bytes of no kind", b"\0\1\2\3" * 100, "binary"),
    applied(
        "auto", "the same list in another format", good("hosts", "new.example"), listed=("new.example",), rejected={}
    ),
    held(
        "auto",
        "JSON whose rows are words, none of them a site of before",
        b'["one.example", "two.example"]',
        "remove 20 of 20",
    ),
]

CASES = [*LISTS, *HOSTS, *ADBLOCK, *RPZ, *AUTO]
