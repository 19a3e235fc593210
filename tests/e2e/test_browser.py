"""The pages in a real browser."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
    with serving(installation) as service:
        overview = browse(f"{service.control}/admin/", tmp_path / "browser", "--dump-dom")
        assert "it-agcom" in overview
        assert "fresh" in overview
        found = browse(
            f"{service.control}/admin/lookup?target=cinema-pirata.example", tmp_path / "browser", "--dump-dom"
        )
        assert "Autorità per le Garanzie nelle Comunicazioni" in found
        assert "still listed" in found
        picture = tmp_path / "overview.png"
        browse(f"{service.control}/admin/", tmp_path / "browser", f"--screenshot={picture}", "--window-size=1200,900")
        assert picture.read_bytes().startswith(b"\x89PNG")
        # A page without its style sheet compresses to a fraction of this.
        assert picture.stat().st_size > 50_000
