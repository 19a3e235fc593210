"""What leaves: what counts now in the formats of other systems (:mod:`.export`), and what changed (:mod:`.since`)."""

from __future__ import annotations

from blocklist.exports.changes import Changed, ChangesPage, changes
from blocklist.exports.export import Export
from blocklist.exports.export_formats import EXPORTS, ExportFormat

__all__ = ["EXPORTS", "Changed", "ChangesPage", "Export", "ExportFormat", "changes"]
