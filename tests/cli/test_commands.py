"""The commands of the contract, run as an admin runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from blocklist.cli import main
from blocklist.definitions.catalog import catalog_names, from_catalog
from tests.e2e.running import Installation


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("samples") / "data")
    installation.run("feed", "samples")
    return installation


def test_the_samples_of_the_catalog_load_and_loading_them_again_changes_nothing(samples: Installation) -> None:
    names = [feed["name"] for feed in samples.json("feed", "list")]
    assert names == [name for name in catalog_names() if not from_catalog(name).reference_only]
    version = samples.json("snapshot", "info")["version"]
    samples.run("feed", "samples")
    assert samples.json("snapshot", "info")["version"] == version


def test_the_catalog_is_listed_with_what_is_not_public_said_plainly(samples: Installation) -> None:
    catalog = {feed["name"]: feed for feed in samples.json("feed", "catalog")}
    assert "not public" in catalog["uk-pipcu-iwl"]["notes"]
    assert catalog["wipo-alert"]["verified"] is False


def test_a_list_for_reference_only_cannot_be_added_nor_made_one_that_can(samples: Installation) -> None:
    assert "for reference only" in samples.run("feed", "catalog")
    url = ("--url", "https://reports.example/markets.pdf")
    said = samples.run("feed", "add", "us-ustr-notorious-markets", *url, status=2)
    assert "makes no findings of legal violations" in said
    assert "Read it at https://ustr.gov/" in said
    option = ("--option", "feed.reference_only=false")
    assert "the fields after feed. are" in samples.run("feed", "add", "eu-watch-list", *url, *option, status=2)


def test_a_sample_whose_library_is_not_installed_is_skipped_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = "format pdf needs the extra 'pdf' of the package: pip install 'blocklist[pdf]'"
    monkeypatch.setattr(
        "blocklist.formats.base.Format.missing_extra", lambda format_: hidden if format_.name == "pdf" else None
    )
    done = CliRunner().invoke(main, ["--data-dir", str(tmp_path), "feed", "samples"])
    assert done.exit_code == 0, done.output
    assert f"br-anatel-ancine: skipped: {hidden}" in done.output
    assert "wipo-alert: 5 sites" in done.output


def test_lookup_reads_targets_from_standard_input_and_tells_by_its_exit_status(samples: Installation) -> None:
    said = samples.run("lookup", "-", "--exit-code", stdin="cinema-pirata.example\n\nexample.com\n", status=10)
    assert [line.split()[0] for line in said.splitlines()] == ["listed", "not_listed"]
    samples.run("lookup", "example.com", "--exit-code", status=0)


def test_lookup_says_unknown_and_why_for_what_names_no_site(samples: Installation) -> None:
    lines = ("null", "${PAGE_URL}", "https//pirate.example", "localhost", "\ufeffhttps://pirate.example/", "%%SITE%%")
    said = samples.run("lookup", "-", stdin="\n".join(lines), status=2)
    assert [line.split()[0] for line in said.splitlines()] == ["unknown"] * len(lines)
    assert "unknown     'localhost': the host 'localhost' has no dot: it names no site of the internet" in said
    found = json.loads(samples.run("lookup", "localhost", "app:null", "--json", status=2))
    assert [(item["verdict"], item["listed"], bool(item["error"])) for item in found] == [("unknown", None, True)] * 2


def test_lookup_explains_with_the_authority_and_the_entry_as_published(samples: Installation) -> None:
    verdict = samples.json("lookup", "http://video.example/watch?x=1&list=1&v=abc", "--explain")[0]
    assert verdict["rule"] == "video.example/watch?list=1&v=abc"
    assert verdict["listings"][0]["entry"] == "http://video.example/watch?v=abc&list=1"
    assert verdict["listings"][0]["kind"] == "court"


def test_a_community_list_alone_does_not_count_for_the_default_policy(samples: Installation) -> None:
    assert not samples.json("lookup", "movies-copy.example")[0]["listed"]


def test_a_policy_of_the_configuration_counts_what_it_names(samples: Installation, tmp_path: Path) -> None:
    path = tmp_path / "blocklist.toml"
    path.write_text('[policies.everything]\n[policies.italian]\ncountries = ["IT"]\n')
    samples.run("--config", str(path), "snapshot", "build")
    everything = ("--policy", "everything")
    assert samples.json("--config", str(path), "lookup", "movies-copy.example", *everything)[0]["listed"]
    italian = ("--policy", "italian")
    assert samples.json("--config", str(path), "lookup", "cinema-pirata.example", *italian)[0]["listed"]
    assert not samples.json("--config", str(path), "lookup", "piraty.example", *italian)[0]["listed"]
    samples.run("snapshot", "build")
    assert "names default" in samples.run("lookup", "example.com", *everything, status=2)
    assert "names default" in samples.run("lookup", "-", *everything, status=2, stdin="")
    assert "names default" in samples.run("export", "hosts", *everything, status=2)


def test_a_list_that_arrived_another_way_is_read_from_a_file(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    said = installation.run("feed", "add", "uk-pipcu-iwl", "--option", "column=Site", "--option", "reference=Case")
    assert "refresh uk-pipcu-iwl --file PATH" in said
    assert "no address" in installation.run("refresh", "uk-pipcu-iwl", status=1)
    exported = tmp_path / "export.csv"
    exported.write_text("Case,Site,Date added\nIWL-9,pirate.example,2026-11-01\n")
    assert "applied" in installation.run("refresh", "uk-pipcu-iwl", "--file", str(exported))
    assert installation.json("history", "www.pirate.example")["listings"][0]["reference"] == "IWL-9"


def test_preview_shows_what_a_definition_would_give_and_keeps_nothing(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    path = tmp_path / "list.txt"
    path.write_text("pirate.example\nnot a host\n")
    court = ("--authority", "Test Court", "--kind", "court", "--country", "GB")
    seen = installation.json("feed", "preview", "mine", "--file", str(path), "--format", "lines", *court)
    assert (seen["entries"], seen["rules"], seen["rejected"]) == (2, 1, 1)
    assert seen["rejections"][0]["position"] == 2
    assert installation.json("feed", "list") == []
    assert installation.json("run", "list") == []


def test_a_paused_feed_is_left_out_and_a_removed_one_is_delisted_but_remembered(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    path = tmp_path / "list.txt"
    path.write_text("pirate.example\n")
    court = ("--authority", "Test Court", "--kind", "court", "--country", "GB")
    installation.run("feed", "add", "mine", "--file", str(path), "--format", "lines", *court)
    installation.run("refresh")
    installation.run("feed", "pause", "mine")
    assert "no feeds to refresh" in installation.run("refresh", status=2)
    assert installation.json("lookup", "pirate.example")[0]["listed"]
    installation.run("feed", "resume", "mine")
    installation.run("feed", "remove", "mine")
    assert not installation.json("lookup", "pirate.example")[0]["listed"]
    assert installation.json("history", "pirate.example")["listings"][0]["listed_until"]


def test_doctor_finds_nothing_wrong_with_a_whole_installation_and_names_the_mend_otherwise(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    bad = {item["check"]: item["mend"] for item in installation.json("doctor", status=1) if not item["ok"]}
    assert set(bad) == {"snapshot", "feeds"}
    path = tmp_path / "list.txt"
    path.write_text("pirate.example\n")
    court = ("--authority", "Test Court", "--kind", "court", "--country", "GB")
    installation.run("feed", "add", "mine", "--file", str(path), "--format", "lines", *court)
    installation.run("refresh")
    assert all(item["ok"] for item in installation.json("doctor"))
    snapshot = Path(installation.json("snapshot", "path")["path"])
    damaged = bytearray(snapshot.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    snapshot.write_bytes(damaged)
    bad = {item["check"]: item["mend"] for item in installation.json("doctor", status=1) if not item["ok"]}
    assert bad == {"snapshot": "build it again: blocklist snapshot build"}
    installation.run("snapshot", "build")
    installation.run("doctor")
    (tmp_path / "data" / "blocklist.db").chmod(0o644)
    (found,) = (item for item in installation.json("doctor", status=1) if not item["ok"])
    assert found["check"] == "who may read" and found["mend"].endswith(f"chmod o= {tmp_path}/data/blocklist.db*")


def test_every_command_that_reads_prints_json_that_parses(samples: Installation) -> None:
    run = samples.json("run", "list")[0]["id"]
    for arguments in (
        *(("feed", "catalog"), ("feed", "list"), ("feed", "show", "it-agcom"), ("feed", "preview", "it-agcom")),
        *(("run", "list"), ("run", "show", str(run)), ("lookup", "example.com"), ("history", "example.com")),
        *(("override", "list"), ("snapshot", "info"), ("snapshot", "path"), ("snapshot", "verify")),
        *(("audit", "list"), ("audit", "verify"), ("doctor",), ("refresh", "it-agcom")),
    ):
        json.dumps(samples.json(*arguments))


def test_what_a_feed_publishes_cannot_steer_the_terminal(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    path = tmp_path / "list.csv"
    path.write_text("site,order\npirate.example,\x1b[31m[bold]HC-1[/bold]\x07\n")
    court = ("--authority", "Test Court", "--kind", "court", "--country", "GB")
    options = ("--option", "column=site", "--option", "reference=order")
    installation.run("feed", "add", "mine", "--file", str(path), "--format", "csv", *court, *options)
    installation.run("refresh")
    said = installation.run("history", "pirate.example")
    assert "\x1b" not in said
    assert "[bold]HC-1[/bold]" in said
