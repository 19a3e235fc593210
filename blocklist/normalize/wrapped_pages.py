"""Read the page within the URL of a wrapper: one reader for each way in which wrappers write it (:mod:`.wrappers`).

Readers get the URL as its server does, before repeated slashes are read as one: ``/web/2024/https://x`` has two. They
yield texts, hosts or URLs, which need not be readable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote

from blocklist.normalize.app_stores import parameters
from blocklist.normalize.carried_hosts import amp_host, translated_host, translated_hosts
from blocklist.normalize.hosts import UrlParts

#: Yields the pages within a wrapper's URL.
PageReader = Callable[[UrlParts], Iterator[str]]
_Match = Callable[[str], re.Match[str] | None]


def _pattern(pattern: str) -> _Match:
    return re.compile(pattern, re.DOTALL | re.ASCII).fullmatch


#: Parameters that an AMP cache or viewer adds to those of the page (ampproject/amphtml, src/url.js).
_AMP_PARAMETER = re.compile(r"(?:amp_js|amp_gsa|amp_r|amp_kit|amp_latest_update_time|usqp)[^=]*(?:=|\Z)").match
_TRANSLATE_PARAMETER = re.compile(r"_x_tr_[a-z]+(?:=|\Z)").match
#: The most segments before the host in the path of an AMP cache: ``/ii/w820/s/HOST``.
_AMP_SEGMENTS = 4
_VIEWED = _pattern(r"/amp/(s/)?(.+)")
_CACHED = re.compile(r"\s*cache:(?:[^:/.\s]{12}:)?(\S+)").match
_TURBO_PROXY = _pattern(r"/proxy_u/[^/]+/(https?)/(.+)")
_TURBO = _pattern(r"/(?:turbo/)?([^/]+\.[^/]+)/s(/.*)?")
#: Capture times and modifiers of Wayback Machines: ``20240102030405``, ``2024id_``, ``*``, ``2023-2024``.
CAPTURE = _pattern(r"/+(?:\d{1,14}(?:[a-z]+_|\$[a-z0-9:.-]+)?|\d*[*-]\d*)/+(.+)")
CAPTURE_OF_ARCHIVE_TODAY = _pattern(r"/+(?:\d{4,14}|\d{4}\.\d\d\.\d\d-\d{6})/+(.+)")
CAPTURE_OF_MEGALODON = _pattern(r"/+(?:ref/+)?\d{4}-\d{4}-\d{4}(?:-\d\d)?/+(.+)")
CAPTURE_OF_MEMENTO = _pattern(r"/+(?:memento|api/json)/+\d{4,14}/+(.+)")
#: Services beside captures (RFC 7089 for time gates and time maps).
_SERVICE = _pattern(r"/+(?:timegate|timemap(?:/[a-z*]+)?|newest|oldest|save(?:/_embed)?)/+(.+)")
_SCHEME = re.compile(r"(https?|ftp):/*", re.IGNORECASE).match


def amp_cache(page: UrlParts) -> Iterator[str]:
    """Yield the page in the path of an AMP cache, and the one in its host if the path has none or another."""
    in_path = _in_amp_path(page)
    if in_path:
        yield in_path
    host = amp_host(page.host.partition(".")[0])
    if host and not (in_path and in_path.split("/")[2].lower() == host):
        yield host if page.bare or in_path else f"https://{host}/"


def _in_amp_path(page: UrlParts) -> str | None:
    segments = page.path.split("/")[1:]
    for index, segment in enumerate(segments[:_AMP_SEGMENTS]):
        host = unquote(segment)
        if "." in host:
            scheme = "https" if "s" in segments[:index] else "http"
            path = "/".join(segments[index + 1 :])
            return f"{scheme}://{host}/{path}{_query(page.query, _AMP_PARAMETER)}"
    return None


def amp_viewer(page: UrlParts) -> Iterator[str]:
    """Yield the page that Google's viewer of AMP pages shows: it is encoded once, and the query is the viewer's."""
    if found := _VIEWED(page.path):
        yield f"{'https' if found[1] else 'http'}://{unquote(found[2])}"


def translate_goog(page: UrlParts) -> Iterator[str]:
    """Yield the page in the host of Google's translating proxy; several where the parameters are not known."""
    label = page.host.removesuffix(".translate.goog").rpartition(".")[2]
    if page.bare:
        yield from translated_hosts(label)
        return
    hosts = translated_hosts(label)
    if page.query:
        flags = {flag for value in parameters(page.query, ("_x_tr_enc",)) for flag in value.split(",")}
        hosts = iter([translated_host(label, frozenset(flags), next(parameters(page.query, ("_x_tr_hp",)), ""))])
    for host in hosts:
        yield f"https://{host}{page.path}{_query(page.query, _TRANSLATE_PARAMETER)}"


