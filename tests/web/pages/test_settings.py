"""The settings page, and the settings that it hides."""

from __future__ import annotations

from pathlib import Path

from blocklist.config.settings import Settings
from blocklist.web.pages.settings import settings_of
from tests.support import settings_for


def test_every_setting_has_its_value_and_description(tmp_path: Path) -> None:
    shown = settings_of(settings_for(tmp_path, snapshot={"keep": 7}))
    sections = [name for name in Settings.model_fields if name not in ("data_dir", "policies")]
    assert list(shown) == sections
    (keep,) = [setting for setting in shown["snapshot"] if setting.name == "keep"]
    assert (keep.value, keep.changed) == ("7", True)
    silent = [setting.name for section in shown.values() for setting in section if not setting.description]
    assert silent == ["webhook", "email"]


def test_a_setting_that_can_contain_a_password_is_hidden(tmp_path: Path) -> None:
    shown = settings_of(settings_for(tmp_path, fetch={"proxy": "http://user:marker@proxy.example:3128"}))
    assert "marker" not in str(shown)
    (proxy,) = [setting for setting in shown["fetch"] if setting.name == "proxy"]
    assert (proxy.value, proxy.changed) == ("set (hidden)", True)


def test_the_address_of_a_channel_is_hidden(tmp_path: Path) -> None:
    channel = {"url": "https://hooks.example/marker", "secret_file": "/run/secrets/hook"}
    shown = settings_of(settings_for(tmp_path, notify={"webhook": {"pager": channel}}))
    assert "marker" not in str(shown)
    values = {setting.name: setting.value for setting in shown["notify"]}
    assert values["webhook.pager.url"] == "set (hidden)"
    assert values["webhook.pager.secret_file"] == '"/run/secrets/hook"'
