"""The pages in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.running import Installation, serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


def browse(url: str, folder: Path, *options: str) -> str:
    assert CHROMIUM
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder}", *options, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=dict(os.environ)).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_real_browser_shows_the_overview_and_a_lookup_with_its_evidence(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    installation.run("feed", "samples")
    with serving(installation) as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(
            base_url=service.control,
            extra_http_headers=installation.bearer,
            viewport={"width": 1200, "height": 900},
        )
        page.goto("/admin/")
        assert "it-agcom" in page.content()
        assert "fresh" in page.content()
        # A page without its style sheet compresses to a fraction of this.
        assert len(page.screenshot(type="png")) > 50_000
        page.goto("/admin/lookup?target=cinema-pirata.example")
        assert "Autorità per le Garanzie nelle Comunicazioni" in page.content()
        assert "still listed" in page.content()
        browser.close()
