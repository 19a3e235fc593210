"""The pointer: ``current.json``, the small file that names the current snapshot of a folder.

It is parsed by hand, so that a program that embeds the reader loads no library for it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from blocklist.domain.errors import SnapshotError

#: The format of the pointer that this version writes, and the newest that it reads. It is raised when a key that
#: readers use changes its meaning or goes, so that they refuse the pointer. A further key does not raise it: readers
#: ignore what they do not know.
POINTER_FORMAT = 1
#: The format of a pointer that names none, as every pointer of version 0.1.
_FIRST_FORMAT = 1
_REQUIRED = {"file": str, "version": int, "sha256": str, "confirmed_at": str}


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which file is current, and when the control plane last knew it to be up to date (RFC 3339)."""

    file: str
    version: int
    sha256: str
    confirmed_at: str
    format: int = _FIRST_FORMAT

    def to_json(self) -> str:
        """Return the text of the pointer. The first format is left out: version 0.1 refuses a key it does not know."""
        table = asdict(self)
        if self.format == _FIRST_FORMAT:
            del table["format"]
        return json.dumps(table)


def read_pointer(path: Path) -> Pointer | None:
    """Return the pointer in a file, or None if there is no file. Keys that this version does not know are ignored.

    :raises SnapshotError: the file cannot be read, or has a format newer than :data:`POINTER_FORMAT`.
    """
    try:
        table = json.loads(path.read_bytes())
        format_ = _format_of(table)
        if format_ <= POINTER_FORMAT:
            for key, type_ in _REQUIRED.items():
                if type(table.get(key)) is not type_:
                    raise ValueError(f"the key {key} is missing or has another type than {type_.__name__}")
            return Pointer(**{key: table[key] for key in _REQUIRED}, format=format_)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise SnapshotError(f"{path}: cannot be read: {error}") from None
    raise SnapshotError(
        f"{path}: the pointer has format {format_}; this version of blocklist reads up to format {POINTER_FORMAT}: "
        "upgrade blocklist on this machine; a snapshot that is already loaded goes on serving"
    )


def _format_of(table: Any) -> int:
    """Return the format: the one key that every reader understands, whatever else a later format has."""
    if not isinstance(table, dict):
        raise ValueError("it is not a JSON object")
    format_ = table.get("format", _FIRST_FORMAT)
    if type(format_) is not int or format_ < _FIRST_FORMAT:
        raise ValueError("the key format is not a whole number from 1")
    return format_
