"""Types of the guards' settings: how pydantic validates them, in the service's settings and in feed definitions."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from blocklist.domain.verdict import Target
from blocklist.normalize.candidates import one_app, one_target
from blocklist.normalize.hosts import parse_target


def comma_separated(value: object) -> object:
    """Return ``a, b`` as two values, which is how ``--option`` gives several; anything else is returned as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def target_of(text: str) -> Target:
    """Return the target that a setting names: a host, a URL, or ``app:ID``. A page in an app store names its app.

    :raises ValueError: it is none of them.
    """
    return one_app(text[4:]) if text[:4] == "app:" else one_target(text)


def _target(text: str) -> str:
    try:
        target_of(text)
    except ValueError as error:
        raise ValueError(f"{error}: use a host, a URL, or app:ID") from None
    return text


def _host(text: str) -> str:
    target = parse_target(text)
    if target.path is not None or "." not in target.host:
        raise ValueError(f"{text!r} is not a host or an address, such as example.com")
    return target.host


def _date_pattern(text: str) -> str:
    if text in ("auto", "off"):
        return text
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    if not groups:
        raise ValueError(f"{text!r} has no group: put the date in parentheses, or name groups year, month, day")
    return text


#: A share of a whole: 0.2 is 20%.
Share = Annotated[float, Field(ge=0, le=1)]
#: Growth relative to the size before: 1.0 is twice the size.
Growth = Annotated[float, Field(ge=0, le=1_000_000)]
EntryCount = Annotated[int, Field(ge=0)]
HostNames = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], BeforeValidator(comma_separated)]
Targets = Annotated[tuple[Annotated[str, AfterValidator(_target)], ...], BeforeValidator(comma_separated)]
#: ``auto``, ``off``, or a regular expression with a group.
DatePattern = Annotated[str, AfterValidator(_date_pattern)]
