"""Creations that are asked for twice are done once: the header Idempotency-Key says that two requests are one.

The draft of the IETF (draft-ietf-httpapi-idempotency-key-header) is followed: the same key with another request is 422,
while the first is under way 409, afterwards its answer again. A request that was refused is forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection

from flask import request
from pydantic import BaseModel, Field

from blocklist.domain.errors import BlocklistError
from blocklist.lookup.http import Answer
from blocklist.service import Service
from blocklist.web.api.framework.problems import RefusedError, faulty, refused
from blocklist.web.authorization import current_identity

#: Headers of an answer that are given again with it.
_KEPT_HEADERS = ("Location", "ETag")


class CreationHeaders(BaseModel):
    """Headers of a request that creates something."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="Makes a repetition safe: for a day, the same key gives the same answer and creates nothing more.",
    )


def once(
    service: Service, header: CreationHeaders, create: Callable[[], Answer], secrets: Collection[str] = ()
) -> Answer:
    """Return what ``create`` answers; or, where a request of this key was done before, its answer again.

    ``secrets`` are members of the answer that are kept nowhere: they are null when it is given again.

    :raises RefusedError: the key was used for another request, or the first is still under way.
    """
    key = header.idempotency_key
    if key is None:
        return create()
    actor, asked = current_identity().actor, _hash_of_request()
    known = service.requests.begin(actor, key, asked)
    if known is None:
        return _created(service, actor, key, create, secrets)
    if known.request_hash != asked:
        fault = "was used for another request: take a new one"
        raise faulty(422, [(("Idempotency-Key",), fault)], "header")
    if known.answer is None:
        raise refused(
            409,
            "the first request of this Idempotency-Key is under way, or was cut off: look whether it was done, "
            "then take a new key",
        )
    headers = (*map(tuple, known.answer["headers"]), ("Idempotency-Replayed", "true"))
    return Answer(known.answer["status"], known.answer["body"], headers)


def _created(service: Service, actor: str, key: str, create: Callable[[], Answer], secrets: Collection[str]) -> Answer:
    try:
        answer = create()
    except RefusedError:
        service.requests.forget(actor, key)
        raise
    except BlocklistError as error:
        # A fault may come after the deed, such as a full disk while publishing: somebody must look whether it was done.
        if error.http_status < 500:
            service.requests.forget(actor, key)
        raise
    assert isinstance(answer.body, dict)
    headers = [[name, value] for name, value in answer.headers if name in _KEPT_HEADERS]
    body = answer.body | dict.fromkeys(secrets)
    service.requests.answered(actor, key, {"status": answer.status, "headers": headers, "body": body})
    return answer


def _hash_of_request() -> str:
    head = f"{request.method} {request.full_path}\n".encode("utf-8", "surrogateescape")
    return hashlib.sha256(head + request.get_data()).hexdigest()
