"""Feeds: all of them in a table, and one with its runs and what can be done with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from blocklist.definitions.definition import definition_of
from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError, NotFoundError
from blocklist.service import Service
from blocklist.status.feed_status import STATES
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.definition_form import form_of
from blocklist.web.pages.layout import Form, Page, done
from blocklist.web.pages.overview import timelines
from blocklist.web.pages.template_filters import counted

#: Runs that a feed's page shows at once.
_RUNS = 15
#: What the table may be narrowed to: states, and how the last run ended.
_NARROWED = (*STATES, "held", "failed")

_ACTIONS = ("refresh", "pause", "resume", "remove")


def add(pages: Blueprint, service: Service) -> None:
    """Add the pages of feeds."""

    @pages.get("/feeds")
    @needs(Role.VIEWER)
    def feeds() -> str:
        rows = service.feeds.rows()
        search, state = request.args.get("search", "").strip().lower(), request.args.get("state", "")
        fitting = [row for row in rows if _fits(row, search, state)]
        page = Page(len(fitting))
        shown = fitting[page.offset : page.offset + page.size]
        return render_template(
            "feeds.html",
            section="Feeds",
            feeds=shown,
            total=len(rows),
            page=page,
            search=search,
            state=state,
            states=_NARROWED,
        )

    @pages.get("/feeds/<name>")
    @needs(Role.VIEWER)
    def feed(name: str) -> str:
        return _feed_page(service, name, Form())

    @pages.post("/feeds/<name>/<action>")
    @needs(Role.EDITOR)
    def act_on_feed(name: str, action: str) -> Response | tuple[str, int]:
        if action not in _ACTIONS:
            raise NotFoundError(f"nothing is done with a feed by the name of {action!r}")
        form, actor = Form(request.form), current_identity().actor
        try:
            if action == "refresh":
                run = service.background.refresh(name, actor)
                return done(f"A refresh of {name} is under way.", "run", id_=run.id)
            if action == "remove":
                form.require("sure", "Say that you are sure.")
                if not form.problems:
                    closed = service.feeds.remove(name, actor)
                    return done(f"{name} is removed: {counted(closed, 'site')} delisted; the history stays.", "feeds")
            else:
                (service.feeds.pause if action == "pause" else service.feeds.resume)(name, actor)
                said = "paused: its list goes on serving" if action == "pause" else "resumed: it is due now"
                return done(f"{name} is {said}.", "feed", name=name)
        except BlocklistError as error:
            form.problems[""] = str(error)
        return _feed_page(service, name, form), 422


def _fits(row: dict[str, Any], search: str, state: str) -> bool:
    words = f"{row['name']} {row['title']} {row['authority']} {row['country']} {row['kind']}".lower()
    return search in words and (state not in _NARROWED or state in (row["state"], row["last_outcome"]))


def _feed_page(service: Service, name: str, form: Form) -> str:
    feed = service.feeds.get(name)
    definition = definition_of(feed)
    runs = service.runs.page(feed=name, limit=_RUNS + 1)
    (row,) = service.feeds.rows([service.feeds.get(name)])
    return render_template(
        "feed.html",
        section="Feeds",
        feed=feed,
        row=row,
        definition=definition,
        lines=form_of(definition)["options"],
        runs=runs[:_RUNS],
        more=len(runs) > _RUNS,
        marks=timelines(service, [name])[name],
        form=form,
    )
