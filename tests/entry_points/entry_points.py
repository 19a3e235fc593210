"""The ways to ask for a verdict, each with the same two questions: which texts it can carry, and what it answers.

The answers of all entry points are reduced to an :class:`Outcome`. Where the contract lets an entry point answer in
its own way, the same word is used: an error 400 of ``GET /v1/lookup``, an ``unreadable`` field of a bid request and
the header ``Blocklist-Verdict: unknown`` of forward authentication are all ``unknown``.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from click.testing import CliRunner

from blocklist import Snapshot
from blocklist.cli import main
from blocklist.domain.verdict import Verdict
from blocklist.lookup.limits import MAX_ITEMS

#: What a request line can carry as it is; everything else is percent-encoded.
_MINIMAL = "/:?@!$'()*,;=[]|\\^`{}"
_CONTROL = re.compile("[\0-\x1f\x7f]")
_LINE_BREAK = re.compile("[\n\r]")


class Outcome(NamedTuple):
    """An answer: the verdict, the rule if it is listed, and the wrapper through which the rule was reached."""

    verdict: str
    rule: str | None = None
    via: str | None = None


class Unstated(str):
    """The ``via`` of an answer that cannot state one. It equals every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


UNSTATED = Unstated("unstated")


def _any(_: str) -> bool:
    return True


@dataclass(frozen=True)
class EntryPoint:
    """One column of the table. ``carries`` returns whether a text can be sent this way at all."""

    name: str
    ask: Callable[[Sequence[str]], list[Outcome]] = field(repr=False)
    carries: Callable[[str], bool] = field(default=_any, repr=False)


def outcome_of(body: Any) -> Outcome:
    """Return the outcome that a JSON object states: a verdict, a problem document, or an answer to a bid request."""
    listed = body["verdict"] == "listed"
    return Outcome(body["verdict"], body["rule"] if listed else None, body.get("via") if listed else None)


