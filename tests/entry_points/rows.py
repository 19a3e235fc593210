"""Targets and their verdicts, which every entry point must give. To add a case, add a row to its group.

A group in :data:`PENDING` is not right yet at every entry point; its test must fail. Remove the group from there when
it passes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A target and its verdict.

    ``verdict``: ``listed``, ``not_listed`` or ``unknown``. ``rule``: the rule that decided, for a listed one. ``via``:
    whether the rule covers the page within a wrapper, so that the answer names the wrapper.
    """

    target: str
    verdict: str
    rule: str | None = None
    via: bool = False


def _listed(rule: str, *targets: str, via: bool = False) -> list[Row]:
    return [Row(target, "listed", rule, via) for target in targets]


def _clean(*targets: str) -> list[Row]:
    return [Row(target, "not_listed") for target in targets]


def _unknown(*targets: str) -> list[Row]:
    return [Row(target, "unknown") for target in targets]


_BID = b'{"id":"1","site":{"page":"https://pirate-one.example/film"}}'
_ONE, _URL = "pirate-one.example", "host-a.example/films/new"

#: Pages, asked as ``url``.
PAGES: dict[str, list[Row]] = {
    "plain": [
        *_listed(
            _ONE,
            *("pirate-one.example", "https://pirate-one.example/film", "http://www.pirate-one.example:8080/a?b=c#d"),
            *("HTTPS://user:secret@Pirate-One.EXAMPLE./", "//pirate-one.example/x", "ws://cdn.pirate-one.example"),
            *(
                "http://good.example@pirate-one.example/",
                "https:\\\\pirate-one.example\\film",
                "http:/pirate-one.example",
            ),
            *(
                "http://pirate%2Done.example/",
                "\thttp://pirate-\none.example/ ",
                "http://ｐｉｒａｔｅ-ｏｎｅ。ｅｘａｍｐｌｅ/",
            ),
            *("http://pirate-\u00adone.example/", "https://pirate-one.example/?u=${CLICK_URL}&x=%%CACHEBUSTER%%"),
            "http://pirate-one.example/legal/../film",
        ),
        *_listed("xn--h1adke.example", "http://кино.example/", "http://XN--H1ADKE.example/фильм"),
        *_listed(
            "192.0.2.7", "http://192.0.2.7/", "http://0xc0.0.2.7/", "http://3221225991", "http://[::ffff:c000:207]/"
        ),
        *_listed("2001:db8::7", "http://[2001:DB8:0:0:0:0:0:7]:80/x"),
        *_listed("exact.example", "http://exact.example/x"),
        *_listed("blocked.example", "http://www.blocked.example/x"),
        *_listed("bareword", "http://bareword/x"),
        *_clean(
            *("good.example", "https://good.example/film", "https://pirate-one.example@good.example/"),
            *("http://www.exact.example/", "http://pirate-one.example.good.example/", "http://notpirate-one.example/"),
            *("https://good.example/?u=https://pirate-one.example/", "https://good.example/#pirate-one.example"),
            *(
                "https://good.example/%%PAGE%%?x={site.domain}&y=[PAGE]",
                "http://198.51.100.9/",
                "http://кино2.example/",
            ),
        ),
        *_unknown(
            *("", " ", "http://", "http:///", "a..b", "http://a b.example/", "https://good.example:99999/"),
            *("http://1.2.3.4.5/", "http://[::1", "about:blank", "data:text/html,x", "javascript:void(0)", "file:///x"),
            *("mailto:x@pirate-one.example", "/film", "?x=1", "http://%zz/", f"http://{'a' * 64}.example/"),
        ),
    ],
    "paths": [
        *_listed(
            _URL,
            *(
                "http://host-a.example/films/new",
                "https://host-a.example:8443/films/new/x?y=1",
                "host-a.example/films/new",
            ),
            *(
                "http://host-a.example/films/./new",
                "http://host-a.example/x/../films/new",
                "http://host-a.example\\films\\new",
            ),
            *(
                "http://host-a.example/f%69lms/new",
                "http://host-a.example/films/new#x",
                "http://u@host-a.example./films/new",
            ),
        ),
        *_listed("host-a.example/watch?v=1", "http://host-a.example/watch?v=1", "host-a.example/watch?t=2&%76=%31"),
        *_clean(
            *(
                "host-a.example",
                "http://host-a.example/",
                "http://host-a.example/films",
                "http://host-a.example/films/newer",
            ),
            *(
                "http://host-a.example/Films/New",
                "http://x.host-a.example/films/new",
                "http://host-a.example/watch?v=2",
            ),
            *(
                "http://host-a.example/films%2Fnew",
                "http://host-a.example/?/films/new",
                "http://host-a.example/x/films/new",
            ),
        ),
    ],
    "overrides": [
        *_clean(
            *(
                "http://pirate-one.example/legal",
                "http://pirate-one.example/legal/x?y=1",
                "http://good.pirate-one.example/",
            ),
            *("http://x.good.pirate-one.example/film", "http://good.pirate-one.example/worst-not"),
        ),
        *_listed("good.pirate-one.example/worst", "http://good.pirate-one.example/worst/x"),
        *_listed(_ONE, "http://pirate-one.example/legally", "http://x.pirate-one.example/legal"),
    ],
    "url rules as servers serve them": [
        *_listed(
            _URL,
            *(
                "http://host-a.example//films/new",
                "http://host-a.example/films//new",
                "http://www.host-a.example/films/new",
            ),
            *(
                "http://host-a.example/films/new;x=1",
                "http://host-a.example/films;a/new;b/c",
                "http://host-a.example/films/new/",
            ),
            *("http://host-a.example///films///new///", "http://www.host-a.example//films;x/new;jsessionid=1?y#z"),
        ),
        *_clean(
            "http://host-a.example/films/newer;x=1", "http://host-a.example/films/;new", "http://www.host-a.example/"
        ),
        *(
            Row(target, "listed")
            for target in (
                *("http://host-b.example/films/new", "http://www.host-b.example/films/new/x"),
                *("http://host-c.example/films", "http://host-c.example/films/", "http://host-c.example/films/x"),
            )
        ),
    ],
    "names no site": _unknown(
        *("null", "undefined", "unknown", "N/A", "n/a", "-", "NULL", "(null)", "none"),
        *("${PAGE_URL}", "%%PAGE%%", "{site.domain}", "[PAGE]", "{{page}}", "https://${DOMAIN}/", "https://[DOMAIN]/x"),
        *("{{https://pirate-one.example/}}", '"https://pirate-one.example/"', "'https://pirate-one.example/'"),
        *(
            "\u201chttps://pirate-one.example/\u201d",
            'https://"pirate-one.example"/',
            "http://http://pirate-one.example/",
        ),
        *("https//pirate-one.example/", "http://https//pirate-one.example/", "\ufeffhttps://pirate-one.example/"),
        *("https://pirate-one.example,https://good.example", "https://good.example,https://pirate-one.example"),
        *("https://pirate-one.example https://good.example", "localhost", "http://localhost/", "http://intranet/films"),
        *("word", "http://\u180e/pirate-one.example/x"),
    ),
    "newer Unicode": [
        *_listed("xn--prate-eof.example", "http://p\u04c0rate.example/", "http://p\u04cfrate.example/"),
        *_listed("xn--de-qyu.example", "http://\u2183de.example/", "http://\u2184de.example/"),
        *_listed("xn--snl.example", "http://\U0002f868.example/", "http://\u36fc.example/"),
    ],
    "wrappers": [
        *_listed(
            _ONE,
            *("https://pirate--one-example.cdn.ampproject.org/c/s/pirate-one.example/film",),
            *(
                "https://cdn.ampproject.org/v/s/pirate-one.example/film",
                "https://www.google.com/amp/s/pirate-one.example/film",
            ),
            *("https://pirate--one-example.bing-amp.com/c/s/pirate-one.example/film",),
            *("https://pirate--one-example.translate.goog/film?_x_tr_sl=it&_x_tr_tl=en",),
            *("https://translate.google.com/translate?sl=it&tl=en&u=https://pirate-one.example/film",),
            *("https://web.archive.org/web/20250101000000/https://pirate-one.example/film",),
            *("blob:https://pirate-one.example/1", "view-source:https://pirate-one.example/"),
            *("filesystem:https://pirate-one.example/temporary/x", "https%3A%2F%2Fpirate-one.example%2Ffilm"),
            via=True,
        ),
        *_listed(
            _URL,
            *(
                "https://web.archive.org/web/2025/http://host-a.example/films/new",
                "view-source:http://host-a.example/films/new",
            ),
            via=True,
        ),
        *_clean(
            *("https://good-example.cdn.ampproject.org/c/s/good.example/x", "view-source:https://good.example/"),
            *(
                "https://web.archive.org/web/2025/https://good.example/?u=pirate-one.example",
                "blob:https://good.example/1",
            ),
            "https://web.archive.org/",
        ),
    ],
    "app links as pages": [
        *_listed(
            "com.pirate.movies",
            *("android-app://com.pirate.movies/", "android-app://com.pirate.movies/https/x.example/y"),
            via=True,
        ),
        *_clean("android-app://com.good.app/"),
    ],
}

