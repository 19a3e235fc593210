"""Refreshes and previews: a list is read from its address, or is in the body of the request."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from flask import request
from pydantic import BaseModel, Field

from blocklist.access.definition_limits import check_definition_allowed
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.definitions.merge import draft_definition
from blocklist.domain.access import Role
from blocklist.domain.errors import FetchError, NotFoundError
from blocklist.domain.listing import RuleKind, Scope
from blocklist.domain.run import Outcome
from blocklist.lookup.http import Answer
from blocklist.service import Preview, Service
from blocklist.service.serialization import preview_body
from blocklist.web.api.feeds import FeedPath, NewFeed
from blocklist.web.api.framework.pagination import Flag, StrictModel
from blocklist.web.api.framework.problems import ProblemError, invalid_fields
from blocklist.web.api.framework.request_parsing import read_body
from blocklist.web.api.framework.resource import Resource, ResponseSpec, reference
from blocklist.web.api.framework.uploads import FORM, RAW, delete_upload, received_upload
from blocklist.web.api.runs import GuardFindingBody, Rejection, RunBody, RunCounts, run_answer
from blocklist.web.authorization import current_identity

_FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


class RefreshQuery(StrictModel):
    """Options of a refresh."""

    wait: Flag = Field(False, description="Respond when the run has ended, not when it starts.")


class PreviewedEntry(BaseModel):
    """An entry and its rule."""

    entry: str
    kind: RuleKind
    value: str
    scope: Scope


class ExplainedEntry(BaseModel):
    """An entry that would be held or flagged, and why."""

    target: str
    why: str


class PreviewBody(RunCounts):
    """What a run with this definition would do now, with the findings of the guards."""

    fetched: str
    body_bytes: int
    body_sha256: str
    content_type: str | None
    seen: str
    stated_date: str | None
    outcome: Outcome
    rejected_by_code: dict[str, int]
    first: list[PreviewedEntry]
    rejections: list[Rejection]
    waiting: list[ExplainedEntry] = Field(description="Entries that would be held.")
    worth_a_look: list[ExplainedEntry] = Field(description="Entries that would be listed and flagged.")
    guards: list[GuardFindingBody]


def _form(required: str, **parts: dict[str, str]) -> dict[str, Any]:
    return {"schema": {"type": "object", "properties": parts, "required": [required]}}


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Refreshes", "Refresh a feed now, and preview a definition.")
    routes.models.add(NewFeed)

    @routes.operation(
        "POST",
        "/v1/feeds/{name}/refresh",
        role=Role.EDITOR,
        returns=(
            ResponseSpec(
                RunBody, "The run that was started.", 202, {"Location": "The run, with its progress and outcome."}
            ),
            ResponseSpec(RunBody, "The run, which has ended (`wait=true`).", headers={"Location": "The run."}),
        ),
        problems=(409, 503),
        request_body={
            RAW: {"schema": _FILE},
            FORM: _form("file", file=_FILE),
            "application/json": {"schema": {"type": "object", "maxProperties": 0}},
        },
    )
    def refresh_feed(path: FeedPath, query: RefreshQuery) -> Answer:
        """Refresh a feed now.

        The body is optional. It is the list itself, as raw bytes or as the part `file` of a form; the same guards check
        it. The response comes when the run starts; its `Location` shows the progress. If a run of the feed is in
        progress already and there is no body, that run is the response.
        """
        service.feeds.get(path.name)
        actor = current_identity().actor
        with received_upload(service.settings) as upload:
            if query.wait:
                return run_answer(service, service.runs.refresh(path.name, actor, file=upload.file, wait=0), 200)
            file = upload.release()
            run = service.background.refresh(path.name, actor, file=file, then=lambda: delete_upload(file))
        return run_answer(service, run, 202)

    @routes.operation(
        "POST",
        "/v1/feeds/preview",
        role=Role.EDITOR,
        returns=PreviewBody,
        problems=(404,),
        body_required=True,
        request_body={
            "application/json": {"schema": reference(NewFeed)},
            FORM: _form(
                "definition", definition={"type": "string", "contentMediaType": "application/json"}, file=_FILE
            ),
        },
    )
    def preview_feed() -> Answer:
        """Preview a definition, without saving anything.

        The body is the same as for adding a feed; with only the name, the definition of the existing feed is used. In a
        form, the part `definition` is the JSON, and `file` is the list to read instead of the source.
        """
        if request.mimetype != FORM:
            body = read_body(NewFeed)
            assert isinstance(body, NewFeed)
            return Answer(200, preview_body(_preview(service, _definition(service, body.root))))
        with received_upload(service.settings, "definition") as upload:
            definition = _definition(service, _parse_definition(request.form.get("definition", "")))
            seen = preview_body(_preview(service, definition, upload.file))
            # The path of the temporary file is of no use to the caller.
            return Answer(200, seen | ({"fetched": "the upload"} if upload.file else {}))

    return routes


def _preview(service: Service, definition: FeedDefinition, file: Path | None = None) -> Preview:
    try:
        return service.feeds.preview(definition, file)
    except FetchError as error:
        raise invalid_fields(422, [(("source",), str(error))], "pointer", str(error)) from None


def _definition(service: Service, patch: dict[str, Any]) -> FeedDefinition:
    if set(patch) == {"name"} and isinstance(patch["name"], str):
        with contextlib.suppress(NotFoundError):
            return definition_of(service.feeds.get(patch["name"]))
    definition = draft_definition(patch, strict=True)
    check_definition_allowed(current_identity().role, definition)
    return definition


def _parse_definition(text: str) -> dict[str, Any]:
    try:
        patch = json.loads(text)
    except ValueError as error:
        raise ProblemError(400, f"the part 'definition' is not JSON: {error}") from None
    if not isinstance(patch, dict):
        raise invalid_fields(422, [((), "must be an object")], "pointer")
    return patch
