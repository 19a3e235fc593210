"""What is published: the names of files and objects, and the fields that the metadata carries about the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tuf.api.metadata import Timestamp

#: The targets of the role ``lists``. The current snapshot is the base itself, or the base with the delta applied.
CURRENT, BASE, DELTA = "snapshots/current.snapshot", "snapshots/base.snapshot", "snapshots/current.delta"
#: The folders of a store.
METADATA_FOLDER, FILES_FOLDER = "metadata", "snapshots"
#: The one object that is replaced; all others keep their content.
TIMESTAMP = f"{METADATA_FOLDER}/timestamp.json"
#: The largest timestamp metadata that is read, in bytes.
MAX_TIMESTAMP = 16_384
#: The field of timestamp metadata with a :class:`ListState`.
_FIELD = "blocklist"


class ListState(NamedTuple):
    """What timestamp metadata states about the list: signed with the rest, so an old list cannot pass for a fresh one.

    ``version`` and ``sha256`` are those of the snapshot's pointer, ``confirmed_at`` is when the control plane last knew
    it to be up to date, ``signed_at`` when this was signed.
    """

    version: int
    sha256: str
    confirmed_at: str
    signed_at: str

    def to_fields(self) -> dict[str, Any]:
        """Return the further fields of timestamp metadata."""
        return {_FIELD: self._asdict()}


def list_state(timestamp: Timestamp) -> ListState:
    """Return what timestamp metadata states about the list.

    :raises ValueError: it states nothing, or not what this version reads.
    """
    fields = timestamp.unrecognized_fields.get(_FIELD)
    if not isinstance(fields, Mapping):
        raise ValueError(f"timestamp.json has no field {_FIELD}: it was not published by blocklist")
    state = dict(fields)
    for name in ListState._fields:
        if type(state.get(name)) is not (int if name == "version" else str):
            raise ValueError(f"timestamp.json: the key {name} of {_FIELD} is missing or has another type")
    return ListState(**{name: state[name] for name in ListState._fields})


def metadata_path(role: str, number: int) -> str:
    """Return the path of the object with version ``number`` of a role's metadata."""
    return f"{METADATA_FOLDER}/{number}.{role}.json"


def file_path(target: str, sha256: str) -> str:
    """Return the path of the object of a target: its folder, its SHA-256, its name.

    >>> file_path("snapshots/base.snapshot", "ab12")
    'snapshots/ab12.base.snapshot'
    """
    folder, _, name = target.rpartition("/")
    return f"{folder}/{sha256}.{name}"
