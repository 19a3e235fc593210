"""Secrets, planted as markers wherever one may be, and looked for in all that the service leaves behind."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import httpx
import pytest
import structlog
from click.testing import CliRunner

from blocklist.cli import main
from blocklist.config.logs import configure_logs
from blocklist.config.settings import LogSettings
from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.e2e.running import Installation, Running, publisher, respond, serving, wait_for
from tests.support import add_person, definition, settings_for

_MARKERS = {
    "password": "marker one is a password",
    "wrong password": "marker two is a wrong one",
    "password in place of the name": "marker three is no name",
    "basic": "marker-four-basic",
    "query": "marker-five-query",
    "bearer": "marker-six-bearer",
    "wrong token": "blk_marker-seven-is-no-token",
    "webhook": "marker-eight-webhook",
    "mail": "marker-nine-mail",
    "lookups": "marker-ten-lookups",
}


def test_no_secret_is_in_any_log_page_error_database_or_audit_entry(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("basic", "query", "bearer", "webhook", "lookups"):
        (secrets / name).write_text(f"{_MARKERS[name]}\n")
    markers, seen = dict(_MARKERS), [""]
    with publisher() as published:
        # It answers with what it was asked, as some do in their errors.
        published.answer = lambda handler: respond(handler, f"no: {handler.path}".encode(), status=403)
        hook = {"pager": {"url": published.url, "secret_file": str(secrets / "webhook")}}
        installation = Installation(
            tmp_path / "data",
            {
                "BLOCKLIST_LOG__LEVEL": "debug",
                "BLOCKLIST_LOOKUP__TOKEN_FILE": str(secrets / "lookups"),
                "BLOCKLIST_NOTIFY__GATHER": "0",
                "BLOCKLIST_NOTIFY__WEBHOOK": json.dumps(hook),
                "BLOCKLIST_NOTIFY__EMAIL": '{"team": {"to": ["ops@a.example"]}}',
                "BLOCKLIST_NOTIFY__SMTP_HOST": "127.0.0.1",
                "BLOCKLIST_NOTIFY__SMTP_PORT": "9",
                "BLOCKLIST_NOTIFY__SMTP_FROM": "blocklist@a.example",
                "BLOCKLIST_NOTIFY__SMTP_USER": "us",
                "BLOCKLIST_NOTIFY__SMTP_PASSWORD_ENV": "MARKED_MAIL",
                "MARKED_MAIL": _MARKERS["mail"],
            },
        )
        prepared = Service(settings_for(installation.folder))
        for kind, more in (("basic", {"user": "us"}), ("query", {"parameter": "key"}), ("bearer", {})):
            credentials = {"kind": kind, "file": str(secrets / kind), **more}
            source = {"url": published.url, "credentials": credentials}
            prepared.feeds.add(definition(f"with-{kind}", source=source), "test")
        markers["token"] = prepared.tokens.create(Role.ADMIN, "test")[1]
        add_person(prepared, "ada", password=_MARKERS["password"])
        markers["link"] = prepared.people.new_link("ada", "test")[1]
        with serving(installation, wait_ready=False) as service:
            wait_for(lambda: all(feed.last_attempt for feed in prepared.store.feeds.all()))
            wait_for(
                lambda: len(prepared.store.runs.all()) == 3 and all(run.outcome for run in prepared.store.runs.all())
            )
            wait_for(lambda: len(prepared.store.alerts.messages()) >= 2)
            seen += _use(service, markers)
    assert any(_MARKERS["bearer"] in asked.get("Authorization", "") for asked in published.requests)
    prepared.close()
    for command in (
        *("token list", "person list", "feed list", "run list", "run show 1", "audit list", "audit list --json"),
        *("audit export", "audit export --format csv", "feed show with-query --json", "notify list --json"),
    ):
        done = CliRunner().invoke(main, ["--data-dir", str(installation.folder), *command.split()])
        assert done.exit_code == 0, (command, done.output)
        seen.append(done.output)
    log = (tmp_path / "data.log").read_text()
    assert "sign-in refused" in log
    database = sqlite3.connect(installation.folder / "blocklist.db")
    seen += [log, "\n".join(database.iterdump())]
    database.close()
    assert "with-query" in seen[-1]
    kept = b"".join(path.read_bytes() for path in installation.folder.rglob("*") if path.is_file())
    said = "\n".join(seen)
    assert {name for name, secret in markers.items() if secret in said or secret.encode() in kept} == set()


def _use(service: Running, markers: dict[str, str]) -> list[str]:
    """Ask for everything, rightly and wrongly; return every answer, and add what a browser carries to the markers."""
    seen = []
    with httpx.Client(base_url=service.control, trust_env=False) as browser:

        def sign_in(name: str, password: str) -> httpx.Response:
            page = browser.get("/admin/sign-in").text
            csrf = re.findall(r'name="csrf" value="(\w+)"', page)[0]
            return browser.post("/admin/sign-in", data={"csrf": csrf, "name": name, "password": password})

        seen.append(sign_in("ada", markers["wrong password"]).text)
        answer = sign_in("ada", markers["password"])
        assert answer.status_code == 303
        seen.append(answer.text)
        places = ("", "feeds", "feeds/with-basic", "feeds/with-query", "runs", "runs/1", "audit", "access", "settings")
        for path in (*places, "account"):
            page = browser.get(f"/admin/{path}")
            assert page.status_code == 200, path
            seen.append(page.text)
        markers["session"] = browser.cookies["blocklist"]
        browser.cookies.clear()
        seen.append(sign_in(markers["password in place of the name"], "x").text)
        for shown in (markers["token"], markers["wrong token"]):
            headers = {"Authorization": f"Bearer {shown}"}
            seen.append(browser.get("/v1/history?target=a.example", headers=headers).text)
            seen.append(browser.get("/v1/lookup?domain=a.example", headers=headers).text)
    return seen


@pytest.mark.parametrize("json_lines", [False, True])
def test_a_fault_tells_of_no_secret_that_it_happened_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, json_lines: bool
) -> None:
    configure_logs(LogSettings(json_lines=json_lines))
    service = Service(settings_for(tmp_path / "data"))

    def broken(*arguments: object) -> None:
        raise RuntimeError("the store is broken")

    monkeypatch.setattr(service.store.people, "find", broken)
    client = create_app(Follower(service.snapshots.folder, 60), service).test_client()
    csrf = re.findall(r'name="csrf" value="(\w+)"', client.get("/admin/sign-in").text)[0]
    form = {"csrf": csrf, "name": "ada", "password": _MARKERS["password"]}
    try:
        answer = client.post("/admin/sign-in", data=form)
    finally:
        structlog.reset_defaults()
        service.close()
    log = capsys.readouterr().err
    assert answer.status_code == 500
    assert "the store is broken" in log
    assert _MARKERS["password"] not in answer.text + log
