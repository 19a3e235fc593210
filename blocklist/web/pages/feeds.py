"""Feeds: the table of all feeds, and the page of one feed with its runs and actions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, render_template, request

from blocklist.definitions.definition import definition_of
from blocklist.domain.access import Role
from blocklist.domain.errors import NotFoundError
from blocklist.service import Service
from blocklist.status.feed_status import STATES
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.definition_form import form_from_definition
from blocklist.web.pages.layout import Form, Page, success
from blocklist.web.pages.overview import timelines
from blocklist.web.pages.template_filters import counted

#: Number of runs on the page of a feed.
_RUNS = 15
#: Filters of the table: states, and outcomes of the last run.
_STATE_FILTERS = (*STATES, "held", "failed")
_ACTIONS = ("refresh", "pause", "resume", "remove")


def register(pages: Blueprint, service: Service) -> None:
    """Register the pages of feeds."""

    @pages.get("/feeds")
    @needs(Role.VIEWER)
    def feeds() -> str:
        rows = service.feeds.rows()
        search, state = request.args.get("search", "").strip().lower(), request.args.get("state", "")
        matching = [row for row in rows if _matches(row, search, state)]
        page = Page(len(matching))
        return render_template(
            "feeds.html",
            section="Feeds",
            feeds=matching[page.offset : page.offset + page.size],
            total=len(rows),
            page=page,
            search=search,
            state=state,
            states=_STATE_FILTERS,
        )

    @pages.get("/feeds/<name>")
    @needs(Role.VIEWER)
    def feed(name: str) -> str:
        return _feed_page(service, name, Form())

    @pages.post("/feeds/<name>/<action>")
    @needs(Role.EDITOR)
    def feed_action(name: str, action: str) -> Response | tuple[str, int]:
        if action not in _ACTIONS:
            raise NotFoundError(f"there is no action {action!r}")
        form, actor = Form(request.form), current_identity().actor
        with form.problem_at():
            if action == "refresh":
                run = service.background.refresh(name, actor)
                return success(f"The refresh of {name} has started.", "run", id_=run.id)
            if action == "remove":
                form.require("sure", "Confirm that you are sure.")
                if not form.problems:
                    closed = service.feeds.remove(name, actor)
                    message = f"{name} was removed. {counted(closed, 'site')} delisted; the history stays."
                    return success(message, "feeds")
            else:
                (service.feeds.pause if action == "pause" else service.feeds.resume)(name, actor)
                state = "paused. Its list stays in force." if action == "pause" else "resumed. It is due now."
                return success(f"{name} is {state}", "feed", name=name)
        return _feed_page(service, name, form), 422


def _matches(row: dict[str, Any], search: str, state: str) -> bool:
    text = f"{row['name']} {row['title']} {row['authority']} {row['country']} {row['kind']}".lower()
    return search in text and (state not in _STATE_FILTERS or state in (row["state"], row["last_outcome"]))


def _feed_page(service: Service, name: str, form: Form) -> str:
    feed = service.feeds.get(name)
    definition = definition_of(feed)
    runs = service.runs.page(feed=name, limit=_RUNS + 1)
    (row,) = service.feeds.rows([feed])
    return render_template(
        "feed.html",
        section="Feeds",
        feed=feed,
        row=row,
        definition=definition,
        lines=form_from_definition(definition)["options"],
        runs=runs[:_RUNS],
        more=len(runs) > _RUNS,
        marks=timelines(service, [name])[name],
        form=form,
    )
