"""People as an admin adds, changes and shuts them out."""

from __future__ import annotations

import os
import pwd

import pytest

from tests.e2e.running import Installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("people") / "data")
    made.run("person", "add", "ada", "--role", "admin")
    made.run("person", "set-password", "ada", stdin="four words in a row\n")
    return made


def people(installation: Installation) -> dict[str, tuple[str, bool, bool]]:
    listed = installation.json("person", "list")
    return {item["name"]: (item["role"], item["has_password"], bool(item["disabled_at"])) for item in listed}


def test_a_person_is_added_with_a_link_and_no_password(installation: Installation) -> None:
    made = installation.json("person", "add", "Bert", "--role", "editor")
    assert made["link"].startswith("http://127.0.0.1:8080/admin/set-up?key=")
    assert people(installation)["bert"] == ("editor", False, False)
    assert "already" in installation.run("person", "add", "bert", "--role", "viewer", status=1)
    assert installation.json("person", "link", "bert")["link"] != made["link"]


def test_the_last_who_administers_can_neither_be_shut_out_nor_demoted(installation: Installation) -> None:
    for arguments in (("disable", "ada"), ("set-role", "ada", "viewer")):
        assert "only admin who can sign in" in installation.run("person", *arguments, status=1)
    installation.run("person", "add", "eve", "--role", "admin")
    installation.run("person", "set-password", "eve", stdin="five other words in a row\n")
    installation.run("person", "set-role", "ada", "viewer")
    installation.run("person", "set-role", "ada", "admin")
    installation.run("person", "disable", "eve")
    assert "was shut out" in installation.run("person", "link", "eve", status=1)
    assert people(installation)["eve"] == ("admin", True, True)
    installation.run("person", "enable", "eve")
    assert people(installation)["eve"] == ("admin", True, False)
    assert "0 sessions ended" in installation.run("person", "sign-out", "eve")
    actions = [event["action"] for event in installation.json("audit", "list")]
    assert actions[:2] == ["person.sign_out", "person.enable"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("add", "a b", "--role", "viewer"), 2, "no name to sign in with"),
        (("add", "schedule", "--role", "viewer"), 2, "no name to sign in with"),
        (("add", "x (token 1 of y)", "--role", "viewer"), 2, "no name to sign in with"),
        (("set-role", "nobody", "viewer"), 1, "there is no person 'nobody'"),
        (("set-password", "ada"), 2, "12 to 256 characters"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(
    installation: Installation, arguments: tuple[str, ...], status: int, said: str
) -> None:
    assert said in installation.run("person", *arguments, status=status, stdin="short\n")


def test_a_command_acts_for_the_system_user_who_runs_it_whatever_the_environment_says(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "x (token 1 of somebody-else)")
    installation.run("person", "add", "gil", "--role", "viewer")
    (event,) = (item for item in installation.json("audit", "list") if item["target"] == "gil")
    assert event["actor"] == f"{pwd.getpwuid(os.getuid()).pw_name} (command line)"
