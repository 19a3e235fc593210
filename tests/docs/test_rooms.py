"""The rooms of the package: the documents name each one, and draw the imports as the contracts allow them."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

_ROOT = Path(__file__).parents[2]
_README = _ROOT.joinpath("README.md").read_text("utf-8")
_ROOMS = sorted(path.parent.name for path in _ROOT.glob("blocklist/*/__init__.py"))
#: The row of each room in CONTRIBUTING.md, in the order of the table: what it has, and the file to open first.
_TABLE = {
    room: (subject, first)
    for room, subject, first in re.findall(
        r"^\| `(\w+)` \| (.+) \| `(blocklist/\S+)` \|$",
        _ROOT.joinpath("CONTRIBUTING.md").read_text("utf-8"),
        re.MULTILINE,
    )
}
#: What a reader of the README looks for, and the room whose row must contain it.
_FEATURES = {
    "lookup": "lookup",
    "feed": "fetch",
    "catalog": "definitions",
    "preview": "refresh",
    "evidence": "fetch",
    "pages": "web",
    "Snapshot": "snapshot",
    "Python": "snapshot",
    "OpenRTB": "lookup",
    "forward authentication": "lookup",
    "batch": "lookup",
    "settings": "config",
    "database": "store",
    "tokens": "access",
    "sign in": "access",
    "roles": "access",
    "HTTPS": "daemon",
    "metrics": "web",
    "doctor": "service",
    "webhooks": "notify",
    "e-mail": "notify",
    "held runs": "service",
    "exports": "exports",
    "API": "web",
    "command": "cli",
}


def _layers() -> list[set[str]]:
    """Return the rows of the layers contract, from the top down."""
    with _ROOT.joinpath("pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [{name.strip().strip("()") for name in row.split("|")} for row in layers]


def test_the_picture_in_the_architecture_shows_the_layers_of_the_contract() -> None:
    text = _ROOT.joinpath("docs", "architecture.md").read_text("utf-8")
    (picture,) = re.findall(r"<!-- layers -->\n\n```\n(.*?)```", text, re.DOTALL)
    rows = [set(re.findall(r"[a-z]+", line.partition("  # ")[0])) for line in picture.splitlines()]
    assert rows == _layers()


def test_the_domain_imports_only_the_standard_library() -> None:
    graph = grimp.build_graph("blocklist", include_external_packages=True, cache_dir=None)
    modules = {"blocklist.domain", *graph.find_descendants("blocklist.domain")}
    imported = {name for module in modules for name in graph.find_modules_directly_imported_by(module)}
    assert imported
    assert {name for name in imported - modules if name.partition(".")[0] not in sys.stdlib_module_names} == set()


def test_the_table_of_rooms_names_each_room_once_and_in_the_order_of_the_layers() -> None:
    assert sorted(_TABLE) == _ROOMS
    rank = {room: number for number, row in enumerate(_layers()) for room in row}
    assert list(_TABLE) == sorted(_TABLE, key=lambda room: rank[room])


@pytest.mark.parametrize("room", _ROOMS)
def test_a_room_says_what_it_is_for_and_its_first_file_is_in_it(room: str) -> None:
    docstring = ast.get_docstring(ast.parse(_ROOT.joinpath("blocklist", room, "__init__.py").read_text("utf-8")))
    assert docstring
    assert len(docstring.partition("\n")[0].split()) >= 5
    assert _TABLE[room][1].startswith(f"blocklist/{room}/")


@pytest.mark.parametrize(("feature", "room"), _FEATURES.items())
def test_a_feature_of_the_readme_is_found_by_its_name_in_the_table_of_rooms(feature: str, room: str) -> None:
    assert feature.lower() in _README.lower()
    assert feature.lower() in _TABLE[room][0].lower()
