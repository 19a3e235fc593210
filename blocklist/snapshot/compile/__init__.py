"""Writing snapshots: everything that counts, or the changes since a base.

:mod:`.listing_rows` is the input, :mod:`.compiler` compiles all of it, :mod:`.delta` only what changed.
"""
