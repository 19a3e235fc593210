"""Each format says what the policy says, read back by a parser of that format; what it cannot say is counted."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
import subprocess
import tracemalloc
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.zone
import pytest

from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.domain.verdict import OverrideAction
from blocklist.exports import EXPORTS, Export
from blocklist.service import Service, read_target
from blocklist.text.csv_cells import csv_line
from tests.e2e.running import free_port, wait_for
from tests.exports.conftest import Listing
from tests.plans import plan_of
from tests.support import parsed, sites

BUCHER = "xn--bcher-kva.example"


def text(service: Service, format_: str, **which: object) -> tuple[str, Export]:
    exporting = service.export(format_, **which)  # type: ignore[arg-type]
    return b"".join(exporting.blocks()).decode(), exporting


def test_lines_name_the_hosts_that_count_and_count_what_they_leave_out(some: Service) -> None:
    body, exporting = text(some, "lines")
    assert body == f"ours.example\npirate.example\n{BUCHER}\n"
    assert exporting.left_out == {
        "url rules": 1,
        "ip rules": 1,
        "app rules": 1,
        "hosts without what is below": 1,
        "exceptions": 1,
    }


def test_every_site_of_a_list_of_hosts_is_listed_by_the_lookup_and_no_other(some: Service) -> None:
    for policy in ("default", "two", "everything"):
        body, _ = text(some, "lines", policy=policy)
        for host in ("pirate.example", "industry.example", "good.example", "sub.good.example", "ours.example"):
            listed = some.evidence.lookup(read_target(host), policy).listed
            assert (host in body.splitlines()) == listed, (policy, host)


def test_one_feed_is_exported_whole_unless_a_policy_is_named(some: Service) -> None:
    assert text(some, "lines", feed="industry")[0] == "industry.example\nours.example\npirate.example\n"
    assert text(some, "lines", feed="industry", policy="default")[0] == "ours.example\n"


def test_hosts_and_adblock_and_zone_files_are_read_back_as_the_same_sites(some: Service) -> None:
    hosts, _ = text(some, "hosts")
    assert sites(parsed("hosts", hosts)) == ["alone.example", "ours.example", "pirate.example", BUCHER]
    adblock, _ = text(some, "adblock")
    assert sites(parsed("adblock", adblock)) == ["ours.example", "pirate.example", BUCHER]
    assert "@@||good.example^\n" in adblock
    zone, _ = text(some, "rpz")
    read = [site for site in sites(parsed("rpz", "$ORIGIN rpz.invalid.\n" + zone)) if not site.startswith("*")]
    assert read == ["alone.example", "ours.example", "pirate.example", BUCHER]
    assert dns.zone.from_text(zone, origin="rpz.invalid").get_soa().serial == some.snapshots.current().version
    assert "good.example CNAME rpz-passthru.\n*.good.example CNAME rpz-passthru.\n" in zone
    assert "*.alone.example" not in zone
    assert "*.pirate.example CNAME .\n" in zone
    assert "sub.good.example" not in zone + adblock + hosts


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_the_map(some: Service, lists: Listing, tmp_path: Path) -> None:
    """A host that is listed alone, with all below it, and blocked by an admin is one line: nginx refuses two."""
    lists("more", "alone.example\n")
    some.overrides.add(OverrideAction.BLOCK, "pirate.example", "also", "tester")
    body, _ = text(some, "nginx-map")
    assert [line for line in body.splitlines() if not line.startswith("#")] == [
        *(".alone.example 1;", ".good.example 0;", ".ours.example 1;", ".pirate.example 1;", f".{BUCHER} 1;")
    ]
    (tmp_path / "list.map").write_text(body)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off;"
        f" map $host $listed {{ hostnames; default 0; include {tmp_path}/list.map; }} }}"
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


UNBOUND = """
server:
  interface: 127.0.0.1
  port: {port}
  do-daemonize: no
  chroot: ""
  username: ""
  use-syslog: no
  pidfile: ""
  module-config: "respip iterator"
  local-zone: "good.example." redirect
  local-data: "good.example. A 192.0.2.1"
rpz:
  name: rpz.invalid
  zonefile: {folder}/list.zone
remote-control:
  control-enable: no
