"""The trust metadata that offline keys sign: every version of root and targets, as files of one folder.

The folder has public data only. ``N.root.json`` and ``N.targets.json`` are version N of a role, signed or still waiting
for signatures: whoever holds a key signs the file, on any machine, and brings it back. What counts follows from the
signatures alone, see :meth:`TrustFolder.current`.

Roles of The Update Framework: *root* names the keys of all roles; *targets* delegates ``snapshots/*`` to the role
:data:`LISTS`, whose key is the *online* key, as are those of the roles snapshot and timestamp.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from securesystemslib.signer import Key
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from blocklist.domain.clock import rfc3339
from blocklist.domain.errors import DistributionError

#: The delegated role that lists the published files, and the paths it may list.
LISTS, LISTS_PATHS = "lists", "snapshots/*"
#: The roles that people rotate: online is the one key of :data:`LISTS`, snapshot and timestamp.
ROOT, TARGETS, ONLINE = "root", "targets", "online"
ROLES = (ROOT, TARGETS, ONLINE)
_NAME = re.compile(r"([1-9][0-9]{0,8})\.(root|targets)\.json")
#: Metadata that people read and compare: indented, as the signatures do not depend on it.
_READABLE = JSONSerializer(compact=False)


class Trust(NamedTuple):
    """The metadata that counts now: every root from the first, and the targets that the last one vouches for."""

    roots: tuple[Metadata[Root], ...]
    targets: Metadata[Targets]

    @property
    def root(self) -> Root:
        """The newest root."""
        return self.roots[-1].signed

    @property
    def online_keys(self) -> list[Key]:
        """The keys that may sign for the roles lists, snapshot and timestamp."""
        return [self.root.get_key(keyid) for keyid in self.root.get_delegated_role(Timestamp.type).keyids]


class Signatures(NamedTuple):
    """The signatures of one metadata file: how many it has and needs, and the ids of keys that have not signed.

    During a rotation of root keys a root needs those of the root before it as well; then these are the sums.
    """

    have: int
    need: int
    unsigned: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether it has as many as it needs."""
        return self.have >= self.need


