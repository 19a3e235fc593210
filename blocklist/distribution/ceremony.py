"""Ceremonies: the first trust metadata, changes of keys, and signatures, which people make with offline keys."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import DelegatedRole, Delegations, Metadata, Root, Snapshot, Targets, Timestamp

from blocklist.distribution.keys import (
    AskSecret,
    create_key,
    has_private_key,
    no_secrets,
    path_of,
    read_public_key,
    short,
    signer_for,
)
from blocklist.distribution.trust import (
    LISTS,
    LISTS_PATHS,
    ONLINE,
    ROOT,
    TARGETS,
    Signatures,
    TrustFolder,
    write_metadata,
)
from blocklist.domain.errors import DistributionError

#: Days for which root and targets are valid, unless a ceremony says otherwise.
VALID_DAYS = 365


class Ceremony:
    """What people do with the trust metadata of one folder: begin it, change keys, and sign."""

    def __init__(self, folder: TrustFolder, ask: AskSecret = no_secrets) -> None:
        """``ask`` returns the passphrase of a key, or the PIN of a key store."""
        self._folder, self._ask = folder, ask
        #: The files of private keys that were created, because a URI named one that did not exist.
        self.created: list[Path] = []

    def begin(
        self, root_uris: Sequence[str], threshold: int, targets_uri: str, online_uri: str, days: int = VALID_DAYS
    ) -> list[Path]:
        """Write the first root and targets metadata, signed with the private keys among these; return the files.

        A ``file:`` key that does not exist is created.

        :raises DistributionError: there is trust metadata already, or a key cannot be used.
        """
        if self._folder.versions(ROOT):
            raise DistributionError(
                f"{self._folder.folder}: there is trust metadata already: change it with 'blocklist trust rotate'"
            )
        keys = [self._public(uri) for uri in (*root_uris, targets_uri, online_uri)]
        root, targets = new_trust(keys[:-2], threshold, keys[-2], keys[-1], days)
        paths = [self._folder.write(root), self._folder.write(targets)]
        self._sign_with([*root_uris, targets_uri], paths)
        return paths

    def rotate(
        self,
        role: str,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        threshold: int | None = None,
        sign_with: Sequence[str] = (),
        days: int = VALID_DAYS,
    ) -> list[Path]:
        """Write the next versions of the metadata that a change touches, signed with ``sign_with``; return the files.

        :raises DistributionError: see :func:`rotated`; or a key cannot be used.
        """
        changed = rotated(self._folder, role, [self._public(uri) for uri in add], remove, threshold, days)
        paths = [self._folder.write(metadata) for metadata in changed]
        self._sign_with(sign_with, paths)
        return paths

    def sign(self, path: Path, uri: str) -> Signatures:
        """Sign a file of root or targets metadata with a key; return its signatures.

        :raises DistributionError: the key is not among those that may sign it, or cannot be used.
        """
        metadata = self._folder.read(path)
        sign(metadata, signer_for(uri, self._folder.keys_for(path).values(), self._ask))
        write_metadata(path, metadata)
        return self._folder.signatures(path)

    def _public(self, uri: str) -> Key:
        path = path_of(uri)
        if path and not path.exists():
            create_key(path)
            self.created.append(path)
        return read_public_key(uri, self._ask)

    def _sign_with(self, uris: Sequence[str], paths: Sequence[Path]) -> None:
        """Sign each file with those private keys that may sign it."""
        for uri in uris:
            if has_private_key(uri):
                keyid = read_public_key(uri, self._ask).keyid
                fitting = [path for path in paths if keyid in self._folder.keys_for(path)]
                if not fitting:
                    raise DistributionError(f"{uri}: this key, {short(keyid)}, may sign none of these files")
                for path in fitting:
                    self.sign(path, uri)


def new_trust(
    root_keys: Sequence[Key], threshold: int, targets_key: Key, online_key: Key, days: int = VALID_DAYS
) -> tuple[Metadata[Root], Metadata[Targets]]:
    """Return the first root and targets metadata, without signatures.

    :raises DistributionError: a key has two roles that must be separate, or the threshold cannot be met.
    """
    root = Root(expires=_expiry(days), consistent_snapshot=True)
    for key in root_keys:
        root.add_key(key, Root.type)
    root.add_key(targets_key, Targets.type)
    for role in (Snapshot.type, Timestamp.type):
        root.add_key(online_key, role)
    _set_threshold(root, threshold)
    targets = Targets(expires=_expiry(days))
    delegated = DelegatedRole(LISTS, [], 1, terminating=True, paths=[LISTS_PATHS])
    targets.delegations = Delegations({}, {LISTS: delegated})
    targets.add_key(online_key, LISTS)
    _check_separate(root)
    return Metadata(root), Metadata(targets)


def rotated(
    folder: TrustFolder,
    role: str,
    add: Sequence[Key],
    remove: Sequence[str],
    threshold: int | None,
    days: int = VALID_DAYS,
) -> list[Metadata[Any]]:
    """Return the next versions of the metadata that a change of keys touches, without signatures.

    Without ``add`` and ``remove`` root or targets are renewed: the same keys, and a later expiry. ``remove`` has ids of
    keys, or their beginnings.

    :raises DistributionError: an earlier change still lacks signatures, a key is not there, or roles would share one.
    """
    trust = folder.current()
    if waiting := folder.pending():
        raise DistributionError(
            f"{folder.folder}: {', '.join(waiting)} still lacks signatures: sign it with 'blocklist trust sign', or "
            "delete the file to give the change up"
        )
    if role == ONLINE and not (add or remove):
        raise DistributionError("the online key signs anew by itself: name the key that takes its place with --add")
    root, targets = _next(trust.roots[-1], folder, ROOT, days), _next(trust.targets, folder, TARGETS, days)
    changes_root = role == ROOT or bool(add or remove or threshold)
    if role == ROOT:
        _exchange(root.signed, Root.type, add, remove)
        _set_threshold(root.signed, threshold or root.signed.get_delegated_role(Root.type).threshold)
    elif role == TARGETS:
        _exchange(root.signed, Targets.type, add, remove)
    else:
        for name in (Snapshot.type, Timestamp.type):
            _exchange(root.signed, name, add, remove)
        _exchange(targets.signed, LISTS, add, remove)
    _check_separate(root.signed)
    return [*([root] if changes_root else []), *([targets] if role != ROOT else [])]


def sign(metadata: Metadata[Any], signer: Signer) -> None:
    """Add the signature of a key to metadata.

    :raises DistributionError: the key store refuses.
    """
    try:
        metadata.sign(signer, append=True)
    except UnsignedMetadataError as error:
        raise DistributionError(f"the key {short(signer.public_key.keyid)} does not sign: {error}") from None


def add_signatures(folder: TrustFolder, path: Path, other: Path) -> int:
    """Copy the valid signatures of another copy of a metadata file into it; return how many were new.

    :raises DistributionError: the files are not the same metadata.
    """
    mine, theirs = folder.read(path), folder.read(other)
    if mine.signed_bytes != theirs.signed_bytes:
        raise DistributionError(f"{other}: not the same metadata as {path}, so its signatures do not fit")
    new = 0
    for keyid, key in folder.keys_for(path).items():
        signature = theirs.signatures.get(keyid)
        if signature and keyid not in mine.signatures:
            with contextlib.suppress(
                Exception
            ):  # a signature that does not verify is left out, whatever is wrong with it
                key.verify_signature(signature, mine.signed_bytes)
                mine.signatures[keyid] = signature
                new += 1
    write_metadata(path, mine)
    return new


def _next(metadata: Metadata[Any], folder: TrustFolder, role: str, days: int) -> Metadata[Any]:
    following: Metadata[Any] = Metadata.from_bytes(metadata.to_bytes())
    following.signatures.clear()
    following.signed.version = folder.versions(role)[-1] + 1
    following.signed.expires = _expiry(days)
    return following


def _exchange(signed: Root | Targets, role: str, add: Sequence[Key], remove: Sequence[str]) -> None:
    """Add keys to a role, and take others from it, named by the beginning of their ids."""
    for key in add:
        signed.add_key(key, role)
    for begin in remove:
        fitting = [keyid for keyid in signed.get_delegated_role(role).keyids if keyid.startswith(begin)]
        if len(fitting) != 1:
            raise DistributionError(f"{begin}: {len(fitting)} keys of {role} have an id that begins so; name one")
        signed.revoke_key(fitting[0], role)
    delegated = signed.get_delegated_role(role)
    if role != Root.type and len(delegated.keyids) != 1:
        raise DistributionError(
            f"{role} would have {len(delegated.keyids)} keys: it has one; name the old with --remove"
        )


def _set_threshold(root: Root, threshold: int) -> None:
    keys = len(root.get_delegated_role(Root.type).keyids)
    if not 1 <= threshold <= keys:
        raise DistributionError(f"{threshold} of {keys} root keys cannot sign: choose a threshold from 1 to {keys}")
    root.get_delegated_role(Root.type).threshold = threshold


def _check_separate(root: Root) -> None:
    """Check that no key has two of the roles that people rotate.

    :raises DistributionError: one has.
    """
    used = [*root.roles[Root.type].keyids, *root.roles[Targets.type].keyids, *root.roles[Timestamp.type].keyids]
    twice = sorted({short(keyid) for keyid in used if used.count(keyid) > 1})
    if twice:
        raise DistributionError(
            f"the key {', '.join(twice)} would have two roles: root, targets and online need their own"
        )


def _expiry(days: int) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)
