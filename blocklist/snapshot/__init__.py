"""The compiled list: one immutable file that a lookup node maps into memory and answers from.

:mod:`.layout` says what the bytes mean, :mod:`.compiler` writes them, :mod:`.overlay` only what changed; :mod:`.reader`
answers from them, with :mod:`.layer` for the keys and :mod:`.sieve` for hosts that nobody listed; :mod:`.folder`
publishes them crash-safely and :mod:`.follower` keeps a process on the newest. The reader knows nothing of the store.
"""