class TrustFolder:
    """The trust metadata in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def current(self) -> Trust:
        """Return the newest root and targets that have all their signatures and fit each other.

        A root whose targets are not signed yet does not count: nodes that took it could follow nothing.

        :raises DistributionError: there are none, or a file cannot be read.
        """
        roots = list(self._verified_roots())
        every_targets = [self.read(self.path(TARGETS, version)) for version in reversed(self.versions(TARGETS))]
        while roots:
            for targets in every_targets:
                if _fit(roots[-1].signed, targets):
                    return Trust(tuple(roots), targets)
            roots.pop()
        raise DistributionError(
            f"{self.folder}: there is no signed trust metadata: 'blocklist trust show' names the signatures that are "
            "missing, 'blocklist trust init' begins"
        )

    def versions(self, role: str) -> list[int]:
        """Return the versions of a role that have a file, signed or not, in order."""
        try:
            names = [_NAME.fullmatch(name) for name in os.listdir(self.folder)]  # noqa: PTH208 - names are all it needs
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DistributionError(f"{self.folder}: cannot be read: {error.strerror}") from None
        return sorted(int(found[1]) for found in names if found and found[2] == role)

    def path(self, role: str, version: int) -> Path:
        """Return the file of one version of a role."""
        return self.folder / f"{version}.{role}.json"

    def read(self, path: Path) -> Metadata[Any]:
        """Return the metadata in a file.

        :raises DistributionError: it cannot be read, or is no metadata of root or targets.
        """
        return read_metadata(path)

    def write(self, metadata: Metadata[Any]) -> Path:
        """Write metadata into the file of its role and version, and return the file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return write_metadata(self.path(metadata.signed.type, metadata.signed.version), metadata)

    def signatures(self, path: Path) -> Signatures:
        """Return the signatures of a file of root or targets metadata; roots beside it say which keys count.

        :raises DistributionError: it cannot be read, or there is no root beside targets.
        """
        metadata = self.read(path)
        delegators = self._delegators(path, metadata)
        results = [
            delegator.get_verification_result(metadata.signed.type, metadata.signed_bytes, metadata.signatures)
            for delegator in delegators
        ]
        unsigned = dict.fromkeys(keyid for result in results for keyid in result.unsigned)
        # A key too many for one of two roots must not stand for one that the other lacks.
        have = sum(min(len(result.signed), result.threshold) for result in results)
        return Signatures(have, sum(result.threshold for result in results), tuple(unsigned))

    def keys_for(self, path: Path) -> dict[str, Key]:
        """Return the keys, by id, that may sign a file of root or targets metadata.

        :raises DistributionError: see :meth:`signatures`.
        """
        metadata = self.read(path)
        return {
            keyid: delegator.get_key(keyid)
            for delegator in self._delegators(path, metadata)
            for keyid in delegator.get_delegated_role(metadata.signed.type).keyids
        }

    def pending(self) -> dict[str, Signatures]:
        """Return the signatures of files that still lack some, by the name of the file; only files above the current.

        :raises DistributionError: a file cannot be read.
        """
        found = {}
        for role in (ROOT, TARGETS):
            for version in self.versions(role)[-1:]:
                path = self.path(role, version)
                signatures = self.signatures(path)
                if not signatures.complete:
                    found[path.name] = signatures
        return found

    def _delegators(self, path: Path, metadata: Metadata[Any]) -> list[Root]:
        """Return the roots whose thresholds a file must meet.

        For targets that is the newest root; for a root it is itself and the one before it.
        """
        beside = TrustFolder(path.parent)
        if metadata.signed.type == TARGETS:
            versions = beside.versions(ROOT)
            if not versions:
                raise DistributionError(
                    f"{path}: there is no root beside it, which names the keys: copy the whole folder"
                )
            return [beside.read(beside.path(ROOT, versions[-1])).signed]
        former = beside.path(ROOT, metadata.signed.version - 1)
        if metadata.signed.version > 1:
            if not former.exists():
                raise DistributionError(f"{path}: {former.name} is not beside it, whose keys must sign: copy both")
            return [beside.read(former).signed, metadata.signed]
        return [metadata.signed]

    def _verified_roots(self) -> Iterator[Metadata[Root]]:
        """Yield the roots from the first, up to the first that lacks a signature or is missing."""
        previous: Metadata[Root] | None = None
        for number, version in enumerate(self.versions(ROOT), 1):
            root = self.read(self.path(ROOT, version))
            if version != number or root.signed.version != version:
                return
            signed = previous and previous.signed
            if not root.signed.get_root_verification_result(signed, root.signed_bytes, root.signatures):
                return
            yield root
            previous = root


def read_metadata(path: Path) -> Metadata[Any]:
    """Return the root or targets metadata in a file.

    :raises DistributionError: it cannot be read, or is something else.
    """
    try:
        metadata: Metadata[Any] = Metadata.from_bytes(path.read_bytes())
    except OSError as error:
        raise DistributionError(f"{path}: cannot be read: {error.strerror}") from None
    except (DeserializationError, RepositoryError) as error:
        raise DistributionError(f"{path}: not trust metadata: {error}") from None
    if metadata.signed.type not in (ROOT, TARGETS):
        raise DistributionError(
            f"{path}: metadata of the role {metadata.signed.type}; people sign root and targets only"
        )
    return metadata


def write_metadata(path: Path, metadata: Metadata[Any]) -> Path:
    """Replace a file by metadata, and return it.

    :raises DistributionError: it cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("wb") as out:
            out.write(metadata.to_bytes(_READABLE))
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(path)
    except OSError as error:
        raise DistributionError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def _fit(root: Root, targets: Metadata[Targets]) -> bool:
    """Return whether a root vouches for targets, and both name the same online keys."""
    if not root.get_verification_result(Targets.type, targets.signed_bytes, targets.signatures):
        return False
    delegations = targets.signed.delegations
    role = delegations.roles.get(LISTS) if delegations and delegations.roles else None
    online = {*root.get_delegated_role(Timestamp.type).keyids}
    return role is not None and {*role.keyids} == online == {*root.get_delegated_role(Snapshot.type).keyids}


def expiries(trust: Trust) -> dict[str, str]:
    """Return when root and targets expire (RFC 3339), by role."""
    return {ROOT: rfc3339(trust.root.expires), TARGETS: rfc3339(trust.targets.signed.expires)}
