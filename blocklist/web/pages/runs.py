"""Runs: progress, outcome and changes of each run, and the review of held runs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from blocklist.domain.access import Role
from blocklist.domain.clock import later
from blocklist.domain.errors import NotFoundError
from blocklist.domain.run import Outcome, Run, Stage
from blocklist.exports import ChangesPosition, ListingChange
from blocklist.guards.registry import GUARDS
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import PAGE_SIZE, Form, Page, query_number, success
from blocklist.web.pages.template_filters import number, size
from blocklist.web.responses import download_of_body

#: Number of rejected rows on the page of a run.
_REJECTIONS = 100
_STAGE_TEXTS = {
    Stage.FETCH: "Fetching the list",
    Stage.PARSE: "Detecting the format",
    Stage.NORMALIZE: "Reading the entries",
    Stage.DIFF: "Comparing with the current list",
    Stage.GUARD: "Running the guards",
    Stage.RECORD: "Saving",
}
_CHANGES = ("added", "removed", "held")
#: Maximum duration of saving a list in seconds: the changes of an approved run are within this time before its end.
_RECORDING = 300
#: Separates the parts of a position in the list of changes in an address.
_SEPARATOR = "~"


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages of runs."""

    @pages.get("/runs")
    @needs(Role.VIEWER)
    def runs() -> str:
        feed, outcome = request.args.get("feed") or None, request.args.get("outcome", "")
        known = Outcome(outcome) if outcome in tuple(Outcome) else None
        found = service.runs.page(feed=feed, outcome=known, before=query_number("before"), limit=PAGE_SIZE + 1)
        return render_template(
            "runs.html",
            section="Feeds",
            runs=found[:PAGE_SIZE],
            more=len(found) > PAGE_SIZE,
            feed=feed,
            outcome=known,
            outcomes=Outcome,
        )

    @pages.get("/runs/<int:id_>")
    @needs(Role.VIEWER)
    def run(id_: int) -> str:
        return _run_page(service, id_, Form())

    @pages.get("/runs/<int:id_>/progress")
    @needs(Role.VIEWER)
    def progress(id_: int) -> dict[str, Any]:
        return progress_of(service, id_)

    @pages.get("/runs/<int:id_>/body")
    @needs(Role.VIEWER)
    def body(id_: int) -> Response:
        # A download, never shown in the browser: HTML from a publisher must not run as a page of this site.
        response = download_of_body(service, id_)
        response.headers["Content-Security-Policy"] = "sandbox"
        return response

    @pages.post("/runs/<int:id_>/decide")
    @needs(Role.APPROVER)
    def decide_run(id_: int) -> Response | tuple[str, int]:
        form, actor = Form(request.form), current_identity().actor
        reason = form.require("reason", "Enter the reason. It is kept as evidence.")
        if not form.problems:
            with form.problem_at():
                if request.form.get("decision") == "approve":
                    decided = service.runs.approve(id_, actor, reason)
                    message = f"Run {id_} of {decided.feed} was approved and is in force: {decided.reason}."
                    return success(message, "run", id_=id_)
                if request.form.get("decision") == "reject":
                    decided = service.runs.reject(id_, actor, reason)
                    message = f"Run {id_} of {decided.feed} was rejected. The same body will be rejected automatically."
                    return success(message, "run", id_=id_)
                form.problems[""] = "Choose approve or reject."
        return _run_page(service, id_, form), 422


def progress_of(service: Service, id_: int) -> dict[str, Any]:
    """Return the progress of a run, or that it has ended, as JSON for the script of the page."""
    run = service.runs.get(id_)
    if run.outcome:
        return {"ended": True, "outcome": str(run.outcome), "message": run.reason}
    # For a run of this process, the progress within the stage is known too.
    stage, so_far = service.runs.so_far(id_) or (run.stage, 0)
    counted = f": {size(so_far) if stage is Stage.FETCH else number(so_far)} so far" if so_far else ""
    return {
        "ended": False,
        "stage": list(Stage).index(stage) + 1,
        "stages": len(Stage),
        "message": f"{_STAGE_TEXTS[stage]}{counted}",
    }


def _run_page(service: Service, id_: int, form: Form) -> str:
    change = request.args.get("change", "")
    filters: dict[str, Any] = {
        "change": change if change in _CHANGES else None,
        "search": request.args.get("search", "").strip(),
        "standing_out": request.args.get("standing_out") == "1",
    }
    # The number of changes comes first, because the requested page can be after the last one.
    found = service.runs.detail(id_, **filters, limit=0).changes_found
    page = Page(found)
    detail = service.runs.detail(id_, **filters, limit=page.size, offset=page.offset)
    waits = bool(detail.run.review and detail.run.review["state"] == "pending")
    feed_address = None
    # The feed may have been removed.
    with suppress(NotFoundError):
        feed_address = url_for("admin.feed", name=service.feeds.get(detail.run.feed).name)
    changed, more = _changed(service, detail.run, feed_address is not None)
    return render_template(
        "run.html",
        section="Review" if waits else "Feeds",
        changed=changed,
        more=more,
        run=detail.run,
        detail=detail,
        waits=waits,
        form=form,
        page=page,
        filters=filters,
        rejections=detail.rejections[:_REJECTIONS],
        progress=progress_of(service, id_),
        settings={guard.name: guard.setting_name for guard in GUARDS},
        feed_address=feed_address,
    )


def _changed(service: Service, run: Run, feed_exists: bool) -> tuple[list[ListingChange], str | None]:
    """Return a page of the changes that a run made, and the position of the next page."""
    if run.outcome is not Outcome.APPLIED or not run.finished_at or not feed_exists:
        return [], None
    # A run saves all its changes at one time shortly before its end, and no other run of the feed is active then.
    begin = later(run.finished_at, -_RECORDING) if run.review else run.started_at
    found = service.changes(begin, after=_position(request.args.get("after", "")), limit=PAGE_SIZE, feed=run.feed)
    shown = [item for item in found.changes if item.at <= run.finished_at]
    more = found.last if len(shown) == len(found.changes) else None
    return shown, _SEPARATOR.join(map(str, more)) if more else None


def _position(text: str) -> ChangesPosition | None:
    """Return the position in the list of changes from an address; None if it is not valid."""
    if text.count(_SEPARATOR) != 3:
        return None
    until, opened, closed_at, closed = text.split(_SEPARATOR)
    if not (opened.isdigit() and closed.lstrip("-").isdigit() and len(opened) < 16 and len(closed) < 16):
        return None
    return ChangesPosition(until, int(opened), closed_at, int(closed))
