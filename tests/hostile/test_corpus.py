"""Each body of the corpus after a good list: the outcome written beside it, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.corpus import CASES
from tests.hostile.measuring import EXPANDING
from tests.hostile.served import CAP, Case, Served, check

#: Bytes of memory that any body may cost beyond what it may open to.
BEYOND = 64 << 20


def named(case: Case) -> str:
    return f"{case.format}: {case.what}"


@pytest.fixture(scope="module")
def templates() -> dict[str, Path]:
    """Folders of feeds that serve a good list, to be copied, by what distinguishes them."""
    return {}


@pytest.mark.parametrize("case", [case for case in CASES if not case.expands], ids=named)
def test_a_feed_that_is_sent(case: Case, templates: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    if case.key not in templates:
        made = tmp_path_factory.mktemp("template")
        Served.anew(made, case.format, case.before, **case.feed).close()
        templates[case.key] = made
    served = Served.copied(templates[case.key], tmp_path_factory.mktemp("served") / "copy")
    try:
        check(served, case)
    finally:
        served.close()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """What a process of its own said of each case that expands, by its number; of good lists as -1."""
    folder = tmp_path_factory.mktemp("measured")
    for number, case in enumerate(EXPANDING):
        (folder / str(number)).write_bytes(case.bytes())
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.measuring", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {said["number"]: said for said in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("case", EXPANDING, ids=named)
def test_memory_stays_within_the_cap_and_64_megabytes_for(case: Case, measured: dict[int, dict[str, Any]]) -> None:
    usual, said = measured[-1], measured[EXPANDING.index(case)]
    assert said["failed"] is None
    for whose in ("own", "children"):
        assert said[whose] - usual[whose] <= CAP + BEYOND, whose


def test_the_corpus_has_more_than_eighty_bodies_each_with_a_sentence_of_its_own() -> None:
    assert len({named(case) for case in CASES}) == len(CASES) > 80
    assert len(EXPANDING) > 15
