"""Every feed of the catalog: its definition loads, and its made-up sample gives what stands beside it."""

from __future__ import annotations

import json

import pytest

from blocklist.catalog import catalog_folder, catalog_names, from_catalog, sample_of
from tests.feeds.reading import result

FOLDERS = sorted(path.name for path in catalog_folder().iterdir() if path.is_dir())


@pytest.mark.parametrize("name", FOLDERS)
def test_a_feed_of_the_catalog_reads_its_sample_as_expected(name: str) -> None:
    expected = json.loads((catalog_folder() / name / "sample.expected.json").read_text(encoding="utf-8"))
    assert result(name) == expected


@pytest.mark.parametrize("name", FOLDERS)
def test_a_feed_of_the_catalog_says_who_confirms_on_what_basis_and_where_to_appeal(name: str) -> None:
    definition = from_catalog(name)
    assert definition.title
    assert definition.documentation
    assert definition.notes
    assert definition.authority.contact
    assert definition.legal_basis or definition.authority.kind == "industry"


@pytest.mark.parametrize("name", FOLDERS)
def test_a_sample_is_made_up_of_names_that_nobody_can_own(name: str) -> None:
    reserved = (".example", ".example.", ".рф", ".xn--p1ai", "blogspot.com", "localhost")
    for rule in result(name)["rules"]:
        host = rule["rule"][1].split("/")[0]
        assert host.endswith(reserved) or rule["rule"][0] == "ip", host


def test_every_folder_of_the_catalog_is_a_whole_feed() -> None:
    assert catalog_names() == FOLDERS
    assert {"it-agcom", "de-cuii", "ru-registry", "uk-pipcu-iwl", "wipo-alert"} <= set(FOLDERS)
    for name in FOLDERS:
        assert sample_of(name).stat().st_size < 10_000
