"""The page within the address of a wrapper is found, and nothing where there is none."""

from __future__ import annotations

from contextlib import suppress

import pytest

from blocklist.domain.verdict import Target
from blocklist.normalize.candidates import (
    KNOWN_HOSTS,
    MAX_CANDIDATES,
    domain_candidates,
    page_candidates,
)
from blocklist.normalize.carried_hosts import amp_host, translated_host
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.wrappers import WRAPPERS

PAGE, SITE = "https://pirate-one.example/film", "http://pirate-one.example/"
AMP, GOOG = "https://pirate--one-example.cdn.ampproject.org", "https://pirate--one-example.translate.goog"
#: Addresses of wrappers, and the page within each.
WITHIN = {
    f"{AMP}/c/s/pirate-one.example/film?x=1": f"{PAGE}?x=1",
    f"{AMP}/v/s/pirate-one.example/film?amp_js_v=0.1&usqp=mq331#referrer=x": PAGE,
    f"{AMP}/wp/s/pirate-one.example/film": PAGE,
    f"{AMP}/ii/w820/s/pirate-one.example/film": PAGE,
    "https://0-en--films-example-0.www.bing-amp.com/c/en-films.example/a": "http://en-films.example/a",
    "https://cdn.ampproject.org/c/s/pirate-one.example/film": PAGE,
    "https://cdn.ampproject.org/pirate-one.example/film": PAGE,
    # The host is a hash.
    "https://bjzgz6oxpvpnltpot4fhia4oklqeda4jvmpp26arpmnd2jcaoh7a.cdn.ampproject.org/c/s/pirate-one.example/film": PAGE,
    "https://www.google.com/amp/s/pirate-one.example/film": PAGE,
    "https://GOOGLE.co.uk./amp/pirate-one.example%2ffilm%3fq=1%23b?q=baz": f"{PAGE}?q=1",
    f"{GOOG}/film?_x_tr_sl=auto&_x_tr_tl=en&id=7": f"{PAGE}?id=7",
    "https://1-en--films-example.translate.goog/a?_x_tr_enc=1": "https://en-films.example/a",
    "https://0-pirte--ira-example.translate.goog/?_x_tr_enc=0": "https://xn--pirte-ira.example/",
    "https://www-xn----pirte--ira-example.translate.goog/": "https://www.xn--pirte-ira.example/",
    "https://one-example.translate.goog/film?_x_tr_hp=pirate--": PAGE,
    f"https://translate.google.com/translate?sl=auto&u={PAGE}": PAGE,
    "https://translate.google.de/website?u=https%3A%2F%2Fpirate-one.example%2Ffilm": PAGE,
    f"https://translate.googleusercontent.com/translate_c?depth=1&u={PAGE}": PAGE,
    "https://googleweblight.com/i?u=pirate-one.example%2Ffilm": PAGE,
    f"https://web.archive.org/web/20240102030405/{PAGE}?x=1": f"{PAGE}?x=1",
    "https://web.archive.org/web/2024id_/http:/pirate-one.example/film": PAGE,
    "https://web.archive.org/web/20240102030405if_/pirate-one.example:80/film": PAGE,
    "https://web.archive.org/web/*/pirate-one.example/*": SITE,
    "https://web.archive.org/web/http%3A%2F%2Fpirate-one.example%2Ffilm": PAGE,
    "https://web.archive.org/web/2024/https:%2f%2Fpirate-one.example%2Ffilm": PAGE,
    f"https://web.archive.org/web/2024$br:user/{PAGE}": PAGE,
    f"https://web.archive.org/web/{PAGE}": PAGE,
    f"https://web.archive.org/20240102030405/{PAGE}": PAGE,
    f"https://web.archive.org/save/{PAGE}": PAGE,
    f"https://web.archive.org/web/timemap/link/{PAGE}": PAGE,
    f"https://arquivo.pt/wayback/20180919142909/{PAGE}": PAGE,
    f"https://wayback.archive-it.org/all/2020/{PAGE}": PAGE,
    f"https://webarchive.nationalarchives.gov.uk/20200101000000mp_/{PAGE}": PAGE,
    f"https://webarchive.nationalarchives.gov.uk/ukgwa/20200101000000/{PAGE}": PAGE,
    f"https://archive.ph/2024.01.02-030405/{PAGE}": PAGE,
    f"https://archive.is/20240102030405/{PAGE}": PAGE,
    f"https://archive.today/newest/{PAGE}": PAGE,
    f"https://archive.today/submit/?url={PAGE}": PAGE,
    f"https://perma.cc/timegate/{PAGE}": PAGE,
    f"https://timetravel.mementoweb.org/memento/20130115102033/{PAGE}": PAGE,
    "https://megalodon.jp/ref/2025-0404-0153-18/https://pirate-one.example:443/film": PAGE,
    f"https://www.webcitation.org/5eWaHRbn4?url={PAGE}": PAGE,
    f"https://webcache.googleusercontent.com/search?q=cache:ABCDEFGHI-JK:{PAGE}+words&hl=en": PAGE,
    "https://webcache.googleusercontent.com/search?q=cache:pirate-one.example/film": PAGE,
    f"https://www.translatetheweb.com/?from=&to=en&a={PAGE}": PAGE,
    f"https://translate.yandex.com/translate?url={PAGE}&lang=en-fr": PAGE,
    "https://translated.turbopages.org/proxy_u/en-ru.ru.6856-6373-eda5-7472/https/pirate-one.example/film?x=1": (
        f"{PAGE}?x=1"
    ),
    "https://pirate--one-example.turbopages.org/pirate-one.example/s/film": PAGE,
    "https://yandex.ru/turbo/pirate-one.example/s/film": PAGE,
    f"https://yandex.ru/turbo?text={PAGE}": PAGE,
}
#: Texts that no browser opens as a page, and the page or host within each.
SCHEMES = {
    f"view-source:{PAGE}": PAGE,
    "VIEW-SOURCE:http://pirate-one.example": SITE,
    "blob:https://pirate-one.example/9115d58c-bcda-ff47-86e5-083e9a215304": "pirate-one.example",
    "blob:https%3A%2F%2Fpirate-one.example/9115d58c": "pirate-one.example",
    "view-source:blob:https://pirate-one.example/1": "pirate-one.example",
    "filesystem:https://pirate-one.example/temporary/f": "pirate-one.example",
    "about:reader?url=https%3A%2F%2Fpirate-one.example%2Ffilm": PAGE,
    "intent://pirate-one.example/film#Intent;scheme=https;end": PAGE,
    "intent://scan/#Intent;\n scheme=zxing;S.browser_fallback_url=https%3A%2F%2Fpirate-one.example%2Ffilm;end": PAGE,
    "https%3A%2F%2Fpirate-one.example%2Ffilm": PAGE,
    "https%253A%252F%252Fpirate-one.example%252Ffilm": PAGE,
    "HTTPS%3a//pirate-one.example/film": PAGE,
    "%68ttps%3A%2F%2Fpirate-one.example%2Ffilm": PAGE,
}
#: Addresses that look like one of a wrapper, or are one that does not show its page.
NOTHING_WITHIN = (
    "https://mail.google.com/amp/pirate-one.example",
    "https://www.google.nope/amp/pirate-one.example",
    "https://translate2.google.com/x?u=pirate-one.example",
    "https://translate.www.google.com/x?u=pirate-one.example",
    "https://cdn.ampproject.org.good.example/c/s/pirate-one.example/",
    "https://x-evilcdn.ampproject.org/c/s/pirate-one.example/",
    "https://good.example/web/2024/https://pirate-one.example/",
    "https://archive.org/web/2024/https://pirate-one.example/",
    "https://web.archive.org/details/pirate-one.example",
    "https://web.archive.org/web/2024/static/x",
    "https://archive.ph/AbC12",
    "https://perma.cc/AB12-CD34",
    "https://www.google.com/url?q=https://pirate-one.example/",
    "https://translate.google.com/translate?u=${PAGE_URL}",
    "https://translate.google.com/translate?u=",
    "https://translate.google.com/translate?u=films",
    "https://webcache.googleusercontent.com/search?q=cache:123:pirate-one.example/",
    "il7snril4nnjtraabzjibu5gvknxpibgew3qt34u7s2ifspebkva.cdn.ampproject.org",
    "translate.goog",
)


