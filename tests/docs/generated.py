"""The generated parts of the documentation: guards, wrappers, app stores. See :mod:`tests.docs.regenerate`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from blocklist.guards.guard_settings import GuardSettings
from blocklist.guards.registry import GUARDS
from blocklist.normalize.app_stores import APP_STORES, STORE_SCHEMES
from blocklist.normalize.wrappers import WRAPPERS
from blocklist.normalize.wrapping_schemes import WRAPPING_SCHEMES

ROOT = Path(__file__).parents[2]


class Part(NamedTuple):
    """A generated part of a file: the text before it and after it, and what generates it."""

    file: str
    before: str
    after: str
    generate: Callable[[], str]

    def replaced(self) -> tuple[str, str]:
        """Return the text of the file as it is, and with this part generated."""
        text = (ROOT / self.file).read_text(encoding="utf-8")
        pattern = re.compile(f"({re.escape(self.before)}).*?({re.escape(self.after)})", re.DOTALL)
        assert len(pattern.findall(text)) == 1, f"{self.file}: {self.before!r} … {self.after!r}"
        return text, pattern.sub(lambda match: match[1] + self.generate() + match[2], text)


def _guards_table() -> str:
    rows = ["| guard | does | setting | speaks when |", "| --- | --- | --- | --- |"]
    for guard in GUARDS:
        setting = f"`guards.{guard.setting_name}`" if guard.setting_name else "-"
        rows.append(f"| `{guard.name}` | {guard.effect} | {setting} | {guard.speaks} |")
    return "\n".join(rows)


def _feed_guards_table() -> str:
    rows = ["| key | means |", "| --- | --- |"]
    for name, field in GuardSettings.model_fields.items():
        description = (field.description or "").removesuffix(".")
        rows.append(f"| `{name}` | {description[:1].lower()}{description[1:]} |")
    return "\n".join(rows)


def _example_settings() -> str:
    return "\n".join(
        f"# {field.description}\n{name} = {_toml(field.default)}" for name, field in GuardSettings.model_fields.items()
    )


def _toml(value: Any) -> str:
    # Text, numbers and arrays of them are written alike in JSON and in TOML.
    return json.dumps(value, ensure_ascii=False)


def _wrappers_table() -> str:
    rows = ["| wrapper | hosts | where the page is | source |", "| --- | --- | --- | --- |"]
    for wrapper in WRAPPERS:
        hosts = ", ".join(f"`{host}`" for host in wrapper.hosts)
        rows.append(f"| {wrapper.name} | {hosts} | {wrapper.rule} | {wrapper.source} |")
    return "\n".join(rows)


def _schemes_table() -> str:
    rows = ["| form | what is within | source |", "| --- | --- | --- |"]
    rows += [f"| `{scheme.scheme}:` | {scheme.rule} | {scheme.source} |" for scheme in WRAPPING_SCHEMES]
    return "\n".join(rows)


def _stores_table() -> str:
    rows = ["| store | hosts or schemes | source |", "| --- | --- | --- |"]
    for store in APP_STORES:
        rows.append(f"| {store.name} | {', '.join(f'`{host}`' for host in store.hosts)} | {store.source} |")
    for scheme in STORE_SCHEMES:
        rows.append(f"| links | {', '.join(f'`{name}:`' for name in scheme.schemes)} | {scheme.source} |")
    return "\n".join(rows)


PARTS = (
    Part("docs/operations.md", "<!-- guards:begin -->\n", "\n<!-- guards:end -->", _guards_table),
    Part("docs/adding-a-feed.md", "<!-- guards:begin -->\n", "\n<!-- guards:end -->", _feed_guards_table),
    Part("docs/http.md", "<!-- wrappers:begin -->\n", "\n<!-- wrappers:end -->", _wrappers_table),
    Part("docs/http.md", "<!-- schemes:begin -->\n", "\n<!-- schemes:end -->", _schemes_table),
    Part("docs/http.md", "<!-- stores:begin -->\n", "\n<!-- stores:end -->", _stores_table),
    Part("config.example.toml", "\n[guards]\n", "\n\n", _example_settings),
)
