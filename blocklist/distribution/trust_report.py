"""What trust metadata says, for people and for ``--json``."""

from __future__ import annotations

from typing import Any

from tuf.api.metadata import Root, Targets, Timestamp

from blocklist.distribution.trust import LISTS, ONLINE, ROOT, TARGETS, TrustFolder, expiries
from blocklist.domain.clock import rfc3339
from blocklist.domain.errors import DistributionError


def report(folder: TrustFolder) -> dict[str, Any]:
    """Return the roles with their versions, expiries, thresholds and keys, and the files that lack signatures, as JSON.

    Each of these files comes with the keys that it names, so that nobody signs what they have not seen. Before the
    first root is signed by all who must, ``roles`` is empty.

    :raises DistributionError: there is no trust metadata, or a file cannot be read.
    """
    pending = {
        name: signatures._asdict() | _proposal(folder.read(folder.folder / name).signed)
        for name, signatures in folder.pending().items()
    }
    try:
        trust = folder.current()
    except DistributionError:
        if not pending:
            raise
        return {"roles": {}, "pending": pending}
    expires = expiries(trust)
    versions = {ROOT: trust.root.version, TARGETS: trust.targets.signed.version}
    roles = {
        role: {"version": versions.get(role), "expires": expires.get(role)} | state
        for role, state in _keys(trust.root).items()
    }
    return {"roles": roles, "pending": pending}


def _proposal(signed: Root | Targets) -> dict[str, Any]:
    """Return when metadata would expire, and the keys that it names."""
    keys = _keys(signed) if isinstance(signed, Root) else {ONLINE: _role(signed, LISTS)}
    return {"expires": rfc3339(signed.expires), "roles": keys}


def _keys(root: Root) -> dict[str, dict[str, Any]]:
    names = ((ROOT, Root.type), (TARGETS, Targets.type), (ONLINE, Timestamp.type))
    return {role: _role(root, name) for role, name in names}


def _role(signed: Root | Targets, name: str) -> dict[str, Any]:
    delegated = signed.get_delegated_role(name)
    keys = [{"id": keyid, "type": signed.get_key(keyid).keytype} for keyid in delegated.keyids]
    return {"threshold": delegated.threshold, "keys": keys}
