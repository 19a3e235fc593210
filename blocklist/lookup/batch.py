"""Many lookups in one request, judged a step at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from blocklist.domain.verdict import VerdictKind
from blocklist.lookup.cached_verdicts import DOMAIN, PAGE, CachedVerdicts
from blocklist.lookup.limits import MAX_BYTES, MAX_ITEMS, TooLargeError
from blocklist.lookup.targets import named_target
from blocklist.lookup.verdict_json import verdict_json
from blocklist.normalize.hosts import parse_target
from blocklist.text.compact_json import compact_json

#: Items judged in one step, a tenth to half a millisecond: others wait for no longer.
STEP = 100
_LISTED, _UNKNOWN = '{"verdict":"listed"', '{"verdict":"unknown"'


class Batch:
    """The items of one request; :meth:`judge` until it returns False, then :meth:`encoded`."""

    def __init__(self, body: bytes, verdicts_under: Callable[[str], CachedVerdicts]) -> None:
        """Read a request; ``verdicts_under`` returns what judges under a policy.

        :raises TooLargeError: it is over a limit.
        :raises NotFoundError: the snapshot has no such policy.
        :raises ValueError: it is not what the contract says.
        """
        request = _read(body)
        if not isinstance(request, dict) or not isinstance(request.get("items"), list):
            raise ValueError('the body must be an object with a list: {"items": [{"url": "…"}, …]}')
        self._items: list[Any] = request["items"]
        if len(self._items) > MAX_ITEMS:
            raise TooLargeError(f"{len(self._items):,} items are more than {MAX_ITEMS:,}: send them in parts")
        policy = request.get("policy")
        policy = "default" if policy in (None, "") else policy
        if not isinstance(policy, str):
            raise ValueError("policy must be a string")
        self._verdicts = verdicts_under(policy)
        self.policy = policy
        self._explain = bool(request.get("explain"))
        self._snapshot = self._verdicts.snapshot
        self._clean = verdict_json(self._snapshot.not_listed)
        self._results: list[str] = []

    def judge(self) -> bool:
        """Judge the next items; return whether there are more."""
        done, results = len(self._results), self._results
        verdicts, clean, not_listed = self._verdicts, self._clean, self._snapshot.not_listed
        for item in self._items[done : done + STEP]:
            # The way of nearly all items is written out: a call for each is a fifth of the time.
            reading, text = PAGE, item
            if type(item) is dict and len(item) == 1:
                text = item.get("url")
                if text is None:
                    reading, text = DOMAIN, item.get("domain")
            if type(text) is str:
                verdict = verdicts.caches[reading].items.get(text)
                if verdict is None:
                    try:
                        verdict = verdicts.judge(reading, text)
                    except ValueError as error:
                        results.append(_unknown(error))
                        continue
                if verdict is not_listed:
                    results.append(clean)
                    continue
                if not self._explain:
                    results.append(verdict_json(verdict))
                    continue
            results.append(self._slowly(item))
        return len(results) < len(self._items)

    def counts(self) -> Iterator[tuple[VerdictKind, int]]:
        """Yield how many items got each verdict."""
        clean = self._results.count(self._clean)
        others = [result for result in self._results if result is not self._clean] if clean < len(self._results) else []
        unknown = sum(result.startswith(_UNKNOWN) for result in others)
        listed = sum(result.startswith(_LISTED) for result in others)
        yield VerdictKind.LISTED, listed
        yield VerdictKind.UNKNOWN, unknown
        yield VerdictKind.NOT_LISTED, len(self._results) - listed - unknown

    def encoded(self, stale: bool) -> bytes:
        """Return the body of the answer."""
        head = f'{{"version":{self._snapshot.version},"stale":{"true" if stale else "false"},"results":['
        return (head + ",".join(self._results) + "]}\n").encode("utf-8", "replace")

    def _slowly(self, item: Any) -> str:
        try:
            if isinstance(item, str):
                target = parse_target(item)
            elif isinstance(item, dict):
                target = named_target(item)
            else:
                raise ValueError("an item is a string or an object with url, domain or app")
            return verdict_json(self._snapshot.decide(target, self.policy, explain=self._explain))
        except ValueError as error:
            return _unknown(error)


def _unknown(error: ValueError) -> str:
    return compact_json({"verdict": "unknown", "listed": None, "error": str(error)})


def _read(body: bytes) -> Any:
    if len(body) > MAX_BYTES:
        raise TooLargeError(f"the body is larger than {MAX_BYTES:,} bytes: send it in parts")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # Slower, and lenient about half a surrogate pair in one item, which must not cost the others their verdicts.
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the body is not JSON: {error}") from None
