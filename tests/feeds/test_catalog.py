"""Every feed of the catalog: its definition loads, and its made-up sample gives what stands beside it."""

from __future__ import annotations

import json

import pytest

from blocklist.definitions.catalog import catalog_folder, catalog_names, from_catalog, sample_of
from blocklist.definitions.definition import FeedDefinition
from blocklist.domain.errors import NotFoundError, UsageError
from blocklist.service import Service
from tests.feeds.reading import result

FOLDERS = sorted(path.name for path in catalog_folder().iterdir() if path.is_dir())
REFERENCES = [name for name in FOLDERS if from_catalog(name).reference_only]
FEEDS = [name for name in FOLDERS if name not in REFERENCES]


@pytest.mark.parametrize("name", FEEDS)
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


@pytest.mark.parametrize("name", FEEDS)
def test_a_sample_is_made_up_of_names_that_nobody_can_own(name: str) -> None:
    reserved = (".example", ".example.", ".рф", ".xn--p1ai", "blogspot.com", "localhost")
    for rule in result(name)["rules"]:
        host = rule["rule"][1].split("/")[0]
        kind = rule["rule"][0]
        made_up_app = kind == "app" and host.startswith(("com.example.", "10000000"))
        assert host.endswith(reserved) or kind == "ip" or made_up_app, host


def test_every_folder_of_the_catalog_is_a_whole_feed() -> None:
    assert catalog_names() == FOLDERS
    assert {"it-agcom", "de-cuii", "ru-registry", "uk-pipcu-iwl", "wipo-alert"} <= set(FOLDERS)
    for name in FEEDS:
        assert sample_of(name).stat().st_size < 10_000


def test_lists_for_reference_only_have_no_sample_and_cannot_be_added_or_previewed(service: Service) -> None:
    assert REFERENCES == ["eu-watch-list", "us-ustr-notorious-markets"]
    said = r"for reference only and makes no rules: .* Read it at https://"
    for name in REFERENCES:
        with pytest.raises(NotFoundError):
            sample_of(name)
        with pytest.raises(UsageError, match=said):
            service.feeds.add(from_catalog(name), "cli:admin")
        with pytest.raises(UsageError, match=said):
            service.feeds.preview(from_catalog(name))
    assert not service.store.feeds.all()


def test_a_list_for_reference_only_must_say_why_and_where_it_is_read() -> None:
    data = from_catalog("eu-watch-list").model_dump() | {"documentation": None}
    with pytest.raises(ValueError, match="reference_only needs notes"):
        FeedDefinition.model_validate(data)
