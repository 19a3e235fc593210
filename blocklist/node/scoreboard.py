"""A piece of shared memory where each worker tells of itself and reads of the others: how metrics are summed."""

from __future__ import annotations

import json
import mmap
import os
import tempfile
import zlib
from typing import Any

#: Bytes for each worker: some hundred policies and routes.
_SLOT = 65_536
_HEAD = 8


class Scoreboard:
    """Slots of shared memory, one a worker; what is half written is told apart by its checksum and read again."""

    def __init__(self, descriptor: int, slots: int) -> None:
        """Map the memory behind a descriptor."""
        self.descriptor = descriptor
        self.slots = slots
        self._memory = mmap.mmap(descriptor, _SLOT * slots)

    @classmethod
    def create(cls, slots: int) -> Scoreboard:
        """Return a scoreboard of its own memory, whose descriptor workers inherit."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("blocklist-scoreboard")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _SLOT * slots)
        return cls(descriptor, slots)

    def write(self, slot: int, state: dict[str, Any]) -> None:
        """Replace what a slot says."""
        data = json.dumps(state, separators=(",", ":")).encode()
        if len(data) > _SLOT - _HEAD:
            return
        start = slot * _SLOT
        head = len(data).to_bytes(4, "little") + zlib.crc32(data).to_bytes(4, "little")
        self._memory[start : start + _HEAD + len(data)] = head + data

    def read(self, slot: int) -> dict[str, Any]:
        """Return what a slot says, nothing if nobody has told anything yet."""
        start = slot * _SLOT
        for _ in range(100):
            head = self._memory[start : start + _HEAD]
            length = int.from_bytes(head[:4], "little")
            data = self._memory[start + _HEAD : start + _HEAD + min(length, _SLOT)]
            if zlib.crc32(data) == int.from_bytes(head[4:], "little"):
                return dict(json.loads(data)) if data else {}
        return {}

    def read_all(self) -> list[dict[str, Any]]:
        """Return what every slot says."""
        return [self.read(slot) for slot in range(self.slots)]

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
        os.close(self.descriptor)
