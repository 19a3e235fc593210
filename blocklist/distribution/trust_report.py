"""What trust metadata says, for people and for ``--json``."""

from __future__ import annotations

from typing import Any

from tuf.api.metadata import Root, Targets, Timestamp

from blocklist.distribution.trust import ONLINE, ROOT, TARGETS, TrustFolder, expiries
from blocklist.domain.errors import DistributionError


def report(folder: TrustFolder) -> dict[str, Any]:
    """Return the roles with their versions, expiries, thresholds and keys, and the files that lack signatures, as JSON.

    Before the first root is signed by all who must, ``roles`` is empty.

    :raises DistributionError: there is no trust metadata, or a file cannot be read.
    """
    pending = {name: signatures._asdict() for name, signatures in folder.pending().items()}
    try:
        trust = folder.current()
    except DistributionError:
        if not pending:
            raise
        return {"roles": {}, "pending": pending}
    root, expires = trust.root, expiries(trust)
    versions = {ROOT: root.version, TARGETS: trust.targets.signed.version, ONLINE: None}
    roles = {}
    for role, name in ((ROOT, Root.type), (TARGETS, Targets.type), (ONLINE, Timestamp.type)):
        delegated = root.get_delegated_role(name)
        keys = [{"id": keyid, "type": root.get_key(keyid).keytype} for keyid in delegated.keyids]
        state = {"version": versions[role], "expires": expires.get(role), "threshold": delegated.threshold}
        roles[role] = state | {"keys": keys}
    return {"roles": roles, "pending": pending}
