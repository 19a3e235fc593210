"""Answers as Flask responses."""

from __future__ import annotations

from flask import Response

from blocklist.lookup.http import Answer


def respond(answer: Answer) -> Response:
    """Return an answer as a response; verdicts are never cached, since the list may change any second."""
    response = Response(answer.encoded(), answer.status, list(answer.headers), content_type=answer.content_type)
    if answer.content_type is None:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = "no-store"
    return response


def see_other(address: str) -> Response:
    """Return a redirect that the browser follows with GET (303), and that nobody keeps."""
    return Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
