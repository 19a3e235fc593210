"""Targets are parsed as browsers parse them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocklist import normalize_host
from blocklist.domain.verdict import Target
from blocklist.normalize.apps import parse_app
from blocklist.normalize.hosts import canonical_params, canonical_path, parse_target, with_address

OPENED = {
    # The plain forms.
    "example.com": "example.com",
    "http://EXAMPLE.com:80/x": "example.com",
    "HTTP://WWW.Example.COM:8080/film": "www.example.com",
    "https://example.com?x=1": "example.com",
    "https://example.com#x": "example.com",
    "example.com:8080": "example.com",
    "example.com:": "example.com",
    "example.com/path": "example.com",
    "ws://example.com/": "example.com",
    "ftp://example.com/": "example.com",
    "//example.com/x": "example.com",
    "\\\\example.com\\x": "example.com",
    "http:example.com": "example.com",
    "http:/example.com": "example.com",
    "http:///example.com": "example.com",
    "a_b.example.com": "a_b.example.com",
    "_dmarc.example.com": "_dmarc.example.com",
    "-x.example.com": "-x.example.com",
    "localhost:3000": "localhost",
    # Chromium checks no punycode in a host that is ASCII, and follows a newer Unicode.
    "xn--a.example": "xn--a.example",
    "XN--.xq--a.Example:80": "xn--.xq--a.example",
    "STRAẞE.example": "xn--strae-oqa.example",
    "http://exa\u3164m\u180eple.com/": "example.com",
    "http://u@[2001:db8::0.0.0.07]:80/": "[2001:db8::7]",
    "http://[2001%3Adb8::\uff17]/": "[2001:db8::7]",
    # One trailing dot.
    "example.com.": "example.com",
    "http://example.com./": "example.com",
    "http://example.com.:80/": "example.com",
    "http://example.com%2E/": "example.com",
    # Percent-encoding.
    "http://example%2Ecom/": "example.com",
    "http://%65xample.com/": "example.com",
    "http://ex%61mple%2ecom/x": "example.com",
    # Backslashes are slashes.
    "http:\\\\example.com\\x": "example.com",
    "http://example.com\\@evil.example/": "example.com",
    "https:\\/example.com": "example.com",
    # User names and passwords.
    "http://x@example.com/": "example.com",
    "http://user:password@example.com/": "example.com",
    "user:password@example.com": "example.com",
    "http://other.example@example.com/": "example.com",
    "http://other.example%2F@example.com/": "example.com",
    "http://other.example:80@example.com:80/": "example.com",
    "http://a@b@example.com/": "example.com",
    "http://example.com/@other.example": "example.com",
    "http://example.com?@other.example": "example.com",
    "http://example.com#@other.example": "example.com",
    "http://other.example/?u=example.com": "other.example",
    # Tabs and newlines are dropped wherever they stand, other white space at the ends.
    "http://exa\tmple.com/": "example.com",
    "ht\ntp://example.com/": "example.com",
    "http://example\r\n.com/": "example.com",
    " \x00 http://example.com/ \x1f": "example.com",
    "\texample.com\n": "example.com",
    # Unicode: full width, soft hyphens, ideographic dots, combining letters.
    "http://ｅｘａｍｐｌｅ.com/": "example.com",
    "http://exa\u00admple.com/": "example.com",
    "http://exa\u200bmple.com/": "example.com",
    "http://example。com/": "example.com",
    "http://example．com/": "example.com",
    "http://example｡com/": "example.com",
    "http://ⓔⓧⓐⓜⓟⓛⓔ.com/": "example.com",
    "http://bücher.example/": "xn--bcher-kva.example",
    "http://bu\u0308cher.example/": "xn--bcher-kva.example",
    "http://BÜCHER.example/": "xn--bcher-kva.example",
    "http://b%C3%BCcher.example/": "xn--bcher-kva.example",
    "faß.de": "xn--fa-hia.de",
    "fass.de": "fass.de",
    "http://кино.рф/": "xn--h1adke.xn--p1ai",
    "КИНО.РФ": "xn--h1adke.xn--p1ai",
    "http://XN--H1ADKE.xn--p1ai/": "xn--h1adke.xn--p1ai",
    "http://xn--bcher-kva.example": "xn--bcher-kva.example",
    # IPv4 in any notation.
    "http://192.0.2.1/": "192.0.2.1",
    "192.0.2.1:8080": "192.0.2.1",
    "192.0.2.1.": "192.0.2.1",
    "http://3221225985/": "192.0.2.1",
    "http://0xC0000201/": "192.0.2.1",
    "http://0300.0.2.1/": "192.0.2.1",
    "http://0xc0.0x0.0x2.0x1/": "192.0.2.1",
    "http://192.0.513/": "192.0.2.1",
    "http://192.513": "192.0.2.1",
    "http://192.0.2.0x/": "192.0.2.0",
    "http://１９２.0.2.1/": "192.0.2.1",
    "http://192%2E0.2.1/": "192.0.2.1",
    "http://0x7f.1/": "127.0.0.1",
    # IPv6, with and without brackets.
    "http://[2001:DB8::1]/": "[2001:db8::1]",
    "http://[2001:db8:0:0:0:0:0:1]:8080/x": "[2001:db8::1]",
    "[2001:db8::1]": "[2001:db8::1]",
    "2001:db8::1": "[2001:db8::1]",
    "::1": "[::1]",
    "http://[::ffff:192.0.2.1]/": "[::ffff:c000:201]",
    # The longest there may be.
    f"{'a' * 63}.example": f"{'a' * 63}.example",
    ".".join(["a" * 49] * 5) + ".aa": ".".join(["a" * 49] * 5) + ".aa",
}

NOT_OPENED = [
    "",
    " ",
    "\t\n",
    ".",
    "..",
    "/",
    "/path",
    "?x",
    "#x",
    "http://",
    "http:///",
    "http://?",
    "http://:80/",
    "http://user@/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "mailto:someone@example.com",
    "tel:+123",
    "about:blank",
    "blob:https://example.com/1",
    "file:///etc/passwd",
    "magnet:?xt=urn:btih:1",
    "urn:isbn:1",
    "newcamd525://example.com:4001",
    "gopher://example.com/",
    "foo:bar",
    "http://exa mple.com/",
    "http://example.com:port/",
    "http://example.com:65536/",
    "http://example.com:-1/",
    "http://<example>.com/",
    "http://exam^ple.com/",
    "http://exam|ple.com/",
    "http://exam%ple.com/",
    "http://example.com%00/",
    "http://example%20.com/",
    "http://[::1/",
    "http://::1/",
    "http://[fe80::1%25eth0]/",
    "http://[12345::1]/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://4294967296/",
    "example..com",
    ".example.com",
    "http://.example.com/",
    "example.com..",
    "http://example.com../",
    "http://example%2E%2Ecom/",
    f"{'a' * 64}.example",
    ".".join(["a" * 49] * 5) + ".aaaaa",
    "http://xn--\u00ad/",
    "http://\u00ad/",
    "http://a\u200e\u202eb.example\u2028/ /",
]


@pytest.mark.parametrize(("target", "host"), OPENED.items())
def test_a_target_has_the_host_that_a_browser_would_open(target: str, host: str) -> None:
    assert normalize_host(target) == host


@pytest.mark.parametrize("target", NOT_OPENED)
def test_what_no_browser_could_open_is_refused_in_one_line(target: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as refused:
        normalize_host(target)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_a_refusal_shows_the_target_and_says_why() -> None:
    with pytest.raises(ValueError, match="'javascript:alert\\(1\\)' has the scheme 'javascript', which names no site"):
        normalize_host("javascript:alert(1)")
    with pytest.raises(ValueError, match="longer than DNS allows"):
        normalize_host("a" * 64 + ".example")
    with pytest.raises(ValueError, match="empty label"):
        normalize_host("example..com")
    with pytest.raises(ValueError, match="the port is not valid"):
        normalize_host("http://example.com:99999/")
    with pytest.raises(ValueError, match="ends in a number but is not an IPv4 address"):
        normalize_host("http://256.256.256.256/")


def test_a_url_has_a_path_and_a_bare_host_has_none() -> None:
    assert parse_target("example.com") == Target("example.com")
    assert parse_target("example.com:80") == Target("example.com")
    assert parse_target("http://example.com") == Target("example.com", path="/")
    assert parse_target("example.com/") == Target("example.com", path="/")
    assert parse_target("example.com?v=1") == Target("example.com", path="/", params=frozenset({"v=1"}))
    assert parse_target("http://example.com/a/../b?x=1&y#z").path == "/b"
    assert parse_target("http://example.com/a/%2E%2e/b").path == "/b"


def test_an_address_is_distinguished_from_a_host() -> None:
    assert parse_target("192.0.2.1").ip == "192.0.2.1"
    assert parse_target("http://0xC0000201/x").ip == "192.0.2.1"
    assert parse_target("[2001:db8::1]").ip == "2001:db8::1"
    assert parse_target("a.1.example").ip is None
    assert with_address("example.com") == ("example.com", None)


def test_an_ipv4_address_mapped_into_ipv6_is_the_ipv4_address() -> None:
    assert parse_target("http://[::ffff:192.0.2.1]/") == parse_target("http://192.0.2.1/")


def test_escapes_that_change_nothing_are_undone_in_paths() -> None:
    assert canonical_path("/%66ilm/%7euser") == "/film/~user"
    assert canonical_path("/a%2fb%3f%23%25") == "/a%2Fb%3F%23%25"
    assert (
        parse_target("http://example.com/кино").path == parse_target("http://example.com/%d0%ba%D0%B8%d0%bd%d0%be").path
    )


def test_query_parameters_are_a_set_in_one_spelling() -> None:
    assert canonical_params("b=2&a=1") == canonical_params("a=%31&&b=2") == frozenset({"a=1", "b=2"})
    assert canonical_params("a+b=c%20d") == frozenset({"a%20b=c%20d"})
    assert canonical_params("a=") == canonical_params("a") == frozenset({"a"})
    assert canonical_params("a=b%26c") == frozenset({"a=b%26c"})
    assert canonical_params("=&&=") == frozenset()


def test_an_app_id_keeps_its_case_and_holds_no_white_space() -> None:
    assert parse_app(" com.Example.App ").app == "com.Example.App"
    for wrong in ("", " ", "a b", "a\x00b", "a" * 257):
        with pytest.raises(ValueError, match=r"app"):
            parse_app(wrong)


LETTERS = st.sampled_from(
    [*"aXz09-_.%:/\\@?#[] \t", "ß", "ü", "к", "ｅ", "。", "\u00ad", "xn--", "www.", "http://", "2E"]
)


@given(st.lists(LETTERS, max_size=14).map("".join))
def test_normalizing_a_host_twice_changes_nothing(target: str) -> None:
    try:
        host = normalize_host(target)
    except ValueError:
        return
    assert normalize_host(host) == host
    assert normalize_host(f"http://{host}/") == host
    assert normalize_host(f"http://{host}.:80/") == host if host[0] != "[" else True


@given(st.text(max_size=30))
def test_any_text_has_a_host_or_a_reason(target: str) -> None:
    try:
        host = normalize_host(target)
    except ValueError as refused:
        assert str(refused)
        return
    assert host and host.isascii() and host == host.lower() and not host.endswith(".")


@pytest.mark.parametrize(
    "target", ["http://a" + "\u0300\u0301" * 300_000 + ".example/", "http://\ud800.example/", "a/\udfff"]
)
def test_targets_that_take_seconds_or_cannot_be_encoded_are_refused_at_once(target: str) -> None:
    with pytest.raises(ValueError, match="no browser could open"):
        normalize_host(target)


def test_a_long_path_and_a_long_user_name_are_no_long_host() -> None:
    assert normalize_host(f"http://{'u' * 10_000}@pirate.example/{'p' * 10_000}") == "pirate.example"


def test_a_caret_in_a_path_is_the_same_however_it_is_escaped() -> None:
    assert parse_target("http://a.example/x^y") == parse_target("http://a.example/x%5Ey")
