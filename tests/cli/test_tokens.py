"""Tokens as an admin makes and ends them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.running import Installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("tokens") / "data")


def test_a_token_is_shown_once_and_kept_as_its_hash_alone(installation: Installation) -> None:
    made = installation.json("token", "create", "--role", "editor", "--name", "nightly import", "--expires", "90d")
    assert re.fullmatch(r"blk_[\w-]{43}", made["token"])
    assert made["token"].startswith(made["prefix"])
    shown = installation.json("token", "list")[-1]
    assert shown == {key: value for key, value in made.items() if key != "token"}
    assert (shown["role"], shown["name"], shown["state"]) == ("editor", "nightly import", "active")
    kept = b"".join(path.read_bytes() for path in installation.folder.rglob("*") if path.is_file())
    assert made["token"].encode() not in kept
    assert made["prefix"].encode() in kept


def test_a_revoked_token_stays_in_the_list_and_cannot_be_revoked_twice(installation: Installation) -> None:
    made = installation.json("token", "create", "--role", "viewer")
    assert f"token {made['id']} (viewer) revoked" in installation.run("token", "revoke", str(made["id"]))
    assert installation.json("token", "list")[-1]["state"] == "revoked"
    assert "revoked already" in installation.run("token", "revoke", str(made["id"]), status=1)
    assert "there is no token 99" in installation.run("token", "revoke", "99", status=1)
    actions = [(event["action"], event["target"], event["origin"]) for event in installation.json("audit", "list")]
    assert actions[:2] == [("token.revoke", str(made["id"]), "local"), ("token.create", str(made["id"]), "local")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--role", "owner"), "'owner' is not one of"),
        (("--role", "viewer", "--expires", "soon"), "neither a time"),
        (("--role", "viewer", "--expires", "2020-01-01"), "is past"),
        (("--role", "viewer", "--name", "a\x1bb"), "printable characters"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused_in_a_sentence(
    installation: Installation, options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    assert said in installation.run("token", "create", *options, status=2)
