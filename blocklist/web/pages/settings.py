"""The settings in force, from the configuration file and the environment, without secrets."""

from __future__ import annotations

import json
from typing import NamedTuple

from flask import Blueprint, render_template
from pydantic import BaseModel

from blocklist.config.settings import Settings, may_contain_secret
from blocklist.domain.access import Role
from blocklist.service import Service
from blocklist.web.authorization import needs


class Setting(NamedTuple):
    """One setting: its value in TOML, its description, and whether the value differs from the default."""

    name: str
    value: str
    description: str
    changed: bool


def register(pages: Blueprint, service: Service) -> None:
    """Register the settings page."""

    @pages.get("/settings")
    @needs(Role.ADMIN)
    def settings() -> str:
        return render_template(
            "settings.html",
            section="Settings",
            sections=settings_of(service.settings),
            policies=service.settings.all_policies(),
            folder=service.settings.data_dir.resolve(),
        )


def settings_of(settings: Settings) -> dict[str, list[Setting]]:
    """Return all settings by section; secrets are hidden."""
    defaults = Settings()
    sections: dict[str, list[Setting]] = {}
    for name in Settings.model_fields:
        section, default = getattr(settings, name), getattr(defaults, name)
        if isinstance(section, BaseModel):
            sections[name] = _section(section, default)
    return sections


def _section(section: BaseModel, default: BaseModel | None, prefix: str = "") -> list[Setting]:
    """Return the settings of a section; a table of sections, such as channels, gives one row for each setting."""
    values = section.model_dump(mode="json")
    usual = default.model_dump(mode="json") if default else {}
    found = []
    for name, field in type(section).model_fields.items():
        inner = getattr(section, name)
        tables = inner if isinstance(inner, dict) else {}
        if any(isinstance(table, BaseModel) for table in tables.values()):
            for key, table in tables.items():
                found += _section(table, None, f"{prefix}{name}.{key}.")
            continue
        # TOML writes arrays and strings as JSON does.
        shown = json.dumps(values[name], ensure_ascii=False)
        if may_contain_secret(name, field):
            shown = "set (hidden)" if values[name] else "not set"
        changed = values[name] != usual.get(name, field.get_default())
        found.append(Setting(f"{prefix}{name}", shown, field.description or "", changed))
    return found
