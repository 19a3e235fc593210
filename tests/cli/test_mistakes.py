"""Mistakes of admins: one line that says what, where and the mend; an exit status; never a traceback."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.running import Installation

COURT = ("--authority", "Test Court", "--kind", "court", "--country", "GB")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data")


def one_line(text: str) -> str:
    lines = text.strip().splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("blocklist: ")
    return lines[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[serve\n", "not TOML"),
        ("[fetch]\nmax_byte = 5\n", "max_byte"),
        ('[serve]\ncontrol = "8080"\n', "HOST:PORT"),
        ('[policies.mine]\nkinds = ["police"]\n', "policies.mine.kinds"),
        ("\xff", "UTF-8"),
    ],
)
def test_an_unreadable_configuration_names_the_file_and_the_place(
    content: str, said: str, installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "blocklist.toml"
    path.write_bytes(content.encode("latin-1"))
    line = one_line(installation.run("--config", str(path), "feed", "list", status=2))
    assert str(path) in line
    assert said in line


def test_a_missing_configuration_file_is_named(installation: Installation) -> None:
    assert "nowhere.toml" in one_line(installation.run("--config", "nowhere.toml", "feed", "list", status=2))


def test_a_setting_in_the_environment_that_is_not_json_is_told(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data", {"BLOCKLIST_FETCH__ALLOW_PRIVATE_HOSTS": "127.0.0.1"})
    assert "JSON" in one_line(installation.run("feed", "list", status=2))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--file", "x", "--format", "yaml", *COURT), "'yaml' is unknown: use one of lines"),
        (("--file", "x", "--format", "csv", *COURT), "column: is missing"),
        (("--file", "x", "--format", "csv", *COURT, "--option", "colunm=2"), "colunm"),
        (("--file", "x", "--format", "csv", *COURT, "--option", "column"), "key=value"),
        (
            ("--file", "x", "--format", "csv", *COURT, "--option", "header=false", "--option", "column=site"),
            "a number from 1",
        ),
        (("--file", "x", "--format", "lines", *COURT, "--option", "encoding=klingon"), "'klingon' is not an encoding"),
        (("--file", "x", "--format", "lines", *COURT[:4], "--country", "England"), "two capital letters"),
        (("--file", "x", "--format", "lines", *COURT[:2], "--kind", "police", *COURT[4:]), "authority.kind"),
        (("--url", "gopher://x/", "--format", "lines", *COURT), "not an address"),
        (("--url", "https://x/", "--file", "x", "--format", "lines", *COURT), "either url or file"),
        (("--file", "x", "--format", "lines", *COURT, "--every", "often"), "not a duration"),
        (("--file", "x"), "--format, --authority, --kind, --country is missing"),
    ],
)
def test_a_wrong_definition_is_refused_when_it_is_added(
    arguments: tuple[str, ...], said: str, installation: Installation
) -> None:
    assert said in one_line(installation.run("feed", "add", "mine", *arguments, status=2))
    assert installation.json("feed", "list") == []


def test_a_column_that_the_list_does_not_have_fails_the_run_and_names_those_it_has(
    installation: Installation, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_text("host,order\npirate.example,1\n")
    installation.run("feed", "add", "mine", "--file", str(path), "--format", "csv", *COURT, "--option", "column=domain")
    run = installation.json("refresh", "mine", status=1)[0]
    assert run["outcome"] == "failed"
    assert "no column 'domain' in the header; it has host, order" in run["reason"]


@pytest.mark.parametrize(
    "arguments",
    [
        *(("feed", "show", "nobody"), ("refresh", "nobody"), ("run", "show", "7"), ("override", "remove", "7")),
        *(("feed", "pause", "nobody"), ("feed", "remove", "nobody"), ("run", "approve", "7", "--reason", "x")),
        ("lookup", "example.com"),
    ],
)
def test_what_does_not_exist_is_named_with_the_command_that_shows_what_does(
    arguments: tuple[str, ...], installation: Installation
) -> None:
    assert "blocklist " in one_line(installation.run(*arguments, status=1)).removeprefix("blocklist: ")


def test_a_feed_of_the_same_name_is_not_added_twice(installation: Installation) -> None:
    installation.run("feed", "add", "it-agcom")
    assert "exists already" in one_line(installation.run("feed", "add", "it-agcom", status=1))


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = one_line(Installation(tmp_path / "file" / "data").run("feed", "list", status=1))
    assert "cannot be written" in line
    assert "--data-dir" in line


def test_a_database_from_a_newer_version_is_left_alone(installation: Installation) -> None:
    installation.run("feed", "list")
    path = installation.folder / "blocklist.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('blocklist', 'm999_future', '2027-01-01')"
        )
    database.close()
    assert "newer version of blocklist (it has m999_future)" in one_line(installation.run("feed", "list", status=1))


def test_a_file_that_is_no_database_is_told(installation: Installation) -> None:
    installation.folder.mkdir()
    (installation.folder / "blocklist.db").write_bytes(b"not a database" * 100)
    assert "cannot be used" in one_line(installation.run("feed", "list", status=1))


def test_a_port_in_use_is_named_with_the_option_that_chooses_another(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = installation.run("serve", "--control", "127.0.0.1:0", "--lookup", f"127.0.0.1:{port}", status=1)
    line = said.strip().splitlines()[-1]
    assert f"cannot listen on 127.0.0.1:{port}" in line
    assert "--lookup HOST:PORT" in line


def test_the_control_plane_does_not_listen_beyond_this_machine_in_the_clear(installation: Installation) -> None:
    assert "serve.tls_certificate" in one_line(installation.run("serve", "--control", "0.0.0.0:8080", status=2))


def test_wrong_targets_and_times_are_told_and_end_with_status_two(installation: Installation) -> None:
    installation.run("snapshot", "build")
    assert "unknown" in installation.run("lookup", "a b", "example.com", status=2)
    assert "not a time" in one_line(installation.run("lookup", "example.com", "--at", "yesterday", status=2))
    assert "public suffix" in one_line(installation.run("override", "block", "co.uk", "--reason", "x", status=2))
    assert "needs a reason" in one_line(installation.run("override", "allow", "a.example", "--reason", " ", status=2))
    assert "is past" in one_line(
        installation.run("override", "allow", "a.example", "--reason", "x", "--until", "2020-01-01", status=2)
    )


def test_a_publisher_that_cannot_be_reached_is_one_sentence_however_often_it_was_tried(
    installation: Installation,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/list.txt"
    installation.run("feed", "add", "mine", "--url", url, "--format", "lines", *COURT)
    said = installation.run("refresh", "mine", status=1).strip().splitlines()
    assert len(said) == 1, said
    assert "no connection to 127.0.0.1" in said[0]
    assert "(3 attempts)" in said[0]
