"""The catalog in ``feeds/``: one folder a feed, with ``feed.toml``, a made-up sample and what it must give. Data only.

The catalog only seeds: what a feed is at run time, the database says. What is ``reference_only`` is there to be found
and read, has no sample, and cannot be added.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from blocklist.definitions.definition import FeedDefinition, definition_from_table
from blocklist.domain.errors import NotFoundError, UsageError

_PACKAGED = Path(__file__).parents[1] / "_catalog"
_CHECKOUT = Path(__file__).parents[2] / "feeds"


def catalog_folder() -> Path:
    """Return the folder of the catalog: inside an installed package, else beside it in a checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def catalog_names() -> list[str]:
    """Return the names of all feeds in the catalog, sorted."""
    return sorted(path.parent.name for path in catalog_folder().glob("*/feed.toml"))


def from_catalog(name: str) -> FeedDefinition:
    """Return a feed's definition from the catalog.

    :raises NotFoundError: the catalog has no such feed.
    :raises UsageError: its ``feed.toml`` is wrong.
    """
    if name not in catalog_names():
        raise NotFoundError(f"the catalog has no feed {name!r}: 'blocklist feed catalog' lists those there are")
    path = catalog_folder() / name / "feed.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from None
    return definition_from_table({"name": name, **table}, str(path))


def sample_of(name: str) -> Path:
    """Return the made-up sample of a feed in the catalog, in the shape its authority publishes.

    :raises NotFoundError: it has none.
    """
    for path in sorted((catalog_folder() / name).glob("sample.*")):
        if not path.name.endswith(".expected.json"):
            return path
    raise NotFoundError(f"the catalog has no sample of {name!r}")
