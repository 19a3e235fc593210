"""``blocklist trust``: the keys and roles of signed snapshots, and the ceremonies of the people who hold keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blocklist.cli.context import Context, pass_context, reads
from blocklist.cli.output import print_fields, print_json
from blocklist.service.distribution import need_library

if TYPE_CHECKING:
    from blocklist.distribution.ceremony import Ceremony
    from blocklist.distribution.trust import Signatures, TrustFolder

_folder_option = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Folder of the trust metadata (trust in the data folder)."
)
_days_option = click.option(
    "--days", default=365, show_default=True, type=click.IntRange(1, 3_650), help="Days until the new files expire."
)


@click.group()
def trust() -> None:
    """Keys and roles of signed snapshots."""
    need_library()


@trust.command("init")
@click.option("--root-key", "root_keys", multiple=True, required=True, metavar="URI", help="A root key; repeat it.")
@click.option("--threshold", default=1, show_default=True, type=click.IntRange(1), help="Root keys that must sign.")
@click.option("--targets-key", required=True, metavar="URI", help="The targets key.")
@click.option("--online-key", required=True, metavar="URI", help="The key that the service signs with.")
@_days_option
@_folder_option
@pass_context
def init(
    context: Context,
    root_keys: tuple[str, ...],
    threshold: int,
    targets_key: str,
    online_key: str,
    days: int,
    folder: Path | None,
) -> None:
    """Begin: name the keys, and write the first root and targets metadata.

    A key is named by a URI: file:PATH (created if there is no such file), env:NAME, awskms:ID and the like, or
    public:PATH for a key whose holder signs later with 'trust sign'.
    """
    ceremony = _ceremony(context, folder)
    paths = ceremony.begin(root_keys, threshold, targets_key, online_key, days)
    _note(context, folder, "trust.init", f"{threshold} of {len(root_keys)} root keys")
    for path in ceremony.created:
        click.echo(f"created the private key {path}: keep a copy where this machine's failure does not reach it")
    _print_state(_trust_folder(context, folder), paths)


@trust.command("show")
@_folder_option
@reads
def show(context: Context, folder: Path | None, as_json: bool) -> None:
    """Show the roles, their keys, when they expire, and the signatures that are missing."""
    from blocklist.distribution.trust_report import report  # noqa: PLC0415 - needs an extra

    fields = report(_trust_folder(context, folder))
    if as_json:
        print_json(fields)
        return
    print_fields((name, value) for name, value in _flat(fields))


@trust.command("rotate")
@click.argument("role", type=click.Choice(["root", "targets", "online"]))
@click.option("--add", multiple=True, metavar="URI", help="A key to add; repeat it.")
@click.option("--remove", multiple=True, metavar="ID", help="The key to remove, by the beginning of its id.")
@click.option("--threshold", type=click.IntRange(1), help="Root keys that must sign from now on.")
@click.option("--key", "keys", multiple=True, metavar="URI", help="A key to sign with at once; repeat it.")
@_days_option
@_folder_option
@pass_context
def rotate(
    context: Context,
    role: str,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    threshold: int | None,
    keys: tuple[str, ...],
    days: int,
    folder: Path | None,
) -> None:
    """Change the keys of ROLE, or renew it: the same keys, and a later expiry."""
    if threshold and role != "root":
        raise click.UsageError(f"--threshold belongs to the role root; {role} has one key")
    ceremony = _ceremony(context, folder)
    paths = ceremony.rotate(role, add, remove, threshold, keys, days)
    _note(context, folder, "trust.rotate", role)
    for path in ceremony.created:
        click.echo(f"created the private key {path}: keep a copy where this machine's failure does not reach it")
    _print_state(_trust_folder(context, folder), paths)


@trust.command("sign")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", metavar="URI", help="The key to sign with.")
@click.option(
    "--signatures",
    "other",
    type=click.Path(path_type=Path),
    metavar="COPY",
    help="Take the signatures of a copy of FILE that was signed elsewhere.",
)
@pass_context
def sign(context: Context, file: Path, key: str | None, other: Path | None) -> None:
    """Sign FILE, root or targets metadata, with a key; or add the signatures of a copy.

    The roots with lower numbers must be in the same folder: they name the keys that may sign.
    """
    from blocklist.distribution.ceremony import add_signatures  # noqa: PLC0415 - needs an extra

    if (key is None) == (other is None):
        raise click.UsageError("give either --key or --signatures")
    folder = _trust_folder(context, file.parent)
    if key:
        _ceremony(context, file.parent).sign(file, key)
    else:
        assert other is not None
        new = add_signatures(folder, file, other)
        click.echo(f"{new} new {'signature' if new == 1 else 'signatures'}")
    if file.parent.resolve() == _trust_folder(context, None).folder.resolve():
        _note(context, None, "trust.sign", file.name)
    _print_state(folder, [file])


@trust.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@_folder_option
@pass_context
def export(context: Context, file: Path, folder: Path | None) -> None:
    """Write the newest signed root metadata into FILE, for 'blocklist node --root'."""
    from blocklist.distribution.trust import write_metadata  # noqa: PLC0415 - needs an extra

    current = _trust_folder(context, folder).current()
    write_metadata(file, current.roots[-1])
    click.echo(f"{file}: root version {current.root.version}, for 'blocklist node --root {file}'")


def _trust_folder(context: Context, folder: Path | None) -> TrustFolder:
    from blocklist.distribution.trust import TrustFolder  # noqa: PLC0415 - needs an extra

    return TrustFolder(folder if folder is not None else context.settings.data_dir / "trust")


def _ceremony(context: Context, folder: Path | None) -> Ceremony:
    from blocklist.distribution.ceremony import Ceremony  # noqa: PLC0415 - needs an extra

    return Ceremony(_trust_folder(context, folder), lambda name: str(click.prompt(name, hide_input=True, err=True)))


def _note(context: Context, folder: Path | None, action: str, what: str) -> None:
    """Write the audit log where the change is one of this installation, not of a folder on a machine for ceremonies."""
    if folder is None:
        context.service.distribution.note_ceremony(context.actor, action, what)


def _print_state(folder: TrustFolder, paths: list[Path]) -> None:
    for path in paths:
        click.echo(_state_of(path, folder.signatures(path)))


def _state_of(path: Path, signatures: Signatures) -> str:
    if signatures.complete:
        return f"{path}: signed"
    missing = ", ".join(keyid[:12] for keyid in signatures.unsigned)
    return (
        f"{path}: {signatures.have} of {signatures.need} signatures; not signed by {missing}: "
        f"'blocklist trust sign {path} --key URI' where these keys are"
    )


def _flat(fields: dict[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for role, state in fields["roles"].items():
        if state["version"]:
            rows.append((role, f"version {state['version']}, expires {state['expires']}"))
        rows += _key_rows(role, state)
    for name, waiting in fields["pending"].items():
        unsigned = ", ".join(keyid[:12] for keyid in waiting["unsigned"])
        rows.append((name, f"{waiting['have']} of {waiting['need']} signatures, not signed by {unsigned}"))
        rows.append(("  expires", waiting["expires"]))
        for role, state in waiting["roles"].items():
            rows += _key_rows(f"  {role}", state)
    return rows


def _key_rows(role: str, state: dict[str, Any]) -> list[tuple[str, Any]]:
    keys = [(f"{role} key", f"{key['id'][:12]} ({key['type']})") for key in state["keys"]]
    return [*keys, *([(f"{role} threshold", state["threshold"])] if len(keys) > 1 else [])]
