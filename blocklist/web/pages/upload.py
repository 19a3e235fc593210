"""Upload: a list that arrived by mail or from a portal, looked at as any other before it counts."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from blocklist.definitions.definition import definition_of
from blocklist.domain.access import Role
from blocklist.domain.errors import BlocklistError, ConflictError
from blocklist.service import Service
from blocklist.service.incoming import incoming_file
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import Form, done

#: How long a file that somebody looked at waits to be applied, in seconds.
_KEPT = 3_600
#: What a form has beside its file, at most.
_BESIDE = 65_536


def add(pages: Blueprint, service: Service) -> None:
    """Add the upload."""

    @pages.url_value_preprocessor
    def let_lists_in(endpoint: str | None, _: object) -> None:
        # Before the form is looked into for its proof: that reads all of it.
        if endpoint == "admin.look_at_upload":
            request.max_content_length = service.settings.fetch.max_bytes + _BESIDE

    @pages.get("/feeds/<name>/upload")
    @needs(Role.EDITOR)
    def upload(name: str) -> str:
        return _upload_page(service, name, Form())

    @pages.post("/feeds/<name>/upload")
    @needs(Role.EDITOR)
    def look_at_upload(name: str) -> ResponseReturnValue:
        feed, form = service.feeds.get(name), Form()
        file = request.files.get("file")
        if not file or not file.filename:
            form.problems["file"] = "Choose the file that holds the list."
            return _upload_page(service, name, form), 422
        key = uuid.uuid4().hex
        path = _path(service, key)
        _forget_old(path)
        file.save(path)
        try:
            seen = service.feeds.preview(definition_of(feed), path)
        except BlocklistError as error:
            path.unlink(missing_ok=True)
            form.problems["file"] = str(error)
            return _upload_page(service, name, form), 422
        return render_template(
            "preview.html",
            section="Feeds",
            form=form,
            definition=definition_of(feed),
            name=name,
            seen=seen,
            failure=None,
            upload=key,
        )

    @pages.post("/feeds/<name>/upload/apply")
    @needs(Role.EDITOR)
    def apply_upload(name: str) -> ResponseReturnValue:
        form = Form(request.form)
        try:
            path = _path(service, form["upload"])
            if not path.is_file():
                raise ConflictError("the file is no longer there: it waits for an hour; bring it again")
            run = service.background.refresh(
                name, current_identity().actor, file=path, then=lambda: path.unlink(missing_ok=True)
            )
        except BlocklistError as error:
            form.problems["file"] = str(error)
            return _upload_page(service, name, form), 422
        return done(f"The list of {name} is being read.", "run", id_=run.id)


def _upload_page(service: Service, name: str, form: Form) -> str:
    feed = service.feeds.get(name)
    return render_template(
        "upload.html",
        section="Feeds",
        feed=feed,
        definition=definition_of(feed),
        form=form,
        most=service.settings.fetch.max_bytes,
    )


def _path(service: Service, key: str) -> Path:
    """Return where an upload waits.

    :raises ConflictError: the key is none that this page gave.
    """
    if not re.fullmatch(r"[0-9a-f]{32}", key):
        raise ConflictError("the form names no file: bring it again")
    path = incoming_file(service.settings.data_dir, f"upload-{key}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _forget_old(new: Path) -> None:
    for path in new.parent.glob(f"{new.name.rpartition('-')[0]}-*"):
        if path.stat().st_mtime < time.time() - _KEPT:
            path.unlink(missing_ok=True)
