"""Many lookups in one request, judged a step at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from blocklist.lookup.limits import MAX_BYTES, MAX_ITEMS, TooLargeError
from blocklist.lookup.targets import named_target
from blocklist.normalize.hosts import parse_target
from blocklist.normalize.plain import plain_host
from blocklist.snapshot.reader import Snapshot
from blocklist.vocabulary import VerdictKind
from blocklist.wire import compact_json, verdict_json

#: Items judged in one step, a tenth to half a millisecond: others wait for no longer.
STEP = 100
_LISTED, _UNKNOWN = '{"verdict":"listed"', '{"verdict":"unknown"'


class Batch:
    """The items of one request; :meth:`judge` until it returns False, then :meth:`encoded`."""

    def __init__(self, body: bytes, snapshot: Snapshot) -> None:
        """Read a request.

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
        policy = request.get("policy") or "default"
        if not isinstance(policy, str):
            raise ValueError("policy must be a string")
        snapshot.bit_of(policy)
        self.policy = policy
        self._explain = bool(request.get("explain"))
        self._snapshot = snapshot
        self._clean = verdict_json(snapshot.not_listed)
        self._results: list[str] = []

    def judge(self) -> bool:
        """Judge the next items; return whether there are more."""
        done = len(self._results)
        judge, policy, not_listed, clean = (
            self._snapshot.judge_plain,
            self.policy,
            self._snapshot.not_listed,
            self._clean,
        )
        for item in self._items[done : done + STEP]:
            text = _only_value(item) if type(item) is dict else item
            host = plain_host(text) if type(text) is str else None
            verdict = judge(host, policy) if host else None
            if verdict is not_listed:
                self._results.append(clean)
            elif verdict is None or self._explain:
                self._results.append(self._judged(item))
            else:
                self._results.append(verdict_json(verdict))
        return len(self._results) < len(self._items)

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

    def _judged(self, item: Any) -> str:
        try:
            if isinstance(item, str):
                target = parse_target(item)
            elif isinstance(item, dict):
                target = named_target(item)
            else:
                raise ValueError("an item is a string or an object with url, domain or app")
            return verdict_json(self._snapshot.decide(target, self.policy, explain=self._explain))
        except ValueError as error:
            return compact_json({"verdict": "unknown", "listed": None, "error": str(error)})


def _only_value(item: dict[str, Any]) -> Any:
    """Return the text of an item that names a url or a domain and nothing else."""
    return item.get("url") or item.get("domain") if len(item) == 1 else None


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
