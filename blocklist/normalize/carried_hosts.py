"""Decode the host of a page that an AMP cache or a translating proxy has in a label of its own host."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: A hyphen between two word characters (in Google's code ``\\b-\\b``); the underscore is one.
_SINGLE_HYPHEN = re.compile(r"\b-\b", re.ASCII)


def amp_host(label: str) -> str | None:
    """Return the host in the first label of an AMP cache's host; None for a hash, which cannot be decoded.

    amp.dev, "AMP Cache URL format", AMP Cache Origin to publisher domain.

    >>> [amp_host(label) for label in ("pirate--one-example", "0-en--films-example-0", "xn--pirte-example-dfb")]
    ['pirate-one.example', 'en-films.example', 'piräte.example']
    """
    if label.startswith("xn--"):
        try:
            label = label[4:].encode("ascii").decode("punycode")
        except UnicodeError:
            return None
    if "-" not in label:
        return None
    if label.startswith("0-") and label.endswith("-0"):
        label = label[2:-2]
    # From the left: two hyphens are one, a single one is a dot.
    return re.sub("--?", lambda hyphens: "-" if hyphens[0] == "--" else ".", label)


def translated_host(label: str, flags: frozenset[str] = frozenset(), prefix: str = "") -> str:
    """Return the host in the first label of a ``translate.goog`` host.

    ``flags`` and ``prefix`` are the values of the parameters ``_x_tr_enc`` and ``_x_tr_hp``
    (developers.google.com, Ad networks and Google Translate).

    >>> translated_host("pirate--one-example"), translated_host("1-en--films-example", frozenset("1"))
    ('pirate-one.example', 'en-films.example')
    """
    label = prefix + label
    if "1" in flags:
        label = label.removeprefix("1-")
    international = "0" in flags and label.startswith("0-")
    if international:
        label = label.removeprefix("0-")
    host = _SINGLE_HYPHEN.sub(".", label).replace("--", "-")
    return f"xn--{host}" if international else host


def translated_hosts(label: str) -> Iterator[str]:
    """Yield the hosts that a ``translate.goog`` host may stand for where its parameters are not known.

    >>> list(translated_hosts("1-en--films-example"))
    ['1.en-films.example', 'en-films.example']
    """
    yield translated_host(label)
    for flags in ("1", "0", "10"):
        host = translated_host(label, frozenset(flags))
        if host != translated_host(label, frozenset(flags[:-1])) and host != translated_host(label):
            yield host
