"""The rows of a document, read in a process of its own: the parent's end of :mod:`blocklist.formats.sandbox`."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from blocklist.domain.errors import UnreadableFeedError
from blocklist.formats.table import NumberedRows

#: Bytes a document may have where nobody says otherwise: the default of the setting ``fetch.max_bytes``.
DEFAULT_MAX_BYTES = 268_435_456
#: What reading may take beyond that, in bytes.
_MEMORY_BEYOND = 64 << 20
#: How long the processor may work on a document, in seconds. A long PDF takes minutes; a page only where it is made to:
#: tags within tags cost the square of their depth.
_CPU_SECONDS = {"pdf": 300, "spreadsheet": 120, "rss": 60, "html": 20}
_PACKAGES = str(Path(__file__).parents[3])


def rows_in_subprocess(
    kind: str, body: BinaryIO, options: dict[str, Any], max_bytes: int = DEFAULT_MAX_BYTES
) -> NumberedRows:
    """Yield the numbered rows of a document (``spreadsheet``, ``pdf``, ``html``, ``rss``).

    :raises UnreadableFeedError: it cannot be read, or wants more memory or time than a list of that size may.
    """
    limits = {"memory": max_bytes + _MEMORY_BEYOND, "seconds": _CPU_SECONDS[kind]}
    with _as_file(body) as file:
        # No variable of this process but where the package is: a document that takes its reader over finds no secret.
        child = subprocess.Popen(  # noqa: S603 - this very Python, and a kind from the code
            [sys.executable, "-P", "-m", "blocklist.formats.sandbox", kind, json.dumps(options | limits)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join([_PACKAGES, *filter(None, sys.path)]), "RUST_BACKTRACE": "0"},
        )
        assert child.stdout is not None
        try:
            yield from _messages(child.stdout, max_bytes)
            return
        except EOFError:
            ended = child.wait()
        finally:
            child.stdout.close()
            child.kill()
            child.wait()
    # SIGXCPU and the SIGKILL after it: the limit of time. Every other silent death is an allocation that failed.
    slow = ended in (-24, -9)
    what = f"{limits['seconds']} seconds of processor time" if slow else f"{limits['memory']:,} bytes of memory"
    raise UnreadableFeedError(
        f"reading the document takes more than {what}, or breaks its reader (exit status {ended}): "
        "a damaged or hostile document, or one that is far larger than it looks"
    )


def _messages(out: IO[bytes], max_bytes: int) -> NumberedRows:
    """Yield the rows that the program writes.

    :raises EOFError: it ended without saying so.
    """
    for line in out:
        message = json.loads(line)
        yield from message.get("rows", ())
        if "error" in message:
            raise UnreadableFeedError(message["error"])
        if "memory" in message:
            raise UnreadableFeedError(
                f"reading the document takes more than {max_bytes + _MEMORY_BEYOND:,} bytes of memory "
                "(setting fetch.max_bytes and 64 MiB): a hostile document, or one that is far larger than it looks"
            )
        if "ended" in message:
            return
    raise EOFError


@contextlib.contextmanager
def _as_file(body: BinaryIO) -> Iterator[IO[bytes]]:
    """Give a body as a file that another process can read from its beginning."""
    body.seek(0)
    if isinstance(body, io.BufferedReader) and isinstance(body.raw, io.FileIO):
        # A descriptor of its own position is not needed: this process reads no further. The buffer has not read yet.
        os.lseek(body.fileno(), 0, os.SEEK_SET)
        yield body
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(body, file, 1 << 20)
        file.seek(0)
        yield file
