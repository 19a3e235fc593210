"""Add a feed in three steps (source, definition, preview); edit a feed in the last two."""

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
from blocklist.domain.errors import BlocklistError
from blocklist.domain.listing import AuthorityKind
from blocklist.formats.registry import FORMATS
from blocklist.service import Service
from blocklist.service.feeds import version_of
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.definition_form import FIELDS, LINES, definition_from_form, form_from_definition
from blocklist.web.pages.layout import Form, success

#: Seconds that an edit waits until the current run of the feed has ended.
_WAIT = 20


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages for adding and editing feeds."""

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
        form = form_from_definition(base) if base else Form(_defaults(request.args.get("url", "").strip()))
        return _definition_page(form, base, "new")

    @pages.post("/feeds/new/define")
    @needs(Role.EDITOR)
    def add_feed() -> ResponseReturnValue:
        form, base = Form(request.form), _base(request.form.get("from", ""))
        if form["step"] == "change":
            return _definition_page(form, base, "new")
        definition = definition_from_form(form, base)
        if definition is None:
            return _definition_page(form, base, "new"), 422
        with form.problem_at("name"):
            service.feeds.check_new(definition.name)
        if form.problems or not _is_permitted(form, definition):
            return _definition_page(form, base, "new"), 422
        if form["step"] != "save":
            return _preview_page(service, form, definition, "new")
        with form.problem_at():
            service.feeds.add(definition, current_identity().actor)
        if form.problems:
            return _definition_page(form, base, "new"), 422
        return _start_first_run(service, definition)

    @pages.get("/feeds/<name>/edit")
    @needs(Role.EDITOR)
    def edit_feed(name: str) -> str:
        feed = service.feeds.get(name)
        form = form_from_definition(definition_of(feed))
        return _definition_page(form, definition_of(feed), name, version_of(feed))

    @pages.post("/feeds/<name>/edit")
    @needs(Role.EDITOR)
    def change_feed(name: str) -> ResponseReturnValue:
        form, feed = Form(request.form), service.feeds.get(name)
        base, seen = definition_of(feed), form["seen"]
        if form["step"] == "change":
            return _definition_page(form, base, name, seen)
        definition = definition_from_form(form, base)
        if definition is not None and definition.name != name:
            form.problems["name"] = "The name of a feed cannot change, because its history uses it. Add a new feed."
        if definition is None or form.problems or not _is_permitted(form, definition, base):
            return _definition_page(form, base, name, seen), 422
        if form["step"] != "save":
            return _preview_page(service, form, definition, name)
        with form.problem_at():
            service.feeds.edit(name, lambda _: definition, current_identity().actor, seen=[seen], wait=_WAIT)
        if form.problems:
            return _definition_page(form, base, name, seen), 422
        return success(f"Feed {name} was changed. Its current list stays in force.", "feed", name=name)


def _is_permitted(form: Form, definition: FeedDefinition, base: FeedDefinition | None = None) -> bool:
    """Return whether the person's role allows the definition; if not, add the reason to the form."""
    with form.problem_at():
        check_definition_allowed(current_identity().role, definition, base)
    return not form.problems


def _start_first_run(service: Service, definition: FeedDefinition) -> Response:
    """Start the first run of a new feed, and redirect to it; a feed without an address needs an upload first."""
    if not (definition.source.url or definition.source.file):
        return success(f"Feed {definition.name} was added. Upload its list here.", "upload", name=definition.name)
    run = service.background.refresh(definition.name, current_identity().actor)
    return success(f"Feed {definition.name} was added. Its first run has started.", "run", id_=run.id)


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
        hidden_fields=(*FIELDS, LINES, "from", "seen"),
        definition=definition,
        name=name,
        upload=None,
        **found,
    )


def _base(name: str) -> FeedDefinition | None:
    return from_catalog(name) if name in catalog_names() else None


def _defaults(url: str) -> dict[str, str]:
    """Return default form values for the address of a list, such as the name of the feed.

    >>> _defaults("https://www.lists.example/piracy/list.txt")["name"]
    'lists-example'
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    name = re.sub(r"[^a-z0-9]+", "-", host.lower().removeprefix("www.")).strip("-")[:64]
    return {"source.url": url, "name": name, "format": "auto", "every": "6h", "authority.kind": "court"}