def within(text: str) -> list[tuple[Target, str | None]]:
    return [(target, via) for target, via in page_candidates(text) if via is not None]


@pytest.mark.parametrize(("address", "page"), WITHIN.items(), ids=list(WITHIN))
def test_the_page_within_the_address_of_a_wrapper_is_found(address: str, page: str) -> None:
    wrapper = parse_target(address)
    first, *found = page_candidates(address)
    assert first == (wrapper, None)
    want = parse_target(page)
    assert {(target.host, target.path or "/", target.params) for target, _ in found} == {
        (want.host, want.path or "/", want.params)
    }
    assert {via for _, via in found} == {wrapper.host}


@pytest.mark.parametrize(("text", "page"), SCHEMES.items(), ids=list(SCHEMES))
def test_what_is_within_a_scheme_is_judged_alone(text: str, page: str) -> None:
    ((target, via),) = page_candidates(text)
    assert target == parse_target(page)
    assert via is not None


@pytest.mark.parametrize("address", NOTHING_WITHIN)
def test_an_address_that_only_looks_like_a_wrapper_is_judged_alone(address: str) -> None:
    assert [via for _, via in page_candidates(address) if via is not None] == []


@pytest.mark.parametrize(
    "text",
    [
        "view-source://pirate-one.example/",
        "view-source:pirate-one.example",
        "blob:null/9115d58c",
        "filesystem:file:///persistent/f",
        "intent:#Intent;end",
        "about:blank",
    ],
)
def test_a_scheme_with_nothing_within_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="names no site and no app"):
        page_candidates(text)


