"""What the publisher remembers in ``distribution/`` of the data folder: what was sent last, and what was not."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from blocklist.domain.errors import DistributionError


@dataclass(frozen=True, slots=True)
class Sent:
    """What the store has since the last attempt that succeeded. Losing it costs one upload of a whole snapshot.

    ``number`` is the version of the timestamp metadata, ``lists_number`` that of the roles lists and snapshot;
    ``version`` and ``sha256`` are those of the snapshot's pointer. Times are RFC 3339.
    """

    number: int
    lists_number: int
    lists_expire: str
    version: int
    sha256: str
    confirmed_at: str
    signed_at: str
    root: int
    targets: int
    #: SHA-256 of the base's whole file: the file of that name beside this state, and the object of the base.
    base: str
    #: What timestamp metadata states of the role snapshot, as JSON.
    snapshot_meta: dict[str, Any]
    #: The paths of all objects that nodes need now.
    objects: tuple[str, ...]
    #: When objects that nodes need no more were found to be such, by their paths.
    replaced: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unsent:
    """Why the last attempt failed, and since when attempts fail."""

    reason: str
    since: str
    attempts: int


def read_sent(folder: Path) -> Sent | None:
    """Return what was sent last; None if nothing was, or the file cannot be understood."""
    table = _read(folder / "sent.json", Sent)
    return Sent(**table | {"objects": tuple(table["objects"])}) if table else None


def write_sent(folder: Path, sent: Sent) -> None:
    """Keep what was sent.

    :raises DistributionError: the folder cannot be written.
    """
    write_json(folder / "sent.json", asdict(sent))


def forget_sent(folder: Path) -> None:
    """Forget what was sent, so that everything is sent again."""
    (folder / "sent.json").unlink(missing_ok=True)


def read_number(folder: Path) -> int:
    """Return the highest number of timestamp metadata that this publisher may have sent; 0 before the first."""
    try:
        table = json.loads((folder / "number.json").read_bytes())
        return int(table["number"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def write_number(folder: Path, number: int) -> None:
    """Keep the number of timestamp metadata before it is sent, so that a killed publisher knows its own.

    :raises DistributionError: the folder cannot be written.
    """
    write_json(folder / "number.json", {"number": number})


def read_unsent(folder: Path) -> Unsent | None:
    """Return why the last attempt failed; None if it did not."""
    table = _read(folder / "unsent.json", Unsent)
    return Unsent(**table) if table else None


def write_unsent(folder: Path, unsent: Unsent | None) -> None:
    """Keep why an attempt failed; None: it succeeded.

    :raises DistributionError: the folder cannot be written.
    """
    path = folder / "unsent.json"
    if unsent is None:
        path.unlink(missing_ok=True)
    else:
        write_json(path, asdict(unsent))


def write_json(path: Path, table: dict[str, Any]) -> None:
    """Replace a file by JSON, so that a reader sees the old or the new.

    :raises DistributionError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as out:
            json.dump(table, out)
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(path)
    except OSError as error:
        raise DistributionError(f"{path}: cannot be written: {error.strerror}") from None


def _read(path: Path, type_: type) -> dict[str, Any] | None:
    try:
        table = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    names = {item.name for item in fields(type_)}
    return table if isinstance(table, dict) and table.keys() == names else None
