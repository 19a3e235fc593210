"""Exports: what counts now, in the formats of other systems (:mod:`.export`), and what changed (:mod:`.changes`)."""

from __future__ import annotations

from blocklist.exports.changes import ChangesPage, ChangesPosition, ListingChange, changes
from blocklist.exports.export import Export
from blocklist.exports.export_formats import EXPORTS, ExportFormat

__all__ = ["EXPORTS", "ChangesPage", "ChangesPosition", "Export", "ExportFormat", "ListingChange", "changes"]
