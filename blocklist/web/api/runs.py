"""Runs: what happened, how far it is, what was held and why; and the review of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field

from blocklist.domain.access import Role
from blocklist.domain.run import Effect, Outcome, Run, Stage
from blocklist.lookup.http import Answer
from blocklist.service import RunDetail, Service
from blocklist.service.serialization import change_body, run_body, said_body
from blocklist.web.api.framework.pagination import PageQuery, Query, Switch, Whole, cursor_to, page_of
from blocklist.web.api.framework.resource import Gives, Resource
from blocklist.web.api.framework.schemas import ById, Decision, Moment, Next, Ruled
from blocklist.web.authorization import current_identity

#: Rejected rows that a run shows; the counts by code cover all.
_REJECTIONS = 100
_CHUNK = 1 << 16

ChangeKind = Literal["added", "removed", "held"]
ReviewState = Literal["pending", "approved", "rejected", "superseded"]


class RunCounts(BaseModel):
    """The figures of a run, each a number of rows or rules."""

    entries: int
    rules: int
    rejected: int
    duplicates: int
    added: int
    removed: int
    amended: int
    listed: int
    held: int


class Review(BaseModel):
    """What became of a held run, by whom and why."""

    state: ReviewState
    by: str | None
    at: Moment | None
    reason: str | None


class Progress(BaseModel):
    """How far a run is that is under way: bytes fetched, then rows read."""

    done: int
    unit: Literal["bytes", "rows"]


class RunBody(BaseModel):
    """One attempt to refresh a feed. The outcome is null while it is under way."""

    id: int
    feed: str
    trigger: str = Field(description="Who asked for it: the schedule, a person, a token.")
    started_at: Moment
    stage: Stage
    outcome: Outcome | None
    reason: str
    finished_at: Moment | None
    counts: RunCounts
    rejected_by_code: dict[str, int]
    body_sha256: str | None
    body_bytes: int | None
    seen: str = Field(description="What the body was read as.")
    body_from: str | None = Field(description="The address that the list was found at.")
    review: Review | None
    progress: Progress | None = Field(description="Null once it has ended, and where another process runs it.")


class GuardSaid(BaseModel):
    """What a guard said of a run, with the figures."""

    guard: str
    effect: Effect
    said: str


class Rejection(BaseModel):
    """A row that became no rule, and why."""

    raw: str
    position: int
    code: str
    reason: str


class ChangeBody(Ruled):
    """A rule that a held run would add, remove or hold alone, and why it stands out, if it does."""

    change: ChangeKind
    entry: str
    position: int | None
    stands_out: str


class RunDetailBody(RunBody):
    """A run as a person reviews it, with the first changes; those that stand out come first."""

    guards: list[GuardSaid]
    changes: list[ChangeBody]
    changes_found: int
    rejections: list[Rejection] = Field(description="The first hundred; `rejected_by_code` counts all.")
    newer: list[int] = Field(description="Later runs of the feed that read another body; a hundred at most.")
    outdated: bool = Field(description="The feed's list has changed since this run was compared with it.")


class RunPage(Next):
    """A page of runs, newest first."""

    runs: list[RunBody]


class ChangePage(Next):
    """A page of a run's changes, those that stand out first."""

    changes: list[ChangeBody]


class RunQuery(PageQuery):
    """Which runs."""

    feed: str | None = Field(None, max_length=64)
    outcome: Outcome | None = None
    review: ReviewState | None = None


class Narrowed(Query):
    """Which changes of a run."""

    change: ChangeKind | None = None
    search: str = Field("", max_length=500, description="Text within the rule or the entry.")
    standing_out: Switch = Field(False, description="Only those that stand out: popular, shared, a new suffix.")

    def narrowing(self) -> dict[str, Any]:
        """Return it as the service takes it."""
        return {"change": self.change, "search": self.search, "standing_out": self.standing_out}


class DetailQuery(Narrowed):
    """Which changes a run is shown with."""

    limit: Annotated[Whole, Field(ge=0, le=1_000)] = Field(100, description="How many changes at most.")


class ChangeQuery(Narrowed, PageQuery):
    """Which page of which changes."""


