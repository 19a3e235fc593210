"""Refreshes and previews: what brings a list in, from its address or in the request itself."""

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
from blocklist.web.api.feeds import ByName
from blocklist.web.api.framework.merge_patch import NewFeed
from blocklist.web.api.framework.pagination import Query, Switch
from blocklist.web.api.framework.problems import faulty, refused
from blocklist.web.api.framework.request_parsing import read_body
from blocklist.web.api.framework.resource import Gives, Resource, reference
from blocklist.web.api.framework.uploads import FORM, RAW, arrived, forget
from blocklist.web.api.runs import GuardSaid, Rejection, RunBody, RunCounts, run_answer
from blocklist.web.authorization import current_identity

_FILE = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


class RefreshQuery(Query):
    """How to refresh."""

    wait: Switch = Field(False, description="Answer when the run has ended, and not when it begins.")


class PreviewedEntry(BaseModel):
    """An entry and the rule that it gives."""

    entry: str
    kind: RuleKind
    value: str
    scope: Scope


class WaitingEntry(BaseModel):
    """An entry that would be held alone, and why."""

    target: str
    why: str


class PreviewBody(RunCounts):
    """What a definition would give now, and what every guard would say."""

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
    waiting: list[WaitingEntry]
    guards: list[GuardSaid]


def refresh_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Refreshes", "Lists brought in now, and definitions tried.")
    routes.models.add(NewFeed)

    @routes.operation(
        *("POST", "/v1/feeds/{name}/refresh", Role.EDITOR),
        Gives(202, RunBody, "The run, which begins.", {"Location": "Its address: progress, and how it ends."}),
        Gives(200, RunBody, "The run, which has ended (`wait=true`).", {"Location": "Its address."}),
        problems=(409, 503),
        takes={
            RAW: {"schema": _FILE},
            FORM: {"schema": {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}},
            "application/json": {"schema": {"type": "object", "maxProperties": 0}},
        },
    )
    def refresh_feed(path: ByName, query: RefreshQuery) -> Answer:
        """Refresh a feed now.

        The body, if there is one, is the list itself, which arrived another way: as it is, or the part `file` of a
        form. The same guards look at it. The answer comes when the run begins; its `Location` tells how far it is.
        While another run is under way, and there is no body, that one is answered.
        """
        service.feeds.get(path.name)
        actor = current_identity().actor
        with arrived(service.settings) as upload:
            if query.wait:
                return run_answer(service, service.runs.refresh(path.name, actor, file=upload.file, wait=0), 200)
            file = upload.handed_over()
            run = service.background.refresh(path.name, actor, file=file, then=lambda: forget(file))
        return run_answer(service, run, 202)

    @routes.operation(
        *("POST", "/v1/feeds/preview", Role.EDITOR),
        Gives(200, PreviewBody, "What the definition would give, and what every guard would say."),
        problems=(404,),
        must_bring=True,
        takes={
            "application/json": {"schema": reference(NewFeed)},
            FORM: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "definition": {"type": "string", "contentMediaType": "application/json"},
                        "file": _FILE,
                    },
                    "required": ["definition"],
                }
            },
        },
    )
    def preview_feed() -> Answer:
        """Try a definition, and keep nothing.

        As for adding a feed; the name alone means the feed of that name as it is. As a form, the part `definition` is
        the JSON and `file` the list, read instead of what the definition's source gives.
        """
        if request.mimetype != FORM:
            told = read_body(NewFeed)
            assert isinstance(told, NewFeed)
            return Answer(200, preview_body(_previewed(service, _meant(service, told.root))))
        with arrived(service.settings, "definition") as upload:
            definition = _meant(service, _from_form(request.form.get("definition", "")))
            body = preview_body(_previewed(service, definition, upload.file))
            # Where the service keeps it meanwhile means nothing to whoever sent it.
            return Answer(200, body | ({"fetched": "the upload"} if upload.file else {}))

    return routes


def _previewed(service: Service, definition: FeedDefinition, file: Path | None = None) -> Preview:
    try:
        return service.feeds.preview(definition, file)
    except FetchError as error:
        raise faulty(422, [(("source",), str(error))], "pointer", str(error)) from None


def _meant(service: Service, patch: dict[str, Any]) -> FeedDefinition:
    if set(patch) == {"name"} and isinstance(patch["name"], str):
        with contextlib.suppress(NotFoundError):
            return definition_of(service.feeds.get(patch["name"]))
    definition = draft_definition(patch, strict=True)
    check_definition_allowed(current_identity().role, definition)
    return definition


def _from_form(text: str) -> dict[str, Any]:
    try:
        patch = json.loads(text)
    except ValueError as error:
        raise refused(400, f"the part 'definition' is not JSON: {error}") from None
    if not isinstance(patch, dict):
        raise faulty(422, [((), "is not an object")], "pointer")
    return patch
