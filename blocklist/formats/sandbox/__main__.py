"""The child process: ``python -m blocklist.formats.sandbox KIND OPTIONS`` with a document on standard input."""

from __future__ import annotations

import contextlib
import importlib
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from blocklist.formats.sandbox.protocol import DocumentError

#: Cells per line of output: a block stays small, and a million rows do not need a million lines.
_BLOCK_OF_CELLS = 4_096
#: Characters of the longest cell; a longer one is cut, since it is not an address.
_MAX_CELL = 65_536
_PAGE = resource.getpagesize()


def main(kind: str, options: dict[str, Any]) -> None:
    """Read the document on standard input; write its rows, then the result, to standard output."""
    module = importlib.import_module(f"blocklist.formats.sandbox.{kind}")
    _limit(int(options["memory"]), int(options["seconds"]))
    out = sys.stdout.buffer
    try:
        for block in _blocks(module.rows(sys.stdin.buffer, options)):
            _write(out, {"rows": block})
        _write(out, {"ended": True})
    except BrokenPipeError:
        # The parent process has read enough.
        sys.stderr.close()
    except MemoryError:
        _write(out, {"memory": True})
    except BaseException as error:  # pyo3's PanicException, a damaged document too, is not an Exception
        reason = str(error) if isinstance(error, DocumentError) else f"damaged: {type(error).__name__}: {error}"
        _write(out, {"error": reason[:500].strip()})


def _limit(memory: int, seconds: int) -> None:
    """Limit the memory, in bytes beyond what the program and its libraries use already, and the CPU seconds."""
    held = 0
    with contextlib.suppress(OSError):
        held = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * _PAGE
    for limit, value in (
        (resource.RLIMIT_AS, held + memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (value, value))


def _blocks(rows: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    block: list[tuple[int, list[str]]] = []
    cells = 0
    for number, row in rows:
        while row and not row[-1]:
            row.pop()
        if not row:
            continue
        block.append((number, [cell if len(cell) <= _MAX_CELL else cell[:_MAX_CELL] for cell in row]))
        cells += len(row)
        if cells >= _BLOCK_OF_CELLS:
            yield block
            block, cells = [], 0
    if block:
        yield block


def _write(out: BinaryIO, message: dict[str, Any]) -> None:
    # "replace": a document can contain half a surrogate pair, which no encoding can carry.
    out.write(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    out.flush()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
