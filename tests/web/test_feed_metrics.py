"""The Prometheus metrics of feeds."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from blocklist.domain.clock import later, now
from blocklist.domain.run import Outcome
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.status.feed_status import feed_rows
from blocklist.web.app import create_app
from tests.support import definition

SITES = [f"site-{number}.example" for number in range(20)]


@pytest.fixture
def body(service: Service, tmp_path: Path) -> Path:
    """The list of a feed with twenty sites that is refreshed every hour."""
    path = tmp_path / "list.txt"
    path.write_text("\n".join([*SITES, ""]))
    service.feeds.add(definition("court", source={"file": str(path)}, every="1h"), "tester")
    return path


@pytest.fixture
def control(service: Service) -> FlaskClient:
    return create_app(Follower(service.snapshots.folder, 86_400), service).test_client()


def told(client: FlaskClient, feed: str = "court") -> dict[str, float]:
    """Return the metrics of a feed; for a metric with several states, the name and the current state."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "feed"}
            if sample.labels.get("feed") == feed and (not labels or sample.value):
                name = sample.name.removeprefix("blocklist_feed_")
                samples[" ".join([name, *labels.values()])] = sample.value
    return samples


def age(service: Service, column: str, hours: int) -> None:
    with service.store.database.transaction():
        service.store.database.execute(f"UPDATE feeds SET {column} = ?", (later(now(), -3600 * hours),))


def test_a_feed_before_its_first_run_is_new_and_has_no_times(
    service: Service, body: Path, control: FlaskClient
) -> None:
    assert told(control) == {
        **{"stale": 0, "state new": 1, "interval_seconds": 3600},
        **{"listed": 0, "waiting": 0, "flagged": 0, "reviews": 0},
    }


def test_the_metrics_of_a_feed_have_times_numbers_and_waiting_decisions(
    service: Service, body: Path, control: FlaskClient
) -> None:
    body.write_text("\n".join([*SITES, "archive.org", ""]))
    assert service.runs.refresh("court", "tester").outcome is Outcome.APPLIED
    body.write_text("archive.org\n" + "\n".join(SITES[:5]) + "\n")
    assert service.runs.refresh("court", "tester").outcome is Outcome.HELD
    said = told(control)
    times = {name: said.pop(f"last_{name}_timestamp_seconds") for name in ("attempt", "success", "change")}
    assert times["change"] == times["success"] <= times["attempt"]
    assert said == {
        **{"stale": 0, "state fresh": 1, "last_outcome held": 1, "interval_seconds": 3600},
        **{"listed": 20, "waiting": 1, "flagged": 0, "reviews": 1},
    }


@pytest.mark.parametrize(("hours", "stale"), [(2, False), (4, True)])
def test_a_feed_is_stale_after_three_intervals_without_success(
    service: Service, body: Path, control: FlaskClient, hours: int, stale: bool
) -> None:
    service.runs.refresh("court", "tester")
    age(service, "last_success", hours)
    body.unlink()
    assert service.runs.refresh("court", "tester").outcome is Outcome.FAILED
    said = told(control)
    assert said["stale"] == stale
    assert ("state stale" in said) is stale
    assert said["last_outcome failed"] == 1
    assert feed_rows(service.store)[0]["state"] == ("stale" if stale else "fresh")


def test_a_feed_that_was_never_read_becomes_stale_too(service: Service, body: Path, control: FlaskClient) -> None:
    age(service, "created_at", 4)
    assert told(control)["stale"] == 1
    service.feeds.pause("court", "tester")
    said = told(control)
    assert (said["stale"], said["state paused"]) == (0, 1)


def test_a_lookup_node_has_no_metrics_of_feeds(service: Service, body: Path) -> None:
    node = create_app(Follower(service.snapshots.folder, 86_400)).test_client()
    assert told(node) == {}
