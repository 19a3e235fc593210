"""The body of a request, written by the event loop while it arrives and read by a thread."""

from __future__ import annotations

import io
import tempfile
import threading
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Bytes that are kept in memory; more go to a temporary file.
_IN_MEMORY = 65_536


class IncomingBody(io.RawIOBase):
    """A stream that one thread fills and another reads. Reading waits for what has not arrived yet."""

    def __init__(self, max_size: int) -> None:
        """Of a body larger than ``max_size`` bytes only so much is kept: the reader must have a lower limit."""
        self._max_size = max_size
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by close()
        self._changed = threading.Condition()
        self._position = 0
        self._complete = self._lost = False
        #: Bytes received and kept so far.
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add what has arrived.

        :raises OSError: the temporary file cannot be written, for example because the disk is full.
        """
        data = data[: self._max_size - self.size]
        with self._changed:
            self._file.seek(self.size)
            self._file.write(data)
            self.size += len(data)
            self._changed.notify()

    def end(self, *, lost: bool = False) -> None:
        """Note that nothing more arrives; ``lost``: the client left before the body was complete."""
        with self._changed:
            self._complete, self._lost = True, lost
            self._changed.notify()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read into a buffer and return the number of bytes, 0 at the end.

        :raises werkzeug.exceptions.ClientDisconnected: the client left before the body was complete.
        """
        view = memoryview(buffer).cast("B")
        with self._changed:
            self._changed.wait_for(lambda: self._complete or self._position < self.size)
            if self._lost:
                raise ClientDisconnected
            self._file.seek(self._position)
            data = self._file.read(min(len(view), self.size - self._position))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()
        super().close()
