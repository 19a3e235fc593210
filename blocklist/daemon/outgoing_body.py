"""The messages of a response, written by a thread and sent by the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

#: A message of ASGI 3.0, and what sends it.
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]

#: Bytes that may wait to be sent. The thread of a longer response waits for its client.
_MAX_UNSENT = 1 << 20


class OutgoingBody:
    """A queue from the thread that makes a response to the event loop that sends it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._messages: deque[Message] = deque()
        self._added = asyncio.Event()
        self._sent = threading.Condition()
        self._unsent = 0
        self._abandoned = False

    def put(self, message: Message) -> None:
        """Add a message; called in the thread. Waits while over 1 MiB is unsent and the client is connected."""
        size = len(message.get("body", b""))
        with self._sent:
            self._sent.wait_for(lambda: self._unsent <= _MAX_UNSENT or self._abandoned)
            self._unsent += size
        self._messages.append(message)
        self._loop.call_soon_threadsafe(self._added.set)

    async def send_all(self, send: Send) -> None:
        """Send each message, until the last one of the response."""
        try:
            while True:
                await self._added.wait()
                self._added.clear()
                while self._messages:
                    message = self._messages.popleft()
                    await send(message)
                    with self._sent:
                        self._unsent -= len(message.get("body", b""))
                        self._sent.notify()
                    if message["type"] == "http.response.body" and not message["more_body"]:
                        return
        finally:
            # The thread must not wait for a client that nobody sends to any more.
            with self._sent:
                self._abandoned = True
                self._sent.notify()
