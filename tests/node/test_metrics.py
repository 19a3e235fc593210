"""Metrics: counts, sums over workers, and that documentation and dashboard name the existing metrics."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from blocklist.distribution.publisher_state import Sent
from blocklist.domain.verdict import VerdictKind
from blocklist.node.metrics import BUCKETS, LISTED, NOT_LISTED, Counters, exposition
from blocklist.node.scoreboard import Scoreboard
from blocklist.service.distribution import DistributionStatus
from blocklist.status.feed_status import feed_rows
from blocklist.store import Store
from blocklist.web.metrics import distribution_metrics, feed_metrics
from tests.support import SOME_DAY

DOCS = Path(__file__).parents[2] / "docs"


def counters() -> Counters:
    made = Counters()
    made.verdicts("default")[LISTED] += 2
    made.count_verdicts("strict", VerdictKind.UNKNOWN, 3)
    made.record_duration(2e-5)
    made.record_duration(9.0)
    made.requests["/v1/lookup 200"] = 4
    made.values["swaps"] = 1
    return made


def samples(*states: dict[str, object]) -> dict[str, float]:
    families = text_string_to_metric_families(exposition(states).decode())
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in families
        for sample in family.samples
    }


def test_counts_of_workers_are_summed() -> None:
    summed = samples(counters().state(), counters().state(), {})
    assert summed['blocklist_lookups_total{"policy": "default", "verdict": "listed"}'] == 4
    assert summed['blocklist_lookups_total{"policy": "strict", "verdict": "unknown"}'] == 6
    assert summed['blocklist_requests_total{"route": "/v1/lookup", "status": "200"}'] == 8
    assert summed["blocklist_swaps_total{}"] == 2
    assert summed['blocklist_request_duration_seconds_bucket{"le": "+Inf"}'] == 4
    assert summed['blocklist_request_duration_seconds_bucket{"le": "2.5e-05"}'] == 2


def test_a_worker_continues_from_the_counts_of_the_one_it_replaces() -> None:
    after = Counters()
    after.restore(json.loads(json.dumps(counters().state())))
    assert after.state() == counters().state()
    Counters().restore({"buckets": [1], "seconds": 5})  # of another version: ignored


def test_the_number_of_counted_policies_is_bounded() -> None:
    made = Counters()
    for number in range(1_000):
        made.verdicts(f"p{number}")[NOT_LISTED] += 1
    state = made.state()["verdicts"]
    assert len(state) <= 129
    assert sum(counted[NOT_LISTED] for counted in state.values()) == 1_000


def test_a_partly_written_slot_is_not_read() -> None:
    scoreboard = Scoreboard.create(2)
    assert scoreboard.read(1) == {}
    scoreboard.write(1, {"seconds": 1.5})
    assert scoreboard.read_all() == [{}, {"seconds": 1.5}]
    (byte,) = os.pread(scoreboard.descriptor, 1, 65_536 + 10)
    os.pwrite(scoreboard.descriptor, bytes([byte ^ 1]), 65_536 + 10)
    assert scoreboard.read(1) == {}
    scoreboard.write(0, {"too": "x" * 100_000})
    assert scoreboard.read(0) == {}
    scoreboard.close()


def test_another_process_reads_the_same_scoreboard() -> None:
    scoreboard = Scoreboard.create(1)
    scoreboard.write(0, {"version": 7})
    again = Scoreboard(os.dup(scoreboard.descriptor), 1)
    assert again.read(0) == {"version": 7}
    again.close()
    scoreboard.close()


def test_every_metric_is_documented_and_the_dashboard_uses_no_other(store: Store) -> None:
    sent = Sent(1, 1, SOME_DAY, 1, "", SOME_DAY, SOME_DAY, 1, 1, "", {}, ())
    distribution = DistributionStatus(sent, None, 1, False, {}, "")
    text = (exposition([{}]) + feed_metrics(feed_rows(store)) + distribution_metrics(distribution)).decode()
    exposed = {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE")}
    text = (DOCS / "http.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(blocklist_\w+)", text))
    assert exposed == documented
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    asked = {
        re.sub(r"_bucket$", "", name)
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"blocklist_\w+", target["expr"])
    }
    assert asked <= exposed
    assert len(BUCKETS) == len(set(BUCKETS))
