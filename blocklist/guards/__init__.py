"""Guards: the checks between a published list and the answers. One object a guard, all of them in :mod:`.registry`.

Settings, the names in ``guards.off`` and the tables of the documentation are derived from these objects.
"""
