"""``blocklist notify``: as an admin runs it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.running import Installation
from tests.notify.receiving import SECRET, hook


def _installation(folder: Path, port: int) -> Installation:
    channels = {
        "ops": {"url": f"http://127.0.0.1:{port}/x", "secret_env": "HOOK_SECRET"},
        "gone": {"url": "http://127.0.0.1:1/", "secret_env": "NO_SUCH"},
    }
    settings = {"BLOCKLIST_NOTIFY__WEBHOOK": json.dumps(channels), "HOOK_SECRET": SECRET}
    return Installation(folder / "data", settings)


def test_a_test_says_of_each_channel_whether_it_arrived_and_the_doctor_names_the_trouble(tmp_path: Path) -> None:
    with hook() as receiver:
        here = _installation(tmp_path, receiver.port)
        assert here.run("notify", "test", "webhook:ops") == "webhook:ops  delivered\n"
        assert len(receiver.received) == 1
        said = here.run("notify", "test", status=1)
    assert "webhook:ops  delivered" in said
    assert "webhook:gone  waiting: the environment variable NO_SUCH is empty or not set" in said
    listed = here.json("notify", "list")
    assert [(row["channel"], row["state"], row["attempts"]) for row in listed] == [
        ("webhook:gone", "waiting", 1),
        ("webhook:ops", "delivered", 1),
        ("webhook:ops", "delivered", 1),
    ]
    assert [row["channel"] for row in here.json("notify", "list", "--state", "waiting")] == ["webhook:gone"]
    findings = {item["check"]: item for item in here.json("doctor", status=1)}
    assert findings["webhook:ops"]["ok"]
    assert "NO_SUCH" in findings["webhook:gone"]["found"]
    assert findings["webhook:gone"]["mend"].endswith(
        "'blocklist notify test webhook:gone' shows whether messages arrive"
    )


def test_a_channel_that_is_not_there_is_wrong_usage_that_names_those_there_are(tmp_path: Path) -> None:
    here = _installation(tmp_path, 1)
    assert "there is no channel 'pager': webhook:ops, webhook:gone" in here.run("notify", "test", "pager", status=1)
    here.settings.clear()
    assert "no channel is configured: see [notify]" in here.run("notify", "test", status=2)
