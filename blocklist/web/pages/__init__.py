"""Pages under /admin/, rendered on the server and usable without JavaScript: one module for each group of pages.

Every action calls the same function of the service as the command and the API operation of that name.
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
    """Return the pages of the control plane; ``holder`` has the snapshot for lookups."""
    routes = Blueprint(
        "admin",
        __name__,
        url_prefix="/admin",
        template_folder=str(_WEB / "templates"),
        static_folder=str(_WEB / "static"),
    )
    layout.install(routes, service)
    for group in (add_feed, audit, feeds, overrides, people, review, runs, settings, sign_in, upload):
        group.register(routes, service)
    for group_with_lookups in (lookup, overview):
        group_with_lookups.register(routes, service, holder)
    return routes
