"""Replay bid requests against a node and say what it thinks of them, and how fast.

    python replay_bid_requests.py requests.ndjson [--node http://127.0.0.1:8081] [--policy P]

One bid request a line (``-``: standard input). Needs nothing but Python. Exit status 1 if any request got no verdict.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import sys
import time
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit


def main() -> int:
    """Replay, and print a line for each listed request and the summary as JSON."""
    parser = argparse.ArgumentParser(description="Replay bid requests, one JSON object a line, against a node.")
    parser.add_argument("file", help="file of bid requests, one a line; - for standard input")
    parser.add_argument("--node", default="http://127.0.0.1:8081", help="address of the node")
    parser.add_argument("--policy", default="default", help="which listings count")
    options = parser.parse_args()
    with sys.stdin.buffer if options.file == "-" else open(options.file, "rb") as lines:  # noqa: PTH123
        counts, sellers, times = replay(lines, options.node, options.policy)
    summary = {"requests": sum(counts.values()), "verdicts": dict(counts), "sellers": dict(sellers.most_common(20))}
    print(json.dumps(summary | quantiles(times)))  # noqa: T201
    return 1 if counts["error"] else 0


def replay(
    lines: Iterable[bytes], node: str, policy: str
) -> tuple[collections.Counter[str], collections.Counter[str], list[float]]:
    """Return how many requests got each verdict, how many blocked ones each seller had, and each one's milliseconds.

    Print those that are blocked.
    """
    parts = urlsplit(node)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=5)
    counts: collections.Counter[str] = collections.Counter()
    sellers: collections.Counter[str] = collections.Counter()
    times: list[float] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        begin = time.perf_counter()
        try:
            connection.request("POST", f"/v1/openrtb?{urlencode({'policy': policy})}", line.strip())
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            answer, problem = {}, str(error)
        else:
            problem = "" if response.status == 200 else answer.get("detail", f"status {response.status}")
        times.append((time.perf_counter() - begin) * 1000)
        if problem:
            counts["error"] += 1
            print(f"line {number}: {problem}", file=sys.stderr)  # noqa: T201
            continue
        counts[answer["verdict"]] += 1
        if answer["block"]:
            said = f"{answer['field']} is listed: {answer['rule']} ({', '.join(answer['feeds']) or 'override'})"
            carried = [" ".join(map(str, seller.values())) for seller in answer.get("sellers", ())]
            sellers.update(carried)
            by = f", sold by {', '.join(carried)}" if carried else ""
            print(f"line {number}: {said}{by}", file=sys.stderr)  # noqa: T201
    return counts, sellers, times


def quantiles(times: list[float]) -> dict[str, float]:
    """Return the median, the 99th percentile and the longest, in milliseconds."""
    if not times:
        return {}
    times = sorted(times)
    at = {"p50_ms": 0.5, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: round(times[min(len(times) - 1, int(len(times) * share))], 3) for name, share in at.items()}


if __name__ == "__main__":
    sys.exit(main())
