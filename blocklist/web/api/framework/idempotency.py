"""Idempotent creation with the request header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header).

The same key with another request is 422. A repetition while the first request is in progress is 409, and after that the
stored response. A request that was refused with a 4xx status is forgotten, so that its key can be used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

from flask import request
from pydantic import BaseModel, Field

from blocklist.domain.errors import BlocklistError
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.problems import ProblemError, invalid_fields
from blocklist.web.authorization import current_identity

#: Response headers that are stored and sent again.
_STORED_HEADERS = ("Location", "ETag")


class IdempotencyHeaders(BaseModel):
    """Headers of a request that creates something."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes a retry safe: for one day, the same key gives the same response and creates nothing more.",
    )


def run_idempotent(
    service: Service, header: IdempotencyHeaders, create: Callable[[], Answer], secrets: Collection[str] = ()
) -> Answer:
    """Return the response of ``create``, or the stored response if this key and request were processed before.

    ``secrets`` are members of the response body that are never stored: a repeated response has null for them.

    :raises ProblemError: 422, the key was used for another request; 409, the first request is still in progress.
    """
    key = header.idempotency_key
    if key is None:
        return create()
    actor = current_identity().actor
    head = f"{request.method} {request.full_path}\n".encode("utf-8", "surrogateescape")
    request_hash = hashlib.sha256(head + request.get_data()).hexdigest()
    known = service.requests.begin(actor, key, request_hash)
    if known is None:
        return _create_and_store(service, actor, key, create, secrets)
    if known.request_hash != request_hash:
        raise invalid_fields(422, [(("Idempotency-Key",), "was used for another request: use a new key")], "header")
    if known.answer is None:
        raise ProblemError(
            409,
            "the first request with this Idempotency-Key is in progress, or was interrupted: check whether it was "
            "done, then use a new key",
        )
    headers = (*map(tuple, known.answer["headers"]), ("Idempotency-Replayed", "true"))
    return Answer(known.answer["status"], known.answer["body"], headers)


def _create_and_store(
    service: Service, actor: str, key: str, create: Callable[[], Answer], secrets: Collection[str]
) -> Answer:
    try:
        answer = create()
    except ProblemError:
        service.requests.forget(actor, key)
        raise
    except BlocklistError as error:
        # A 5xx error can happen after the change was made (a full disk while publishing): the caller must check first.
        if error.http_status < 500:
            service.requests.forget(actor, key)
        raise
    assert isinstance(answer.body, dict)
    headers = [[name, value] for name, value in answer.headers if name in _STORED_HEADERS]
    body = answer.body | dict.fromkeys(secrets)
    service.requests.answered(actor, key, {"status": answer.status, "headers": headers, "body": body})
    return answer
