"""Keeps advertising money away from sites that authorities have confirmed as infringing.

The rooms of the package, in the order in which data flows:

====================  ========================================================================================
:mod:`.definitions`   definitions of feeds: their options, the catalog, stated dates, keys of signed lists
:mod:`.fetch`         get a body from an address, a file or an upload
:mod:`.formats`       bodies to entries: one module for each format
:mod:`.normalize`     entries to rules, and targets to the form that rules are compared with
:mod:`.guards`        what a run must not do without a person's approval: one object for each guard
:mod:`.refresh`       one run of a feed, stage by stage, and its preview
:mod:`.store`         the database: all SQL is here
:mod:`.snapshot`      the compiled list: write, publish, follow and read it
:mod:`.lookup`        a request for a verdict, and its answer
:mod:`.node`          the processes that answer lookups over HTTP
:mod:`.distribution`  signed snapshots for other machines: keys, the store, the mirror on each node
:mod:`.service`       every task of the control plane, called by commands, HTTP and pages; review of held runs
:mod:`.status`        read models: the state of feeds, and statistics
:mod:`.exports`       listings and changes in the formats of other programs
:mod:`.notify`        messages about what needs a person, by mail and webhook
:mod:`.web`           HTTP API and pages of the control plane
:mod:`.cli`           the commands
:mod:`.daemon`        ``blocklist serve``: web server, scheduler and lookup nodes
====================  ========================================================================================

All of them may use :mod:`.domain` (the vocabulary as types, errors, clock) and :mod:`.text` (helpers for text).
:mod:`.config` has the settings, :mod:`.access` signs people in and checks tokens.

Importing this package loads neither Flask nor SQLite nor pydantic: an ad server can embed it.
"""

from blocklist.normalize.hosts import normalize_host
from blocklist.snapshot.follower import Follower
from blocklist.snapshot.reader import Snapshot

__version__ = "0.2.0"
__all__ = ["Follower", "Snapshot", "__version__", "normalize_host"]
