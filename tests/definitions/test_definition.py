"""Definitions: what a feed.toml may say, and what is refused in one line."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from blocklist.definitions.catalog import from_catalog, sample_of
from blocklist.definitions.definition import FeedDefinition, definition_from_table, with_options
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.domain.listing import AuthorityKind, Scope
from tests.support import definition

WHOLE = """
name = "court"
title = "A court"
format = "csv"
every = "12h"
legal_basis = "Art. 1"
[authority]
name = "Test Court"
kind = "court"
country = "GB"
contact = "appeals@court.example"
[source]
url = "https://court.example/list.csv"
[source.credentials]
kind = "bearer"
env = "COURT_TOKEN"
[csv]
column = "Domain"
where = "State=active"
[rules]
www = "keep"
scope = "exact"
[guards]
max_removed = 0.5
"""


def read(text: str) -> FeedDefinition:
    return definition_from_table(tomllib.loads(text), "feed.toml")


def refused(text: str) -> str:
    with pytest.raises(UsageError) as found:
        read(text)
    assert "\n" not in str(found.value)
    return str(found.value)


def test_a_whole_definition_is_read() -> None:
    made = read(WHOLE)
    assert (made.name, made.title, made.format, made.every, made.legal_basis) == (
        *("court", "A court", "csv", 43_200, "Art. 1"),
    )
    assert made.options == {"column": "Domain", "where": "State=active"}
    authority = made.authority.authority()
    assert (authority.kind, authority.country) == (AuthorityKind.COURT, "GB")
    assert made.source.credentials is not None
    assert made.source.credentials.env == "COURT_TOKEN"
    assert made.rules.reading().scope is Scope.EXACT
    assert made.guards.model_dump()["max_removed"] == 0.5


def test_a_definition_survives_being_stored() -> None:
    made = read(WHOLE)
    assert FeedDefinition.model_validate_json(made.model_dump_json(exclude_defaults=True)) == made


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "court"', 'name = "Court!"', "feed.toml: name: 'Court!' is not a feed name"),
        ('name = "court"', 'name = "../x"', "'../x' is not a feed name"),
        ('name = "court"', f'name = "{"a" * 65}"', "is not a feed name"),
        ('format = "csv"', 'format = "excel"', "has a table [csv] but the format is 'excel'"),
        ('format = "csv"', "", "has a table [csv] but the format is None"),
        ('every = "12h"', 'every = "soon"', "every: 'soon' is not a duration: write a number and s, m, h, d or w"),
        ('every = "12h"', "every = 0", "every: "),
        ('title = "A court"', 'colour = "red"', "colour: is unknown; known: name, title, authority"),
        ('kind = "court"', 'kind = "pirate"', "authority.kind: "),
        ('country = "GB"', 'country = "Britain"', "authority.country: 'Britain' is not a country"),
        ('country = "GB"', "", "authority.country: is missing"),
        (
            "https://court.example/list.csv",
            "gopher://court.example/",
            "source.url: 'gopher://court.example/' is not an",
        ),
        ("[source]", '[source]\nfile = "x"', "source: set either url or file, not both"),
        ('env = "COURT_TOKEN"', "", "source.credentials: set either env"),
        ('env = "COURT_TOKEN"', 'env = "A"\nfile = "b"', "source.credentials: set either env"),
        ('env = "COURT_TOKEN"', 'token = "s3cret"', "source.credentials.token: is unknown"),
        ('column = "Domain"', "", "column: is missing"),
        ('column = "Domain"', 'column = "Domain"\nspeed = 1', "speed: is unknown"),
        ('scope = "exact"', 'scope = "prefix"', "rules.scope: "),
        ("max_removed = 0.5", "max_removed = 50", "guards.max_removed: "),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_in_one_line(old: str, new: str, said: str) -> None:
    assert said in refused(WHOLE.replace(old, new, 1))


def test_an_unknown_format_is_named_with_those_there_are() -> None:
    text = WHOLE.replace('format = "csv"', 'format = "excel"').replace("[csv]", "[excel]")
    assert "format: 'excel' is unknown: use one of lines, hosts, adblock, csv, json, ndjson" in refused(text)


def test_options_are_given_one_by_one_on_the_command_line() -> None:
    table: dict[str, Any] = {"name": "x", "options": {"column": 1}, "guards": {"max_rejected": 0.1}}
    changed = with_options(table, ["column=3", "where=a=b", "guards.max_removed=0.5", "rules.www=keep"])
    assert changed["options"] == {"column": "3", "where": "a=b"}
    assert changed["guards"] == {"max_rejected": 0.1, "max_removed": "0.5"}
    assert changed["rules"] == {"www": "keep"}
    assert table == {"name": "x", "options": {"column": 1}, "guards": {"max_rejected": 0.1}}
    for pair in ("column", "=3", ""):
        with pytest.raises(UsageError, match="--option takes key=value"):
            with_options(table, [pair])


def test_a_feed_that_the_catalog_does_not_have_is_said() -> None:
    with pytest.raises(NotFoundError, match="the catalog has no feed 'nope'"):
        from_catalog("nope")
    with pytest.raises(NotFoundError, match="the catalog has no sample of 'nope'"):
        sample_of("nope")
    with pytest.raises(NotFoundError):
        from_catalog("../feeds/it-agcom")


@pytest.mark.parametrize("format_", ['["csv"]', "{}", "7", "true"])
def test_a_format_that_is_no_text_is_refused_like_any_other_mistake(format_: str) -> None:
    text = WHOLE.replace('format = "csv"', f"format = {format_}").replace("[csv]", "[json]")
    assert "format" in refused(text.replace("[json]", "[guards.x]"))


def test_further_top_level_domains_are_labels() -> None:
    made = definition(rules={"top_level_domains": "lib, .BIT"})
    assert made.rules.top_level_domains == ("lib", "bit")
    assert made.rules.reading().top_level_domains == {"lib", "bit"}
    with pytest.raises(ValueError, match=r"'co\.lib' is not a top-level domain"):
        definition(rules={"top_level_domains": ["co.lib"]})
