"""E-mail, against a real mail server with STARTTLS."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography import x509

from blocklist.domain.clock import now
from blocklist.domain.errors import ConfigurationError
from blocklist.notify.messages import Message
from tests.certificates import certificate
from tests.notify.conftest import Telling
from tests.notify.receiving import mail_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("mail")
    certificate("ca", "ca", made / "ca.pem")
    certificate("localhost", "ca", made / "server.pem", [x509.DNSName("localhost")])
    (made / "password").write_text("correct horse\n")
    return made


def mail(folder: Path, port: int, **more: object) -> dict[str, object]:
    """Return settings that mail to two people and post to nobody."""
    return {
        **{"smtp_host": "localhost", "smtp_port": port, "smtp_from": "blocklist@ads.example", "webhook": {}},
        **{"smtp_user": "us", "smtp_password_file": str(folder / "password")},
        "email": {"team": {"to": ["ops@ads.example", "legal@ads.example"]}},
        **more,
    }


def test_news_are_mailed_over_starttls_signed_in(telling: Telling, folder: Path) -> None:
    with mail_server(folder / "server.pem", "correct horse") as box:
        told = telling(fetch={"ca_file": str(folder / "ca.pem")}, **mail(folder, box.port))
        told.feed("court", body=None)
        told.service.runs.refresh("court", "tester")
        told.tick()
    (row,) = told.service.store.alerts.messages()
    assert (row["state"], row["trouble"]) == ("delivered", None)
    assert box.sign_ins == [(b"us", b"correct horse")]
    assert box.envelopes == [("blocklist@ads.example", ["ops@ads.example", "legal@ads.example"])]
    (sent,) = box.mails
    assert (sent["Subject"], sent["Auto-Submitted"]) == ("[blocklist] run failed: court", "auto-generated")
    assert sent["Message-ID"] == f"<{row['message']}@ads.example>"
    text = sent.get_content().replace("\r\n", "\n")
    assert text.startswith("run failed: court\n\n[begun] court: run 1 failed: ")
    assert "The previous list goes on serving." in text


@pytest.mark.parametrize("security", ["tls", "none"])
def test_mail_goes_over_tls_from_the_first_byte_or_unencrypted_where_told(
    telling: Telling, folder: Path, security: str
) -> None:
    with mail_server(folder / "server.pem", security=security) as box:
        more = {"smtp_security": security, "smtp_user": "", "smtp_password_file": ""}
        told = telling(fetch={"ca_file": str(folder / "ca.pem")}, **mail(folder, box.port, **more))
        (row,) = told.notifier.test()
    assert (row["state"], row["trouble"]) == ("delivered", None)
    assert box.mails[0]["Subject"] == "[blocklist] test: messages of blocklist arrive here"


def test_a_subject_injects_no_header(telling: Telling, folder: Path) -> None:
    with mail_server(folder / "server.pem", "correct horse") as box:
        told = telling(fetch={"ca_file": str(folder / "ca.pem")}, **mail(folder, box.port))
        content = {"data": {"news": [], "left_out": 0}}
        hostile = Message("msg_1", "run failed: x\r\nBcc: all@evil.example\r\n\r\n\u202e<html>" + "x" * 5_000, content)
        with told.service.store.database.transaction():
            told.service.store.alerts.queue(
                hostile.id, "email:team", hostile.summary, json.dumps(hostile.content), now(), ""
            )
        told.notifier.deliver()
    (sent,) = box.mails
    assert sent["Bcc"] is None
    assert "\u202e" not in sent["Subject"]
    assert len(sent["Subject"]) == 200
    assert sent.get_content_type() == "text/plain"


def test_a_server_that_is_not_trusted_gets_no_password(telling: Telling, folder: Path) -> None:
    with mail_server(folder / "server.pem", "correct horse") as box:
        told = telling(**mail(folder, box.port))
        (row,) = told.notifier.test()
    assert row["state"] == "waiting"
    assert "certificate verify failed" in row["trouble"]
    assert box.sign_ins == []


def test_a_refused_recipient_is_told_and_the_others_get_the_message(telling: Telling, folder: Path) -> None:
    with mail_server(folder / "server.pem", "correct horse") as box:
        box.refused = ("legal@ads.example",)
        told = telling(fetch={"ca_file": str(folder / "ca.pem")}, **mail(folder, box.port))
        (row,) = told.notifier.test()
        assert row["state"] == "delivered"
        assert row["trouble"] == "localhost refused legal@ads.example: 550 no such person here"
        box.refused = ("legal@ads.example", "ops@ads.example")
        (row,) = told.notifier.test()
        assert row["state"] == "given up"
    assert len(box.mails) == 1


def test_a_wrong_password_and_a_missing_one_are_trouble_that_says_why(telling: Telling, folder: Path) -> None:
    with mail_server(folder / "server.pem", "another") as box:
        told = telling(fetch={"ca_file": str(folder / "ca.pem")}, **mail(folder, box.port))
        (row,) = told.notifier.test()
        assert row["trouble"].startswith("localhost: 535 ")
        assert "correct horse" not in row["trouble"]
    settings = told.service.settings.notify.model_copy(update={"smtp_password_file": str(folder / "nowhere")})
    with pytest.raises(ConfigurationError, match=r"the file .*nowhere cannot be read: No such file"):
        settings.smtp_password()
