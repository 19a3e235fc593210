"""Pages under /admin/: rendered here, whole without a script, one module a group of pages.

Every action calls the same task of the service as the command and the API of the same name.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint

from blocklist.lookup.http import SnapshotHolder
from blocklist.service import Service
from blocklist.web.pages import (
    add_feed,
    audit,
    feeds,
    layout,
    lookup,
    overrides,
    overview,
    people,
    review,
    runs,
    settings,
    sign_in,
    upload,
)

_WEB = Path(__file__).parents[1]


def pages(service: Service, holder: SnapshotHolder) -> Blueprint:
    """Return the pages of a control plane; ``holder`` has the snapshot that its lookups are answered from."""
    routes = Blueprint(
        "admin",
        __name__,
        url_prefix="/admin",
        template_folder=str(_WEB / "templates"),
        static_folder=str(_WEB / "static"),
    )
    layout.dress(routes, service)
    overview.add(routes, service, holder)
    add_feed.add(routes, service)
    upload.add(routes, service)
    feeds.add(routes, service)
    runs.add(routes, service)
    review.add(routes, service)
    lookup.add(routes, service, holder)
    overrides.add(routes, service)
    audit.add(routes, service)
    people.add(routes, service)
    sign_in.add(routes, service)
    settings.add(routes, service)
    return routes
