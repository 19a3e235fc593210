"""Delivery to webhooks: signed as the documentation says, retried, lost by no restart, and never inward."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from blocklist.daemon.scheduler import Scheduler
from blocklist.domain.clock import now
from blocklist.notify.messages import Message
from blocklist.notify.notifier import Notifier
from blocklist.notify.webhook import post
from blocklist.service import Service
from tests.e2e.running import wait_for
from tests.notify.conftest import Telling
from tests.notify.receiving import SECRET
from tests.support import Clock

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def test_a_message_is_genuine_by_the_example_of_the_documentation_and_an_altered_one_is_not(telling: Telling) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    documented: dict[str, Any] = {}
    exec(example, documented)  # the documentation's own words
    is_genuine = documented["is_genuine"]
    told = telling()
    assert [row["state"] for row in told.notifier.test()] == ["delivered"]
    ((headers, body),) = told.hook.received
    assert is_genuine(SECRET, headers, body)
    assert is_genuine(SECRET, headers | {"webhook-signature": "v1,b2xk " + headers["webhook-signature"]}, body)
    assert not is_genuine(SECRET, headers, body.replace(b"test", b"text"))
    assert not is_genuine(SECRET, headers | {"webhook-id": "msg_other"}, body)
    assert not is_genuine("whsec_" + "A" * 44, headers, body)
    old = str(int(time.time()) - 400)
    assert not is_genuine(SECRET, headers | {"webhook-timestamp": old}, body)
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["type"] == "blocklist.test"


def test_the_message_shown_in_the_documentation_has_the_fields_of_a_real_one(telling: Telling) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", OPERATIONS.read_text("utf-8"), re.DOTALL)
    told = telling()
    told.feed("it-agcom", body=None)
    told.service.runs.refresh("it-agcom", "tester")
    told.tick()
    real, documented = json.loads(told.hook.received[0][1]), json.loads(shown)
    assert real.keys() == documented.keys()
    assert real["data"].keys() == documented["data"].keys()
    assert real["data"]["news"][0].keys() == documented["data"]["news"][0].keys()
    assert real["data"]["summary"] == documented["data"]["summary"]


def test_a_message_is_tried_again_with_growing_delays_and_the_same_id(telling: Telling) -> None:
    told = telling()
    told.hook.statuses = [500, 503, 302, 204]
    told.feed("court", body=None)
    told.service.runs.refresh("court", "tester")
    for after in (0, 4, 4, 290, 80, 1_790, 400, 10_000):
        told.tick(after)
    assert len(told.hook.received) == 4, "nothing is sent before its time, and no redirect is followed"
    assert len({headers["webhook-id"] for headers, _ in told.hook.received}) == 1
    (row,) = told.service.store.alerts.messages()
    assert (row["state"], row["attempts"], row["trouble"]) == ("delivered", 4, None)


def test_a_restart_loses_no_message(telling: Telling) -> None:
    told = telling()
    told.hook.statuses = [500, 200]
    told.feed("court", body=None)
    told.service.runs.refresh("court", "tester")
    told.tick()
    told.service.close()
    again = telling()
    again.tick(10)
    (row,) = again.service.store.alerts.messages()
    assert (row["state"], row["attempts"]) == ("delivered", 2)
    assert again.hook.news == [[("begun", "run_failed", "court")]] * 2


class Killed(BaseException):
    """What ends a process wherever it is."""


def test_a_message_whose_deliverer_died_is_delivered_by_the_next(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise Killed

    told = telling()
    with told.service.store.database.transaction():
        told.service.store.alerts.queue("msg_1", "webhook:ops", "x", '{"data": {"news": []}}', now(), "")
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("blocklist.notify.notifier.post", dies)
        told.notifier.deliver()
    for seconds in (0, 30):
        told.tick(seconds)
        assert told.hook.received == [], "nobody else takes it meanwhile"
    told.tick(60)
    assert len(told.hook.received) == 1


@pytest.mark.parametrize(("status", "tries"), [(410, 1), (500, 9)])
def test_a_message_is_given_up_at_once_where_nobody_is_left_and_else_after_the_last_try(
    telling: Telling, status: int, tries: int
) -> None:
    told = telling(remind=10_000_000)
    told.hook.statuses = [status]
    told.feed("court", body=None)
    told.service.runs.refresh("court", "tester")
    for _ in range(12):
        told.tick(90_000)
    assert len(told.hook.received) == tries
    (row,) = told.service.store.alerts.messages("given up")
    assert row["trouble"].startswith(f"127.0.0.1 answered {status}")


def test_no_message_goes_to_an_address_that_is_not_public(telling: Telling) -> None:
    told = telling(fetch={})
    (row,) = told.notifier.test()
    assert (row["state"], row["attempts"]) == ("waiting", 1)
    assert row["trouble"].startswith("127.0.0.1: ")
    assert "fetch.allow_private_hosts" in row["trouble"]
    assert told.hook.received == []


def test_a_receiver_that_does_not_answer_is_trouble_and_no_fault(telling: Telling, tmp_path: Path) -> None:
    told = telling()
    channel = told.service.settings.notify.webhook["ops"].model_copy(update={"url": "http://127.0.0.1:1/x"})
    settings = told.service.settings
    notify = settings.notify.model_copy(update={"webhook": {"ops": channel}})
    notifier = Notifier(told.service.store, settings.model_copy(update={"notify": notify}), str)
    (row,) = notifier.test()
    assert row["trouble"].startswith("127.0.0.1: no answer: no connection to 127.0.0.1")


def test_a_fault_of_ours_with_one_message_keeps_no_other_from_going_out(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = telling()
    with told.service.store.database.transaction():
        for message, content in (("msg_bad", "{}"), ("msg_good", '{"data": {"news": []}}')):
            told.service.store.alerts.queue(message, "webhook:ops", "x", content, now(), "")

    def breaks(channel: object, fetching: object, timeout: float, message: Message) -> None:
        if message.id == "msg_bad":
            raise RuntimeError("unforeseen")
        post(*(channel, fetching, timeout, message))  # type: ignore[arg-type]

    monkeypatch.setattr("blocklist.notify.notifier.post", breaks)
    told.tick()
    rows = {row["message"]: row for row in told.service.store.alerts.messages()}
    assert (rows["msg_good"]["state"], rows["msg_bad"]["state"]) == ("delivered", "waiting")
    assert rows["msg_bad"]["trouble"] == "a fault of the service, please report it: RuntimeError: unforeseen"


def test_a_receiver_that_never_ends_its_answer_is_left_at_the_time_limit(telling: Telling) -> None:
    told = telling(timeout=1)
    told.hook.drips = True
    began = time.monotonic()
    (row,) = told.notifier.test()
    assert time.monotonic() - began < 3
    assert row["state"] == "waiting"
    assert "took longer than 1 s (setting notify.timeout)" in row["trouble"]


def test_neither_the_secret_nor_the_path_of_a_webhook_is_kept_or_said(
    telling: Telling, capfd: pytest.CaptureFixture[str]
) -> None:
    told = telling()
    told.hook.statuses = [500]
    told.notifier.test()
    with sqlite3.connect(told.service.store.database.path) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    said = dump + repr(told.service.settings) + "".join(capfd.readouterr())
    assert "webhook:ops" in dump
    assert "SECRET-PATH" not in said
    assert SECRET.removeprefix("whsec_") not in said


def test_the_schedule_tells_in_a_thread_of_its_own(telling: Telling) -> None:
    told = telling()
    told.feed("court", body=None)
    told.clock.run()
    scheduler = Scheduler(told.service)
    scheduler.start()
    try:
        wait_for(lambda: any(run.outcome for run in told.service.store.runs.all()))
        told.clock.advance(5)
        wait_for(lambda: bool(told.hook.received))
    finally:
        scheduler.stop(wait=True)
    assert told.hook.news[0] == [("begun", "run_failed", "court")]


def test_without_a_channel_nothing_is_looked_at(
    service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Notifier] = []
    monkeypatch.setattr(Notifier, "tick", looks.append)
    clock.run()
    scheduler = Scheduler(service)
    scheduler.start()
    clock.advance(60)
    try:
        wait_for(lambda: bool(service.store.statistics.samples("")))
    finally:
        scheduler.stop(wait=True)
    assert looks == []
