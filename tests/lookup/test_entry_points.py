"""Wrapped pages and forms of apps get the same verdict at every entry point."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from blocklist.cli import main
from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.domain.verdict import OverrideAction, Target, Verdict, VerdictKind
from blocklist.lookup.resolver import Resolver
from blocklist.normalize.candidates import page_candidates
from blocklist.service import Service
from blocklist.snapshot.judging import judge
from tests.lookup.test_resolver import Holder
from tests.support import definition, listed, override, rule, snapshot_of

ROWS = [
    listed(rule("pirate-one.example")),
    listed(rule("host-a.example/films/new")),
    listed(rule("megalodon.jp")),
    listed(Rule(RuleKind.APP, "9876543210", Scope.EXACT)),
    listed(Rule(RuleKind.APP, "com.pirate.movies", Scope.EXACT)),
]
SNAPSHOT = snapshot_of(ROWS)
#: Pages, the rule that lists them (None: none does) and the wrapper that it is found through.
PAGES: dict[str, tuple[str | None, str | None]] = {
    "https://pirate-one.example/x": ("pirate-one.example", None),
    "https%3A%2F%2Fpirate-one.example%2Ffilm": ("pirate-one.example", "percent-encoding"),
    "blob:https://pirate-one.example/1": ("pirate-one.example", "blob"),
    "view-source:https://pirate-one.example/": ("pirate-one.example", "view-source"),
    "android-app://com.pirate.movies/": ("com.pirate.movies", "android-app"),
    "https://web.archive.org/web/2024/https://pirate-one.example/film": ("pirate-one.example", "web.archive.org"),
    "https://web.archive.org/web/2024/https://host-a.example/films/new/1": (
        "host-a.example/films/new",
        "web.archive.org",
    ),
    "https://web.archive.org/web/2024/https://host-a.example/films": (None, None),
    "https://web.archive.org/web/2024/": (None, None),
    "https://megalodon.jp/2025-0404-0153-18/https://pirate-one.example/": ("megalodon.jp", None),
    "https://pirate--one-example.translate.goog/?_x_tr_sl=en": (
        "pirate-one.example",
        "pirate--one-example.translate.goog",
    ),
    "https://www.google.com/amp/s/pirate-one.example/": ("pirate-one.example", "www.google.com"),
    "https://www.google.com/search?q=pirate-one.example": (None, None),
    "https://translate.google.co.uk/translate?u=pirate-one.example": ("pirate-one.example", "translate.google.co.uk"),
    "https://play.google.com/store/apps/details?id=com.pirate.movies": ("com.pirate.movies", "play.google.com"),
    "https://play.google.com/store/apps/details?id=com.good&id=com.pirate.movies": (
        "com.pirate.movies",
        "play.google.com",
    ),
    "https://play.google.com/store/apps/dev?id=com.pirate.movies": (None, None),
}
#: Apps in several forms, and the rule that lists them.
APPS: dict[str, str | None] = {
    "9876543210": "9876543210",
    "id9876543210": "9876543210",
    "https://apps.apple.com/us/app/films/id9876543210": "9876543210",
    "itms-apps://apps.apple.com/us/app/x/id9876543210?mt=8": "9876543210",
    "https://play.google.com/store/apps/details?id=com.pirate.movies": "com.pirate.movies",
    "http://play.google.com/store/apps/details?id=com.good&id=com.pirate.movies": "com.pirate.movies",
    "market://details?id=com.pirate.movies": "com.pirate.movies",
    "android-app://com.pirate.movies/": "com.pirate.movies",
    "com.Pirate.movies": None,
    "9876543211": None,
    "https://apps.apple.com/us/developer/films/id9876543210": None,
}


def verdicts(text: str, kind: str) -> dict[str, tuple[str | None, str | None]]:
    """Return the rule and the wrapper in the answer of each entry point."""
    resolver = Resolver(Holder(SNAPSHOT))
    bodies = {"get": json.loads(resolver.lookup({kind: text}).encoded())}
    batch = json.loads(resolver.batch(json.dumps({"items": [{kind: text}, text]}).encode()).encoded())["results"]
    bodies["batch"] = batch[0]
    channel = {"app": {"bundle": text}} if kind == "app" else {"site": {"page": text}}
    for version, request in {"2.6": channel, "3.0": {"openrtb": {"request": {"context": channel}}}}.items():
        bodies[f"openrtb {version}"] = json.loads(resolver.openrtb(json.dumps(request).encode(), {}).encoded())
    if kind == "app":
        store = json.dumps({"app": {"storeurl": text}}).encode()
        bodies["openrtb storeurl"] = json.loads(resolver.openrtb(store, {}).encoded())
    else:
        bodies["batch string"] = batch[1]
    found = {name: (body.get("rule"), body.get("via")) for name, body in bodies.items()}
    one = SNAPSHOT.lookup_app(text) if kind == "app" else SNAPSHOT.lookup(text)
    found["in process"] = (one.rule, one.via)
    if kind == "url":
        for header in ("X-Page-URL", "Referer", "Origin"):
            headers = dict(resolver.forward_auth({}, {header.lower(): text}).headers)
            found[f"gate {header}"] = (headers.get("Blocklist-Rule"), headers.get("Blocklist-Via"))
        several = SNAPSHOT.lookup_batch([text])[0]
        found["in process, several"] = (several.rule, several.via)
    return found


@pytest.mark.parametrize(("text", "want"), PAGES.items(), ids=list(PAGES))
def test_a_page_gets_one_verdict_at_every_entry_point(text: str, want: tuple[str | None, str | None]) -> None:
    found = verdicts(text, "url")
    assert found == dict.fromkeys(found, want)


@pytest.mark.parametrize(("text", "want"), APPS.items(), ids=list(APPS))
def test_an_app_gets_one_verdict_at_every_entry_point(text: str, want: str | None) -> None:
    found = verdicts(text, "app")
    assert found == dict.fromkeys(found, (want, None))


def test_the_command_line_and_the_service_give_the_same_verdicts(service: Service, tmp_path: Path) -> None:
    (tmp_path / "sites.txt").write_text("pirate-one.example\nhost-a.example/films/new\nmegalodon.jp\n")
    (tmp_path / "apps.txt").write_text("id9876543210\nmarket://details?id=com.pirate.movies\n")
    for name, more in (("sites", {}), ("apps", {"rules": {"entries": "apps"}})):
        service.feeds.add(definition(name, source={"file": str(tmp_path / f"{name}.txt")}, **more), "tester")
        service.runs.refresh(name, "tester")
    wanted = PAGES | {f"app:{app}": (found, None) for app, found in APPS.items()}
    folder = str(service.settings.data_dir)
    done = CliRunner().invoke(main, ["--data-dir", folder, "lookup", "--json", "--explain", *wanted])
    results = {item["target"]: item for item in json.loads(done.stdout)}
    assert {text: (item.get("rule"), item.get("via")) for text, item in results.items()} == wanted
    archived = results["https://web.archive.org/web/2024/https://pirate-one.example/film"]
    assert [item["rule"] for item in archived["listings"]] == ["pirate-one.example"]
    assert archived["listings"][0]["run"] == 1
    then = service.evidence.lookup_text("https://web.archive.org/web/2024/https://pirate-one.example/", "default")
    assert then.via == "web.archive.org"
    shown = CliRunner().invoke(main, ["--data-dir", folder, "history", "view-source:https://pirate-one.example/"])
    assert "pirate-one.example" in shown.stdout


def test_the_verdict_on_two_ids_is_the_same_in_every_process() -> None:
    code = (
        "from blocklist.normalize.candidates import app_candidates as read\n"
        "print([target.app for target, _ in read('http://play.google.com/store/apps/details?id=com.b&id=com.a')])"
    )
    printed = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
                       capture_output=True, check=True, text=True).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert printed == {"[None, 'com.b', 'com.a']\n"}


ARCHIVED = "https://web.archive.org/web/2024/https://pirate-one.example/film"
ALLOW, BLOCK = OverrideAction.ALLOW, OverrideAction.BLOCK


def test_an_allowed_wrapper_does_not_allow_what_it_shows() -> None:
    verdict = snapshot_of(ROWS, [override(1, ALLOW, rule("web.archive.org"))]).lookup(ARCHIVED)
    assert (verdict.verdict, verdict.rule, verdict.via) == (VerdictKind.LISTED, "pirate-one.example", "web.archive.org")


def test_an_allowed_page_is_allowed_in_a_wrapper_too() -> None:
    snapshot = snapshot_of(ROWS, [override(1, ALLOW, rule("pirate-one.example/film"))])
    verdict = snapshot.lookup(ARCHIVED)
    assert (verdict.verdict, verdict.override, verdict.via) == (VerdictKind.NOT_LISTED, ALLOW, "web.archive.org")
    assert snapshot.lookup(f"{ARCHIVED}s").listed


def test_an_allowed_page_does_not_allow_a_listed_wrapper() -> None:
    snapshot = snapshot_of(ROWS, [override(1, ALLOW, rule("pirate-one.example"))])
    verdict = snapshot.lookup("https://megalodon.jp/2025-0404-0153-18/https://pirate-one.example/")
    assert (verdict.rule, verdict.via, verdict.override) == ("megalodon.jp", None, None)


def test_a_blocked_page_is_blocked_in_a_wrapper_too() -> None:
    verdict = snapshot_of([], [override(1, BLOCK, rule("pirate-one.example"))]).lookup(ARCHIVED)
    assert (verdict.verdict, verdict.override, verdict.via) == (VerdictKind.LISTED, BLOCK, "web.archive.org")


def test_a_host_within_a_wrapper_with_listed_pages_is_partial() -> None:
    for verdict in (
        SNAPSHOT.lookup_host("host--a-example.cdn.ampproject.org"),
        SNAPSHOT.lookup("blob:https://host-a.example/9115d58c"),
    ):
        assert (verdict.verdict, verdict.partial) == (VerdictKind.NOT_LISTED, True)


def test_what_is_within_and_unknown_leaves_the_verdict_on_the_wrapper() -> None:
    def decide(target: Target) -> Verdict:
        return Verdict(VerdictKind.UNKNOWN if target.host == "pirate-one.example" else VerdictKind.NOT_LISTED, 7)

    assert judge(page_candidates(ARCHIVED), decide) == Verdict(VerdictKind.NOT_LISTED, 7)
    assert judge(page_candidates("blob:https://pirate-one.example/1"), decide) == Verdict(VerdictKind.UNKNOWN, 7)


def test_the_quick_path_leaves_hosts_of_wrappers_to_the_slow_one() -> None:
    for host in ("web.archive.org", "www.google.com", "google.co.uk", "play.google.com", "x.translate.goog"):
        assert SNAPSHOT.decide_host(host, "default") is None
    for host in ("archive.org", "mail.google.com", "google.evil.co.uk", "notgoogle.co.uk", "a.example"):
        assert SNAPSHOT.decide_host(host, "default") is SNAPSHOT.not_listed


def test_a_text_with_nothing_readable_within_is_refused() -> None:
    with pytest.raises(ValueError, match="names no site"):
        page_candidates("blob:null/9115d58c-bcda")
