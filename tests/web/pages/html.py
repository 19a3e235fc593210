"""Helpers that parse pages: elements, text, and unsafe markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node
from werkzeug.test import TestResponse

from blocklist.domain.run import Run
from blocklist.service import Service
from tests.e2e.running import wait_for
from tests.support import definition


def page(answer: TestResponse) -> HTMLParser:
    """Return the parsed HTML of a response."""
    assert answer.content_type == "text/html; charset=utf-8", answer.get_data(as_text=True)
    return HTMLParser(answer.get_data(as_text=True))


def text(answer: TestResponse) -> str:
    """Return the text of a page, with single spaces."""
    body = page(answer).body
    assert body
    return " ".join(body.text(separator=" ").split())


def problem(answer: TestResponse, field: str) -> str:
    """Return the error next to a field, and check that screen readers announce it."""
    shown = page(answer)
    marked = only(shown, f'[id="{field}"]')
    assert marked.attributes.get("aria-invalid") == "true"
    id_ = f"problem-{field}"
    assert id_ in (marked.attributes.get("aria-describedby") or "")
    return only(shown, f'[id="{id_}"]').text()


def only(shown: HTMLParser, selector: str) -> Node:
    (found,) = shown.css(selector)
    return found


def harms(answer: TestResponse) -> list[str]:
    """Return the parts of a page that could run a script, load from other hosts, or link unsafely."""
    found = []
    for node in page(answer).css("*"):
        attributes = node.attributes
        found += [f"{node.tag} {name}" for name in attributes if name.startswith("on") or name == "style"]
        if node.tag in ("style", "iframe", "object", "embed", "base", "img"):
            found.append(node.html or node.tag)
        if node.tag == "script" and (node.text() or not (attributes.get("src") or "").startswith("/admin/static/")):
            found.append(node.html or node.tag)
        for name in ("href", "src", "action"):
            place = (attributes.get(name) or "").strip()
            if place and place != "/docs" and not place.startswith(("/admin/", "#", "https://", "http://", "mailto:")):
                found.append(f"{node.tag} {name}={place}")
            if place.startswith("http") and "noreferrer" not in (attributes.get("rel") or ""):
                found.append(f"{node.tag} {name}={place} tells where it came from")
    return found


def listed(service: Service, folder: Path, body: str, name: str = "court", **more: Any) -> Run:
    """Add a feed that reads a file with this body, or change the file, and refresh it."""
    path = folder / f"{name}.list"
    path.write_text(body, encoding="utf-8")
    if name not in {feed.name for feed in service.store.feeds.all()}:
        service.feeds.add(definition(name, source={"file": str(path)}, **more), "a test")
    return service.runs.refresh(name, "a test")


def definition_form(**more: str) -> dict[str, str]:
    """Return valid values for the form of a definition."""
    return {
        "name": "court",
        "source.url": "",
        "every": "6h",
        "format": "lines",
        "authority.name": "Test Court",
        "authority.kind": "court",
        "authority.country": "GB",
        **more,
    }


def ended(client: FlaskClient, address: str) -> TestResponse:
    """Wait until a run has ended, and return its page."""
    wait_for(lambda: bool((client.get(f"{address}/progress").json or {})["ended"]))
    return client.get(address)
