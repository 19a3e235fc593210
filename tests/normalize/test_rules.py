"""Published entries become rules, and what a rule matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist.domain.listing import Entry, Rejected, Rule, RuleKind, Scope
from blocklist.normalize.apps import parse_app
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.rules import Reading, app_rule, matches, rule_maker, site_rule
from blocklist.normalize.suffixes import is_public_suffix
from tests.support import host_rule, refusal, rule

HOSTS = {
    "pirate.example": "pirate.example",
    "Pirate.EXAMPLE": "pirate.example",
    "\ufeffpirate.example": "pirate.example",
    "\ufeff pirate.example": "pirate.example",
    "pirate.example\r": "pirate.example",
    " pirate.example\t ": "pirate.example",
    "\u00a0pirate.example\u200b": "pirate.example",
    "pirate.example.": "pirate.example",
    ".pirate.example": "pirate.example",
    "*.pirate.example": "pirate.example",
    "http://*.pirate.example/": "pirate.example",
    "http://.pirate.example/": "pirate.example",
    "http://pirate.example": "pirate.example",
    "https://pirate.example/": "pirate.example",
    "http://pirate.example/?": "pirate.example",
    "http://pirate.example/#": "pirate.example",
    "//pirate.example/": "pirate.example",
    "pirate.example/": "pirate.example",
    "pirate.example:8080": "pirate.example",
    "https://pirate.example:8443/": "pirate.example",
    "http://user:password@pirate.example/": "pirate.example",
    "user:password@pirate.example": "pirate.example",
    '"pirate.example"': "pirate.example",
    "'pirate.example'": "pirate.example",
    "<http://pirate.example/>": "pirate.example",
    # Defanged.
    "hxxp://pirate.example": "pirate.example",
    "hXXps://pirate.example/": "pirate.example",
    "h**p://pirate.example": "pirate.example",
    "hxxp[:]//pirate[.]example": "pirate.example",
    "hxxps[://]pirate[.]example[/]": "pirate.example",
    "pirate[.]example": "pirate.example",
    "pirate(.)example": "pirate.example",
    "pirate{.}example": "pirate.example",
    "pirate[dot]example": "pirate.example",
    "pirate(DOT)example": "pirate.example",
    # Other scripts, and what is not quite a host name.
    "кино-копия.рф": "xn----otbbfcqhcj5n.xn--p1ai",
    "КИНО-КОПИЯ.РФ": "xn----otbbfcqhcj5n.xn--p1ai",
    "XN--H1ADKE.xn--p1ai": "xn--h1adke.xn--p1ai",
    "ｐｉｒａｔｅ.example": "pirate.example",
    "pi\u00adrate.example": "pirate.example",
    "my_pirate.example": "my_pirate.example",
    "_x.pirate.example": "_x.pirate.example",
    # www. means the site.
    "www.pirate.example": "pirate.example",
    "WWW.PIRATE.EXAMPLE": "pirate.example",
    "http://www.pirate.example/": "pirate.example",
    "www.www.pirate.example": "pirate.example",
    "*.www.pirate.example": "pirate.example",
    "www.sub.pirate.example": "sub.pirate.example",
    "www2.pirate.example": "www2.pirate.example",
    "wwwpirate.example": "wwwpirate.example",
    "www.pirate.co.uk": "pirate.co.uk",
    "www.someone.blogspot.com": "someone.blogspot.com",
    # Unless what remains would be a public suffix.
    "www.co.uk": "www.co.uk",
    "www.com": "www.com",
    "www.blogspot.com": "www.blogspot.com",
    # Below a public suffix anybody may register.
    "someone.blogspot.com": "someone.blogspot.com",
    "pirate.pages.dev": "pirate.pages.dev",
    "city.kobe.jp": "city.kobe.jp",
    "www.ck": "www.ck",
}

URLS = {
    "http://video.example/watch?v=1": "video.example/watch?v=1",
    "http://video.example/watch?v=1#t=2": "video.example/watch?v=1",
    "HTTP://Video.Example:8080/Film/": "video.example/Film/",
    "video.example/film": "video.example/film",
    "http://video.example/?id=7": "video.example/?id=7",
    "http://video.example?id=7": "video.example/?id=7",
    "http://video.example/a?b=2&a=1": "video.example/a?a=1&b=2",
    "http://video.example/a?x=1&amp;y=2": "video.example/a?x=1&y=2",
    "http://video.example/a/../b/./c": "video.example/b/c",
    "http://video.example/%66ilm": "video.example/film",
    "http://video.example/film#part": "video.example/film",
    "http://video.example//film": "video.example/film",
    "hxxp://video[.]example/film": "video.example/film",
    "http:\\\\video.example\\film": "video.example/film",
    "http://user:password@video.example/film": "video.example/film",
    "http://кино.рф/фильм": "xn--h1adke.xn--p1ai/%D1%84%D0%B8%D0%BB%D1%8C%D0%BC",
    # A URL keeps its host literally, and may stand on a public suffix, which is then not listed.
    "http://www.video.example/film": "www.video.example/film",
    "http://blogspot.com/page": "blogspot.com/page",
    "https://github.io/someone": "github.io/someone",
    "http://93.184.215.14/film": "93.184.215.14/film",
    "http://[2606:2800:21f::1]:80/film": "[2606:2800:21f::1]/film",
    "http://[::ffff:93.184.215.14]/film": "93.184.215.14/film",
}

ADDRESSES = {
    "93.184.215.14": "93.184.215.14",
    "http://93.184.215.14:8080/": "93.184.215.14",
    "93.184.215.14/32": "93.184.215.14",
    "0x5db8d70e": "93.184.215.14",
    "93[.]184[.]215[.]14": "93.184.215.14",
    "2606:2800:21f::1": "2606:2800:21f::1",
    "[2606:2800:021F::1]:443": "2606:2800:21f::1",
    "2606:2800:21f::1/128": "2606:2800:21f::1",
    "::ffff:93.184.215.14": "93.184.215.14",
}

REFUSED = {
    "": "empty",
    " \t": "empty",
    "...": "empty",
    "*.": "empty",
    "co.uk": "public_suffix",
    "CO.UK.": "public_suffix",
    "http://co.uk/": "public_suffix",
    "*.com": "public_suffix",
    ".com": "public_suffix",
    "com": "public_suffix",
    "com.cn": "public_suffix",
    "co.za": "public_suffix",
    "blogspot.com": "public_suffix",
    "*.blogspot.com": "public_suffix",
    "github.io": "public_suffix",
    "kobe.jp": "public_suffix",
    "anything.kobe.jp": "public_suffix",
    "foo.ck": "public_suffix",
    "рф": "public_suffix",
    "localhost": "single_label",
    "pirate": "single_label",
    "http://pirate.example/#film": "fragment",
    "pirate.example#film": "fragment",
    "127.0.0.1": "private_address",
    "10.1.2.3": "private_address",
    "http://192.168.0.1/admin": "private_address",
    "192.0.2.1": "private_address",
    "0.0.0.0": "private_address",
    "::1": "private_address",
    "fe80::1": "private_address",
    "::ffff:10.0.0.1": "private_address",
    "93.184.215.0/24": "address_range",
    "93.184.215.14/24": "address_range",
    "2606:2800::/32": "address_range",
    "not a host": "unreadable",
    "pirate.example and others": "unreadable",
    "http://a.example http://b.example": "unreadable",
    "a.example,b.example": "unreadable",
    "a.example;b.example": "unreadable",
    "a.example | b.example": "unreadable",
    "pirate.*": "unreadable",
    "a.*.pirate.example": "unreadable",
    "<a href='http://pirate.example'>": "unreadable",
    **dict.fromkeys(("someone@pirate.example", "legal[at]court.example", "@pirate.example"), "unreadable"),
    **dict.fromkeys(("a.example\tb.example", "a.example\nb.example", "http://a.example/x\r\nb.example"), "unreadable"),
    **dict.fromkeys(("20260101", "16843009", "1.2", "1.2.3", "1.2.3.4.5", "010.1.1.1", "8.8:80"), "unreadable"),
    "pirate.example/" + "a" * 70_000: "unreadable",
    **dict.fromkeys(("[64:ff9b::5db8:d70e]", "[2002:5db8:d70e::1]", "224.0.0.1", "192.88.99.1"), "private_address"),
    "someone@": "unreadable",
    "mailto:someone@pirate.example": "unreadable",
    "javascript:alert(1)": "unreadable",
    "newcamd525://card.example:4001": "unreadable",
    "http://": "unreadable",
    "http://pirate.example:99999/": "unreadable",
    "pirate..example": "unreadable",
    "pirate.example..": "unreadable",
    "a" * 64 + ".example": "unreadable",
    "0000350_2025.29.08": "unreadable",
    "256.256.256.256": "unreadable",
    "xn--é.example": "unreadable",
    "%%%%": "unreadable",
}


@pytest.mark.parametrize(("text", "host"), HOSTS.items())
def test_a_published_host_becomes_a_rule_for_the_site(text: str, host: str) -> None:
    assert rule(text) == host_rule(host)


@pytest.mark.parametrize(("text", "value"), URLS.items())
def test_a_published_url_with_a_path_never_widens_to_its_host(text: str, value: str) -> None:
    assert rule(text) == Rule(RuleKind.URL, value, Scope.PREFIX)


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items())
def test_a_published_address_becomes_a_rule_for_that_address(text: str, address: str) -> None:
    assert rule(text) == Rule(RuleKind.IP, address, Scope.EXACT)


@pytest.mark.parametrize(("text", "code"), REFUSED.items())
def test_what_names_no_site_of_its_own_is_rejected_with_position_and_code(text: str, code: str) -> None:
    rejected = refusal(text, position=7)
    assert (rejected.code, rejected.position, rejected.raw) == (code, 7, text)
    assert rejected.reason and "\n" not in rejected.reason


def test_a_rejection_shows_what_was_published() -> None:
    assert refusal("co.uk").reason == "'co.uk' co.uk is a public suffix: blocking it would block strangers' sites"
    assert "'not a host'" in refusal("not a host").reason


def test_a_feed_may_say_that_www_is_a_host_of_its_own() -> None:
    keep = Reading(www="keep")
    assert rule("www.pirate.example", keep).value == "www.pirate.example"
    assert rule("http://www.pirate.example/", keep).value == "www.pirate.example"


def test_a_feed_may_list_exact_hosts() -> None:
    exact = Reading(scope=Scope.EXACT)
    assert rule("www.pirate.example", exact) == host_rule("pirate.example", Scope.EXACT)
    assert rule("http://пират.example/", exact).scope is Scope.EXACT
    assert rule("pirate.example/film", exact).scope is Scope.PREFIX


def test_an_app_id_keeps_its_case() -> None:
    made = app_rule(Entry("com.Pirate.App", 1), Reading(entries="apps"))
    assert made == Rule(RuleKind.APP, "com.Pirate.App", Scope.EXACT)
    refused = app_rule(Entry("two words", 3), Reading(entries="apps"))
    assert isinstance(refused, Rejected)
    assert (refused.code, refused.position) == ("unreadable", 3)


def test_what_a_format_rejected_passes_through() -> None:
    torn = Rejected("x", 2, "syntax", "why")
    good, bad = Entry("pirate.example", 1), Entry("co.uk", 3)
    items: list[Entry | Rejected] = [good, torn, bad]
    made = list(map(rule_maker(Reading()), items))
    assert made[0] == (good, host_rule("pirate.example"))
    assert made[1] is torn
    assert isinstance(made[2], Rejected)


def test_a_rejection_quotes_the_row_and_not_only_its_site() -> None:
    made = site_rule(Entry("co.uk", 4, raw="||co.uk^"), Reading())
    assert isinstance(made, Rejected)
    assert made.raw == "||co.uk^"


@pytest.mark.parametrize(
    ("host", "suffix"),
    [
        ("com", True),
        ("co.uk", True),
        ("example.co.uk", False),
        ("blogspot.com", True),
        ("x.blogspot.com", False),
        ("kobe.jp", True),
        ("x.kobe.jp", True),
        ("city.kobe.jp", False),
        ("x.y.kobe.jp", False),
        ("ck", True),
        ("www.ck", False),
        ("xn--p1ai", True),
        ("xn--h1adke.xn--p1ai", False),
        ("example.unheard-of", False),
    ],
)
def test_public_suffixes_are_those_of_the_list_private_ones_included(host: str, suffix: bool) -> None:
    assert is_public_suffix(host) is suffix


MATCHES = [
    # rule, matching targets, others
    (
        rule("pirate.example"),
        [
            "pirate.example",
            "http://pirate.example/",
            "https://www.pirate.example:8443/film?x#y",
            "a.b.pirate.example",
            "ftp://PIRATE.example.",
            "http://pirate%2Eexample/",
            "http://x@pirate.example/",
            "http:\\\\pirate.example\\x",
        ],
        [
            "notpirate.example",
            "pirate.example.com",
            "example",
            "http://other.example/?u=pirate.example",
            "http://pirate.example@other.example/",
            "http://other.example/pirate.example",
        ],
    ),
    (
        host_rule("pirate.example", Scope.EXACT),
        ["pirate.example", "http://pirate.example/film"],
        ["www.pirate.example", "a.pirate.example"],
    ),
    (
        rule("http://video.example/a/b"),
        [
            "http://video.example/a/b",
            "https://video.example:8443/a/b/c?x=1",
            "video.example/a/b#c",
            "http://video.example/a/b/",
            "http://video.example/%61/b",
            "http://video.example/x/../a/b",
            "http://www.video.example/a/b",
            "http://video.example//a///b//",
            "http://video.example/a;x=1/b;y;z/c",
            "http://video.example/;x/a/b",
            "http://video.example/a/b%3Bx",
        ],
        [
            "video.example",
            "http://video.example/",
            "http://video.example/a",
            "http://video.example/a/bc",
            "http://video.example/A/b",
            "http://m.video.example/a/b",
            "http://www.www.video.example/a/b",
            "http://video.example/a%2Fb",
            "http://video.example/a/b,c",
            "http://video.example/x;/a/b",
        ],
    ),
    (
        rule("http://video.example/a/"),
        ["http://video.example/a/", "http://video.example/a/b", "http://video.example/a", "http://video.example/a;x"],
        ["http://video.example/ab", "http://video.example/", "http://video.example/;a"],
    ),
    (
        rule("http://www.video.example/a;id=1/b"),
        ["http://video.example/a;id=1/b/c", "http://www.video.example/;x/a;id=1;t=2/b;y"],
        ["http://video.example/a/b", "http://video.example/a;id=11/b", "http://video.example/a;t=2;id=1/b"],
    ),
    (
        rule("http://video.example/;a"),
        ["http://video.example/;a/b", "http://video.example/;a;b"],
        ["http://video.example/", "http://video.example/b", "http://video.example/x/;a"],
    ),
    (
        rule("http://video.example/a/?v=1"),
        ["http://video.example/a?v=1", "http://video.example/a/;s/b?v=1"],
        ["http://video.example/a/", "http://video.example/?v=1"],
    ),
    (
        rule("http://video.example/watch?v=1&list=2"),
        [
            "http://video.example/watch?v=1&list=2",
            "http://video.example/watch?list=2&t=9&v=1#x",
            "http://video.example/watch/more?%76=1&list=2",
        ],
        [
            "http://video.example/watch",
            "http://video.example/watch?v=1",
            "http://video.example/watch?v=1&list=22",
            "http://video.example/?v=1&list=2",
            "http://video.example/watch#v=1&list=2",
        ],
    ),
    (
        rule("93.184.215.14"),
        ["http://93.184.215.14/x", "93.184.215.14:80", "http://0x5db8d70e/", "http://[::ffff:93.184.215.14]/"],
        ["93.184.215.15", "http://14.215.184.93/", "93.184.215.14.example"],
    ),
    (rule("2606:2800:21f::1"), ["http://[2606:2800:21f:0::1]/"], ["http://[2606:2800:21f::2]/"]),
    (rule("93.184.215.14/film"), ["http://93.184.215.14/film/1"], ["http://93.184.215.14/"]),
]


@pytest.mark.parametrize(("listed", "covered", "others"), MATCHES, ids=[item[0].value for item in MATCHES])
def test_a_rule_matches_what_the_contract_says(listed: Rule, covered: list[str], others: list[str]) -> None:
    assert [target for target in covered if not matches(listed, parse_target(target))] == []
    assert [target for target in others if matches(listed, parse_target(target))] == []


def test_an_app_rule_matches_that_id_alone() -> None:
    app = Rule(RuleKind.APP, "com.Pirate.App", Scope.EXACT)
    assert matches(app, parse_app("com.Pirate.App"))
    assert not matches(app, parse_app("com.pirate.app"))
    assert not matches(app, parse_app("com.Pirate.App.two"))
    assert not matches(app, parse_target("com.Pirate.App"))
    assert not matches(rule("pirate.example"), parse_app("pirate.example"))


PUBLISHED = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "http://", "HTTPS://", "hxxp://", "//", "http://u:p@"]),
        st.sampled_from(["", "www.", "*.", ".", "www.www."]),
        st.sampled_from(["a", "B", "a_b", "кино", "xn--h1adke", "x.y", "blogspot", "a%62c", "co"]),
        st.sampled_from([".example", ".com", ".co.uk", ".", "[.]example", ".рф", ".kobe.jp"]),
        st.sampled_from(["", ":80", "."]),
        st.sampled_from(["", "/", "/a", "/a/", "/%61/%2f/../b", "/к", "\\a"]),
        st.sampled_from(["", "?", "?a=1&b", "?b=%41+x&a=", "?=", "?%26=%3d"]),
        st.sampled_from(["", "#", "#f"]),
    ),
)


@given(PUBLISHED)
def test_the_value_of_a_rule_published_again_gives_the_same_rule(text: str) -> None:
    first = site_rule(Entry(text, 1), Reading())
    if isinstance(first, Rejected):
        assert first.reason
        return
    assert site_rule(Entry(first.value, 1), Reading()) == first


@given(PUBLISHED)
def test_a_rule_matches_the_target_that_it_was_published_as(text: str) -> None:
    made = site_rule(Entry(text, 1), Reading())
    if isinstance(made, Rule):
        assert matches(made, parse_target(made.value))
        assert not matches(made, parse_target("http://other.example/a?a=1"))


def test_bytes_of_another_encoding_reject_the_entry_and_make_no_wrong_rule() -> None:
    assert refusal("http://x.example/\ufffd\ufffd").code == "encoding"


@pytest.mark.parametrize(("published", "kept"), [("it", "IT"), (" IT ", "IT"), ("Italy", None), ("", None)])
def test_a_country_named_in_a_row_is_written_as_policies_write_it(published: str, kept: str | None) -> None:
    item = rule_maker(Reading())(Entry("a.example", 1, country=published))
    assert not isinstance(item, Rejected)
    assert item[0].country == kept
