"""The bytes of a snapshot file: layout, sections, indexes."""