#: Hosts, asked as ``domain``: the path does not count.
DOMAINS: dict[str, list[Row]] = {
    "plain": [
        *_listed(
            _ONE,
            "pirate-one.example",
            "WWW.Pirate-One.example.",
            "http://pirate-one.example:80/film",
            "pirate-one。example",
        ),
        *_listed("192.0.2.7", "192.0.2.7", "0xC0.0.0x2.7"),
        *_clean("good.example", "host-a.example", "host-a.example/films/new", "good.pirate-one.example"),
        *_unknown("", "a..b", "http://", "mailto:x", "1.2.3.4.5"),
    ],
    "names no site": _unknown(
        *(
            "null",
            "undefined",
            "N/A",
            "-",
            "${DOMAIN}",
            "%%DOMAIN%%",
            "{site.domain}",
            '"pirate-one.example"',
            "localhost",
        ),
        *("pirate-one.example,good.example", "http://http://pirate-one.example", "unknown"),
    ),
}

#: Apps, asked as ``app``.
APPS: dict[str, list[Row]] = {
    "plain": [
        *_listed("9876543210", "9876543210", " 9876543210 "),
        *_listed("com.pirate.movies", "com.pirate.movies"),
        *_listed("com.Pirate.Case", "com.Pirate.Case"),
        *_clean("com.good.app", "1234567890", "com.pirate.case"),
        *_unknown("", " ", "two words", "x" * 257),
    ],
    "one canonical form": [
        *_listed(
            "9876543210",
            *(
                "id9876543210",
                "https://apps.apple.com/us/app/x/id9876543210",
                "itms-apps://apps.apple.com/us/app/x/id9876543210?mt=8",
            ),
            *(
                "https://itunes.apple.com/app/id9876543210?mt=8",
                "https://geo.itunes.apple.com/de/app/x/id9876543210?at=1",
            ),
        ),
        *_listed("4444444444", "4444444444", "id4444444444", "https://apps.apple.com/us/app/films/id4444444444"),
        *_listed("5555555555", "id5555555555", "5555555555", "https://apps.apple.com/it/app/films/id5555555555"),
        *_listed(
            "com.pirate.films", "com.pirate.films", "https://play.google.com/store/apps/details?id=com.pirate.films"
        ),
        *_listed(
            "com.pirate.movies",
            *(
                "market://details?id=com.pirate.movies",
                "android-app://com.pirate.movies/",
                "android-app://com.pirate.movies",
            ),
            *("https://play.google.com/store/apps/details?hl=it&id=com.pirate.movies",),
            *("http://play.google.com/store/apps/details?id=com.good&id=com.pirate.movies",),
        ),
        *_listed("com.pirate.mk", "com.pirate.mk", "market://details?id=com.pirate.mk"),
        *_listed(
            "B0PIRATE01",
            "b0pirate01",
            "https://www.amazon.it/dp/B0PIRATE01",
            "https://www.amazon.com/gp/product/b0pirate01",
        ),
        *_listed("151908", "https://channelstore.roku.com/details/151908/films"),
        *_clean(
            "https://apps.apple.com/us/app/x/id1234567890", "market://details?id=com.good", "android-app://com.good/"
        ),
    ],
    "names no app": _unknown(
        "null", "undefined", "N/A", "-", "${APP_BUNDLE}", "%%BUNDLE%%", "[APPID]", '"com.pirate.movies"'
    ),
}


