"""The settings in force, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from blocklist.cli import main


def test_settings_are_shown_by_name_and_as_json_and_hide_what_is_secret(tmp_path: Path) -> None:
    config = tmp_path / "blocklist.toml"
    config.write_text('[fetch]\nproxy = "http://user:marker@proxy.example:3128"\n[policies.two]\nmin_authorities = 2\n')
    text = CliRunner().invoke(main, ["--config", str(config), "settings"]).output
    shown = json.loads(CliRunner().invoke(main, ["--config", str(config), "settings", "--json"]).output)
    assert "marker" not in text + json.dumps(shown)
    assert "fetch.proxy" in text
    assert "policies.two.min_authorities" in text
    assert (shown["fetch"]["proxy"], shown["policies"]["two"]["min_authorities"]) == ("***", 2)
