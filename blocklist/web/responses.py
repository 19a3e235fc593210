"""Flask responses."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

from flask import Response

from blocklist.lookup.http import Answer
from blocklist.service import Service


def respond(answer: Answer) -> Response:
    """Return an answer as a Flask response that is not cached: the list can change at any time."""
    response = Response(answer.encoded(), answer.status, list(answer.headers), content_type=answer.content_type)
    if answer.content_type is None:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = "no-store"
    return response


def download(blocks: Iterable[bytes], filename: str, content_type: str) -> Response:
    """Return a response that a browser saves as a file, and that is not cached."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(blocks, headers=headers, content_type=content_type)


def download_of_body(service: Service, run_id: int) -> Response:
    """Return the body that a run read, byte for byte."""
    with ExitStack() as stack:
        body = stack.enter_context(service.runs.body(run_id))
        blocks = iter(lambda: body.read(1 << 16), b"")
        response = download(blocks, f"run-{run_id}.body", "application/octet-stream")
        response.call_on_close(stack.pop_all().close)
    return response


def see_other(address: str) -> Response:
    """Return a redirect (303) that the browser follows with GET, and that is not cached."""
    return Response(status=303, headers={"Location": address, "Cache-Control": "no-store"})
