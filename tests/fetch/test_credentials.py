"""Secrets: each kind arrives at its publisher, and is found nowhere else."""

from __future__ import annotations

import base64
import gzip
import io
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog

from blocklist.definitions.source import Credentials
from blocklist.domain.errors import FetchError
from blocklist.fetch.credentials import load_secret
from blocklist.service import Service
from tests.e2e.running import Publisher
from tests.fetch.asking import Getting, answering, at, moved, site
from tests.support import definition, settings_for

#: Holds what each way of sending must encode, except for headers, which carry it as it is.
MARKER = "pl4nted/m+rker&s3cret"
FORMS = (
    MARKER,
    "pl4nted%2Fm%2Brker%26s3cret",
    "pl4nted/m%2Brker%26s3cret",
    base64.b64encode(f"me:{MARKER}".encode()).decode(),
)
KINDS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "bearer"}, MARKER),
    ({"kind": "header", "header": "X-Key"}, MARKER),
    ({"kind": "basic", "user": "me"}, MARKER),
    ({"kind": "basic"}, f"me:{MARKER}"),
    ({"kind": "query", "parameter": "key"}, MARKER),
]
IDS = ["bearer", "header", "basic", "basic pair", "query"]


@pytest.mark.parametrize("place", ["env", "file"])
@pytest.mark.parametrize(("kind", "held"), KINDS, ids=IDS)
def test_each_kind_arrives_from_the_environment_and_from_a_file(
    court: Publisher,
    get: Getting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: dict[str, Any],
    held: str,
    place: str,
) -> None:
    monkeypatch.setenv("A_TOKEN", f"{held}\n")
    (tmp_path / "token").write_text(f"{held}\n")
    asked = site(court, {"/l?a=1": b"x", f"/l?a=1&key={FORMS[1]}": b"x"})
    where = {"env": "A_TOKEN"} if place == "env" else {"file": str(tmp_path / "token")}
    assert get(at(court, "/l?a=1"), credentials=Credentials(**kind, **where)) is not None
    sent = court.requests[0]
    arrived = {
        "bearer": sent.get("Authorization") == f"Bearer {MARKER}",
        "header": sent.get("X-Key") == MARKER,
        "basic": sent.get("Authorization") == f"Basic {FORMS[3]}",
        "query": asked == [f"/l?a=1&key={FORMS[1]}"],
    }
    assert [name for name, there in arrived.items() if there] == [kind["kind"]]


@pytest.mark.parametrize(("kind", "held"), KINDS, ids=IDS)
def test_a_secret_is_found_nowhere_after_runs_that_ended_in_every_way(
    court: Publisher,
    other: Publisher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    kind: dict[str, Any],
    held: str,
) -> None:
    monkeypatch.setenv("A_TOKEN", held)
    caplog.set_level(logging.DEBUG)
    logged = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(logged))
    other.answer = answering(b"b.example\n")
    echo = ", ".join(FORMS)
    answers = [
        moved(f"http://127.0.0.1:{other.port}/there"),
        answering(b"no", 403, X_Echo=echo),
        answering(b"no", 503),
        moved(f"http://[{MARKER}/"),
        moved(f"http://127.0.0.1:1/{MARKER}"),
        answering(b"a.example\n", ETag=f'"{MARKER}"', Last_Modified=FORMS[1]),
        answering(b"a.example\n", Content_Encoding=MARKER),
        answering(f'{{"next": "/l?key={FORMS[1]}&page=2", "of": "{MARKER}"'.encode()),
        answering(f'{{"data": ["c.example"], "next": null, "self": "/l?key={FORMS[1]}", "k": "{MARKER}"}}'.encode()),
    ]
    settings = settings_for(tmp_path / "data")
    fetching = settings.fetch.model_copy(update={"allow_private_hosts": ("127.0.0.1",), "attempts": 2})
    service = Service(settings.model_copy(update={"fetch": fetching}))
    source = {"url": at(court, "/l"), "credentials": {**kind, "env": "A_TOKEN"}}
    pages = {"pagination": {"kind": "next", "field": "next", "rows": "data"}}
    service.feeds.add(definition("plain", source=source), "admin")
    service.feeds.add(definition("paged", format="json", options={"rows": "item.data"}, source=source | pages), "admin")
    outcomes = set()
    try:
        for answer in answers:
            court.answer = answer
            for name in ("plain", "paged"):
                outcomes.add(str(service.runs.refresh(name, "admin").outcome))
    finally:
        service.close()
        structlog.reset_defaults()
    assert {"applied", "failed"} <= outcomes
    printed = capfd.readouterr()
    heard = {"log": caplog.text + logged.getvalue(), "output": printed.out + printed.err}
    found = [name for name, text in heard.items() if any(form in text for form in FORMS)]
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            if any(form.encode() in data for form in FORMS):
                found.append(path.name)
    assert found == []
    assert not any(form in str(sent) for form in FORMS for sent in other.requests)


@pytest.mark.parametrize("secret", ["s3\ncret", "s3\x00cret", "s3cretü"])
def test_a_secret_that_no_header_carries_is_refused_without_being_shown(tmp_path: Path, secret: str) -> None:
    (tmp_path / "token").write_text(secret)
    with pytest.raises(FetchError, match="contains a character that no header can carry") as refused:
        load_secret(Credentials(kind="bearer", file=str(tmp_path / "token")))
    assert "s3" not in str(refused.value)


def test_a_missing_secret_is_said_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_TOKEN", raising=False)
    with pytest.raises(FetchError, match="the environment variable A_TOKEN is empty or not set"):
        load_secret(Credentials(kind="bearer", env="A_TOKEN"))
    with pytest.raises(FetchError, match=r"the file .*nothing cannot be read"):
        load_secret(Credentials(kind="bearer", file=str(tmp_path / "nothing")))
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(FetchError, match=r"the file .*empty is empty or not set"):
        load_secret(Credentials(kind="bearer", file=str(tmp_path / "empty")))
    monkeypatch.setenv("A_TOKEN", "nocolon")
    with pytest.raises(FetchError, match="does not contain user:password"):
        load_secret(Credentials(kind="basic", env="A_TOKEN"))


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_secret_is_blanked_out_of_a_body_wherever_it_is_cut(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setenv("A_TOKEN", MARKER)
    body = f"a {MARKER} b {FORMS[1]} c".encode()
    secret = load_secret(Credentials(kind="bearer", env="A_TOKEN"))
    assert b"".join(secret.redact_blocks(body[at : at + cut] for at in range(0, len(body), cut))) == (
        b"a [secret] b [secret] c"
    )


def test_a_short_secret_is_left_in_a_body_which_may_hold_it_by_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "test")
    secret = load_secret(Credentials(kind="bearer", env="A_TOKEN"))
    assert b"".join(secret.redact_blocks([b"test.example\n"])) == b"test.example\n"
    assert secret.redact("it is test") == "it is [secret]"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "bearer"},
        {"kind": "bearer", "env": "A", "file": "b"},
        {"kind": "query", "env": "A"},
        {"kind": "bearer", "env": "A", "parameter": "key"},
        {"kind": "bearer", "env": "A", "user": "me"},
        {"kind": "basic", "env": "A", "user": "a:b"},
        {"kind": "basic", "env": "A", "header": "X-Key"},
    ],
)
def test_credentials_that_could_not_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"set either|parameter|user is only|header is only"):
        Credentials.model_validate(wrong)
