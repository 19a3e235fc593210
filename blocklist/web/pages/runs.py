"""Runs: what happened to a feed, what a held run would change, and the decision on it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from blocklist.domain.access import Role
from blocklist.domain.clock import later
from blocklist.domain.errors import BlocklistError, NotFoundError, UsageError
from blocklist.domain.run import Outcome, Run, Stage
from blocklist.exports import ChangesPosition, ListingChange
from blocklist.guards.registry import GUARDS
from blocklist.service import RunDetail, Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import PAGE, Form, Page, done, number_from
from blocklist.web.pages.template_filters import number, size

#: Rejected rows shown of a run.
_REJECTIONS = 100
_STAGES = tuple(Stage)
#: What each stage does, for whoever watches.
_DOING = {
    Stage.FETCH: "Fetching the list",
    Stage.PARSE: "Reading its first bytes",
    Stage.NORMALIZE: "Reading its entries",
    Stage.DIFF: "Comparing with what is listed",
    Stage.GUARD: "Asking the guards",
    Stage.RECORD: "Recording",
}
_CHANGES = ("added", "removed", "held")
#: Seconds that recording a list takes at most: what an approved run changed lies within them.
_RECORDING = 300
#: What stands between the parts of a place in a list of changes.
_BETWEEN = "~"


def add(pages: Blueprint, service: Service) -> None:
    """Add the pages of runs."""

    @pages.get("/runs")
    @needs(Role.VIEWER)
    def runs() -> str:
        feed, outcome = request.args.get("feed") or None, request.args.get("outcome", "")
        known = Outcome(outcome) if outcome in tuple(Outcome) else None
        found = service.runs.page(feed=feed, outcome=known, before=number_from("before"), limit=PAGE + 1)
        return render_template(
            "runs.html",
            section="Feeds",
            runs=found[:PAGE],
            more=len(found) > PAGE,
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
        opened = ExitStack()
        stream = opened.enter_context(service.runs.body(id_))
        # Whatever it is, it is to be kept, not shown: a feed's page of markup must not run as one of ours.
        response = Response(iter(lambda: stream.read(65_536), b""), content_type="application/octet-stream")
        response.call_on_close(opened.close)
        response.headers["Content-Disposition"] = f'attachment; filename="run-{id_}.body"'
        response.headers["Content-Security-Policy"] = "sandbox"
        return response

    @pages.post("/runs/<int:id_>/decide")
    @needs(Role.APPROVER)
    def decide_run(id_: int) -> Response | tuple[str, int]:
        form, actor = Form(request.form), current_identity().actor
        reason = form.require("reason", "Say why: it is kept as evidence, and the next person will ask for it.")
        if not form.problems:
            try:
                if request.form.get("decision") == "approve":
                    decided = service.runs.approve(id_, actor, reason)
                    return done(
                        f"Run {id_} of {decided.feed} is approved and serves: {decided.reason}.", "run", id_=id_
                    )
                if request.form.get("decision") == "reject":
                    decided = service.runs.reject(id_, actor, reason)
                    return done(
                        f"Run {id_} of {decided.feed} is rejected: its body is not asked about again.", "run", id_=id_
                    )
                raise UsageError("choose approve or reject")
            except BlocklistError as error:
                form.problems[""] = str(error)
        return _run_page(service, id_, form), 422


def progress_of(service: Service, id_: int) -> dict[str, Any]:
    """Return how far a run is, in words, or that it has ended."""
    run = service.runs.get(id_)
    if run.outcome:
        return {"ended": True, "outcome": str(run.outcome), "said": run.reason}
    # A run of this process knows more than the database: how much of its stage is done.
    stage, so_far = service.runs.so_far(id_) or (run.stage, 0)
    counted = f": {size(so_far) if stage is Stage.FETCH else number(so_far)} so far" if so_far else ""
    return {
        "ended": False,
        "stage": _STAGES.index(stage) + 1,
        "stages": len(_STAGES),
        "said": f"{_DOING[stage]}{counted}",
    }


def _run_page(service: Service, id_: int, form: Form) -> str:
    change = request.args.get("change", "")
    search = request.args.get("search", "").strip()
    standing_out = request.args.get("standing_out") == "1"
    narrowed: dict[str, Any] = {
        "change": change if change in _CHANGES else None,
        "search": search,
        "standing_out": standing_out,
    }
    # First how many changes fit, then the page of them: the page asked for may be beyond the last.
    found = service.runs.detail(id_, **narrowed, limit=0).changes_found
    page = Page(found)
    detail = service.runs.detail(id_, **narrowed, limit=page.size, offset=page.offset)
    feed_address = _address_of(service, detail.run.feed)
    changed, more = _changed(service, detail.run, feed_address is not None)
    return render_template(
        "run.html",
        section="Review" if _waits(detail) else "Feeds",
        changed=changed,
        more=more,
        run=detail.run,
        detail=detail,
        waits=_waits(detail),
        form=form,
        page=page,
        narrowed=narrowed,
        rejections=detail.rejections[:_REJECTIONS],
        progress=progress_of(service, id_),
        settings={guard.name: guard.setting_name for guard in GUARDS},
        feed_address=feed_address,
    )


def _changed(service: Service, run: Run, standing: bool) -> tuple[list[ListingChange], str | None]:
    """Return a page of what a run changed of what its feed lists, and where the next page begins.

    A run records everything at one moment, shortly before it ends, and no other run of its feed goes on meanwhile.
    """
    if run.outcome is not Outcome.APPLIED or not run.finished_at or not standing:
        return [], None
    begin = later(run.finished_at, -_RECORDING) if run.review else run.started_at
    found = service.changes(begin, after=_place(request.args.get("after", "")), limit=PAGE, feed=run.feed)
    shown = [item for item in found.changes if item.at <= run.finished_at]
    more = found.last if len(shown) == len(found.changes) else None
    return shown, _BETWEEN.join(map(str, more)) if more else None


def _place(text: str) -> ChangesPosition | None:
    """Return the place in a list of changes that an address names; None where it names none."""
    until, _, rest = text.partition(_BETWEEN)
    opened, _, rest = rest.partition(_BETWEEN)
    closed_at, _, closed = rest.partition(_BETWEEN)
    if not (opened.isdigit() and closed.lstrip("-").isdigit() and len(opened) < 16 and len(closed) < 16):
        return None
    return ChangesPosition(until, int(opened), closed_at, int(closed))


def _waits(detail: RunDetail) -> bool:
    return bool(detail.run.review and detail.run.review["state"] == "pending")


def _address_of(service: Service, name: str) -> str | None:
    """Return the address of a feed's page; None for one that was removed."""
    try:
        service.feeds.get(name)
    except NotFoundError:
        return None
    return url_for("admin.feed", name=name)
