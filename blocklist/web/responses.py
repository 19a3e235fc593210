"""Flask responses."""

from __future__ import annotations

from flask import Response

from blocklist.lookup.http import Answer


def respond(answer: Answer) -> Response:
    """Return an answer as a Flask response that is not cached: the list can change at any time."""
    response = Response(answer.encoded(), answer.status, list(answer.headers), content_type=answer.content_type)
    if answer.content_type is None:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = "no-store"
    return response


def see_other(address: str) -> Response:
    """Return a redirect (303) that the browser follows with GET, and that is not cached."""
    return Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
