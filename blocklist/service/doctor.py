"""What is wrong with an installation, each finding with its mend."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from blocklist.config.notifications import WebhookSettings
from blocklist.domain.clock import now, seconds_between
from blocklist.domain.errors import ConfigurationError, SnapshotError
from blocklist.service import Service
from blocklist.status.feed_status import feed_rows

_LEAST_FREE = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: whether it is as it should be, what was found, and what to do if it is not."""

    check: str
    ok: bool
    found: str
    mend: str = ""


def diagnose(service: Service) -> list[Finding]:
    """Return every finding, good and bad, the foundation first."""
    checks: tuple[Callable[[Service], Iterator[Finding]], ...] = (
        _database,
        _disk,
        _audit,
        _snapshot,
        _feeds,
        _reviews,
        _channels,
    )
    return [finding for check in checks for finding in check(service)]


def _database(service: Service) -> Iterator[Finding]:
    wrong = service.store.database.check()
    found = "; ".join(wrong[:3]) or f"{service.store.database.path} is whole"
    yield Finding("database", not wrong, found, "stop the service and restore the last backup of the data folder")
    path = service.store.database.path
    for_all = path.stat().st_mode & 0o007
    yield Finding(
        "who may read",
        not for_all,
        f"{path} is {'' if for_all else 'not '}for everybody on this machine to read",
        f"it holds the hashes of passwords: chmod o= {path}*",
    )


def _disk(service: Service) -> Iterator[Finding]:
    free = shutil.disk_usage(service.settings.data_dir).free
    yield Finding(
        "disk",
        free >= _LEAST_FREE,
        f"{free / (1 << 30):.1f} GiB free beside {service.settings.data_dir}",
        "free some space: a refresh that finds none fails, and the last list goes on serving",
    )


def _audit(service: Service) -> Iterator[Finding]:
    broken = service.store.audit.broken_links()
    found = f"event {broken[0]} does not follow from the one before" if broken else "the chain of events is whole"
    yield Finding("audit log", not broken, found, "somebody changed the database by hand: compare it with a backup")


def _snapshot(service: Service) -> Iterator[Finding]:
    try:
        pointer = service.snapshots.pointer()
        if pointer is None:
            yield Finding("snapshot", False, "there is none yet", "add a feed and refresh it")
            return
        service.snapshot().verify()
    except SnapshotError as error:
        yield Finding("snapshot", False, str(error), "build it anew: blocklist snapshot build")
        return
    age = seconds_between(pointer.confirmed_at, now())
    behind, old = service.is_behind(), age > service.settings.snapshot.max_age
    found = f"version {pointer.version} is whole, known to be up to date {age:,.0f} s ago"
    yield Finding(
        "snapshot",
        not behind and not old,
        found + (", and lags behind the database" if behind else ", which is too long" if old else ""),
        "blocklist snapshot build" if behind else "start the service, and see why no feed could be refreshed",
    )


def _feeds(service: Service) -> Iterator[Finding]:
    rows = feed_rows(service.store)
    if not rows:
        yield Finding("feeds", False, "there are none", "blocklist feed catalog lists those that are ready")
    for row in rows:
        bad = row["state"] in ("stale", "new") or row["last_outcome"] == "failed"
        said = f"; its last run {row['last_outcome']}: {row['last_reason']}" if row["last_outcome"] else ""
        yield Finding(
            f"feed {row['name']}",
            not bad,
            f"{row['state']}, {row['listed']:,} sites, last success {row['last_success'] or 'never'}{said}",
            f"blocklist refresh {row['name']} tries now; blocklist run list --feed {row['name']} shows what happened",
        )


def _reviews(service: Service) -> Iterator[Finding]:
    for run in service.store.runs.pending():
        yield Finding(
            f"run {run.id}",
            False,
            f"{run.feed} waits for review since {run.finished_at}: {run.reason}",
            f"blocklist run show {run.id}, then run approve or run reject",
        )
    for feed, count in service.store.holds.waiting().items():
        waits = "waits for a decision and is" if count == 1 else "wait for a decision and are"
        yield Finding(
            f"entries of {feed}",
            False,
            f"{count:,} held alone {waits} not listed meanwhile",
            f"blocklist hold list --feed {feed}, then hold approve or hold refuse",
        )


def _channels(service: Service) -> Iterator[Finding]:
    notify = service.settings.notify
    newest = {row["channel"]: row for row in reversed(service.store.alerts.messages(limit=500))}
    for name, channel in notify.channels.items():
        row = newest.get(name)
        found = f"the last message was {row['state']}" if row else "no message yet"
        trouble = row["trouble"] if row and row["state"] != "delivered" else None
        try:
            if isinstance(channel, WebhookSettings):
                channel.key()
            elif notify.smtp_user:
                notify.smtp_password()
        except ConfigurationError as error:
            trouble = str(error)
        yield Finding(
            name,
            trouble is None,
            f"{found}: {trouble}" if trouble else found,
            f"mend that, then 'blocklist notify test {name}' shows whether messages arrive",
        )
