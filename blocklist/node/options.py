"""The options that the supervisor passes to its workers: sections of the settings, as JSON in an argument."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from blocklist.config.settings import GateSettings, LookupSettings, Settings, SnapshotSettings


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The folder of the snapshots, and the sections of the settings that a worker reads.

    A new setting in one of these sections needs no change here. Secrets are passed as paths of files.
    """

    folder: str
    lookup: LookupSettings
    gate: GateSettings
    snapshot: SnapshotSettings

    @classmethod
    def from_settings(cls, settings: Settings, folder: Path | None = None) -> NodeOptions:
        """Return the options for a node that follows the snapshots in a folder, or those of the data folder."""
        chosen = (folder or settings.data_dir / "snapshots").resolve()
        return cls(str(chosen), settings.lookup, settings.gate, settings.snapshot)

    def to_json(self) -> str:
        """Return the options as JSON."""
        sections = {"lookup": self.lookup, "gate": self.gate, "snapshot": self.snapshot}
        dumped = {name: section.model_dump(mode="json") for name, section in sections.items()}
        return json.dumps({"folder": self.folder} | dumped)

    @classmethod
    def from_json(cls, text: str) -> NodeOptions:
        """Return the options that :meth:`to_json` wrote.

        Each section is a plain namespace with the members of the settings: workers load neither pydantic nor
        :mod:`blocklist.config`.
        """
        return cls(**vars(json.loads(text, object_hook=lambda members: SimpleNamespace(**members))))
