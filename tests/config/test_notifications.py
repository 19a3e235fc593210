"""The settings of telling: what an admin gets wrong is said when the configuration is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from blocklist.config.notifications import WebhookSettings
from blocklist.config.settings import load_settings
from blocklist.domain.errors import ConfigurationError
from tests.notify.receiving import KEY, SECRET

HOOK = {"url": "https://hooks.example/x", "secret_env": "HOOK"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('webhook.a = {url = "ftp://x", secret_env = "A"}', "notify.webhook.a.url: not an address such as https://"),
        (
            'webhook.a = {url = "https://a b/", secret_env = "A"}',
            "notify.webhook.a.url: not an address such as https://",
        ),
        ('webhook.a = {url = "https://u:p@x/", secret_env = "A"}', "notify.webhook.a.url: not an address such as"),
        ('webhook.a = {url = "https://x/secret"}', "notify.webhook.a: set either secret_file or secret_env"),
        ('webhook.a = {url = "https://x", secret_env = "A", events = ["party"]}', "notify.webhook.a.events.0: Input"),
        ('email.a = {to = ["a@b.example"]}', "notify: e-mail needs smtp_host, the server that sends it"),
        ('smtp_host = "m"\nemail.a = {to = ["a@b.example"]}', "notify: '' is not an e-mail address, such as"),
        ('email.a = {to = ["a@b.example\\nBcc: c@d.example"]}', "is not an e-mail address, such as ops@example.com"),
        ("email.a = {to = []}", "notify.email.a.to: "),
        ('smtp_user = "u"', "notify: set either smtp_password_file or smtp_password_env"),
        (
            'smtp_user = "u"\nsmtp_password_env = "P"\nsmtp_security = "none"',
            'notify: smtp_security "none" would send the password',
        ),
        ("smtp_port = 0", "notify.smtp_port: "),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_setting(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[notify]\n{text}\n")
    with pytest.raises(ConfigurationError, match=re.escape(said)) as caught:
        load_settings(path)
    assert "https://x/secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "key"), [(SECRET, KEY), (SECRET.removeprefix("whsec_"), KEY), ("c2hvcnQ=", None), ("no base64!", None)]
)
def test_a_signing_secret_is_base64_of_enough_bytes(
    monkeypatch: pytest.MonkeyPatch, value: str, key: bytes | None
) -> None:
    monkeypatch.setenv("HOOK", value)
    channel = WebhookSettings.model_validate(HOOK)
    if key:
        assert channel.key() == key
        return
    with pytest.raises(ConfigurationError, match=r"the environment variable HOOK contains no signing secret") as caught:
        channel.key()
    assert value not in str(caught.value)


def test_a_secret_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the environment variable HOOK is empty or not set"):
        WebhookSettings.model_validate(HOOK).key()
    elsewhere: dict[str, Any] = {"url": HOOK["url"], "secret_file": str(tmp_path / "gone")}
    with pytest.raises(ConfigurationError, match=r"gone cannot be read: No such file"):
        WebhookSettings.model_validate(elsewhere).key()
