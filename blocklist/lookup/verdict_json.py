"""Verdicts as JSON."""

from __future__ import annotations

from functools import lru_cache
from json.encoder import encode_basestring as _json_string
from typing import Any

from blocklist.domain.verdict import Verdict, VerdictKind
from blocklist.text.compact_json import compact_json


def verdict_body(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a JSON object, without version and staleness; an unknown one with its reason as ``error``."""
    if verdict.verdict is VerdictKind.UNKNOWN:
        return {"verdict": "unknown", "listed": None, "error": verdict.reason}
    body: dict[str, Any] = {"verdict": verdict.verdict.value, "listed": verdict.listed}
    if verdict.listed or verdict.override:
        body |= {"rule": verdict.rule, "scope": verdict.scope.value if verdict.scope else None}
    if verdict.listed:
        body["feeds"] = list(verdict.feeds)
    if verdict.override:
        body["override"] = verdict.override.value
    if verdict.via:
        body["via"] = verdict.via
    if verdict.partial:
        body["partial"] = True
    if verdict.listings:
        body["listings"] = list(verdict.listings)
    return body


def verdict_json(verdict: Verdict) -> str:
    """Return :func:`verdict_body` as compact JSON.

    The most common forms are written without an encoder, which takes three times as long as the lookup.
    """
    if verdict.override is None and verdict.via is None and not verdict.listings:
        if verdict.rule is None:
            if verdict.reason is None:
                partial = ',"partial":true' if verdict.partial else ""
                return f'{{"verdict":"{verdict.verdict.value}","listed":false{partial}}}'
        elif verdict.scope is not None:
            return (
                f'{{"verdict":"listed","listed":true,"rule":{_json_string(verdict.rule)},'
                f'"scope":"{verdict.scope.value}","feeds":{_feeds_json(verdict.feeds)}}}'
            )
    return compact_json(verdict_body(verdict))


@lru_cache(maxsize=4_096)
def _feeds_json(feeds: tuple[str, ...]) -> str:
    return compact_json(feeds)
