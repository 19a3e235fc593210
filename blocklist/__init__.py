"""Keeps advertising money away from sites that authorities have confirmed as infringing.

Each subpackage is a room with one subject. CONTRIBUTING.md says what each has and which file to open first; the layers
in pyproject.toml say which may import which.

Importing this package loads neither Flask nor SQLite, because ad servers embed it.
"""

from blocklist.normalize.hosts import normalize_host
from blocklist.snapshot.follower import Follower
from blocklist.snapshot.reader import Snapshot

__version__ = "0.2.0"
__all__ = ["Follower", "Snapshot", "__version__", "normalize_host"]
