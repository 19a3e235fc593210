"""Shared memory in which each worker writes its counts, so that any process of the node can sum them."""

from __future__ import annotations

import json
import mmap
import os
import tempfile
import zlib
from typing import Any

#: Bytes of a worker's slot: enough for some hundred policies and routes.
_SLOT_SIZE = 65_536
#: Bytes of a slot's header: length and checksum.
_HEADER_SIZE = 8


class Scoreboard:
    """One slot of shared memory for each worker. A checksum tells a reader that a slot is being written."""

    def __init__(self, descriptor: int, slots: int) -> None:
        """Map the memory of an open descriptor."""
        self.descriptor = descriptor
        self.slots = slots
        self._memory = mmap.mmap(descriptor, _SLOT_SIZE * slots)

    @classmethod
    def create(cls, slots: int) -> Scoreboard:
        """Return a scoreboard in new memory, whose descriptor the workers inherit."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("blocklist-scoreboard")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _SLOT_SIZE * slots)
        return cls(descriptor, slots)

    def write(self, slot: int, state: dict[str, Any]) -> None:
        """Replace the state in a slot; a state that is too large is not written."""
        data = json.dumps(state, separators=(",", ":")).encode()
        if len(data) > _SLOT_SIZE - _HEADER_SIZE:
            return
        start = slot * _SLOT_SIZE
        header = len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
        self._memory[start : start + _HEADER_SIZE + len(data)] = header + data

    def read(self, slot: int) -> dict[str, Any]:
        """Return the state in a slot; {} if nothing was written yet."""
        start = slot * _SLOT_SIZE
        for _ in range(100):
            header = self._memory[start : start + _HEADER_SIZE]
            length = int.from_bytes(header[:4], "little")
            data = self._memory[start + _HEADER_SIZE : start + _HEADER_SIZE + min(length, _SLOT_SIZE)]
            if zlib.crc32(data) == int.from_bytes(header[4:], "little"):
                return dict(json.loads(data)) if data else {}
        return {}

    def read_all(self) -> list[dict[str, Any]]:
        """Return the states of all slots in order."""
        return [self.read(slot) for slot in range(self.slots)]

    def close(self) -> None:
        """Unmap the memory and close its descriptor."""
        self._memory.close()
        os.close(self.descriptor)
