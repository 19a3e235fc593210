"""What is held, beside the verdicts of explained lookups: the control plane knows it, a lookup node does not."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from blocklist.lookup.batch import read_batch
from blocklist.lookup.content_encoding import unpacked_body
from blocklist.lookup.http import Answer, Request
from blocklist.lookup.limits import MAX_BYTES
from blocklist.lookup.query import parse_query
from blocklist.lookup.resolver import explains
from blocklist.lookup.routes import BATCH_PARAMETERS, TARGET_PARAMETERS
from blocklist.lookup.targets import named_candidates
from blocklist.normalize.candidates import Candidates, page_candidates
from blocklist.service import Service
from blocklist.service.serialization import held_body

_LOOKUP = "/v1/lookup"
#: Held rules shown for each target, those of hosts first: a held run may name tens of thousands of URLs on one host.
_MAX_HELD = 20


def add_held(service: Service, request: Request, answer: Answer) -> Answer:
    """Return the answer to a lookup, with the member ``held`` in each verdict if the request is to be explained."""
    if request.path != _LOOKUP or answer.status != 200:
        return answer
    if request.method == "POST":
        return _to_batch(service, request, answer)
    query = parse_query(request.query, TARGET_PARAMETERS)
    if not isinstance(answer.body, dict) or not explains(query):
        return answer
    (held,) = _held(service, [named_candidates(query)], query.get("policy"))
    return msgspec.structs.replace(answer, body=answer.body | {"held": held})


def _to_batch(service: Service, request: Request, answer: Answer) -> Answer:
    query = parse_query(request.query, BATCH_PARAMETERS)
    asked = read_batch(unpacked_body(request.body, request.headers, query, MAX_BYTES))
    if not asked.get("explain"):
        return answer
    body = json.loads(answer.encoded())
    judged = [
        (result, _candidates(item))
        for item, result in zip(asked["items"], body["results"], strict=True)
        if "error" not in result
    ]
    found = _held(service, [candidates for _, candidates in judged], asked.get("policy"))
    for (result, _), held in zip(judged, found, strict=True):
        result["held"] = held
    return msgspec.structs.replace(answer, body=body)


def _candidates(item: Any) -> Candidates:
    return page_candidates(item) if isinstance(item, str) else named_candidates(item)


def _held(service: Service, texts: list[Candidates], policy: str | None) -> list[list[dict[str, Any]]]:
    address = service.settings.control_url
    found = service.held.waiting_of([[target for target, _ in candidates] for candidates in texts], policy or "default")
    return [[held_body(item, address) for item in held[:_MAX_HELD]] for held in found]
