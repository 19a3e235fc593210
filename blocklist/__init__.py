"""Keeps advertising money away from sites that authorities have confirmed as infringing.

One room a stage, in the order data flows:

======================  =====================================================================
:mod:`.vocabulary`      the words of the domain as types
:mod:`.definition`      what a feed's definition may say; :mod:`.catalog` reads those in ``feeds/``
:mod:`.fetch`           a body, from an address, a file or an upload
:mod:`.formats`         bytes to entries
:mod:`.normalize`       entries to rules, targets to what rules are compared with
:mod:`.refresh`         one run, stage by stage; its guards; the review of held runs
:mod:`.store`           the database: all SQL is there
:mod:`.snapshot`        the compiled list: written, published, read
:mod:`.lookup`          a request for a verdict, and its answer; :mod:`.wire` words it as JSON
:mod:`.node`            the processes that answer lookups over HTTP
:mod:`.service`         what commands, HTTP and pages call
:mod:`.web`             HTTP and pages; :mod:`.serve` runs them; :mod:`.cli` the commands
======================  =====================================================================

Importing this package loads neither Flask nor SQLite: an ad server embeds it.
"""

from blocklist.normalize.hosts import normalize_host
from blocklist.snapshot.follower import Follower
from blocklist.snapshot.reader import Snapshot

__version__ = "0.2.0"
__all__ = ["Follower", "Snapshot", "__version__", "normalize_host"]
