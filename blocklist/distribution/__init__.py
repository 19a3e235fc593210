"""Signed snapshots beyond one machine: the trust metadata, the store they are sent to, and the mirror on each node.

:mod:`.trust` keeps root and targets metadata, which people sign with offline keys in a :mod:`.ceremony`; :mod:`.keys`
reads keys by their URI. :mod:`.repository` publishes snapshots into an object store, whose bytes :mod:`.objects` moves.
:mod:`.mirror` follows a store from another machine, verifies all of it with The Update Framework, and writes the folder
that a lookup node reads; :mod:`.delta_file` is how a snapshot travels where its base is already.
``python -m blocklist.distribution`` is the process of a mirror.

It needs the extra ``distribution`` of the package. Lookup workers and programs that embed a follower load none of it.
"""
