"""What a URL rule covers, as servers serve pages: the definition, and the candidates that a lookup searches for.

Servers answer ``/films//new``, ``/films/new/`` and ``/films/new;id=1`` with the page ``/films/new``, and they serve one
site as ``a.example`` and ``www.a.example``. So several slashes are one, a slash at the end of a rule does not matter,
``;parameters`` of a segment (RFC 3986, 3.3) do not take a page out of a rule, and both forms of a host are one site.

A rule keeps its ``;parameters``, the slash at its end and its ``www.``: what is stored and shown is what was published.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

_SLASHES = re.compile("/{2,}")


def single_slashes(path: str) -> str:
    """Return a path with several slashes as one.

    >>> single_slashes("//films///new")
    '/films/new'
    """
    return _SLASHES.sub("/", path) if "//" in path else path


def url_value_with_single_slashes(value: str) -> str:
    """Return the value of a URL rule with single slashes in its path; its query is kept.

    >>> url_value_with_single_slashes("a.example/films//new?u=http://b.example")
    'a.example/films/new?u=http://b.example'
    """
    if "//" not in value:
        return value
    address, mark, query = value.partition("?")
    return single_slashes(address) + mark + query


def same_site_hosts(host: str) -> tuple[str, ...]:
    """Return the hosts whose URL rules cover pages of a host: it, and its form with or without ``www.``.

    >>> same_site_hosts("a.example"), same_site_hosts("www.a.example")
    (('a.example', 'www.a.example'), ('www.a.example', 'a.example'))
    >>> same_site_hosts("192.0.2.7"), same_site_hosts("www.www.a.example")
    (('192.0.2.7',), ('www.www.a.example',))
    """
    if host[:4] == "www.":
        return (host,) if host[4:8] == "www." else (host, host[4:])
    if host[:1] == "[" or host.rpartition(".")[2].isdigit():
        return (host,)
    return host, "www." + host


def covers_path(rule_path: str, path: str) -> bool:
    """Return whether a page is at the path of a rule or below it.

    >>> [covers_path("/films/new/", path) for path in ("/films/new", "//films/new;x=1/a", "/films/newer")]
    [True, True, False]
    >>> covers_path("/films;id=1", "/films"), covers_path("/films;id=1", "/films;id=1;t=2")
    (False, True)
    """
    wanted, segments = _segments(rule_path), _segments(path)
    # A segment of parameters alone is an empty one, so it is none: several slashes are one.
    if not any(segment[0] == ";" for segment in wanted):
        segments = [segment for segment in segments if segment[0] != ";"]
    return len(wanted) <= len(segments) and all(
        segment == name or segment.startswith(name + ";") for name, segment in zip(wanted, segments, strict=False)
    )


def covering_paths(
    path: str, max_segments: int, max_parameters: int, is_beginning: Callable[[str], bool]
) -> Iterator[str]:
    """Yield the paths of rules that would cover a page, the longest first.

    No rule has more than ``max_segments``, or more than ``max_parameters`` in one segment. ``is_beginning`` returns
    whether some rule begins with a path: it bounds what is tried where segments have parameters.

    >>> list(covering_paths("/a/b;x", 9, 0, lambda _: True))
    ['/a/b/', '/a/b', '/a/', '/a', '/']
    >>> list(covering_paths("/b;x;y", 9, 1, lambda _: True))
    ['/b;x/', '/b;x', '/b/', '/b', '/']
    """
    segments = _segments(path)
    if ";" not in path:
        for end in range(min(len(segments), max_segments), 0, -1):
            above = "/" + "/".join(segments[:end])
            yield above + "/"
            yield above
    else:
        named = [segment for segment in segments if segment[0] != ";"]
        found = _beginnings(named[:max_segments], max_parameters, is_beginning)
        if max_parameters and len(named) < len(segments):
            found |= _beginnings(segments[:max_segments], max_parameters, is_beginning)
        for above in sorted(found, key=lambda above: (-len(above), above)):
            yield above + "/"
            yield above
    yield "/"


def _beginnings(segments: Sequence[str], max_parameters: int, is_beginning: Callable[[str], bool]) -> set[str]:
    """Return the paths with which the path of a covering rule may begin, or be equal to."""
    found: set[str] = set()
    reached = {""}
    for segment in segments:
        parts = segment.split(";", max_parameters + 1)[: max_parameters + 1]
        variants = [";".join(parts[:count]) for count in range(1, len(parts) + 1)]
        reached = {f"{above}/{variant}" for above in reached for variant in variants if variant}
        if max_parameters:
            reached = {above for above in reached if is_beginning(above)}
        found |= reached
    return found


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]
