"""Which statements the parts of the store run, and what in a statement PostgreSQL would not take as SQLite does."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pglast
import pytest
from pglast import ast as tree
from pglast.enums import A_Expr_Kind, OnConflictAction, SubLinkType
from pglast.visitors import Visitor

from blocklist import store
from blocklist.store.engine import Database, open_database

STORE = Path(inspect.getfile(store)).parent
#: The methods that take a statement.
METHODS = [
    name
    for name, method in inspect.getmembers(Database, inspect.isfunction)
    if "sql" in inspect.signature(method).parameters
]
#: What the engine makes of the parts of a statement that it is given.
_COMPLETED = {
    "joined_with": "SELECT {1} FROM texts AS t JOIN {2}",
    "host_blocks": "SELECT value, feed_id, scope, listed_from FROM listings AS l WHERE {0}",
}
#: Functions that both engines have with one meaning; of more than one argument SQLite's max is another function.
_FUNCTIONS = {"count", "max", "min", "sum", "lower"}
_OPERATORS = {"=", "<>", "<", ">", "<=", ">=", "+", "-", "||", "~~"}


@dataclass
class Recording:
    """The statements that came from outside the engine, and the lines of code that they came from."""

    statements: set[str] = field(default_factory=set)
    places: set[tuple[Path, int]] = field(default_factory=set)


def record(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Recording:
    """Record the statements of every database from here on."""
    recording = Recording()
    opened = open_database(folder / "probe.db")
    opened.close()

    def recorded(method: Callable[..., Any]) -> Callable[..., Any]:
        position = [name for name in inspect.signature(method).parameters if name != "self"].index("sql")

        def run(self: Database, *arguments: Any) -> Any:
            caller = sys._getframe(1)
            path = Path(caller.f_code.co_filename)
            if STORE / "engine" not in path.parents:
                recording.statements.add(arguments[position])
                recording.places.add((path, caller.f_lineno))
            return method(self, *arguments)

        return run

    def completed(statement: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def run(self: Database, *parts: Any) -> Any:
            recording.statements.add(statement.format(*parts))
            return method(self, *parts)

        return run

    for name in METHODS:
        monkeypatch.setattr(type(opened), name, recorded(getattr(type(opened), name)))
    for name, statement in _COMPLETED.items():
        monkeypatch.setattr(type(opened), name, completed(statement, getattr(type(opened), name)))
    return recording


def calls() -> Iterator[tuple[Path, int, int]]:
    """Yield the places in the store, engines apart, at which a statement is run: file, first and last line."""
    for path in sorted(STORE.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in METHODS
                and ast.unparse(node.func.value) == "self._database"
            ):
                yield path, node.lineno, node.end_lineno or node.lineno


def faults(statement: str) -> list[str]:
    """Return what PostgreSQL would refuse in a statement, or would read otherwise than SQLite does."""
    numbers = count(1)
    assert "'?" not in statement
    try:
        parsed = pglast.parse_sql(re.sub(r"\?", lambda _: f"${next(numbers)}", statement))
    except pglast.parser.ParseError as error:
        return [str(error)]
    visitor = _Differences()
    visitor(parsed)
    return visitor.found


class _Differences(Visitor):
    """Collects what parses and is not the same in both engines."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_FuncCall(self, _: Any, node: Any) -> None:
        name = node.funcname[-1].sval
        if name == "like_escape":
            return
        if name not in _FUNCTIONS or (name != "lower" and len(node.args or ()) > 1):
            self.found.append(f"function {name}")
        if node.agg_filter:
            self._boolean(node.agg_filter)

    def visit_A_Expr(self, _: Any, node: Any) -> None:
        name = node.name[-1].sval
        if name not in _OPERATORS:
            self.found.append(f"operator {name}")
        if node.lexpr is None and name != "-":
            self.found.append(f"unary {name}")
        if node.kind not in (
            *(A_Expr_Kind.AEXPR_OP, A_Expr_Kind.AEXPR_IN, A_Expr_Kind.AEXPR_LIKE),
            *(A_Expr_Kind.AEXPR_DISTINCT, A_Expr_Kind.AEXPR_NOT_DISTINCT),
        ):
            self.found.append(f"operator {node.kind.name}")
        if any(_is_boolean(side) for side in (node.lexpr, node.rexpr)):
            self.found.append("a truth value compared or calculated with")

    def visit_BooleanTest(self, *_: Any) -> None:
        self.found.append("IS with a truth value")

    def visit_ColumnRef(self, _: Any, node: Any) -> None:
        if getattr(node.fields[-1], "sval", "") in ("rowid", "oid", "_rowid_"):
            self.found.append("rowid")

    def visit_RangeVar(self, _: Any, node: Any) -> None:
        if node.schemaname or "sqlite" in node.relname:
            self.found.append(f"table {node.schemaname}.{node.relname}")

    def visit_RangeFunction(self, *_: Any) -> None:
        self.found.append("a function as a table")

    def visit_TypeCast(self, *_: Any) -> None:
        self.found.append("a cast")

    def visit_OnConflictClause(self, _: Any, node: Any) -> None:
        if node.action == OnConflictAction.ONCONFLICT_UPDATE and not node.infer:
            self.found.append("DO UPDATE without the columns in conflict")

    def visit_SelectStmt(self, _: Any, node: Any) -> None:
        for condition in filter(None, (node.whereClause, node.havingClause)):
            self._boolean(condition)

    def visit_UpdateStmt(self, _: Any, node: Any) -> None:
        if node.whereClause:
            self._boolean(node.whereClause)

    visit_DeleteStmt = visit_UpdateStmt  # noqa: N815 - the name of a node

    def visit_JoinExpr(self, _: Any, node: Any) -> None:
        if node.quals:
            self._boolean(node.quals)

    def visit_CaseWhen(self, _: Any, node: Any) -> None:
        self._boolean(node.expr)

    def visit_BoolExpr(self, _: Any, node: Any) -> None:
        for condition in node.args:
            self._boolean(condition)

    def visit_RawStmt(self, _: Any, node: Any) -> None:
        # How tables are made is each engine's own.
        if not isinstance(node.stmt, tree.SelectStmt | tree.InsertStmt | tree.UpdateStmt | tree.DeleteStmt):
            self.found.append(f"statement {type(node.stmt).__name__}")

    def _boolean(self, node: Any) -> None:
        if not _is_boolean(node):
            self.found.append("a condition that is no truth value")


def _is_boolean(node: Any) -> bool:
    if isinstance(node, tree.A_Const):
        return isinstance(node.val, tree.Boolean)
    if isinstance(node, tree.SubLink):
        return node.subLinkType in (SubLinkType.EXISTS_SUBLINK, SubLinkType.ANY_SUBLINK)
    if type(node) is tree.A_Expr:
        name: Any = node.name
        return name[-1].sval not in ("+", "-", "||")
    return isinstance(node, tree.BoolExpr | tree.NullTest)
