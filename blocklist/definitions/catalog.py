"""The catalog in ``feeds/``: one folder per feed with its ``feed.toml``, a made-up sample and the expected result.

A feed that is added copies its definition into the database, which is used from then on. A definition that is
``reference_only`` is documentation: it has no sample, and cannot be added.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from blocklist.definitions.definition import FeedDefinition, definition_from_table
from blocklist.domain.errors import NotFoundError, UsageError


def catalog_folder() -> Path:
    """Return the folder of the catalog: in the installed package, else beside it in a checkout."""
    packaged = Path(__file__).parents[1] / "_catalog"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "feeds"


def catalog_names() -> list[str]:
    """Return the names of all feeds in the catalog, sorted."""
    return sorted(path.parent.name for path in catalog_folder().glob("*/feed.toml"))


def from_catalog(name: str) -> FeedDefinition:
    """Return a feed's definition from the catalog.

    :raises NotFoundError: the catalog has no such feed.
    :raises UsageError: its ``feed.toml`` is not valid.
    """
    if name not in catalog_names():
        raise NotFoundError(f"the catalog has no feed {name!r}: 'blocklist feed catalog' lists all")
    path = catalog_folder() / name / "feed.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    return definition_from_table({"name": name, **table}, str(path))


def sample_of(name: str) -> Path:
    """Return the path of a feed's made-up sample, which has the form that its authority publishes.

    :raises NotFoundError: the feed has no sample.
    """
    for path in sorted((catalog_folder() / name).glob("sample.*")):
        if not path.name.endswith(".expected.json"):
            return path
    raise NotFoundError(f"the catalog has no sample of {name!r}")
