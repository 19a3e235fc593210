"""What a test asks of a fetch, and what its publisher answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from blocklist.config.settings import FetchSettings
from blocklist.definitions.source import Credentials, Source
from blocklist.domain.errors import FetchError
from blocklist.fetch import Body, fetch
from tests.e2e.running import Publisher, respond

Answer = Callable[[BaseHTTPRequestHandler], None]
GOOD = b"a.example\nb.example\n"
BEARER = Credentials(kind="bearer", env="A_TOKEN")


class Getting:
    """Fetches from a publisher into a folder."""

    def __init__(self, folder: Path) -> None:
        self.into = folder / "body"

    def __call__(
        self,
        url: str,
        validators: dict[str, str] | None = None,
        credentials: Credentials | None = None,
        source: dict[str, Any] | None = None,
        **limits: Any,
    ) -> Body | None:
        settings = FetchSettings(**{"allow_private_hosts": ("127.0.0.1",), "read_timeout": 5} | limits)
        where = Source.model_validate({"url": url, "credentials": credentials, **(source or {})})
        return fetch(where, self.into, settings, validators)

    def failing(self, url: str, **more: Any) -> str:
        """Return why a fetch failed, which must leave nothing."""
        with pytest.raises(FetchError) as failed:
            self(url, **more)
        assert not self.into.exists()
        assert "\n" not in str(failed.value)
        return str(failed.value)


def answering(body: bytes, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: respond(handler, body, status, named)


def in_turn(*answers: Answer) -> Answer:
    """Answer each request otherwise; the last answer goes on."""
    left = list(answers)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        chosen = left.pop(0) if len(left) > 1 else left[0]
        chosen(handler)

    return answer


def moved(location: str) -> Answer:
    return answering(b"", 302, Location=location)


def site(publisher: Publisher, pages: Mapping[str, Answer | bytes]) -> list[str]:
    """Let a publisher answer each path (with its query) as told, all others 404; return the paths asked for so far."""
    asked: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        found = pages.get(handler.path, answering(b"", 404))
        (answering(found) if isinstance(found, bytes) else found)(handler)

    publisher.answer = answer
    return asked


def at(publisher: Publisher, path: str) -> str:
    return f"http://127.0.0.1:{publisher.port}{path}"
