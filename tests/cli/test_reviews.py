"""Reviews, holds, previews and evidence, as an admin meets them on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from blocklist.cli import main
from blocklist.domain.clock import now
from tests.support import Clock

SITES = [f"site-{number}.example" for number in range(20)]
COURT = ("--format", "lines", "--authority", "Court", "--kind", "court", "--country", "GB")


class Installation:
    """A data folder and the commands over it, in this process: a dozen of them in a second."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["--data-dir", str(self.folder), *arguments])
        assert done.exit_code == status, done.output
        return done.stdout

    def json(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", status=status))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


@pytest.fixture
def installation(tmp_path: Path, file: Path) -> Installation:
    opened = Installation(tmp_path / "data")
    file.write_text("\n".join([*SITES, "archive.org", "nasa.gov", ""]))
    opened.run("feed", "add", "court", "--file", str(file), *COURT)
    return opened


def test_an_entry_waits_is_decided_on_and_the_decision_taken_back(installation: Installation) -> None:
    said = installation.run("refresh", "court")
    assert "2 held alone for a person\n  decide on those with 'blocklist hold list --feed court'" in said
    waiting = installation.json("hold", "list", "--feed", "court")
    assert [(item["target"], item["state"], item["position"]) for item in waiting] == [
        ("archive.org", "waiting", 21),
        ("nasa.gov", "waiting", 22),
    ]
    assert installation.json("feed", "list")[0]["waiting"] == 2
    one, two = (str(item["id"]) for item in waiting)
    assert "lists archive.org" in installation.run("hold", "approve", one, "--reason", "named")
    (verdict,) = installation.json("lookup", "archive.org", "--explain")
    (listing,) = verdict["listings"]
    assert (listing["run"], listing["position"]) == (1, 21)
    assert listing["body_sha256"] == installation.json("run", "show", "1")["body_sha256"]
    installation.run("hold", "refuse", two, "--reason", "an agency")
    installation.run("hold", "approve", two, "--reason", "no", status=1)
    assert installation.json("hold", "list") == []
    installation.run("hold", "revoke", one, two, "--reason", "wait")
    assert not installation.json("lookup", "archive.org")[0]["listed"]
    assert len(installation.json("hold", "list", "--all")) == 2


def test_a_listed_entry_is_looked_at_and_left_or_allowed(installation: Installation, file: Path) -> None:
    file.write_text("\n".join([*SITES, "1337x.to", "bt1.archive.org", ""]))
    said = installation.run("refresh", "court")
    assert "; 2 worth a look\n  look at those with 'blocklist flag list --feed court'" in said
    assert "flags the entry: 1 newly listed is worth a look: 1337x.to" in installation.run("run", "show", "1")
    one, two = (str(item["id"]) for item in installation.json("flag", "list", "--feed", "court"))
    assert "dismissed: court lists 1337x.to" in installation.run("flag", "dismiss", one, "--reason", "named")
    done = installation.run("flag", "allow", two, "--reason", "a library")
    assert done == "flag 2 closed: override 1 allows bt1.archive.org\n"
    assert [item["listed"] for item in installation.json("lookup", "1337x.to", "bt1.archive.org")] == [True, False]
    assert installation.json("flag", "list") == []
    assert [item["state"] for item in installation.json("flag", "list", "--all")] == ["dismissed", "allowed"]
    installation.run("flag", "dismiss", two, "--reason", "no", status=1)


def test_a_held_run_is_searched_and_its_body_given_back(installation: Installation, file: Path) -> None:
    installation.run("refresh", "court")
    body = "\n".join([*SITES[:10], "films.archive.org", ""])
    file.write_text(body)
    installation.run("refresh", "court", status=3)
    shown = installation.run("run", "show", "2", "--limit", "2")
    assert "guard removed holds the run: would remove 10 of 20 sites (50%); this feed allows 20%" in shown
    assert "below archive.org" in shown
    assert "changes 1 to 2 of 11: --offset 2 shows the next" in shown
    found = installation.json("run", "show", "2", "--search", "site-1", "--change", "removed")
    assert (found["changes_found"], found["changes"][0]["target"]) == (10, "site-10.example")
    assert installation.run("run", "body", "2") == body
    copy = file.with_name("copy.txt")
    assert "the body of run 2" in installation.run("run", "body", "2", "--output", str(copy))
    assert copy.read_text() == body
    installation.run("run", "body", "2", "--output", str(copy), status=2)
    file.write_text("\n".join(SITES[:9]) + "\n")
    installation.run("refresh", "court", status=3)
    approved = installation.run("run", "approve", "2", "--reason", "ruling")
    assert "a newer body came with run 3 (held) and was not used" in approved


def test_a_preview_ends_with_1_when_the_run_would_fail(installation: Installation, file: Path) -> None:
    said = installation.run("feed", "preview", "court")
    assert f"fetched {file}: " in said
    assert "would hold entries: 1 newly listed waits for a person: nasa.gov" in said
    file.write_bytes("кино.рф\nмузыка.рф\n".encode("windows-1251"))
    seen = json.loads(installation.run("feed", "preview", "court", "--json", status=1))
    assert (seen["outcome"], seen["guards"][0]["guard"]) == ("failed", "encoding")
    assert installation.json("run", "list") == []


def test_bodies_are_kept_for_good_unless_the_configuration_says_otherwise(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "kept for good" in installation.run("run", "prune")
    monkeypatch.setenv("BLOCKLIST_EVIDENCE__KEEP_FOR", "30d")
    assert installation.run("run", "prune") == "0 bodies removed\n"


def test_history_and_an_explained_lookup_say_of_a_held_entry_who_named_it_and_what_to_do(
    installation: Installation,
) -> None:
    installation.run("refresh", "court")
    (hold, _) = installation.json("hold", "list")
    named = (
        "held: archive.org (subtree) was named by court (Court, GB) in run 1; waiting for a person since "
        f"{hold['held_at']}: {hold['why']}; see 'blocklist hold approve 1' or 'hold refuse'"
    )
    explained = installation.run("lookup", "https://www.archive.org/x", "example.com", "--explain").splitlines()
    assert explained == ["not_listed  https://www.archive.org/x", f"    {named}", "not_listed  example.com"]
    assert "held" not in installation.run("lookup", "archive.org")
    history = installation.run("history", "www.archive.org").splitlines()
    assert history == [named, "No feed lists www.archive.org now or did before."]
    assert installation.run("history", "example.com").splitlines() == ["No feed ever listed example.com."]
    (verdict,) = installation.json("lookup", "archive.org", "--explain")
    assert [(item["rule"], item["hold"], item["run"]) for item in verdict["held"]] == [("archive.org", 1, 1)]
    assert installation.json("history", "archive.org")["held"] == verdict["held"]
    installation.run("hold", "refuse", "1", "--reason", "a library")
    assert installation.json("history", "archive.org")["held"] == []
    said = installation.run("history", "archive.org")
    assert said.startswith("not listed by decision: archive.org, named by court in run 1; hold 1 was refused by ")
    assert ": a library\n" in said


def test_history_and_an_explained_lookup_say_which_held_run_names_a_site(
    installation: Installation, file: Path
) -> None:
    installation.run("refresh", "court")
    file.write_text("new.example\nhttp://WWW.new.example/a\n")
    installation.run("refresh", "court", status=3)
    for said in (
        installation.run("lookup", "http://www.new.example/a/b", "--explain"),
        installation.run("history", "http://www.new.example/a/b"),
    ):
        assert (
            "held: new.example (subtree) was named by court (Court, GB) in run 2; waiting for a person since " in said
        )
        assert "www.new.example/a (prefix), published as http://WWW.new.example/a, was named" in said
        assert said.count("would remove 20 of 20 sites (100%); this feed allows 20%; see 'blocklist run show 2'") == 2
    installation.run("run", "reject", "2", "--reason", "cut off")
    said = installation.run("history", "new.example")
    assert "not listed by decision: new.example, named by court in run 2; run 2 was rejected by " in said


def test_a_list_on_standard_input_is_read_as_requests_are(installation: Installation) -> None:
    installation.run("refresh", "court")
    lines = "site-1.example\r\n \t site-2.example \n\n\u1680site-3.example\n\u2028\nsite-4.example\u3000\n"
    done = CliRunner().invoke(
        main,
        ["--data-dir", str(installation.folder), "lookup", "-", "--json"],
        input=lines.encode() + b"\xffsite-5.example",
    )
    found = json.loads(done.stdout)
    assert [(item["target"], item["verdict"]) for item in found] == [
        ("site-1.example", "listed"),
        ("site-2.example", "listed"),
        ("\u1680site-3.example", "unknown"),
        ("\u2028", "unknown"),
        ("site-4.example\u3000", "unknown"),
        ("\ufffdsite-5.example", "unknown"),
    ]
    assert done.exit_code == 2
    assert installation.json("lookup", "\u1680site-3.example", status=2) == [found[2]]


def test_a_verdict_says_whether_its_snapshot_is_stale(installation: Installation, clock: Clock) -> None:
    installation.run("refresh", "court")
    assert installation.json("lookup", "site-1.example")[0]["stale"] is False
    clock.advance(90_000)
    (verdict,) = installation.json("lookup", "site-1.example")
    assert (verdict["verdict"], verdict["stale"]) == ("listed", True)
    assert installation.json("lookup", "site-1.example", "--at", now())[0]["stale"] is False