class Server:
    """A server of the lookup plane, asked over one connection as long as it is asked in the same way."""

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, parameter: str) -> EntryPoint:
        """Return ``GET /v1/lookup``, with the target percent-encoded whole."""
        return self._lookup(f"GET {parameter}", parameter, "")

    def get_minimal(self, parameter: str) -> EntryPoint:
        """Return ``GET /v1/lookup``, with no more percent-encoded than a request line needs."""
        return self._lookup(f"GET {parameter}, not encoded", parameter, _MINIMAL)

    def batch(self, member: str | None) -> EntryPoint:
        """Return ``POST /v1/lookup`` with many items: objects with this member, or bare strings."""

        def ask(texts: Sequence[str]) -> list[Outcome]:
            outcomes: list[Outcome] = []
            for start in range(0, len(texts), MAX_ITEMS):
                items = [{member: text} if member else text for text in texts[start : start + MAX_ITEMS]]
                _, body, _ = self._request("POST", "/v1/lookup", json.dumps({"items": items}).encode())
                outcomes += map(outcome_of, json.loads(body)["results"])
            return outcomes

        return self._entry_point(f"batch of {member or 'strings'}", ask)

    def single(self, member: str) -> EntryPoint:
        """Return ``POST /v1/lookup`` with one item in each request."""

        def ask(text: str) -> Outcome:
            _, body, _ = self._request("POST", "/v1/lookup", json.dumps({"items": [{member: text}]}).encode())
            return outcome_of(json.loads(body)["results"][0])

        return self._entry_point(f"POST {member}", _each(ask))

    def openrtb(self, *path: str) -> EntryPoint:
        """Return ``POST /v1/openrtb`` with the text in one field; a number in the path is a place in a list."""

        def ask(text: str) -> Outcome:
            value: Any = text
            for member in reversed(path):
                value = [value] if member == "0" else {member: value}
            _, body, _ = self._request("POST", "/v1/openrtb", json.dumps(value).encode())
            return outcome_of(json.loads(body))

        return self._entry_point(".".join(path), _each(ask))

    def answer(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer to a bid request that is sent as it is."""
        encoded = {name: value.encode() for name, value in headers.items()}
        try:
            status, answer, _ = self._request("POST", "/v1/openrtb", body, encoded)
        finally:
            self._connection.close()
        return status, json.loads(answer)

    def gate(self, header: str | None) -> EntryPoint:
        """Return ``GET /v1/gate`` with the page in a header, or in the parameter ``url``."""

        def ask(text: str) -> Outcome:
            target = "/v1/gate" if header else f"/v1/gate?url={quote(text, safe='')}"
            _, _, headers = self._request("GET", target, headers={header: text.encode()} if header else {})
            verdict = headers["Blocklist-Verdict"]
            return Outcome(verdict, headers.get("Blocklist-Rule"), headers.get("Blocklist-Via", UNSTATED))

        return self._entry_point(f"gate {header or '?url='}", _each(ask), _header_value if header else _any)

    def _lookup(self, name: str, parameter: str, safe: str) -> EntryPoint:
        def ask(text: str) -> Outcome:
            status, body, _ = self._request("GET", f"/v1/lookup?{parameter}={quote(text, safe=safe)}")
            assert status in (200, 400), (status, body)
            return outcome_of(json.loads(body))

        return self._entry_point(name, _each(ask))

    def _entry_point(
        self, name: str, ask: Callable[[Sequence[str]], list[Outcome]], carries: Callable[[str], bool] = _any
    ) -> EntryPoint:
        def ask_and_close(texts: Sequence[str]) -> list[Outcome]:
            # An idle connection would be closed by the server meanwhile.
            try:
                return ask(texts)
            finally:
                self._connection.close()

        return EntryPoint(f"{self._name}: {name}", ask_and_close, carries)

    def _request(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, bytes] | None = None
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        self._connection.request(method, target, body, headers or {})
        response = self._connection.getresponse()
        return response.status, response.read(), response.headers


def in_process(name: str, lookup: Callable[[str], Verdict]) -> EntryPoint:
    """Return a function of :class:`blocklist.Snapshot`, which raises ValueError for what it cannot read."""

    def ask(text: str) -> Outcome:
        try:
            return _outcome(lookup(text))
        except ValueError:
            return Outcome("unknown")

    return EntryPoint(f"in process: {name}", _each(ask))


def in_process_batch(snapshot: Snapshot) -> EntryPoint:
    """Return :meth:`blocklist.Snapshot.lookup_batch`."""
    return EntryPoint("in process: lookup_batch", lambda texts: list(map(_outcome, snapshot.lookup_batch(texts))))


def command_line(data_dir: str, prefix: str = "") -> EntryPoint:
    """Return ``blocklist lookup -``, which reads a target from each line; ``prefix`` is ``app:`` for apps."""

    def ask(texts: Sequence[str]) -> list[Outcome]:
        lines = "".join(f"{prefix}{text}\n" for text in texts)
        done = CliRunner().invoke(main, ["--data-dir", data_dir, "lookup", "-", "--json"], lines)
        assert done.exit_code in (0, 2), done.output
        return [outcome_of(result) for result in json.JSONDecoder().raw_decode(done.stdout)[0]]

    return EntryPoint("command line", ask, lambda text: bool(text.strip()) and not _LINE_BREAK.search(text))


def _outcome(verdict: Verdict) -> Outcome:
    listed = verdict.listed
    return Outcome(
        verdict.verdict.value, verdict.rule if listed else None, getattr(verdict, "via", None) if listed else None
    )


def _each(ask: Callable[[str], Outcome]) -> Callable[[Sequence[str]], list[Outcome]]:
    return lambda texts: [ask(text) for text in texts]


def _header_value(text: str) -> bool:
    """Return whether a text can be the value of a header (RFC 9110, 5.5): not empty, no control characters, ASCII."""
    return bool(text.strip()) and text.isascii() and not _CONTROL.search(text)
