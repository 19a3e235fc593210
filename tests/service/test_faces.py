"""How the rooms around the service use it: through its parts, never through its store."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import blocklist


@pytest.mark.parametrize("room", ["cli", "daemon", "exports", "notify", "web"])
def test_no_other_room_reaches_a_table_through_the_service(room: str) -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in (Path(blocklist.__file__).parent / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("store", "refresher")
    ]
    assert found == []
