"""Files of the data folder that a preview or an upload leaves for some time."""

from __future__ import annotations

from pathlib import Path

from blocklist.refresh.preview import PREFIX


def incoming_file(data_dir: Path, name: str) -> Path:
    """Return where a list that arrived with a request is kept until it is read.

    A file that a stopped service leaves there is removed when the service starts again.
    """
    return data_dir / "incoming" / f"{PREFIX}{name}"


def remove_left_files(data_dir: Path) -> None:
    """Remove what previews and uploads of a process that ended left."""
    for path in (data_dir / "incoming").glob(f"{PREFIX}*"):
        path.unlink(missing_ok=True)