"""


@pytest.mark.skipif(not shutil.which("unbound"), reason="unbound is not installed")
def test_unbound_blocks_by_the_zone_what_is_listed_and_passes_what_an_admin_allows(
    some: Service, lists: Listing, tmp_path: Path
) -> None:
    lists("more", "deep.good.example\n")
    port = free_port()
    (tmp_path / "list.zone").write_text(text(some, "rpz")[0])
    (tmp_path / "unbound.conf").write_text(UNBOUND.format(port=port, folder=tmp_path))

    def asked(name: str) -> tuple[str, bool]:
        answer = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", port=port, timeout=1)
        return dns.rcode.to_text(answer.rcode()), bool(answer.answer)

    def answers() -> bool:
        with contextlib.suppress(OSError, dns.exception.Timeout):
            return bool(asked("pirate.example"))
        return False

    process = subprocess.Popen(["unbound", "-d", "-c", str(tmp_path / "unbound.conf")], stderr=subprocess.DEVNULL)
    try:
        wait_for(answers)
        blocked = ("NXDOMAIN", False)
        assert asked("pirate.example") == asked("www.pirate.example") == asked("alone.example") == blocked
        assert asked("good.example") == asked("deep.good.example") == ("NOERROR", True)
    finally:
        process.terminate()
        process.wait()


def test_cells_that_a_spreadsheet_would_run_are_text(some: Service) -> None:
    body, _ = text(some, "csv")
    rows = list(csv.DictReader(io.StringIO(body)))
    (blocked,) = [row for row in rows if row["override"] == "block"]
    assert (blocked["rule"], blocked["entry"]) == ("ours.example", "'=cmd|' /C calc'!A0")
    (pirate,) = [row for row in rows if row["rule"] == "pirate.example"]
    assert (pirate["feed"], pirate["authority"], pirate["kind"]) == ("court", "Test Court", "court")
    assert {row["kind_of_rule"] for row in rows} == {"host", "url", "ip", "app"}


@pytest.mark.parametrize("begins", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\0x"])
def test_every_beginning_that_owasp_names_gets_an_apostrophe(begins: str) -> None:
    (cells,) = csv.reader(io.StringIO(csv_line([begins, f"a{begins}"]), newline=""))
    assert cells == [f"'{begins}", f"a{begins}"]


@pytest.mark.parametrize("separator", [";", "\t", "\n", "\r"])
@pytest.mark.parametrize("begins", ["=cmd", "+1", "-1", "@sum", "\uff1dcmd", "\uff0b1", "\uff0d1", "\uff20sum"])
def test_a_formula_after_a_separator_of_spreadsheets_gets_an_apostrophe(separator: str, begins: str) -> None:
    (cells,) = csv.reader(io.StringIO(csv_line([begins, f"x{separator}{begins}"]), newline=""))
    assert cells == [f"'{begins}", f"x{separator}'{begins}"]


def test_other_cells_stay_as_they_are() -> None:
    for cell in ("a=1", "x; y", "a-b@c", "http://host.example/?a=1;b=-2", "", "7"):
        assert next(csv.reader(io.StringIO(csv_line([cell, "x"])))) == [cell, "x"]


def test_json_has_the_provenance_of_each_listing(some: Service) -> None:
    body, exporting = text(some, "json", policy="everything")
    document = json.loads(body)
    assert document["of"] == "blocklist, policy everything"
    pirates = [item for item in document["listings"] if item["rule"] == "pirate.example"]
    assert [(item["feed"], item["kind"], item["run"]) for item in pirates] == [
        ("court", "court", 1),
        ("industry", "industry", 2),
    ]
    assert pirates[0]["appeal_contact"] == "appeals@court.example"
    assert not exporting.left_out
    lines, _ = text(some, "jsonl", policy="everything")
    assert [json.loads(line) for line in lines.splitlines()] == document["listings"]


def test_a_long_list_for_google_ad_manager_comes_in_parts(
    service: Service, lists: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setitem(EXPORTS, "google-ad-manager", replace(EXPORTS["google-ad-manager"], part=2))
    lists("court", "".join(f"site-{number}.example\n" for number in range(5)))
    parts = [text(service, "google-ad-manager", part=number) for number in (1, 2, 3, 4)]
    assert [len(body.splitlines()) for body, _ in parts] == [2, 2, 1, 0]
    assert "".join(body for body, _ in parts) == text(service, "lines")[0]
    assert (parts[0][1].lines, parts[0][1].parts) == (5, 3)
    with pytest.raises(UsageError, match="the format lines has one part only"):
        service.export("lines", part=2)


def test_names_too_deep_for_display_and_video_360_are_counted(service: Service, lists: Listing) -> None:
    lists("court", "a.b.c.d.e.site.example\nz.a.b.c.d.e.site.example\n")
    body, exporting = text(service, "dv360")
    assert (body, exporting.left_out) == ("a.b.c.d.e.site.example\n", {"too deep or long": 1})


def test_what_is_not_there_is_said_with_what_is(service: Service) -> None:
    with pytest.raises(NotFoundError, match="there is no export format 'xml'; there are csv, json, jsonl, lines"):
        service.export("xml")
    with pytest.raises(NotFoundError, match="there is no policy 'x'; the configuration names default, two, everything"):
        service.export("csv", policy="x")
    with pytest.raises(NotFoundError, match="there is no feed 'x'"):
        service.export("csv", feed="x")


def test_an_export_takes_as_much_memory_for_many_rules_as_for_few(service: Service, lists: Listing) -> None:
    def peak() -> int:
        tracemalloc.start()
        for _ in service.export("jsonl").blocks():
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    lists("court", "".join(f"site-{number}.example\n" for number in range(1_000)))
    few = peak()
    lists("court", "".join(f"site-{number}.example\n" for number in range(12_000)))
    assert peak() < few + 200_000
    plan = plan_of(service.store, lambda: list(service.store.exports.listed()))
    assert plan == ["SCAN l USING INDEX listings_rule"]
    plan = plan_of(service.store, lambda: list(service.store.exports.listed(1)))
    assert plan[0].startswith("SEARCH l USING INDEX listings_open (feed_id=?")


def test_a_page_that_is_allowed_on_the_other_form_of_its_host_is_not_exported(service: Service, lists: Listing) -> None:
    lists("court", "video.example/films\nwww.video.example/series/\n")
    for page in ("www.video.example/films", "video.example/series"):
        service.overrides.add(OverrideAction.ALLOW, page, "A mistake", "tester")
    exported = {(line["rule"], line["override"]) for line in map(json.loads, text(service, "jsonl")[0].splitlines())}
    assert exported == {("www.video.example/films", "allow"), ("video.example/series", "allow")}
