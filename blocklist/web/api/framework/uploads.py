"""A list in the body of a request, saved to a file: it may be too large for memory."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from flask import request

from blocklist.config.settings import Settings
from blocklist.domain.errors import StoreError
from blocklist.refresh.lifecycle import incoming_file
from blocklist.web.api.framework.problems import ProblemError
from blocklist.web.api.framework.request_parsing import check_content_type

RAW = "application/octet-stream"
FORM = "multipart/form-data"
#: Bytes of a form in addition to the list.
_FORM_OVERHEAD = 1 << 20


class Upload:
    """The list of a request; ``file`` is None if the request has no list."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    def release(self) -> Path | None:
        """Return the file; the caller deletes it from now on."""
        file, self.file = self.file, None
        return file


@contextlib.contextmanager
def received_upload(settings: Settings, *fields: str) -> Iterator[Upload]:
    """Yield the list of the request, and delete its file at the end unless it was released.

    ``fields`` are the names of other parts that a form may have.

    :raises ProblemError: 413, larger than ``fetch.max_bytes``; 415, another media type; 400, unknown parts.
    :raises StoreError: the file cannot be written.
    """
    request.max_content_length = settings.fetch.max_bytes + _FORM_OVERHEAD
    request.max_form_memory_size = _FORM_OVERHEAD
    if _is_empty():
        yield Upload(None)
        return
    check_content_type(RAW, FORM)
    upload = Upload(incoming_file(settings.data_dir, uuid.uuid4().hex))
    assert upload.file
    try:
        if not _save(upload.file, fields):
            delete_upload(upload.release())
        elif upload.file.stat().st_size > settings.fetch.max_bytes:
            raise ProblemError(413, f"the list is larger than {settings.fetch.max_bytes:,} bytes (fetch.max_bytes)")
        yield upload
    finally:
        delete_upload(upload.file)


def delete_upload(file: Path | None) -> None:
    """Delete the file of an upload, if there is one."""
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink()


def _is_empty() -> bool:
    """Return whether the request has no body, or the empty object that some HTTP clients send instead."""
    if not request.content_length:
        return not request.headers.get("Transfer-Encoding")
    short = request.content_length <= len("{ }\r\n")
    return short and request.mimetype == "application/json" and request.get_data().split() in ([b"{}"], [b"{", b"}"])


def _save(path: Path, fields: tuple[str, ...]) -> bool:
    """Write the list to a file; return False for a form without a list."""
    source = request.stream
    if request.mimetype == FORM:
        parts = request.files
        unknown = sorted({*parts, *request.form} - {"file", *fields})
        if unknown:
            raise ProblemError(400, f"the form has unknown parts: {', '.join(unknown)}"[:500])
        if "file" not in parts:
            if not fields:
                raise ProblemError(400, "the form has no part 'file', which is the list")
            return False
        source = parts["file"].stream
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except OSError as error:
        raise StoreError(f"{path}: the list cannot be saved: {error.strerror}") from None
    return True
