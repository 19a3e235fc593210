"""The compiled list: one immutable file, which a lookup node maps into memory and answers from.

:mod:`.format` has the bytes of the file, :mod:`.compile` writes them, :mod:`.reader` answers from them, through
:mod:`.host_fast_path` wherever it can. :mod:`.repository` publishes files into a folder without a moment at which a
crash could lose the list, :mod:`.pointer` is the file that names the current one, and :mod:`.follower` keeps a process
on it. The readers know nothing of the store, and load nothing of :mod:`.compile`.
"""
