"""The parent's end of the sandbox: starts the child process and yields the rows that it writes."""

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

#: Bytes; the default of the setting ``fetch.max_bytes``.
DEFAULT_MAX_BYTES = 268_435_456
#: Bytes that reading a document may use in addition.
_EXTRA_MEMORY = 64 << 20
#: The folder that contains this package.
_PACKAGES = str(Path(__file__).parents[3])


def rows_in_subprocess(
    kind: str, body: BinaryIO, options: dict[str, Any], max_bytes: int, cpu_seconds: int
) -> NumberedRows:
    """Yield the numbered rows of a document; ``kind`` is the module in the sandbox that reads it.

    :raises UnreadableFeedError: the document cannot be read, or needs more than ``cpu_seconds``, or more memory than
        ``max_bytes`` and 64 MiB.
    """
    limits = {"memory": max_bytes + _EXTRA_MEMORY, "seconds": cpu_seconds}
    with _as_file(body) as file:
        # An environment without secrets, in case a document takes over the process that reads it.
        child = subprocess.Popen(  # noqa: S603 - this Python, and arguments from the code
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
            status = child.wait()
        finally:
            child.stdout.close()
            child.kill()
            child.wait()
    # SIGXCPU, or SIGKILL after it, means the time limit; any other silent end is a failed allocation.
    limit = (
        f"{cpu_seconds} seconds of processor time" if status in (-24, -9) else f"{limits['memory']:,} bytes of memory"
    )
    raise UnreadableFeedError(
        f"reading the document takes more than {limit}, or breaks its reader (exit status {status}): "
        "the document is damaged or hostile, or far larger than it looks"
    )


def _messages(out: IO[bytes], max_bytes: int) -> NumberedRows:
    """Yield the rows that the child writes, until its last message; EOFError if it ended before that."""
    for line in out:
        message = json.loads(line)
        yield from message.get("rows", ())
        if "error" in message:
            raise UnreadableFeedError(message["error"])
        if "memory" in message:
            raise UnreadableFeedError(
                f"reading the document takes more than {max_bytes + _EXTRA_MEMORY:,} bytes of memory "
                "(setting fetch.max_bytes and 64 MiB): the document is hostile, or far larger than it looks"
            )
        if "ended" in message:
            return
    raise EOFError


@contextlib.contextmanager
def _as_file(body: BinaryIO) -> Iterator[IO[bytes]]:
    """Give a body as a file that another process can read from the beginning."""
    body.seek(0)
    if isinstance(body, io.BufferedReader) and isinstance(body.raw, io.FileIO):
        # The child may share the file position, because this process does not read the body itself.
        os.lseek(body.fileno(), 0, os.SEEK_SET)
        yield body
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(body, file, 1 << 20)
        file.seek(0)
        yield file