@pytest.mark.parametrize(
    ("host", "hosts"),
    [
        ("pirate--one-example.cdn.ampproject.org", {"pirate-one.example"}),
        ("0-en--films-example-0.www.bing-amp.com", {"en-films.example"}),
        ("xn--pirte-example-dfb.cdn.ampproject.org", {"xn--pirte-ira.example"}),
        ("https://pirate--one-example.cdn.ampproject.org", {"pirate-one.example"}),
        ("pirate--one-example.translate.goog", {"pirate-one.example"}),
        # Whether the parameters said that there is a prefix, nobody knows.
        ("1-en--films-example.translate.goog", {"1.en-films.example", "en-films.example"}),
        ("0-pirte--ira-example.translate.goog", {"0.pirte-ira.example", "xn--pirte-ira.example"}),
    ],
)
def test_a_host_alone_shows_the_host_within(host: str, hosts: set[str]) -> None:
    wrapper, *found = domain_candidates(host)
    assert wrapper.via is None
    assert {target.host for target, _ in found} == hosts
    assert all(target.path is None for target, _ in found)


def test_the_hosts_of_googles_own_table_are_decoded() -> None:
    table = {
        ("foo--example-com", "", ""): "foo-example.com",
        ("0-57hw060o-com", "0", ""): "xn--57hw060o.com",
        ("1-en--us-example-com", "1", ""): "en-us.example.com",
        ("0-en----w45as309w-com", "0", ""): "xn--en--w45as309w.com",
        ("1-0-----16pw588q-com", "0,1", ""): "xn----16pw588q.com",
        ("lanfairpwll-co-uk", "", "www-l"): "www.llanfairpwll.co.uk",
    }
    for (label, flags, prefix), host in table.items():
        assert translated_host(label, frozenset(flags.split(",")), prefix) == host


def test_the_hosts_of_the_specification_of_amp_caches_are_decoded() -> None:
    assert amp_host("hello----world-com") == "hello--world.com"
    assert amp_host("xn--bcher-ch-65a") == "bücher.ch"
    assert amp_host("0-en--us-example-com-0") == "en-us.example.com"
    assert amp_host("qsgpfjzulvuaxb66z77vlhb5gu2irvcnyp6t67cz6tqo5ae6fysa") is None
    assert amp_host("xn--\N{SNOWMAN}") is None


def test_the_host_of_an_amp_cache_is_judged_too_where_its_path_has_another_one() -> None:
    found = page_candidates("https://pirate--one-example.cdn.ampproject.org/c/s/news.example/")
    assert [target.host for target, _ in found[1:]] == ["news.example", "pirate-one.example"]


def test_wrappers_within_wrappers_are_opened_to_a_fixed_depth() -> None:
    nested = f"https://web.archive.org/web/2024/{GOOG}/film?_x_tr_sl=a"
    assert (parse_target(PAGE), "pirate--one-example.translate.goog") in within(nested)
    five = PAGE
    for _ in range(5):
        five = f"https://web.archive.org/web/2024/{five}"
    assert parse_target(PAGE) not in [target for target, _ in within(five)]
    four = five.removeprefix("https://web.archive.org/web/2024/")
    assert parse_target(PAGE) in [target for target, _ in within(four)]


def test_every_value_of_a_repeated_parameter_is_judged_up_to_a_limit() -> None:
    found = page_candidates("https://translate.google.com/translate?u=a.example&u=pirate-one.example")
    assert [target.host for target, _ in found[1:]] == ["a.example", "pirate-one.example"]
    many = "&".join(f"u=a{number}.example" for number in range(10_000))
    assert len(page_candidates(f"https://translate.google.com/translate?{many}")) == MAX_CANDIDATES
    unreadable = "&u=" * 20_000
    assert len(page_candidates(f"https://translate.google.com/translate?{unreadable}")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "intent://x#Intent;" + "a." * 100_000,
        "https://web.archive.org/web/" + "1" * 200_000,
        "https://web.archive.org/" + "/" * 200_000 + "x",
        "https://megalodon.jp/" + "ref/" * 50_000,
        "https://apps.samsung.com/" + "a/" * 100_000,
        "https://play.google.com/store/apps/details?id=a" + ".a" * 100_000 + "-",
        "%25" * 70_000 + "3a",
        "a" * 200_000 + "%3a",
        "view-source:" * 20_000,
    ],
    ids=lambda text: text[:24],
)
def test_long_addresses_take_no_more_than_their_length(text: str) -> None:
    # What takes the square of the length runs into the time limit of tests.
    with suppress(ValueError):
        page_candidates(text)


def test_every_pattern_of_a_wrapper_is_found() -> None:
    for wrapper in WRAPPERS:
        for pattern in wrapper.hosts:
            for tld in ("com", "de", "co.uk", "com.br", "cat"):
                host = pattern.replace("*.", "a-b.").replace(".TLD", f".{tld}")
                assert wrapper in KNOWN_HOSTS.find(host), host
                assert KNOWN_HOSTS.find(f"evil{host}") == [] or "*" in pattern
                assert KNOWN_HOSTS.find(f"{host}.good.example") == []
