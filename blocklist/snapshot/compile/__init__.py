"""Writing a snapshot: all of it, or the changes since one that stands."""