def run_routes(service: Service) -> Resource:
    """Return the resource."""
    routes = Resource("Runs", "What happened to each feed, and the review of what was held.")

    @routes.operation("GET", "/v1/runs", Role.VIEWER, Gives(200, RunPage, "A page of runs, newest first."))
    def list_runs(query: RunQuery) -> Answer:
        """List the runs, newest first."""
        place = query.place("runs", int)
        found = service.store.runs.page(
            feed=query.feed,
            outcome=query.outcome,
            review=query.review,
            before=place[0] if place else None,
            limit=query.limit + 1,
        )
        return page_of("runs", found, query, lambda run: _body(service, run), lambda run: run.id)

    @routes.operation("GET", "/v1/runs/{id}", Role.VIEWER, Gives(200, RunDetailBody, "The run."))
    def show_run(path: ById, query: DetailQuery) -> Answer:
        """Show a run: its progress or outcome, its figures, what guards said, and what it would change."""
        detail = service.run_detail(path.id, **query.narrowing(), limit=query.limit)
        return Answer(200, _detail_body(service, detail))

    @routes.operation("GET", "/v1/runs/{id}/changes", Role.VIEWER, Gives(200, ChangePage, "A page of changes."))
    def list_run_changes(path: ById, query: ChangeQuery) -> Answer:
        """List what a held run would change, those that stand out first."""
        service.store.runs.get(path.id)
        place = query.place("changes", int, str, str, str, str)
        found, last = service.store.held_changes.page(path.id, **query.narrowing(), after=place, limit=query.limit)
        body = {"changes": [change_body(item) for item in found], "next": cursor_to("changes", *last) if last else None}
        return Answer(200, body)

    @routes.operation(
        *("GET", "/v1/runs/{id}/body", Role.VIEWER),
        Gives(200, None, "The body, byte for byte.", media="application/octet-stream"),
    )
    def download_body(path: ById) -> Response:
        """Give back the body that a run read, as it came."""
        with ExitStack() as stack:
            body = stack.enter_context(service.run_body(path.id))
            response = Response(iter(lambda: body.read(_CHUNK), b""), mimetype="application/octet-stream")
            response.call_on_close(stack.pop_all().close)
        response.headers["Content-Disposition"] = f'attachment; filename="run-{path.id}.body"'
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    @routes.operation(
        *("POST", "/v1/runs/{id}/approve", Role.APPROVER),
        Gives(200, RunBody, "The run, applied."),
        problems=(409,),
    )
    def approve_run(path: ById, body: Decision) -> Answer:
        """Apply exactly the body of a held run, and publish."""
        return run_answer(service, service.approve(path.id, current_identity().actor, body.reason), 200)

    @routes.operation(
        *("POST", "/v1/runs/{id}/reject", Role.APPROVER),
        Gives(200, RunBody, "The run, rejected."),
        problems=(409,),
    )
    def reject_run(path: ById, body: Decision) -> Answer:
        """Drop the body of a held run; the same body will fail with this reason."""
        return run_answer(service, service.reject(path.id, current_identity().actor, body.reason), 200)

    return routes


def run_answer(service: Service, run: Run, status: int) -> Answer:
    """Return a run as an answer, with its address."""
    return Answer(status, _body(service, run), (("Location", f"/v1/runs/{run.id}"),))


def _body(service: Service, run: Run) -> dict[str, Any]:
    so_far = service.refresher.so_far(run.id) if run.outcome is None else None
    progress = None
    if so_far:
        stage, done = so_far
        progress = {"done": done, "unit": "bytes" if stage is Stage.FETCH else "rows"}
    return run_body(run) | {"progress": progress}


def _detail_body(service: Service, detail: RunDetail) -> dict[str, Any]:
    return _body(service, detail.run) | {
        "guards": [said_body(item) for item in detail.said],
        "changes": [change_body(item) for item in detail.changes],
        "changes_found": detail.changes_found,
        "rejections": [item._asdict() for item in detail.rejections[:_REJECTIONS]],
        "newer": [item.id for item in detail.newer],
        "outdated": detail.outdated,
    }
