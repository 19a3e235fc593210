"""Adding a feed in three steps (where it is, what it is, what it gives), and changing one in the last two of them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from blocklist.access.definition_limits import check_definition_allowed
from blocklist.definitions.catalog import catalog_names, from_catalog
from blocklist.definitions.definition import FeedDefinition, definition_of
from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError, ForbiddenError
from blocklist.domain.listing import AuthorityKind
from blocklist.formats.registry import FORMATS
from blocklist.service import Service
from blocklist.service.feeds import version_of
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.definition_form import FIELDS, LINES, definition_of_form, form_of
from blocklist.web.pages.layout import Form, done

#: Seconds that an edit waits for a run of the feed to end before it says so.
_WAIT = 20


def add(pages: Blueprint, service: Service) -> None:
    """Add the steps."""

    @pages.get("/feeds/new")
    @needs(Role.EDITOR)
    def new_feed() -> str:
        known = {feed.name for feed in service.feeds.all()}
        definitions = [from_catalog(name) for name in catalog_names()]
        return render_template("new.html", section="Feeds", catalog=definitions, known=known, form=Form())

    @pages.get("/feeds/new/define")
    @needs(Role.EDITOR)
    def define_feed() -> str:
        base = _base(request.args.get("from", ""))
        form = form_of(base) if base else Form(_guessed(request.args.get("url", "").strip()))
        return _definition_page(form, base, "new")

    @pages.post("/feeds/new/define")
    @needs(Role.EDITOR)
    def add_feed() -> ResponseReturnValue:
        form, base = Form(request.form), _base(request.form.get("from", ""))
        if form["step"] == "change":
            return _definition_page(form, base, "new")
        definition = definition_of_form(form, base)
        if definition is None:
            return _definition_page(form, base, "new"), 422
        try:
            service.feeds.check_new(definition.name)
        except BlocklistError as error:
            form.problems["name"] = str(error)
        if form.problems or not _may_bring_about(form, definition):
            return _definition_page(form, base, "new"), 422
        if form["step"] != "save":
            return _preview_page(service, form, definition, "new")
        try:
            service.feeds.add(definition, current_identity().actor)
        except BlocklistError as error:
            form.problems[""] = str(error)
            return _definition_page(form, base, "new"), 422
        return _watch(service, definition, f"{definition.name} is added")

    @pages.get("/feeds/<name>/edit")
    @needs(Role.EDITOR)
    def edit_feed(name: str) -> str:
        feed = service.feeds.get(name)
        form = form_of(definition_of(feed))
        return _definition_page(form, definition_of(feed), name, version_of(feed))

    @pages.post("/feeds/<name>/edit")
    @needs(Role.EDITOR)
    def change_feed(name: str) -> ResponseReturnValue:
        form, feed = Form(request.form), service.feeds.get(name)
        base, seen = definition_of(feed), form["seen"]
        if form["step"] == "change":
            return _definition_page(form, base, name, seen)
        definition = definition_of_form(form, base)
        if definition is not None and definition.name != name:
            form.problems["name"] = "A feed's name stays: its history is under it. Add another feed instead."
        if definition is None or form.problems or not _may_bring_about(form, definition, base):
            return _definition_page(form, base, name, seen), 422
        if form["step"] != "save":
            return _preview_page(service, form, definition, name)
        try:
            service.feeds.edit(name, lambda _: definition, current_identity().actor, seen=[seen], wait=_WAIT)
        except BlocklistError as error:
            form.problems[""] = str(error)
            return _definition_page(form, base, name, seen), 422
        return done(f"{name} is changed; its list goes on serving.", "feed", name=name)


def _may_bring_about(form: Form, definition: FeedDefinition, base: FeedDefinition | None = None) -> bool:
    """Return whether the person may; else the form says why not."""
    try:
        check_definition_allowed(current_identity().role, definition, base)
    except ForbiddenError as error:
        form.problems[""] = str(error)
    return not form.problems


def _watch(service: Service, definition: FeedDefinition, said: str) -> Response:
    """Read a new feed's list at once and lead to its run; a list that arrives another way is waited for."""
    if not (definition.source.url or definition.source.file):
        return done(f"{said}; bring its list here.", "upload", name=definition.name)
    run = service.background.refresh(definition.name, current_identity().actor)
    return done(f"{said}, and is being read.", "run", id_=run.id)


def _definition_page(form: Form, base: FeedDefinition | None, name: str, seen: str = "") -> str:
    return render_template(
        "define.html",
        section="Feeds",
        form=form,
        base=base,
        name=name,
        seen=seen,
        fields=[*(field for field in FIELDS if name == "new" or field != "name"), LINES],
        formats=[(format_, format_) for format_ in FORMATS],
        kinds=[(kind.value, kind.value) for kind in AuthorityKind],
    )


def _preview_page(service: Service, form: Form, definition: FeedDefinition, name: str) -> ResponseReturnValue:
    found: dict[str, Any] = {"seen": None, "failure": None}
    if definition.source.url or definition.source.file:
        try:
            found["seen"] = service.feeds.preview(definition)
        except BlocklistError as error:
            found["failure"] = str(error)
    return render_template(
        "preview.html",
        section="Feeds",
        form=form,
        carried_on=(*FIELDS, LINES, "from", "seen"),
        definition=definition,
        name=name,
        upload=None,
        **found,
    )


def _base(name: str) -> FeedDefinition | None:
    return from_catalog(name) if name in catalog_names() else None


def _guessed(url: str) -> dict[str, str]:
    """Return what an address lets one guess of a feed: a name, and that its format shows by itself.

    >>> _guessed("https://www.lists.example/piracy/list.txt")["name"]
    'lists-example'
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    name = re.sub(r"[^a-z0-9]+", "-", host.lower().removeprefix("www.")).strip("-")[:64]
    return {"source.url": url, "name": name, "format": "auto", "every": "6h", "authority.kind": "court"}
