"""Pages under /admin/: the state of the feeds, and a lookup with its evidence. Rendered here, no script needed."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from blocklist.errors import BlocklistError
from blocklist.lookup.resolver import SnapshotHolder
from blocklist.overview import feed_rows
from blocklist.service import Service, read_target
from blocklist.vocabulary import Role
from blocklist.web.guarding import needs

#: Nothing from elsewhere, no inline script, no framing: feed content is hostile.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def pages(service: Service, holder: SnapshotHolder) -> Blueprint:
    """Return the pages."""
    routes = Blueprint("admin", __name__, url_prefix="/admin", template_folder="templates", static_folder="static")

    @routes.app_template_filter("moment")
    def moment(text: str | None, without: str = "") -> Markup | str:
        """Show a time of ours (RFC 3339, UTC) as people read it, or say that there is none."""
        if not text:
            return without
        return Markup('<time datetime="{}">{} UTC</time>').format(text, text[:-1].replace("T", " "))

    @routes.after_request
    def harden(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    @routes.get("/")
    @needs(Role.VIEWER)
    def overview() -> str:
        return render_template(
            "overview.html",
            snapshot=holder.snapshot,
            stale=holder.stale,
            feeds=feed_rows(service.store),
            pending=service.store.runs.pending(),
            runs=service.store.runs.all(limit=10),
        )

    @routes.get("/lookup")
    @needs(Role.VIEWER)
    def lookup() -> tuple[str, int]:
        text = request.args.get("target", "").strip()
        found: dict[str, object] = {}
        status = 200
        if text:
            try:
                target = read_target(text)
                snapshot = holder.snapshot
                found["verdict"] = snapshot.decide(target, explain=True) if snapshot else None
                found["history"] = service.history(target)
            except BlocklistError as error:
                found["error"], status = str(error), error.http_status
        return render_template("lookup.html", target=text, **found), status

    return routes