def google_cache(page: UrlParts) -> Iterator[str]:
    """Yield the page of ``/search?q=cache:FINGERPRINT:URL words``."""
    if page.path.startswith("/search"):
        for value in parameters(page.query, ("q",)):
            if found := _CACHED(value):
                yield found[1]


def yandex(page: UrlParts) -> Iterator[str]:
    """Yield the page of Yandex Turbo and of the proxy that Yandex translates through."""
    if found := _TURBO_PROXY(page.path):
        yield f"{found[1]}://{found[2]}{_query(page.query)}"
    elif found := _TURBO(page.path):
        yield f"https://{found[1]}{found[2] or '/'}{_query(page.query)}"
    if page.path.rstrip("/") == "/turbo":
        yield from parameters(page.query, ("text",))


def in_parameter(*names: str, path: str = "") -> PageReader:
    """Return a reader of parameters; ``path`` is a pattern of the beginning of the path.

    Most servers take the first of repeated ones. All of them are judged.
    """

    def read(page: UrlParts) -> Iterator[str]:
        if re.match(path, page.path):
            yield from parameters(page.query, names)

    return read


def in_path(prefix: str = "", captured: _Match = CAPTURE, *, without_time: bool = False) -> PageReader:
    """Return a reader of the path below a prefix, a pattern: ``/TIME/URL`` and the services of Wayback Machines.

    ``without_time``: also ``/URL``.
    """
    below = _pattern(rf"{prefix}(/.+)")

    def read(page: UrlParts) -> Iterator[str]:
        path = below(page.path)
        if not path:
            return
        found = captured(path[1]) or _SERVICE(path[1])
        url = found[1] if found else path[1].lstrip("/") if without_time else ""
        if found and (again := captured(f"/{url}")):
            # A time map of one capture: /timemap/link/TIME/URL.
            url = again[1]
        if url and (archived := _archived(url)):
            yield archived + _query(page.query)

    return read


def any_of(*readers: PageReader) -> PageReader:
    """Return a reader of what each of these yields."""

    def read(page: UrlParts) -> Iterator[str]:
        for reader in readers:
            yield from reader(page)

    return read


def _archived(url: str) -> str | None:
    """Return an archived URL as a browser would open it (webrecorder/pywb, WbUrl); None if it names no host.

    Its scheme may be missing, encoded, or followed by one slash; a final ``*`` means all pages below it.
    """
    head = re.match(r"[^/?]*", url)
    if head and any(escape in head[0].lower() for escape in ("%3a", "%2f")):
        url = unquote(head[0]) + url[head.end() :]
    scheme = _SCHEME(url)
    rest = url[scheme.end() :] if scheme else url
    if "." not in rest.partition("/")[0] and not rest.startswith("["):
        return None
    return f"{scheme[1] if scheme else 'http'}://{rest.removesuffix('*')}"


def _query(query: str, dropped: Callable[[str], object] = lambda _: None) -> str:
    """Return a query with its question mark, without the parameters of the wrapper."""
    kept = "&".join(part for part in query.split("&") if part and not dropped(part))
    return f"?{kept}" if kept else ""
