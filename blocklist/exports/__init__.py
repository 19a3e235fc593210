"""What leaves: what counts now in the formats of other systems (:mod:`.export`), and what changed (:mod:`.since`)."""

from __future__ import annotations

from blocklist.exports.export import Export
from blocklist.exports.formats import EXPORTS, ExportFormat
from blocklist.exports.since import Changed, ChangesPage, changes

__all__ = ["EXPORTS", "Changed", "ChangesPage", "Export", "ExportFormat", "changes"]
