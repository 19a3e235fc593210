"""Runs: progress, outcome, findings of the guards, changes, and the review of held runs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.run import Effect, Outcome, Run, Stage
from blocklist.lookup.http import Answer
from blocklist.service import HeldChangePlace, Service
from blocklist.service.serialization import ruled_body, run_body, run_detail_body
from blocklist.web.api.framework.pagination import (
    LAST_ID,
    Flag,
    PageQuery,
    StrictModel,
    WholeNumber,
    encode_cursor,
    page_response,
)
from blocklist.web.api.framework.resource import Resource, ResponseSpec
from blocklist.web.api.framework.schemas import Decision, IdPath, NextPage, RuleFields, Timestamp
from blocklist.web.authorization import current_identity
from blocklist.web.responses import download_of_body

#: Rejected rows in the description of a run; ``rejected_by_code`` counts all.
_REJECTIONS = 100

ChangeKind = Literal["added", "removed", "held"]
ReviewState = Literal["pending", "approved", "rejected", "superseded"]


class RunCounts(BaseModel):
    """Numbers of rows and rules."""

    entries: int
    rules: int
    rejected: int
    duplicates: int
    added: int
    removed: int
    amended: int
    listed: int
    held: int
    flagged: int


class Review(BaseModel):
    """The review of a held run: the decision, who made it and why."""

    state: ReviewState
    by: str | None
    at: Timestamp | None
    reason: str | None


class Progress(BaseModel):
    """The progress of a run: bytes fetched, then rows read."""

    done: int
    unit: Literal["bytes", "rows"]


class RunBody(BaseModel):
    """The run: one attempt to refresh a feed. `outcome` is null while it is in progress."""

    id: int
    feed: str
    trigger: str = Field(description="Who started it: the schedule, a person, or a token.")
    started_at: Timestamp
    stage: Stage
    outcome: Outcome | None
    reason: str
    finished_at: Timestamp | None
    counts: RunCounts
    rejected_by_code: dict[str, int]
    body_sha256: str | None
    body_bytes: int | None
    seen: str = Field(description="The detected format of the body.")
    body_from: str | None = Field(description="The address at which the list was found.")
    review: Review | None
    progress: Progress | None = Field(description="Null after the end, and if another process runs it.")


class GuardFindingBody(BaseModel):
    """A finding of a guard."""

    guard: str
    effect: Effect
    said: str = Field(description="A sentence with the figures.")


class Rejection(BaseModel):
    """A row that did not become a rule, and why."""

    raw: str
    position: int
    code: str
    reason: str


class ChangeBody(RuleFields):
    """A rule that a held run would add, remove or hold."""

    change: ChangeKind
    entry: str
    position: int | None
    stands_out: str = Field(description="Why a reviewer should look at it; empty if there is no reason.")


class RunDetailBody(RunBody):
    """The run with everything that a reviewer needs."""

    guards: list[GuardFindingBody]
    changes: list[ChangeBody] = Field(description="The first changes; those that stand out come first.")
    changes_found: int
    rejections: list[Rejection] = Field(description="The first 100; `rejected_by_code` counts all.")
    newer: list[int] = Field(description="Ids of later runs of the feed that read another body; at most 100.")
    outdated: bool = Field(description="Whether the list of the feed has changed since this run compared with it.")


class RunPage(NextPage):
    """A page of runs, newest first."""

    runs: list[RunBody]


class ChangePage(NextPage):
    """A page of the changes of a run; those that stand out come first."""

    changes: list[ChangeBody]


class RunQuery(PageQuery):
    """Filters of runs."""

    feed: str | None = Field(None, max_length=64)
    outcome: Outcome | None = None
    review: ReviewState | None = None


class ChangeFilter(StrictModel):
    """Filters of the changes of a run."""

    change: ChangeKind | None = None
    search: str = Field("", max_length=500, description="Text in the rule or the entry.")
    standing_out: Flag = Field(False, description="Only changes that stand out: popular, shared, a new suffix.")


class DetailQuery(ChangeFilter):
    """Filters and number of the changes that the response contains."""

    limit: Annotated[WholeNumber, Field(ge=0, le=1_000)] = Field(100, description="Maximum number of changes.")


class ChangeQuery(ChangeFilter, PageQuery):
    """Filters and page of the changes."""


def resource(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Runs", "Attempts to refresh a feed, and the review of held runs.")

    @routes.operation("GET", "/v1/runs", role=Role.VIEWER, returns=RunPage)
    def list_runs(query: RunQuery) -> Answer:
        """List the runs, newest first."""
        filters = query.model_dump(include={"feed", "outcome", "review"})
        found = service.runs.page(**filters, before=query.after("runs", LAST_ID), limit=query.limit + 1)
        return page_response("runs", found, query, lambda run: _body(service, run), lambda run: run.id)

    @routes.operation("GET", "/v1/runs/{id}", role=Role.VIEWER, returns=RunDetailBody)
    def show_run(path: IdPath, query: DetailQuery) -> Answer:
        """Show a run: its progress or outcome, its figures, the findings of the guards, and its changes."""
        detail = service.runs.detail(path.id, **query.model_dump())
        return Answer(200, _body(service, detail.run) | run_detail_body(detail, _REJECTIONS))

    @routes.operation("GET", "/v1/runs/{id}/changes", role=Role.VIEWER, returns=ChangePage)
    def list_run_changes(path: IdPath, query: ChangeQuery) -> Answer:
        """List the changes that a held run would make; those that stand out come first."""
        service.runs.get(path.id)
        after = query.position("changes", HeldChangePlace)
        found, last = service.runs.changes(path.id, **query.model_dump(exclude={"cursor"}), after=after)
        more = encode_cursor("changes", *last) if last else None
        return Answer(200, {"changes": [ruled_body(item) for item in found], "next": more})

    @routes.operation(
        "GET",
        "/v1/runs/{id}/body",
        role=Role.VIEWER,
        returns=ResponseSpec(None, description="The body, byte for byte.", media_types=("application/octet-stream",)),
    )
    def download_body(path: IdPath) -> Response:
        """Download the body that a run read, unchanged."""
        return download_of_body(service, path.id)

    @routes.operation("POST", "/v1/runs/{id}/approve", role=Role.APPROVER, returns=RunBody, problems=(409,))
    def approve_run(path: IdPath, body: Decision) -> Answer:
        """Approve a held run: apply exactly its body, and publish."""
        return run_answer(service, service.runs.approve(path.id, current_identity().actor, body.reason), 200)

    @routes.operation("POST", "/v1/runs/{id}/reject", role=Role.APPROVER, returns=RunBody, problems=(409,))
    def reject_run(path: IdPath, body: Decision) -> Answer:
        """Reject a held run. If the same body is fetched again, the run fails with this reason."""
        return run_answer(service, service.runs.reject(path.id, current_identity().actor, body.reason), 200)

    return routes


def run_answer(service: Service, run: Run, status: int) -> Answer:
    """Return a run as a response, with its address."""
    return Answer(status, _body(service, run), (("Location", f"/v1/runs/{run.id}"),))


def _body(service: Service, run: Run) -> dict[str, Any]:
    so_far = service.runs.so_far(run.id) if run.outcome is None else None
    progress = None
    if so_far:
        stage, done = so_far
        progress = {"done": done, "unit": "bytes" if stage is Stage.FETCH else "rows"}
    return run_body(run) | {"progress": progress}
