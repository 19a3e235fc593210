"""A list that arrives in the request, brought into a file: it may be larger than memory should hold."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from flask import request

from blocklist.config.settings import Settings
from blocklist.domain.errors import StoreError
from blocklist.service.incoming import incoming_file
from blocklist.web.api.framework.problems import refused
from blocklist.web.api.framework.request_parsing import check_type

RAW = "application/octet-stream"
FORM = "multipart/form-data"
#: Bytes of a form beside the list in it.
_BESIDE = 1 << 20


class Upload:
    """The list of a request; ``file`` is None where it brings none."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    def handed_over(self) -> Path | None:
        """Return the file to somebody who removes it."""
        file, self.file = self.file, None
        return file


@contextlib.contextmanager
def arrived(settings: Settings, *fields: str) -> Iterator[Upload]:
    """Give the list that the request brings, and remove it afterwards, unless it was handed over.

    ``fields`` are the parts that a form may have beside it.

    :raises RefusedError: 413, larger than ``fetch.max_bytes``; 415, not of a type that is taken.
    :raises StoreError: it cannot be written.
    """
    request.max_content_length = settings.fetch.max_bytes + _BESIDE
    request.max_form_memory_size = _BESIDE
    if _brings_nothing():
        yield Upload(None)
        return
    check_type(RAW, FORM)
    upload = Upload(incoming_file(settings.data_dir, uuid.uuid4().hex))
    assert upload.file
    try:
        if not _written(upload.file, fields):
            forget(upload.handed_over())
        elif upload.file.stat().st_size > settings.fetch.max_bytes:
            raise refused(413, f"the list is larger than {settings.fetch.max_bytes:,} bytes (fetch.max_bytes)")
        yield upload
    finally:
        forget(upload.file)


def forget(file: Path | None) -> None:
    """Remove a list that arrived, where one did."""
    if file is not None:
        with contextlib.suppress(OSError):
            file.unlink()


def _brings_nothing() -> bool:
    """Return whether there is no body, or the empty object that some libraries send where there is nothing to say."""
    if not request.content_length:
        return not request.headers.get("Transfer-Encoding")
    short = request.content_length <= len("{ }\r\n")
    return short and request.mimetype == "application/json" and request.get_data().split() in ([b"{}"], [b"{", b"}"])


def _written(path: Path, fields: tuple[str, ...]) -> bool:
    """Write the list into a file; return False where a form has none."""
    source = request.stream
    if request.mimetype == FORM:
        parts = request.files
        unknown = sorted({*parts, *request.form} - {"file", *fields})
        if unknown:
            raise refused(400, f"the form has parts that mean nothing here: {', '.join(unknown)}"[:500])
        if "file" not in parts:
            if not fields:
                raise refused(400, "the form has no part 'file', which is the list")
            return False
        source = parts["file"].stream
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            shutil.copyfileobj(source, out, 1 << 20)
    except OSError as error:
        raise StoreError(f"{path}: the list cannot be kept: {error.strerror}") from None
    return True
