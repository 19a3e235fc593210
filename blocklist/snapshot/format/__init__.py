"""The bytes of a snapshot file: :mod:`.layout` describes them, and each other module reads or writes some of them."""
