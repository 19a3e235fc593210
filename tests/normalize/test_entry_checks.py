"""What publishers write around and within addresses: read as the site where that is certain, rejected otherwise."""

from __future__ import annotations

import pytest

from blocklist.domain.listing import Entry, ExactEntry, LineBlock, Rejected, RuleKind, Scope
from blocklist.normalize.batch_rules import rules_in_blocks
from blocklist.normalize.rules import Reading, site_rule
from tests.support import host_rule, refusal, rule

SITES = {
    # A wildcard or punctuation behind the host.
    "pirate.example/*": "pirate.example",
    "https://www.pirate.example/*": "pirate.example",
    "pirate.example:*": "pirate.example",
    "https://pirate.example/.": "pirate.example",
    "https://pirate.example/,": "pirate.example",
    "https://pirate.example/;": "pirate.example",
    "https://pirate.example/)": "pirate.example",
    "https://pirate.example//": "pirate.example",
    "pirate.example,": "pirate.example",
    "pirate.example)": "pirate.example",
    # Quotes, bullets and dashes of word processors, and marks that nobody sees.
    "“pirate.com”": "pirate.com",
    "‘pirate.com’": "pirate.com",
    "„pirate.com“": "pirate.com",
    "«pirate.com»": "pirate.com",
    "`pirate.com`": "pirate.com",
    "• pirate.example": "pirate.example",
    "–pirate.example": "pirate.example",
    "pirate.example –": "pirate.example",
    "pirate.example/\u200b": "pirate.example",
    "pirate.example/\u00a0": "pirate.example",
    "\u00ef\u00bb\u00bfpirate.com": "pirate.com",
    # Escapes of other formats.
    r"pirate.example\n": "pirate.example",
    r"pirate.example\r\n": "pirate.example",
    r"pirate.example\t": "pirate.example",
    r"https:\/\/pirate.example\/": "pirate.example",
    "pirate&#46;example": "pirate.example",
    "pirate&#x2e;example": "pirate.example",
    "pirate.example&nbsp;": "pirate.example",
    "&lt;pirate.example&gt;": "pirate.example",
    "pirate&#45;one.example": "pirate-one.example",
    "http://pirate.example/&#8203;": "pirate.example",
    # Campaigns and sessions are not part of an address.
    "https://pirate.example/?utm_source=report&utm_medium=mail": "pirate.example",
    "https://pirate.example/?fbclid=IwAR0abc": "pirate.example",
    "https://pirate.example/;jsessionid=0A1B": "pirate.example",
    "https://pirate.example/?PHPSESSID=0a1b": "pirate.example",
    # Links that a mail gateway wrote over.
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fpirate.example%2F&data=05": "pirate.example",
    "https://urldefense.com/v3/__https://pirate.example/__;!!abc$": "pirate.example",
    "https://urldefense.proofpoint.com/v2/url?u=https-3A__pirate-2Done.example_&d=Dw": "pirate-one.example",
    "https://urldefense.proofpoint.com/v1/url?u=https%3A//pirate.example/&k=1": "pirate.example",
    "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fpirate.example&c=E": "pirate.example",
    "https://secure-web.cisco.com/1abc/https%3A%2F%2Fpirate.example%2F": "pirate.example",
    # Names that look odd and are right.
    "1.pirate.example": "1.pirate.example",
    "10.pirate.example": "10.pirate.example",
    "http.pirate.example": "http.pirate.example",
    "x.tvwww.com": "x.tvwww.com",
    "a.www.pirate.example": "a.www.pirate.example",
    "paral·lel.com": "xn--parallel-koa.com",
    "pirate.co.za": "pirate.co.za",
    "pirate.test": "pirate.test",
    "i❤.example": "xn--i-7iq.example",
}

PAGES = {
    "http://pirate.example/film,": "pirate.example/film",
    "http://pirate.example/film);": "pirate.example/film",
    "http://pirate.example/film_(2013)": "pirate.example/film_(2013)",
    "http://pirate.example/films/*": "pirate.example/films/",
    "http://pirate.example/inc.": "pirate.example/inc.",
    "http://pirate.example/a film": "pirate.example/a%20film",
    "http://pirate.example/v?a=1&#38;b=2": "pirate.example/v?a=1&b=2",
    "http://pirate.example/v?a=1&copy=2": "pirate.example/v?a=1&copy=2",
    "http://pirate.example/a&nbsp;": "pirate.example/a",
    "http://pirate.example/v?id=7&gclid=x": "pirate.example/v?id=7",
    "http://pirate.example/?ref=authority": "pirate.example/?ref=authority",
    "http://pirate.example/a;jsessionid=0A/b": "pirate.example/a/b",
    "http://pirate.example//film": "pirate.example/film",
    "http://pirate.example/out?to=http://other.example/": "pirate.example/out?to=http://other.example/",
    "http://pirate.example/page/2011/http://other.example/": "pirate.example/page/2011/http:/other.example/",
    "http://pirate.example/other.example": "pirate.example/other.example",
    "pirate.com/tv": "pirate.com/tv",
    "pirate.com/index.html": "pirate.com/index.html",
    "http://pirate.example/wait...what": "pirate.example/wait...what",
    "http://pirate.example/t?1-what...": "pirate.example/t?1-what...",
}

