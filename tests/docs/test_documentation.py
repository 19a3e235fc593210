"""The documentation against the code: what a stranger reads must be what the service does."""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from click.testing import CliRunner
from flask import Flask
from pydantic import BaseModel

from blocklist.cli import main
from blocklist.config.notifications import Event
from blocklist.config.settings import Settings, load_settings
from blocklist.definitions.definition import (
    AuthorityDefinition,
    FeedDefinition,
    RulesDefinition,
    definition_from_table,
)
from blocklist.definitions.source import Credentials, Integrity, LinkRule, Pagination, Source
from blocklist.domain.listing import AuthorityKind
from blocklist.exports import EXPORTS
from blocklist.formats.registry import FORMATS
from blocklist.guards.guard_settings import FeedGuards
from blocklist.guards.registry import GUARDS
from blocklist.service import Service
from blocklist.snapshot.follower import Follower
from blocklist.web.app import create_app
from tests.docs.generated import PARTS, Part

_ROOT = Path(__file__).parents[2]
_EXAMPLE = _ROOT / "config.example.toml"
_DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((_ROOT / "docs").glob("*.md"))}
_PAGES = sorted([*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")])
_PAGE_IDS = [str(path.relative_to(_ROOT)) for path in _PAGES]
_SHELLS = ("sh", "console")
#: Parts of a source that have tables of their own.
_SOURCE_PARTS = {"credentials", "discovery", "pagination", "integrity"}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("BLOCKLIST_"):
            monkeypatch.delenv(name)


# Commands


def _commands(command: click.Command, path: tuple[str, ...] = ("blocklist",)) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from _commands(child, (*path, name))


#: Every command that does something by itself: all but the groups that only hold others.
_LEAVES = {
    path: command
    for path, command in _commands(main)
    if not isinstance(command, click.Group) or (command.invoke_without_command and command is not main)
}


def _section(text: str, heading: str) -> str:
    """Return what stands between a heading and the next of its level or above."""
    level = heading.partition(" ")[0]
    _, found, rest = f"\n{text}".partition(f"\n{heading}\n")
    assert found, f"there is no heading {heading!r}"
    return re.split(rf"\n#{{1,{len(level)}}} ", rest)[0]


def _options(command: click.Command) -> set[str]:
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    return {name for option in options for name in option.opts}


def test_every_command_has_a_section_and_no_section_tells_of_another() -> None:
    told = set(re.findall(r"^### `(blocklist [a-z -]+)`$", _DOCS["commands.md"], re.MULTILINE))
    assert told == set(_LEAVES)


@pytest.mark.parametrize("path", _LEAVES)
def test_every_option_of_a_command_stands_in_its_section(path: str) -> None:
    told = set(re.findall(r"`(--?[a-z][a-z-]*)", _section(_DOCS["commands.md"], f"### `{path}`")))
    assert _options(_LEAVES[path]) <= told


def test_the_options_of_all_commands_stand_at_the_beginning() -> None:
    told = set(re.findall(r"`(--[a-z-]+)`", _DOCS["commands.md"].partition("\n## ")[0]))
    assert _options(main) <= told


def test_no_option_is_told_of_that_no_command_has() -> None:
    known = {"--help", "-h"}.union(*(_options(command) for _, command in _commands(main)))
    told = set(re.findall(r"`(--?[a-z][a-z-]*)", _DOCS["commands.md"]))
    assert told - known == set()


def _blocks(path: Path) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def _command_lines(path: Path) -> Iterator[list[str]]:
    """Yield the arguments of every ``blocklist`` that a page tells its reader to run."""
    for language, body in _blocks(path):
        if language not in _SHELLS:
            continue
        for line in body.replace("\\\n", " ").splitlines():
            if language == "console" and not line.startswith("$ "):
                continue
            lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
            lexer.commenters, lexer.whitespace_split = "#", True
            yield from _simple_commands(list(lexer))


def _simple_commands(tokens: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for token in [*tokens, ";"]:
        if token in (";", "|", "&", "&&", "||", "<", ">", ">>"):
            while command and re.fullmatch(r"\w+=.*", command[0]):
                command.pop(0)
            if command and Path(command[0]).name == "blocklist":
                yield command[1:]
            command = []
        else:
            command.append(token)


def _parse(arguments: list[str]) -> None:
    """Read a command line as click would, down to the last command, and run nothing."""
    with pytest.MonkeyPatch.context() as patch:
        # What groups do by themselves before they go on to their command, and what commands do.
        patch.setattr(click.Command, "invoke", lambda *_: None)
        main.main(list(arguments), "blocklist", standalone_mode=False)


_EXAMPLES = [(name, line) for name, page in zip(_PAGE_IDS, _PAGES, strict=True) for line in _command_lines(page)]


@pytest.mark.parametrize(("page", "arguments"), _EXAMPLES, ids=[f"{p}: {shlex.join(a)[:60]}" for p, a in _EXAMPLES])
def test_every_command_line_shown_would_be_understood(page: str, arguments: list[str]) -> None:
    try:
        _parse(arguments)
    except click.ClickException as error:
        pytest.fail(f"{page}: blocklist {shlex.join(arguments)}: {error.format_message()}")


@pytest.mark.parametrize(
    "line",
    [
        "blocklist nosuch",
        "blocklist feed list --nosuch",
        "blocklist run approve 9",
        "BLOCKLIST_CONFIG=x .venv/bin/blocklist run show seven | head",
    ],
)
def test_a_command_line_that_is_wrong_is_found_out(line: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```sh\n{line}\n```\n", encoding="utf-8")
    (arguments,) = _command_lines(page)
    with pytest.raises(click.ClickException):
        _parse(arguments)


def test_the_pages_show_command_lines_at_all() -> None:
    assert {"README.md", "docs/commands.md", "docs/operations.md", "docs/adding-a-feed.md"} <= {p for p, _ in _EXAMPLES}


# Answers of the README


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with the samples that ``make run`` loads."""
    folder = tmp_path_factory.mktemp("samples") / "data"
    done = CliRunner().invoke(main, ["--data-dir", str(folder), "feed", "samples"])
    assert done.exit_code == 0, done.output
    return folder


def _shown() -> list[tuple[list[str], str]]:
    """Return the arguments and the output of every command of the README that shows its output."""
    shells = "\n".join(body for language, body in _blocks(_ROOT / "README.md") if language == "console")
    parts = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", shells, re.MULTILINE)
    return [(shlex.split(command), output.strip()) for command, output in parts]


@pytest.mark.parametrize(
    ("command", "output"), [pytest.param(*item, id=item[0][-1]) for item in _shown() if "curl" in item[0]]
)
def test_an_answer_shown_in_the_readme_is_that_of_the_samples(samples: Path, command: list[str], output: str) -> None:
    client = create_app(Follower(samples / "snapshots", max_age=86_400)).test_client()
    path = command[1].removeprefix("http://127.0.0.1:8081")
    answer = client.post(path, data=command[3]) if "-d" in command else client.get(path)
    assert answer.get_json() | {"version": 20} == json.loads(output)


def test_verdicts_shown_in_the_readme_are_those_of_the_samples(samples: Path) -> None:
    ((command, output),) = [item for item in _shown() if item[0][:2] == ["blocklist", "lookup"]]
    assert CliRunner().invoke(main, ["--data-dir", str(samples), *command[1:]]).stdout.strip() == output


# HTTP


@pytest.fixture
def applications(tmp_path: Path) -> Iterator[dict[str, Flask]]:
    service = Service(Settings(data_dir=tmp_path))
    holder = Follower(service.snapshots.folder, 60)
    yield {"control plane": create_app(holder, service), "lookups": create_app(holder)}
    service.close()


def _routes(application: Flask) -> set[str]:
    """Return what programs ask; of what people look at, docs/pages.md tells."""
    rules = [rule for rule in application.url_map.iter_rules() if not rule.rule.startswith("/admin/")]
    rules = [rule for rule in rules if not rule.endpoint.endswith("static")]
    named = ((rule, str(rule).replace("<", "{").replace(">", "}")) for rule in rules)
    return {f"{method} {path}" for rule, path in named for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


def test_every_address_of_a_page_is_named_and_none_that_is_not_there(applications: dict[str, Flask]) -> None:
    rules = {
        rule.rule for rule in applications["control plane"].url_map.iter_rules() if rule.rule.startswith("/admin/")
    }
    told = re.findall(r"`(/admin/[^` ]*)`", _DOCS["pages.md"])
    assert sorted(told) == sorted(rules - {"/admin/static/<path:filename>"})


def test_every_route_has_a_section_and_no_section_tells_of_another(applications: dict[str, Flask]) -> None:
    told = set(re.findall(r"^## `([A-Z]+ /\S*)`$", _DOCS["http.md"] + _DOCS["api.md"], re.MULTILINE))
    assert told == _routes(applications["control plane"]) | _routes(applications["lookups"])


def test_the_table_of_endpoints_says_which_address_answers_what(applications: dict[str, Flask]) -> None:
    lookups, control = set(), set()
    for cells, on_lookups, on_control in re.findall(
        r"^\| (`.*) \| (yes|) ?\| (yes|) ?\|$", _DOCS["http.md"], re.MULTILINE
    ):
        endpoints = set(re.findall(r"`([A-Z]+ /\S*)`", cells))
        lookups |= endpoints if on_lookups else set()
        control |= endpoints if on_control else set()
    control |= set(re.findall(r"^## `([A-Z]+ /\S*)`$", _DOCS["api.md"], re.MULTILINE))
    assert (lookups, control) == (_routes(applications["lookups"]), _routes(applications["control plane"]))


# Settings


def _sections() -> dict[str, type[BaseModel]]:
    found = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name] = field.annotation
    return found


def test_the_example_configuration_has_every_setting_with_its_default_and_no_other() -> None:
    said = tomllib.loads(_EXAMPLE.read_text(encoding="utf-8"))
    defaults = Settings().model_dump(mode="json")
    assert defaults.pop("policies") == {}
    assert (defaults["notify"].pop("webhook"), defaults["notify"].pop("email")) == ({}, {})
    assert said == defaults


def test_the_example_configuration_loads_as_the_defaults() -> None:
    assert load_settings(_EXAMPLE) == Settings()


def test_the_example_configuration_explains_each_setting_in_the_words_of_the_code() -> None:
    text = _EXAMPLE.read_text(encoding="utf-8")
    fields = {"data_dir": Settings.model_fields["data_dir"]}
    for section in _sections().values():
        fields |= section.model_fields
    named_tables = ("webhook", "email")
    missing = [
        name
        for name, field in fields.items()
        if name not in named_tables and f"# {field.description}\n{name} = " not in text
    ]
    assert missing == []


def test_the_example_policies_and_channels_are_such_once_uncommented(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(re.sub(r"^#(?=[^ \n])", "", _EXAMPLE.read_text("utf-8"), flags=re.MULTILINE), encoding="utf-8")
    settings = load_settings(path)
    assert set(settings.policies) == {"cautious", "everything"}
    assert settings.policies["cautious"].min_authorities == 2
    assert list(settings.notify.channels) == ["webhook:pager"]


def test_the_configuration_shown_for_notifications_is_one(tmp_path: Path) -> None:
    section = _section(_DOCS["operations.md"], "## Notifications")
    shown = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    path = tmp_path / "config.toml"
    path.write_text(shown[0], encoding="utf-8")
    assert list(load_settings(path).notify.channels) == ["webhook:pager", "email:team"]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {event.value for event in Event}


# Feeds


def _keys(model: type[BaseModel], text: str) -> list[str]:
    return [name for name in model.model_fields if not re.search(rf"^\|[^|]*`{name}`", text, re.MULTILINE)]


def _part(begins: str, ends: str) -> str:
    text = _DOCS["adding-a-feed.md"]
    assert begins in text
    assert ends in text
    return text[text.index(begins) : text.index(ends)]


def test_every_key_of_a_feed_toml_is_explained_in_its_table() -> None:
    catalog = _section(_DOCS["adding-a-feed.md"], "## In the catalog")
    undocumented = set(_keys(FeedDefinition, catalog)) - {"authority", "source", "rules", "guards", "options"}
    assert undocumented == set()
    for model, begins, ends in (
        (AuthorityDefinition, "The name of the feed is that of the folder. `[authority]`", "`[source]`; leave"),
        (Source, "`[source]`; leave", "`[source.credentials]`;"),
        (Credentials, "`[source.credentials]`;", "`[rules]`:"),
        (LinkRule, "## Finding the newest list", "## Lists in pages"),
        (Pagination, "## Lists in pages", "## Verifying a list"),
        (Integrity, "## Verifying a list", "## Formats"),
        (RulesDefinition, "`[rules]`:", "`[guards]`;"),
        (FeedGuards, "`[guards]`;", "## Formats"),
    ):
        assert set(_keys(model, _part(begins, ends))) - _SOURCE_PARTS == set(), model.__name__


def test_every_choice_of_how_to_fetch_is_named() -> None:
    told = _DOCS["adding-a-feed.md"]
    choices = [
        choice
        for model in (LinkRule, Pagination, Integrity)
        for field in model.model_fields.values()
        for choice in get_args(field.annotation)
        if isinstance(choice, str)
    ]
    assert choices
    assert [choice for choice in choices if f"`{choice}`" not in told] == []


def test_every_choice_of_a_key_is_named() -> None:
    catalog = _section(_DOCS["adding-a-feed.md"], "## In the catalog")
    choices = [
        *AuthorityKind,
        *(
            choice
            for model in (RulesDefinition, Credentials)
            for field in model.model_fields.values()
            for choice in get_args(field.annotation)
            if isinstance(choice, str)
        ),
    ]
    assert [choice for choice in choices if f"`{choice}`" not in catalog] == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_option_of_a_format_is_explained_in_its_section(name: str) -> None:
    assert _keys(FORMATS[name].options, _section(_DOCS["adding-a-feed.md"], f"### `{name}`")) == []


def test_the_formats_explained_are_those_there_are() -> None:
    told = re.findall(r"^### `(\w+)`$", _DOCS["adding-a-feed.md"], re.MULTILINE)
    assert told == list(FORMATS)


def test_the_feed_toml_shown_is_a_definition() -> None:
    (shown,) = (body for language, body in _blocks(_ROOT / "docs" / "adding-a-feed.md") if language == "toml")
    definition = definition_from_table({"name": "dk-rulings", **tomllib.loads(shown)}, "docs/adding-a-feed.md")
    assert definition.options["column"] == "Site"


# Guards


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.file)
def test_what_is_generated_from_the_guards_is_up_to_date(part: Part) -> None:
    text, generated = part.replaced()
    assert text == generated, "run: python -m tests.docs.regenerate"


def test_every_setting_of_a_guard_is_a_setting() -> None:
    general: dict[str, Any] = Settings().guards.model_dump()
    named = {guard.setting_name for guard in GUARDS if guard.setting_name}
    assert named == set(general) == set(FeedGuards.model_fields)


# Exports


def test_the_table_of_exports_is_that_of_the_code() -> None:
    rows = "\n".join(f"| `{item.name}` | {item.use} | {item.loses} |" for item in EXPORTS.values())
    assert f"| --- | --- | --- |\n{rows}\n\n" in _section(_DOCS["commands.md"], "### `blocklist export`")


# Links and paths


def _anchors(page: Path) -> set[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", _PAGES, ids=_PAGE_IDS)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", _PAGES, ids=_PAGE_IDS)
def test_every_module_and_folder_named_is_there(page: Path) -> None:
    named = re.findall(r"`((?:blocklist|docs|feeds|tests|requirements)/[\w/.-]*)`", page.read_text("utf-8"))
    assert [path for path in named if not (_ROOT / path).exists()] == []
