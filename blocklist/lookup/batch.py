"""A batch: many lookups in one request, judged in steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from blocklist.domain.verdict import VerdictKind
from blocklist.lookup.cached_verdicts import DOMAIN, PAGE, CachedVerdicts
from blocklist.lookup.limits import MAX_BYTES, MAX_ITEMS, TooLargeError
from blocklist.lookup.targets import named_candidates
from blocklist.lookup.verdict_json import verdict_json
from blocklist.normalize.candidates import page_candidates
from blocklist.normalize.hosts import shorten
from blocklist.text.compact_json import compact_json

#: Items judged in one step, which takes 0.1 to 0.5 ms: other requests wait no longer than that.
STEP = 100
_MEMBERS = ("items", "policy", "explain")
_LISTED, _UNKNOWN = '{"verdict":"listed"', '{"verdict":"unknown"'


class Batch:
    """The items of one request. Call :meth:`judge_step` until it returns False, then :meth:`encoded`."""

    def __init__(self, body: bytes, verdicts_for: Callable[[str], CachedVerdicts]) -> None:
        """Read a request; ``verdicts_for`` returns what judges texts under a policy.

        :raises TooLargeError: the request exceeds a limit.
        :raises NotFoundError: the snapshot has no such policy.
        :raises ValueError: the body is not JSON, or a member is missing or of the wrong type.
        """
        request = read_batch(body)
        if not isinstance(request, dict) or not isinstance(request.get("items"), list):
            raise ValueError('the body must be an object with a list: {"items": [{"url": "…"}, …]}')
        unknown = next((name for name in request if name not in _MEMBERS), None)
        if unknown is not None:
            raise ValueError(f"there is no member {shorten(unknown)}: a batch has {', '.join(_MEMBERS)}")
        self._items: list[Any] = request["items"]
        if len(self._items) > MAX_ITEMS:
            raise TooLargeError(f"{len(self._items):,} items are more than {MAX_ITEMS:,}: send them in parts")
        policy = request.get("policy")
        policy = "default" if policy in (None, "") else policy
        if not isinstance(policy, str):
            raise ValueError("policy must be a string")
        self._verdicts = verdicts_for(policy)
        self.policy = policy
        self._explain = bool(request.get("explain"))
        self._snapshot = self._verdicts.snapshot
        self._not_listed_json = verdict_json(self._snapshot.not_listed)
        self._results: list[str] = []

    def judge_step(self) -> bool:
        """Judge the next items; return whether there are more."""
        done, results = len(self._results), self._results
        verdicts, not_listed, not_listed_json = self._verdicts, self._snapshot.not_listed, self._not_listed_json
        for item in self._items[done : done + STEP]:
            # Nearly all items take this path. It is written inline: a call for each would add a fifth to the time.
            kind, text = PAGE, item
            if type(item) is dict and len(item) == 1:
                text = item.get("url")
                if text is None:
                    kind, text = DOMAIN, item.get("domain")
            if type(text) is str:
                verdict = verdicts.caches[kind].items.get(text)
                if verdict is None:
                    try:
                        verdict = verdicts.judge(kind, text)
                    except ValueError as error:
                        results.append(_unknown_json(error))
                        continue
                if verdict is not_listed:
                    results.append(not_listed_json)
                    continue
                if not self._explain:
                    results.append(verdict_json(verdict))
                    continue
            results.append(self._judge_any(item))
        return len(results) < len(self._items)

    def counts(self) -> Iterator[tuple[VerdictKind, int]]:
        """Yield each verdict and the number of items that got it."""
        results, not_listed = self._results, self._not_listed_json
        common = results.count(not_listed)
        others = [result for result in results if result is not not_listed] if common < len(results) else []
        unknown = sum(result.startswith(_UNKNOWN) for result in others)
        listed = sum(result.startswith(_LISTED) for result in others)
        yield VerdictKind.LISTED, listed
        yield VerdictKind.UNKNOWN, unknown
        yield VerdictKind.NOT_LISTED, len(results) - listed - unknown

    def encoded(self, stale: bool) -> bytes:
        """Return the body of the answer as JSON."""
        head = f'{{"version":{self._snapshot.version},"stale":{"true" if stale else "false"},"results":['
        return (head + ",".join(self._results) + "]}\n").encode("utf-8", "replace")

    def _judge_any(self, item: Any) -> str:
        try:
            if isinstance(item, str):
                found = page_candidates(item)
            elif isinstance(item, dict):
                found = named_candidates(item)
            else:
                raise ValueError("an item is a string or an object with url, domain or app")
            return verdict_json(self._snapshot.judge(found, self.policy, explain=self._explain))
        except ValueError as error:
            return _unknown_json(error)


def _unknown_json(error: ValueError) -> str:
    return compact_json({"verdict": "unknown", "listed": None, "error": str(error)})


def read_batch(body: bytes) -> Any:
    """Return the JSON of a request, whatever it is.

    :raises TooLargeError: the body exceeds the limit.
    :raises ValueError: the body is not JSON.
    """
    if len(body) > MAX_BYTES:
        raise TooLargeError(f"the body is larger than {MAX_BYTES:,} bytes: send it in parts")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Slower, but accepts half of a surrogate pair, so that such an item does not make the whole batch fail.
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the body is not JSON: {error}") from None
