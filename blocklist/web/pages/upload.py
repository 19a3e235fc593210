"""Upload of a list that arrived by e-mail or from a portal: preview first, then apply."""

from __future__ import annotations

import re
import time
import uuid
from pathlib import Path

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from blocklist.definitions.definition import definition_of
from blocklist.domain.access import Role
from blocklist.domain.errors import ConflictError
from blocklist.refresh.lifecycle import incoming_file
from blocklist.service import Service
from blocklist.web.authorization import current_identity, needs
from blocklist.web.pages.layout import Form, success

#: Seconds that a previewed file is kept until it is applied.
_KEEP_FOR = 3_600
#: Maximum bytes of a form in addition to its file.
_FORM_OVERHEAD = 65_536


def register(pages: Blueprint, service: Service) -> None:
    """Register the upload pages."""

    @pages.url_value_preprocessor
    def raise_size_limit(endpoint: str | None, _: object) -> None:
        # Before the check of the CSRF token, which reads the whole form.
        if endpoint == "admin.preview_upload":
            request.max_content_length = service.settings.fetch.max_bytes + _FORM_OVERHEAD

    @pages.get("/feeds/<name>/upload")
    @needs(Role.EDITOR)
    def upload(name: str) -> str:
        return _upload_page(service, name, Form())

    @pages.post("/feeds/<name>/upload")
    @needs(Role.EDITOR)
    def preview_upload(name: str) -> ResponseReturnValue:
        feed, form = service.feeds.get(name), Form()
        file = request.files.get("file")
        if not file or not file.filename:
            form.problems["file"] = "Choose the file with the list."
            return _upload_page(service, name, form), 422
        key = uuid.uuid4().hex
        path = _path(service, key)
        _delete_old(path)
        file.save(path)
        with form.problem_at("file"):
            seen = service.feeds.preview(definition_of(feed), path)
        if form.problems:
            path.unlink(missing_ok=True)
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
        with form.problem_at("file"):
            path = _path(service, form["upload"])
            if not path.is_file():
                raise ConflictError("the file was deleted after one hour: upload it again")
            run = service.background.refresh(
                name, current_identity().actor, file=path, then=lambda: path.unlink(missing_ok=True)
            )
            return success(f"The run with the uploaded list of {name} has started.", "run", id_=run.id)
        return _upload_page(service, name, form), 422


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
    """Return the path of an uploaded file, whose key this page has created."""
    if not re.fullmatch(r"[0-9a-f]{32}", key):
        raise ConflictError("the form has no valid file: upload it again")
    path = incoming_file(service.settings.data_dir, f"upload-{key}")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _delete_old(new: Path) -> None:
    """Delete the uploaded files that nobody applied in time; ``new`` is the path of the next upload."""
    for path in new.parent.glob(f"{new.name.rpartition('-')[0]}-*"):
        if path.stat().st_mtime < time.time() - _KEEP_FOR:
            path.unlink(missing_ok=True)
