"""The doctor: what is wrong with an installation, and how to fix it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from blocklist.config.notifications import WebhookSettings
from blocklist.config.settings import Settings
from blocklist.domain.clock import later, now, seconds_between
from blocklist.domain.errors import ConfigurationError, SnapshotError
from blocklist.refresh.confirmation import same_lists
from blocklist.service.distribution import RENEW_BEFORE, DistributionService
from blocklist.service.publishing import Publisher
from blocklist.service.snapshots import SnapshotService
from blocklist.status.feed_status import feed_rows
from blocklist.store import Store

#: Seconds by which the clocks of two processes may differ.
_CLOCK_MARGIN = 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined: whether it is as it should be, what was found, and what to do if it is not."""

    check: str
    ok: bool
    found: str
    mend: str = ""


class Doctor:
    """Examines the database, the disk, the audit log, the snapshot, what was sent, the feeds, reviews and channels."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        publisher: Publisher,
        snapshots: SnapshotService,
        distribution: DistributionService,
    ) -> None:
        self._store = store
        self._settings = settings
        self._publisher = publisher
        self._snapshots = snapshots
        self._distribution = distribution

    def diagnose(self) -> list[Finding]:
        """Return every finding, good and bad, those that others depend on first."""
        checks = (
            *(self._database, self._disk, self._audit, self._snapshot, self._sent, self._clock),
            *(self._feeds, self._twins, self._reviews, self._channels),
        )
        return [finding for check in checks for finding in check()]

    def _database(self) -> Iterator[Finding]:
        wrong = self._store.database.check()
        found = "; ".join(wrong[:3]) or f"{self._store.database.path} is whole"
        yield Finding("database", not wrong, found, "stop the service and restore the last backup of the data folder")
        path = self._store.database.path
        for_all = path.stat().st_mode & 0o007
        yield Finding(
            "who may read",
            not for_all,
            f"{path} is {'' if for_all else 'not '}for everybody on this machine to read",
            f"it holds the hashes of passwords: chmod o= {path}*",
        )

    def _disk(self) -> Iterator[Finding]:
        free, least = shutil.disk_usage(self._settings.data_dir).free, 1 << 30
        yield Finding(
            "disk",
            free >= least,
            f"{free / (1 << 30):.1f} GiB free beside {self._settings.data_dir}",
            "free some space: a refresh that finds none fails, and the last list goes on serving",
        )

    def _audit(self) -> Iterator[Finding]:
        broken = self._store.audit.broken_links()
        found = f"event {broken[0]} does not follow from the one before" if broken else "the chain of events is whole"
        yield Finding("audit log", not broken, found, "somebody changed the database by hand: compare it with a backup")

    def _snapshot(self) -> Iterator[Finding]:
        try:
            pointer = self._publisher.repository.pointer()
            if pointer is None:
                yield Finding("snapshot", False, "there is none yet", "add a feed and refresh it")
                return
            self._snapshots.verify()
        except SnapshotError as error:
            yield Finding("snapshot", False, str(error), "build it again: blocklist snapshot build")
            return
        age = seconds_between(pointer.confirmed_at, now())
        behind, old = self._publisher.is_behind(), age > self._settings.snapshot.max_age
        found = f"version {pointer.version} is whole, known to be up to date {age:,.0f} s ago"
        yield Finding(
            "snapshot",
            not behind and not old,
            found + (", and lags behind the database" if behind else ", which is too long" if old else ""),
            "blocklist snapshot build" if behind else "start the service, and see why no feed could be refreshed",
        )

    def _sent(self) -> Iterator[Finding]:
        status = self._distribution.status()
        if status is None:
            return
        if status.trust_error:
            yield Finding("trust", False, status.trust_error, "docs/distribution.md has the ceremony")
        for role, moment in status.expires.items():
            yield Finding(
                f"trust {role}",
                later(now(), RENEW_BEFORE) < moment,
                f"expires on {moment}",
                f"blocklist trust rotate {role} renews it",
            )
        sent, unsent = status.sent, status.unsent
        found = f"the store has version {sent.version}, signed on {sent.signed_at}" if sent else "nothing was sent yet"
        if unsent:
            found += f"; attempts fail since {unsent.since}: {unsent.reason}"
        elif status.waits:
            found += f"; version {status.version} waits"
        late = sent is not None and later(sent.signed_at, self._settings.distribution.valid_for) < now()
        yield Finding(
            "distribution",
            not (unsent or status.waits or late),
            found + (", which has expired" if late and not unsent else ""),
            "mend that; it is sent by itself then" if unsent else "start the service, which sends and signs",
        )

    def _feeds(self) -> Iterator[Finding]:
        rows = feed_rows(self._store)
        if not rows:
            yield Finding("feeds", False, "there are none", "blocklist feed catalog lists those that are ready")
        for row in rows:
            bad = row["state"] in ("stale", "new") or row["last_outcome"] == "failed"
            last = f"; its last run {row['last_outcome']}: {row['last_reason']}" if row["last_outcome"] else ""
            yield Finding(
                f"feed {row['name']}",
                not bad,
                f"{row['state']}, {row['listed']:,} sites, last success {row['last_success'] or 'never'}{last}",
                f"blocklist refresh {row['name']} tries now; "
                f"blocklist run list --feed {row['name']} shows what happened",
            )

    def _reviews(self) -> Iterator[Finding]:
        for run in self._store.runs.pending():
            yield Finding(
                f"run {run.id}",
                False,
                f"{run.feed} waits for review since {run.finished_at}: {run.reason}",
                f"blocklist run show {run.id}, then run approve or run reject",
            )
        for feed, count in self._store.holds.waiting().items():
            waits = "waits for a decision and is" if count == 1 else "wait for a decision and are"
            yield Finding(
                f"entries of {feed}",
                False,
                f"{count:,} held alone {waits} not listed meanwhile",
                f"blocklist hold list --feed {feed}, then hold approve or hold refuse",
            )

        for feed, count in self._store.flags.open().items():
            yield Finding(
                f"flags of {feed}",
                True,
                f"{count:,} listed {'entry is' if count == 1 else 'entries are'} worth a look: "
                f"blocklist flag list --feed {feed}",
            )

    def _clock(self) -> Iterator[Finding]:
        moment = now()
        for feed in self._store.feeds.all():
            recorded = feed.last_change or moment
            if seconds_between(moment, recorded) > _CLOCK_MARGIN:
                yield Finding(
                    f"clock and {feed.name}",
                    False,
                    f"the clock says {moment}, and the last change of {feed.name} was recorded at {recorded}",
                    "correct the clock (NTP); until it passes that time, changes of the feed are recorded at that time",
                )

    def _twins(self) -> Iterator[Finding]:
        for one, other in same_lists(self._store):
            yield Finding(
                f"{one.feed} and {other.feed}",
                False,
                f"{one.authority.name} and {other.authority.name} have the same list: they count as one authority",
                f"remove the copy: blocklist feed remove {one.feed} or {other.feed}",
            )

    def _channels(self) -> Iterator[Finding]:
        notify = self._settings.notify
        newest = {row["channel"]: row for row in reversed(self._store.alerts.messages(limit=500))}
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