REJECTED = {
    # A note, or several addresses, in one entry.
    "pirate.example/ (mirror)": "white space",
    "pirate.example/ - see order 4": "white space",
    "http://pirate.example/ (mirror)": "white space",
    "legal.example (removed 2025-08-29)": "white space",
    "pirate-a.example / pirate-b.example": "white space",
    "pirate-a.example\u2028pirate-b.example": "white space",
    "pirate-a.example/film and pirate-b.example/film": "white space",
    "http://pirate-a.example/film and pirate-b.example/film": "second address",
    "https://pirate-a.example/ https://pirate-b.example/": "second address",
    "https://pirate-a.example/;https://pirate-b.example/": "second address",
    "https://pirate-a.example/x,https://pirate-b.example/": "second address",
    "https://pirate-a.example|https://pirate-b.example": "second address",
    "https://pirate-a.example/https://pirate-b.example/": "second address",
    "pirate-a.examplehttps://pirate-b.example/": "second address",
    "http://http://pirate.example": "second address",
    "pirate-a.example/pirate-b.example": "second address",
    "pirate.com/net/org": "second address",
    "pirate.com/.net/.ru": "second address",
    # Run together.
    "0.0.0.0pirate.example": "without a space",
    "127.0.0.1pirate.example": "without a space",
    "pirate-a.comwww.pirate-b.com": "without a space",
    # Escapes, comments, wildcards, and what was cut.
    r"pirate\.example": "backslash",
    r"45.45.45.45\032pirate.example": "backslash",
    "pirate.example//why": "comment",
    "http//pirate.example": "comment",
    "http://pirate.example/films*": "wildcard",
    "pirate.example…": "ellipsis",
    "http://pirate.example/film...": "ellipsis",
    # Punctuation that only punycode makes a name of, letters that are struck out, misread bytes.
    "pirate–one.example": "U+2013",
    "pirate’s.example": "U+2019",
    "xn--pirateone-v89d.example": "U+2013",
    "l\u0336e\u0336gal.example": "U+0336",
    # No such top-level domain.
    **dict.fromkeys(
        (
            "pirate.n",
            "pirate.exmaple",
            "Allegato_B.pdf",
            "full-list.txt",
            "pirate.c0m",
            "pirate.comÊ",
            "http://pirate.con/a",
        ),
        "which the root zone does not have",
    ),
    "pirate.сom": "which the root zone does not have",
    # Links of services that name another site.
    "https://www.google.com/url?q=https://pirate.example/&sa=D": "another site within",
    "https://web.archive.org/web/2020/https://pirate.example/": "another site within",
    "https://translate.google.com/translate?u=https://pirate.example/": "another site within",
    "https://href.li/?https://pirate.example/": "another site within",
    "https://l.facebook.com/l.php?u=https%3A%2F%2Fpirate.example": "another site within",
    "https://urldefense.com/v3/__https://pirate.example/*a__;Iw!!abc$": "another site within",
}


@pytest.mark.parametrize(("text", "host"), SITES.items())
def test_an_entry_that_surely_names_a_site_lists_it(text: str, host: str) -> None:
    assert rule(text) == host_rule(host)


@pytest.mark.parametrize(("text", "value"), PAGES.items())
def test_an_entry_that_names_a_page_lists_that_page(text: str, value: str) -> None:
    assert (rule(text).kind, rule(text).value) == (RuleKind.URL, value)


@pytest.mark.parametrize(("text", "reason"), REJECTED.items())
def test_an_entry_that_would_never_match_is_rejected_with_the_reason(text: str, reason: str) -> None:
    assert reason in refusal(text).reason


def test_a_feed_may_name_further_top_level_domains() -> None:
    assert refusal("pirate.lib").code == "unknown_tld"
    assert rule("pirate.lib", Reading(top_level_domains=frozenset({"lib"}))) == host_rule("pirate.lib")


def test_an_exact_entry_means_its_host_as_written() -> None:
    assert site_rule(ExactEntry("www.pirate.example", 1), Reading()) == host_rule("www.pirate.example", Scope.EXACT)


def test_hosts_read_together_are_checked_too() -> None:
    odd = ["pirate.exmaple", "0.0.0.0pirate.example", "a.comwww.b.com", "co.uk"]
    lines = [f"site-{number}.example" for number in range(30)]
    block = LineBlock("".join(f"{line}\n" for line in [*lines, *odd, *lines]), 1)
    made = list(rules_in_blocks([block], Reading()))
    assert [(item.position, item.code) for item in made if isinstance(item, Rejected)] == [
        *((31, "unknown_tld"), (32, "unreadable"), (33, "unreadable"), (34, "public_suffix"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("a.example/x" + ")" * 65_000, ";" * 65_000 + "x", "a.example/" + "*" * 65_000 + "x", "\\n" * 32_000 + "x"),
        *("x" + "\\n" * 32_000, "a.example " * 6_500, "“" * 65_000, "a." * 32_000 + "com", "http://" * 9_000),
        *("a.example/" + "a*" * 32_000, "https://a.example/" + "/ " * 32_000, "&lt" * 20_000 + ";"),
    ],
)
def test_an_entry_that_was_made_to_keep_patterns_busy_is_read_to_its_end(text: str) -> None:
    # A pattern that takes the square of the length would take minutes here.
    site_rule(Entry(text, 1), Reading())
