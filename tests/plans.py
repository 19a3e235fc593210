"""How the database would go about what code asks of it: work that grows shows in the plan, not in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from blocklist.store import Store
from blocklist.store.engine.sqlite import SqliteDatabase


@contextmanager
def traced(store: Store, tell: Callable[[str], object]) -> Iterator[None]:
    """Call ``tell`` with each statement that this thread runs inside, its parameters filled in."""
    assert isinstance(store.database, SqliteDatabase)
    connection = store.database._connections.current
    connection.set_trace_callback(tell)
    try:
        yield
    finally:
        connection.set_trace_callback(None)


def statements_of(store: Store, action: Callable[[], Any]) -> list[str]:
    """Return the statements that an action makes in this thread, their parameters filled in."""
    said: list[str] = []
    with traced(store, said.append):
        action()
    return [statement for statement in said if not statement.startswith("--")]


def plan_of(store: Store, action: Callable[[], Any]) -> list[str]:
    """Return the steps of the query plans of every statement that an action makes."""
    return [
        row["detail"]
        for statement in statements_of(store, action)
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))
        for row in store.database.rows(f"EXPLAIN QUERY PLAN {statement}")
    ]


def scans(plan: list[str], table: str) -> list[str]:
    """Return the steps of a plan that walk all of a table."""
    return [step for step in plan if f"{step} ".startswith(f"SCAN {table} ")]
