"""Rows made objects: a column fills the field of the same name, converted to the type of the field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from enum import EnumType
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from blocklist.domain.listing import Rule, RuleKind, Scope
from blocklist.store.engine import Row

Item = TypeVar("Item")
Reader = Callable[[Row], Any]


def mapper(shape: type[Item], **computed: Reader) -> Callable[[Row], Item]:
    """Return a function that makes a dataclass of a row.

    A field of type :class:`Rule` takes three columns. ``computed`` gives the fields that are no columns.
    """
    hints = get_type_hints(shape)
    names = [field.name for field in fields(shape)]  # type: ignore[arg-type]
    readers = {name: computed.get(name) or _reader(name, hints[name]) for name in names}

    def mapped(row: Row) -> Item:
        return shape(**{name: read(row) for name, read in readers.items()})

    return mapped


def rule_of(row: Row) -> Rule:
    """Return the rule that a row is of."""
    return Rule(RuleKind(row["kind"]), row["value"], Scope(row["scope"]))


def entry_of(row: Row) -> str:
    """Return the entry of a row as it was published."""
    return str(row["raw"] or row["value"])


def column(name: str) -> Reader:
    """Return a function that reads a column of another name than its field."""
    return lambda row: row[name]


def _reader(name: str, hint: Any) -> Reader:
    if hint is Rule:
        return rule_of
    types = get_args(hint)
    type_ = next(item for item in types if item is not NoneType) if NoneType in types else hint
    if type_ is bool or isinstance(type_, EnumType):
        return lambda row: None if row[name] is None else type_(row[name])
    return column(name)
