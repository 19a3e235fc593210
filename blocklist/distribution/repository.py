"""Publish snapshots into a store, signed with the online key.

The order of uploads is such that a crash, or a store that fails, at any moment leaves in force what was published
before: objects with new names come first, and last ``timestamp.json``, which names all others through their hashes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from securesystemslib.signer import Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Snapshot, Targets, Timestamp
from tuf.api.serialization import DeserializationError

from blocklist.distribution.ceremony import sign
from blocklist.distribution.keys import signer_for
from blocklist.distribution.objects import ObjectStore, StoreAddress
from blocklist.distribution.packing import Packed, pack
from blocklist.distribution.published import (
    FILES_FOLDER,
    MAX_TIMESTAMP,
    METADATA_FOLDER,
    TIMESTAMP,
    ListState,
    file_path,
    list_state,
    metadata_path,
)
from blocklist.distribution.publisher_state import (
    Sent,
    forget_sent,
    read_number,
    read_sent,
    write_number,
    write_sent,
)
from blocklist.distribution.trust import LISTS, ROOT, TARGETS, Trust, TrustFolder
from blocklist.domain.clock import later, now, rfc3339, seconds_between
from blocklist.domain.errors import DistributionError
from blocklist.snapshot.pointer import Pointer

#: Days for which the roles lists and snapshot are signed; they are signed again when half of them are over.
_LISTS_DAYS = 30
#: Most numbers to try for metadata whose name is taken, which a killed attempt leaves.
_TRIES = 20
#: The largest root or targets metadata, in bytes.
_MAX_TRUST = 512_000
_HASHES = ["sha256"]


class Times(NamedTuple):
    """Seconds: between two signatures of the timestamp, of its validity, and for which replaced objects are kept."""

    sign_every: int = 300
    valid_for: int = 900
    keep_for: int = 3_600


class NewerInStoreError(DistributionError):
    """The store has a list of a version that is not below ours, and another one; ``version`` is that."""

    def __init__(self, sentence: str, version: int) -> None:
        super().__init__(sentence)
        self.version = version


class Repository:
    """The signed snapshots in one store, as their only publisher."""

    def __init__(self, address: StoreAddress, key: str, trust: TrustFolder, folder: Path, times: Times) -> None:
        """``key`` is the URI of the online key; ``folder`` is where the publisher remembers what it sent.

        :raises DistributionError: the address is wrong.
        """
        self._address, self._key, self._times = address, key, times
        self._objects = ObjectStore(address)
        self._trust_folder, self._folder = trust, folder
        self._signer: Signer | None = None

    def is_due(self, pointer: Pointer) -> bool:
        """Return whether there is something to send: another snapshot, or a signature that is old.

        :raises DistributionError: the trust metadata cannot be read.
        """
        sent = read_sent(self._folder)
        if sent is None or self._lists_due(sent, pointer, self._trust_folder.current()):
            return True
        age = seconds_between(sent.signed_at, now())
        return not 0 <= age < self._times.sign_every

    def send(self, pointer: Pointer, snapshot: Path) -> Sent:
        """Bring the store up to date with the current snapshot, and sign the timestamp anew.

        :raises NewerInStoreError: the store has a list that nodes would not replace by this one.
        :raises DistributionError: the trust metadata or the key does not allow it, or the store cannot be written.
        """
        trust = self._usable_trust()
        sent, remote = read_sent(self._folder), self._remote(trust)
        self._check_order(pointer, remote)
        known = max(read_number(self._folder), remote.version if remote else 0)
        # The time, so that numbers grow even if what was sent is forgotten; a clock set back does not make them shrink.
        number = max(known + 1, int(time.time()))
        if sent is None or remote is None or self._lists_due(sent, pointer, trust):
            sent = self._send_lists(pointer, snapshot, trust, sent, number)
        return self._send_timestamp(pointer, sent, max(number, sent.lists_number))

    def prune(self) -> int:
        """Remove objects that were replaced long enough ago that no node can still need them; return how many.

        If an object that nodes need is missing from the store, what was sent is forgotten, so that all is sent again.

        :raises DistributionError: the store cannot be listed or written.
        """
        sent = read_sent(self._folder)
        if sent is None:
            return 0
        moment = now()
        there = {*self._objects.sizes(METADATA_FOLDER), *self._objects.sizes(FILES_FOLDER)}
        if not there.issuperset(sent.objects):
            forget_sent(self._folder)
            return 0
        unneeded = {
            path for path in there - {*sent.objects} if path != TIMESTAMP and not path.endswith(f".{ROOT}.json")
        }
        since = {path: sent.replaced.get(path, moment) for path in unneeded}
        old = [path for path, begun in since.items() if later(begun, self._times.keep_for) <= moment]
        self._objects.delete(old)
        remaining = {path: begun for path, begun in since.items() if path not in old}
        if remaining != sent.replaced:
            write_sent(self._folder, replace(sent, replaced=remaining))
        return len(old)

    def _lists_due(self, sent: Sent, pointer: Pointer, trust: Trust) -> bool:
        same = (sent.version, sent.sha256) == (pointer.version, pointer.sha256)
        same_trust = (sent.root, sent.targets) == (trust.root.version, trust.targets.signed.version)
        left = seconds_between(now(), sent.lists_expire)
        return not (same and same_trust and left > _LISTS_DAYS * 43_200)

    def _usable_trust(self) -> Trust:
        """Return the trust metadata, and prepare the signer of the online key.

        :raises DistributionError: root or targets has expired, or the online key is another.
        """
        trust = self._trust_folder.current()
        for role, signed in ((ROOT, trust.root), (TARGETS, trust.targets.signed)):
            if signed.is_expired():
                raise DistributionError(
                    f"the trust metadata of {role} expired on {rfc3339(signed.expires)}, and nodes refuse it: "
                    f"'blocklist trust rotate {role}' renews it (or this machine's clock is wrong)"
                )
        keys = trust.online_keys
        if self._signer is None or self._signer.public_key.keyid not in {key.keyid for key in keys}:
            self._signer = signer_for(self._key, keys)
        return trust

    def _remote(self, trust: Trust) -> Timestamp | None:
        """Return the timestamp in the store; None if there is none, or it is not signed with our online key."""
        data = self._objects.read(TIMESTAMP, MAX_TIMESTAMP)
        if data is None:
            return None
        try:
            metadata: Metadata[Any] = Metadata.from_bytes(data)
            trust.root.verify_delegate(Timestamp.type, metadata.signed_bytes, metadata.signatures)
        except (DeserializationError, RepositoryError, ValueError):
            return None
        return metadata.signed if isinstance(metadata.signed, Timestamp) else None

    def _check_order(self, pointer: Pointer, remote: Timestamp | None) -> None:
        """Check that nobody else publishes there, and that nodes will take the current snapshot.

        :raises NewerInStoreError: nodes will not take it.
        :raises DistributionError: another control plane has signed another list, and its signature is still valid.
        """
        if remote is None:
            return
        try:
            state = list_state(remote)
        except ValueError:
            return
        if (state.version, state.sha256) == (pointer.version, pointer.sha256):
            return
        if remote.version > read_number(self._folder) and not remote.is_expired():
            raise DistributionError(
                f"{self._address.shown}: another control plane with our key signed version {state.version} on "
                f"{state.signed_at}: two must not publish into one place; stop it, or give this one a place and a key "
                f"of its own; if it is gone for good, this one goes on after {rfc3339(remote.expires)}"
            )
        if state.version >= pointer.version:
            raise NewerInStoreError(
                f"{self._address.shown}: has version {state.version}, signed with our key, and this control plane has "
                f"version {pointer.version}: nodes refuse to go back",
                state.version,
            )

    def _send_lists(self, pointer: Pointer, snapshot: Path, trust: Trust, sent: Sent | None, number: int) -> Sent:
        """Send everything but the timestamp; return what is sent then."""
        for root in trust.roots:
            self._create_same(metadata_path(ROOT, root.signed.version), root)
        targets_path = metadata_path(TARGETS, trust.targets.signed.version)
        targets = self._create_same(targets_path, trust.targets)
        packed = pack(self._folder, snapshot, sent.base if sent else None)
        for target, data in packed.uploads.items():
            self._objects.create_named(file_path(target, packed.targets[target].hashes["sha256"]), data)
        expiry = _expiry(86_400 * _LISTS_DAYS)
        number, meta = self._create_lists(
            packed, MetaFile.from_data(trust.targets.signed.version, targets, _HASHES), number, expiry
        )
        packed.keep_base(self._folder)
        objects = [metadata_path(ROOT, root.signed.version) for root in trust.roots]
        objects += [targets_path, metadata_path(LISTS, number), metadata_path(Snapshot.type, number)]
        objects += [file_path(name, packed.targets[name].hashes["sha256"]) for name in packed.stored]
        return Sent(
            number=number,
            lists_number=number,
            lists_expire=rfc3339(expiry),
            version=pointer.version,
            sha256=pointer.sha256,
            confirmed_at=pointer.confirmed_at,
            signed_at=now(),
            root=trust.root.version,
            targets=trust.targets.signed.version,
            base=packed.base,
            snapshot_meta=meta.to_dict(),
            objects=tuple(objects),
            replaced=_replaced(sent, objects),
        )

    def _create_lists(self, packed: Packed, targets: MetaFile, number: int, expiry: datetime) -> tuple[int, MetaFile]:
        """Create the metadata of lists and snapshot; return their number, and what the timestamp states of them."""
        for tried in range(number, number + _TRIES):
            lists = self._signed(Metadata(Targets(version=tried, expires=expiry, targets=dict(packed.targets))))
            meta = {"targets.json": targets, f"{LISTS}.json": MetaFile.from_data(tried, lists, _HASHES)}
            snapshot = self._signed(Metadata(Snapshot(version=tried, expires=expiry, meta=meta)))
            # Both get the same number: the next that is free for both.
            if self._objects.create(metadata_path(LISTS, tried), lists) and self._objects.create(
                metadata_path(Snapshot.type, tried), snapshot
            ):
                return tried, MetaFile.from_data(tried, snapshot, _HASHES)
        raise DistributionError(
            f"{self._address.shown}: the names of {_TRIES} next versions are taken: does another control plane publish "
            "into the same place? Each needs its own"
        )

    def _create_same(self, path: str, metadata: Metadata[Any]) -> bytes:
        """Create an object that may be there already, and return its bytes; signatures added later do not matter.

        :raises DistributionError: it is there with another content.
        """
        data = metadata.to_bytes()
        if self._objects.create(path, data):
            return data
        there = self._objects.read(path, _MAX_TRUST) or b""
        try:
            if Metadata.from_bytes(there).signed_bytes == metadata.signed_bytes:
                return there
        except (DeserializationError, RepositoryError):
            pass
        raise DistributionError(
            f"{self._address.shown}: {path} is there with another content: the store belongs to another trust root; "
            "publish into another place, or restore the folder trust"
        )

    def _send_timestamp(self, pointer: Pointer, sent: Sent, number: int) -> Sent:
        state = ListState(pointer.version, pointer.sha256, pointer.confirmed_at, now())
        timestamp = Timestamp(
            version=number,
            expires=_expiry(self._times.valid_for),
            snapshot_meta=MetaFile.from_dict({**sent.snapshot_meta}),
            unrecognized_fields=state.to_fields(),
        )
        write_number(self._folder, number)
        self._objects.replace(TIMESTAMP, self._signed(Metadata(timestamp)))
        sent = replace(sent, number=number, signed_at=state.signed_at, confirmed_at=pointer.confirmed_at)
        write_sent(self._folder, sent)
        return sent

    def _signed(self, metadata: Metadata[Any]) -> bytes:
        assert self._signer is not None
        sign(metadata, self._signer)
        return metadata.to_bytes()


def _replaced(sent: Sent | None, objects: Iterable[str]) -> dict[str, str]:
    """Return when objects that nodes need no more were found to be such; those that are needed again are left out."""
    if sent is None:
        return {}
    before = {**dict.fromkeys(sent.objects, now()), **sent.replaced}
    return {path: since for path, since in before.items() if path not in {*objects}}


def _expiry(seconds: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)
