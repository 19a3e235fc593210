"""Each body of the corpus after a good list: the outcome must be the expected one."""

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

#: Bytes of memory that a body may need in addition to the size it may expand to.
BEYOND = 64 << 20


def named(case: Case) -> str:
    return f"{case.format}: {case.what}"


@pytest.fixture(scope="module")
def templates() -> dict[str, Path]:
    """Folders of feeds that serve a good list, by :attr:`Case.key`; they are copied."""
    return {}


@pytest.mark.parametrize("case", [case for case in CASES if not case.expands], ids=named)
def test_a_feed_that_receives(case: Case, templates: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    if case.key not in templates:
        made = tmp_path_factory.mktemp("template")
        Served.fresh(made, case.format, case.before, **case.feed).close()
        templates[case.key] = made
    served = Served.copied(templates[case.key], tmp_path_factory.mktemp("served") / "copy")
    try:
        check(served, case)
    finally:
        served.close()


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """The report of :mod:`.measuring` on each case that expands, by its number; -1 is for good lists."""
    folder = tmp_path_factory.mktemp("measured")
    for number, case in enumerate(EXPANDING):
        (folder / str(number)).write_bytes(case.bytes())
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.measuring", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {said["number"]: said for said in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("case", EXPANDING, ids=named)
def test_memory_stays_below_the_cap_plus_64_megabytes_for(case: Case, measured: dict[int, dict[str, Any]]) -> None:
    usual, said = measured[-1], measured[EXPANDING.index(case)]
    assert said["failed"] is None
    for whose in ("own", "children"):
        assert said[whose] - usual[whose] <= CAP + BEYOND, whose


def test_the_corpus_has_more_than_eighty_bodies_each_with_its_own_description() -> None:
    assert len({named(case) for case in CASES}) == len(CASES) > 80
    assert len(EXPANDING) > 15