class BidRow(NamedTuple):
    """A bid request, the headers that it is sent with, and members of its answer. ``status``: that of the answer."""

    body: bytes
    answer: dict[str, Any]
    headers: Mapping[str, str] = MappingProxyType({})
    status: int = 200


#: Bid requests, as exchanges send them and as pirates might.
BIDS: dict[str, list[BidRow]] = {
    "members in another case": [
        BidRow(b'{"site":{"page":"https://good.example/","PAGE":"https://pirate-one.example/film"}}', {}, status=400),
        BidRow(b'{"site":{"PAGE":"https://pirate-one.example/film"}}', {"block": True, "field": "site.page"}),
    ],
    "a page that cannot be read": [
        BidRow(b'{"site":{"page":"","domain":"host-a.example"}}', {"block": False, "partial": True}),
        BidRow(b'{"site":{"page":"http://a..b/","domain":"host-a.example"}}', {"block": False, "partial": True}),
    ],
    "an allowed path": [
        BidRow(
            b'{"site":{"page":"http://pirate-one.example/legal/x","domain":"pirate-one.example"}}',
            {"block": False, "verdict": "not_listed"},
        ),
        BidRow(
            b'{"site":{"page":"http://pirate-one.example/film","domain":"pirate-one.example"}}',
            {"block": True, "field": "site.page"},
        ),
    ],
    "compressed": [
        BidRow(gzip.compress(_BID), {"block": True, "rule": _ONE}, {"Content-Encoding": "gzip"}),
        BidRow(zlib.compress(_BID), {"block": True, "rule": _ONE}, {"Content-Encoding": "deflate"}),
        BidRow(gzip.compress(_BID), {}, {"Content-Encoding": "br"}, status=415),
        BidRow(gzip.compress(_BID)[:-1], {}, {"Content-Encoding": "gzip"}, status=400),
    ],
    "OpenRTB 2.5": [
        BidRow(
            b'{"app":{"bundle":"com.good","ext":{"inventorypartnerdomain":"pirate-one.example"}}}',
            {"block": True, "field": "app.ext.inventorypartnerdomain"},
        ),
        BidRow(
            b'{"source":{"ext":{"schain":{"nodes":[{"asi":"pirate-one.example","sid":"4"}]}}}}',
            {"nbr": 17, "sellers": [{"asi": "pirate-one.example", "sid": "4"}]},
        ),
    ],
    "store links": [
        BidRow(
            b'{"app":{"storeurl":"itms-apps://apps.apple.com/us/app/x/id9876543210?mt=8"}}',
            {"block": True, "field": "app.storeurl", "rule": "9876543210"},
        ),
        BidRow(
            b'{"app":{"storeurl":"http://play.google.com/store/apps/details?id=com.good&id=com.pirate.movies"}}',
            {"block": True, "field": "app.storeurl", "rule": "com.pirate.movies"},
        ),
        BidRow(
            b'{"app":{"storeurl":"http://play.google.com/store/apps/details?id=com.pirate.movies&id=com.good"}}',
            {"block": True, "field": "app.storeurl", "rule": "com.pirate.movies"},
        ),
    ],
}

#: The groups that are not right yet at every entry point: the kind of target, and the group.
PENDING: frozenset[str] = frozenset()
