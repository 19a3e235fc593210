"""The Chromium of the system, without requests to its vendor."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, TimeoutError, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
#: A folder that pictures of every page are written to, where one is named.
PICTURES = os.environ.get("BLOCKLIST_SCREENSHOTS")
Scheme = Literal["light", "dark"]


def browse(url: str, folder: Path, *options: str) -> str:
    """Open an address and return what the browser prints."""
    assert CHROMIUM
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder}", *options, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=dict(os.environ)).stdout


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser that a test drives."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


@dataclass
class Visitor:
    """A browser window; ``troubles`` are the errors that the browser reported."""

    page: Page
    name: str
    troubles: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, started: Browser, base_url: str, width: int, scheme: Scheme, *, scripts: bool = True) -> Visitor:
        """Open a window with a width and a color scheme, with or without scripts."""
        context = started.new_context(
            base_url=base_url,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)
        visitor = cls(context.new_page(), f"{'phone' if width < 600 else 'desktop'}-{scheme}")
        visitor.page.on("console", lambda said: visitor._heard(said.type, said.text))
        visitor.page.on("pageerror", lambda error: visitor.troubles.append(f"script: {error}"))
        visitor.page.on("request", lambda request: visitor._check_host(request, base_url))
        return visitor

    def look(self, name: str, *, closely: bool = True) -> None:
        """Check the page for horizontal overflow and with axe (WCAG A and AA); save a screenshot."""
        # On a busy machine, the text can appear before the style sheet.
        self.page.wait_for_load_state("load")
        if PICTURES:
            folder = Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{name}-{self.name}.png", full_page=True)
        out = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert out <= 0, f"{name}: {out} pixels stick out at the right"
        if closely:
            found = Axe().run(self.page).response["violations"]
            told = [f"{item['id']}: {item['help']}: {item['nodes'][0]['target']}" for item in found]
            assert told == [], name

    def fill(self, **fields: str) -> None:
        """Fill in the fields with these names (a double underscore means a dot)."""
        for name, value in fields.items():
            self.page.locator(f'main form:not(.search) [name="{name.replace("__", ".")}"]').fill(value)

    def press(self, button: str) -> None:
        """Click the button with this name."""
        self.page.locator("main").get_by_role("button", name=button, exact=True).click()

    def sees(self, text: str) -> None:
        """Wait until the page has a text."""
        try:
            self.page.get_by_text(text).first.wait_for()
        except TimeoutError:
            there = " ".join(self.page.locator("main").inner_text().split())
            pytest.fail(f"{text!r} does not stand at {self.page.url}: {there[:600]}; {self.troubles[-3:]}")

    def _heard(self, kind: str, said: str) -> None:
        # Advice of the browser is ignored; errors and warnings are not.
        if kind in ("error", "warning"):
            self.troubles.append(f"console: {said}")

    def _check_host(self, request: Request, base_url: str) -> None:
        if not request.url.startswith(base_url):
            self.troubles.append(f"asked {request.url}")
