"""Feeds in, verdicts out, over real sockets."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.running import Installation, free_port, publisher, respond, serving, wait_for

SITES = [f"pirate-{number}.example" for number in range(100)]

LISTED = (
    *(
        "HTTP://WWW.Pirate-1.example:8080/film",
        "pirate-1.example.",
        "http://pirate-1%2Eexample/",
        "http://x@pirate-1.example/",
    ),
    *(
        "http:\\\\pirate-1.example\\x",
        "http://кино-копия.рф/",
        "http://xn----otbbfcqhcj5n.xn--p1ai/",
        "//pirate-1.example",
    ),
    *(
        "https://a.b.pirate-1.example/?x=1#y",
        "http://PIRATE\t-1.example/",
        "http://pirate-1。example/",
        "ftp://pirate-1.example",
    ),
)
NOT_LISTED = (
    *("notpirate-1.example", "pirate-1.example.example.com", "http://example.com/?u=pirate-1.example"),
    *(
        "http://pirate-1.example@example.com/",
        "http://example.com\\@pirate-1.example/",
        "http://example.com/pirate-1.example",
    ),
)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "data")


def ask(url: str, installation: Installation) -> httpx.Response:
    return httpx.get(url, headers=installation.bearer, trust_env=False)


def lines(sites: list[str]) -> bytes:
    return "".join(f"{site}\n" for site in sites).encode()


def test_a_published_list_becomes_verdicts_over_http_however_the_url_is_written(installation: Installation) -> None:
    with publisher() as published:
        published.answer = lambda handler: respond(handler, lines([*SITES, "кино-копия.рф"]))
        installation.add("court", published.url)
        assert "applied: 101 sites" in installation.run("refresh", "court")
        with serving(installation) as service:
            for url in LISTED:
                verdict = service.verdict(url=url)
                assert verdict["listed"], url
                assert verdict["feeds"] == ["court"]
            for url in NOT_LISTED:
                assert service.verdict(url=url)["verdict"] == "not_listed", url
            on_both = [
                httpx.get(f"{base}/v1/lookup?domain=pirate-1.example", trust_env=False)
                for base in (service.control, service.lookup)
            ]
            assert on_both[0].content == on_both[1].content


def test_without_any_snapshot_the_answer_is_unknown_and_never_not_listed(installation: Installation) -> None:
    with serving(installation, wait_ready=False) as service:
        for answer in (
            httpx.get(f"{service.lookup}/v1/lookup?domain=example.com", trust_env=False),
            httpx.post(f"{service.lookup}/v1/lookup", json={"items": ["example.com"]}, trust_env=False),
            httpx.get(f"{service.lookup}/readyz", trust_env=False),
        ):
            assert answer.status_code == 503
            assert answer.json()["verdict"] == "unknown"


def test_a_second_service_on_the_same_data_folder_refuses_to_start(installation: Installation) -> None:
    with serving(installation, wait_ready=False):
        addresses = ("--control", f"127.0.0.1:{free_port()}", "--lookup", f"127.0.0.1:{free_port()}")
        refusal = installation.run("serve", *addresses, status=1)
        assert "another service runs on the data folder" in refusal


def test_a_run_in_another_process_is_answered_from_within_a_second_and_no_request_fails(
    installation: Installation,
) -> None:
    with publisher() as published:
        published.answer = lambda handler: respond(handler, lines(SITES))
        installation.add("court", published.url)
        installation.run("refresh", "court")
        with serving(installation) as service:
            failures: list[str] = []
            seen_at: list[float] = []
            done = threading.Event()

            def ask() -> None:
                with httpx.Client(trust_env=False) as client:
                    while not done.is_set():
                        try:
                            answer = client.get(f"{service.lookup}/v1/lookup?domain=new-pirate.example")
                            if answer.status_code != 200:
                                failures.append(answer.text)
                            elif answer.json()["listed"] and not seen_at:
                                seen_at.append(time.time())
                        except httpx.HTTPError as error:
                            failures.append(repr(error))

            asking = threading.Thread(target=ask)
            asking.start()
            published.answer = lambda handler: respond(handler, lines([*SITES, "new-pirate.example"]))
            installation.run("refresh", "court")
            published_at = (installation.folder / "snapshots" / "current.json").stat().st_mtime
            wait_for(lambda: bool(seen_at))
            done.set()
            asking.join()
            assert not failures
            assert seen_at[0] - published_at < 1


def test_the_service_refreshes_feeds_by_itself_and_picks_up_those_added_while_it_runs(
    installation: Installation,
) -> None:
    with publisher() as published, serving(installation, wait_ready=False) as service:
        published.answer = lambda handler: respond(handler, lines(SITES))
        installation.add("court", published.url, "--every", "1s")

        def listed(site: str) -> bool:
            answer = httpx.get(f"{service.lookup}/v1/lookup?domain={site}", trust_env=False)
            return bool(answer.json().get("listed"))

        wait_for(lambda: listed("pirate-0.example"))
        published.answer = lambda handler: respond(handler, lines([*SITES, "new-pirate.example"]))
        wait_for(lambda: listed("new-pirate.example"))
        published.answer = lambda handler: respond(handler, lines(SITES))

        def history() -> list[bool]:
            answer = ask(f"{service.control}/v1/history?target=new-pirate.example", installation)
            return [bool(item["listed_until"]) for item in answer.json()["listings"]]

        # History first: a worker may not have taken over the second list yet, and say the same as of the third.
        wait_for(lambda: history() == [True])
        wait_for(lambda: not listed("new-pirate.example"))


def test_evidence_tells_who_listed_a_site_since_when_and_on_what_order(
    installation: Installation, tmp_path: Path
) -> None:
    body = tmp_path / "orders.csv"
    body.write_text("site,order,dated\nhttp://pirate.example/,HC-2026-1,2026-01-10\n")
    installation.run(
        *(
            "feed",
            "add",
            "orders",
            "--file",
            str(body),
            "--format",
            "csv",
            "--authority",
            "High Court",
            "--kind",
            "court",
        ),
        *(
            "--country",
            "GB",
            "--option",
            "column=site",
            "--option",
            "reference=order",
            "--option",
            "published_at=dated",
        ),
    )
    installation.run("refresh", "orders")
    with serving(installation) as service:
        explained = service.verdict(url="https://www.pirate.example/x", explain="1")["listings"][0]
        listing = ask(f"{service.control}/v1/listings?target=pirate.example", installation).json()["listings"][0]
        before = ask(f"{service.control}/v1/listings?target=pirate.example&at=2026-01-11", installation).json()
        for said in (explained, listing):
            assert said["feed"] == "orders"
            assert said["authority"] == "High Court"
            assert said["reference"] == "HC-2026-1"
            assert said["published_at"] == "2026-01-10"
            assert said["entry"] == "http://pirate.example/"
        assert before["listings"] == []
    assert installation.json("lookup", "pirate.example", "--at", "2026-01-11")[0]["verdict"] == "not_listed"


def test_an_override_counts_within_a_second_and_its_removal_too(installation: Installation) -> None:
    with publisher() as published:
        published.answer = lambda handler: respond(handler, lines(SITES))
        installation.add("court", published.url)
        installation.run("refresh", "court")
        with serving(installation) as service:
            installation.run("override", "allow", "pirate-1.example", "--reason", "appeal won")
            wait_for(lambda: not service.verdict(domain="www.pirate-1.example")["listed"], seconds=1)
            installation.run("override", "block", "www.pirate-1.example/film", "--reason", "but not this film")
            wait_for(lambda: service.verdict(url="http://www.pirate-1.example/film/2")["listed"], seconds=1)
            installation.run("override", "remove", "1")
            wait_for(lambda: service.verdict(domain="pirate-1.example")["listed"], seconds=1)
            assert installation.json("audit", "list")[0]["action"] == "override.remove"
