"""Wrappers: sites that show the pages of other sites under addresses of their own, and where the page stands in them.

What a wrapper shows is judged beside the wrapper itself. docs/http.md has the same table, which is generated from here.
Redirectors (``google.com/url?q=``) are no wrappers: they leave the page that the ad is on. Addresses that do not show
the page (``archive.ph/AbC12``, ``perma.cc/AB12-CD34``) are judged as pages of the wrapper.
"""

from __future__ import annotations

from typing import NamedTuple

from blocklist.normalize import wrapped_pages as pages
from blocklist.normalize.wrapped_pages import PageReader, any_of, in_parameter, in_path


class Wrapper(NamedTuple):
    """A wrapper: patterns of its hosts (:mod:`.host_patterns`), its rule in words, and what documents the rule."""

    name: str
    hosts: tuple[str, ...]
    read: PageReader
    rule: str
    source: str


_CHROMIUM = "chromium, components/url_matcher/url_util.cc"
_MEMGATOR = "oduwsdl/MemGator, docs/archives.json"
_PUBLISHED = "as published in links"


def _archive(name: str, host: str, prefix: str = "", *, shown: str = "") -> Wrapper:
    return Wrapper(name, (host,), in_path(prefix), f"`{shown or prefix}/TIME/URL`, time gates, time maps", _MEMGATOR)


WRAPPERS = (
    Wrapper(
        "AMP cache",
        ("cdn.ampproject.org", "*.cdn.ampproject.org", "*.bing-amp.com"),
        pages.amp_cache,
        "`/KIND/[s/]HOST/PATH`, and the host in the first label: `--` is a hyphen, `-` a dot; a hash cannot be read",
        "amp.dev, AMP Cache URL format; ampproject/amphtml, caches.json",
    ),
    Wrapper(
        "Google's viewer of AMP pages",
        ("google.TLD", "www.google.TLD"),
        pages.amp_viewer,
        "`/amp/[s/]HOST/PATH`, percent-encoded once",
        _CHROMIUM,
    ),
    Wrapper(
        "Google Translate, proxy",
        ("*.translate.goog",),
        pages.translate_goog,
        "the host in the first label, read with `_x_tr_enc` and `_x_tr_hp`; path and query without `_x_tr_…`",
        "developers.google.com, Ad networks and translation-related Search features",
    ),
    Wrapper(
        "Google Translate",
        ("translate.google.TLD", "translate.googleusercontent.com"),
        in_parameter("u"),
        "parameter `u`",
        _CHROMIUM,
    ),
    Wrapper(
        "Google cache",
        ("webcache.googleusercontent.com",),
        pages.google_cache,
        "`/search?q=cache:[FINGERPRINT:]URL`",
        _CHROMIUM,
    ),
    Wrapper("Google Web Light", ("googleweblight.com",), in_parameter("u", "lite_url"), "`u`, `lite_url`", _PUBLISHED),
    Wrapper(
        "Wayback Machine",
        ("web.archive.org",),
        any_of(in_path("/web", without_time=True), in_path()),
        "`/web/[TIME[MODIFIER]/]URL`, `/TIME/URL`, `/save/URL`, time maps",
        "webrecorder/pywb, docs/manual/rewriter.rst",
    ),
    _archive("Arquivo.pt", "arquivo.pt", "/wayback"),
    _archive("UK Web Archive", "www.webarchive.org.uk", "/wayback/archive"),
    _archive("Library of Congress", "webarchive.loc.gov", "/all"),
    _archive("Archive-It", "wayback.archive-it.org", "/[a-z0-9]+", shown="/COLLECTION"),
    _archive("Icelandic web archive", "wayback.vefsafn.is", "/wayback"),
    _archive("Stanford", "swap.stanford.edu", "(?:/web)?", shown="[/web]"),
    _archive("Bibliotheca Alexandrina", "web.archive.bibalex.org", "/web"),
    _archive("UK National Archives", "webarchive.nationalarchives.gov.uk", "(?:/ukgwa)?", shown="[/ukgwa]"),
    _archive("UK Parliament", "webarchive.parliament.uk"),
    _archive("Public Record Office of Northern Ireland", "webarchive.proni.gov.uk"),
    _archive("National Records of Scotland", "webarchive.nrscotland.gov.uk"),
    Wrapper(
        "archive.today",
        tuple(f"archive.{tld}" for tld in ("today", "is", "ph", "li", "md", "fo", "vn")),
        any_of(in_path("", pages.CAPTURE_OF_ARCHIVE_TODAY), in_parameter("url", path="/submit")),
        "`/TIME/URL`, `/newest/URL`, time gates, time maps, `/submit/?url=`",
        f"{_MEMGATOR}; times as published in links",
    ),
    Wrapper("perma.cc", ("perma.cc",), in_path(), "`/timegate/URL`, `/timemap/link/URL`", _MEMGATOR),
    Wrapper(
        "Memento Time Travel",
        ("timetravel.mementoweb.org",),
        in_path("", pages.CAPTURE_OF_MEMENTO),
        "`/memento/TIME/URL`, `/api/json/TIME/URL`",
        "timetravel.mementoweb.org/guide/api",
    ),
    Wrapper(
        "Megalodon",
        ("megalodon.jp",),
        in_path("", pages.CAPTURE_OF_MEGALODON),
        "`/[ref/]YYYY-MMDD-hhmm-ss/URL`",
        _PUBLISHED,
    ),
    Wrapper(
        "WebCite",
        ("www.webcitation.org", "webcitation.org"),
        in_parameter("url"),
        "parameter `url`",
        "Wikipedia, Help:Using WebCite",
    ),
    Wrapper(
        "Microsoft Translator",
        ("www.translatetheweb.com", "www.microsofttranslator.com", "ssl.microsofttranslator.com"),
        in_parameter("a"),
        "parameter `a`",
        _PUBLISHED,
    ),
    Wrapper(
        "Yandex Translate",
        ("translate.yandex.TLD",),
        in_parameter("url", path="/translate"),
        "`/translate?url=`",
        _PUBLISHED,
    ),
    Wrapper(
        "Yandex Turbo",
        ("*.turbopages.org", "yandex.TLD"),
        pages.yandex,
        "`/proxy_u/LANGUAGES/SCHEME/HOST/PATH`, `/[turbo/]HOST/s/PATH`, `/turbo?text=`",
        _PUBLISHED,
    ),
)
