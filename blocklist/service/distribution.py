"""Signed snapshots for other machines: sent after they were published here, and again when the store failed."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import structlog
from filelock import Timeout

from blocklist.config.notifications import Event
from blocklist.config.settings import Settings
from blocklist.domain.clock import later, now
from blocklist.domain.errors import BlocklistError, ConfigurationError, SnapshotError
from blocklist.notify.conditions import Condition
from blocklist.refresh.lifecycle import lock_file
from blocklist.service.publishing import Publisher
from blocklist.snapshot.pointer import Pointer
from blocklist.store import Store

if TYPE_CHECKING:
    from blocklist.distribution.publisher_state import Sent, Unsent
    from blocklist.distribution.repository import Repository

_LOG = structlog.get_logger("blocklist.distribution")
#: Seconds between two looks whether something is due, unless the pointer has changed.
_LOOK = 5.0
#: Seconds between two removals of old objects.
_PRUNE = 3_600.0
#: Seconds until the next attempt after a failure: twice as long after each, up to the second.
_FIRST_DELAY, _LONGEST_DELAY = 2.0, 60.0
#: People are told to renew the trust metadata so many seconds before it expires.
RENEW_BEFORE = 30 * 86_400


class DistributionStatus(NamedTuple):
    """What was sent, and what was not.

    ``sent`` is what the store has, ``unsent`` why the last attempt failed, ``version`` the current snapshot's, which
    ``waits`` if the store does not have it. ``expires`` has the time at which root and targets expire, by role;
    ``trust_error`` is why there is none.
    """

    sent: Sent | None
    unsent: Unsent | None
    version: int | None
    waits: bool
    expires: dict[str, str]
    trust_error: str


def need_library() -> None:
    """Check that the libraries of signed snapshots are installed.

    :raises ConfigurationError: one is not.
    """
    missing = [name for name in ("obstore", "securesystemslib", "tuf") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"signed snapshots need {', '.join(missing)}: pip install 'blocklist[distribution]' in this environment"
        )


class DistributionService:
    """Sends the current snapshot to the store of the settings; does nothing where they name none.

    The schedule of the service calls :meth:`tick`. What is to be sent follows from comparing the pointer of the
    snapshots with what was sent last, so nothing is lost when the store or this process fails, and a snapshot that was
    replaced before it could be sent never is.
    """

    def __init__(self, store: Store, settings: Settings, publisher: Publisher) -> None:
        """Prepare.

        :raises ConfigurationError: the settings name a store, and the libraries for it are not installed.
        """
        if settings.distribution.url:
            need_library()
        self._store, self._settings, self._publisher = store, settings, publisher
        self._folder = settings.data_dir / "distribution"
        self._repository: Repository | None = None
        self._pointer: Pointer | None = None
        self._look_after = self._prune_after = self._attempt_after = 0.0

    @property
    def enabled(self) -> bool:
        """Whether the settings name a store."""
        return bool(self._settings.distribution.url)

    def note_ceremony(self, actor: str, action: str, target: str) -> None:
        """Write a ceremony over the trust metadata of this installation into the audit log."""
        self._store.audit.add(actor, action, target)

    def tick(self) -> None:
        """Send what is due. A failure is kept for :meth:`status`, logged, and the next attempt comes later."""
        if not self.enabled or time.monotonic() < self._attempt_after:
            return
        from blocklist.distribution.publisher_state import read_unsent, write_unsent  # noqa: PLC0415 - needs an extra

        try:
            if self._send_due():
                write_unsent(self._folder, None)
        except BlocklistError as error:
            self._failed(str(error), read_unsent(self._folder))
        except Exception as error:
            _LOG.exception("snapshot not sent")
            fault = f"a fault of the service, please report it: {type(error).__name__}: {error}"
            self._failed(fault, read_unsent(self._folder))

    def status(self) -> DistributionStatus | None:
        """Return what was sent and what was not; None where the settings name no store."""
        if not self.enabled:
            return None
        from blocklist.distribution.publisher_state import read_sent, read_unsent  # noqa: PLC0415 - needs an extra
        from blocklist.distribution.trust import TrustFolder, expiries  # noqa: PLC0415 - needs an extra

        expires, trust_error = {}, ""
        try:
            expires = expiries(TrustFolder(self._settings.data_dir / "trust").current())
        except BlocklistError as error:
            trust_error = str(error)
        pointer, sent = None, read_sent(self._folder)
        with contextlib.suppress(SnapshotError):  # told elsewhere
            pointer = self._publisher.repository.pointer()
        waits = pointer is not None and (sent is None or sent.sha256 != pointer.sha256)
        version = pointer.version if pointer else None
        return DistributionStatus(sent, read_unsent(self._folder), version, waits, expires, trust_error)

    def conditions(self) -> Iterator[Condition]:
        """Yield what is wrong with distribution, for notifications."""
        status = self.status()
        if status is None:
            return
        if status.unsent:
            sentence = f"Signed snapshots cannot be sent since {status.unsent.since}: {status.unsent.reason}"
            yield Condition(Event.SNAPSHOT_UNSENT, "", "", f"{sentence}. Nodes serve the last one that was sent.")
        for role, moment in status.expires.items():
            if moment < later(now(), RENEW_BEFORE):
                sentence = (
                    f"The trust metadata of {role} expires on {moment}: 'blocklist trust rotate {role}' renews it."
                )
                yield Condition(Event.TRUST_EXPIRES, role, "", sentence)

    def _send_due(self) -> bool:
        """Send what is due; return whether everything is sent now, not merely nothing to look at yet."""
        pointer = self._publisher.repository.pointer()
        if pointer is None or (pointer == self._pointer and time.monotonic() < self._look_after):
            return False
        repository = self._repository = self._repository or self._opened()
        lock = lock_file(self._settings.data_dir, "distribution")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False  # another process sends
        try:
            self._send(repository, pointer)
            if time.monotonic() >= self._prune_after:
                self._prune_after = time.monotonic() + _PRUNE
                repository.prune()
        finally:
            lock.release()
        self._pointer, self._look_after = pointer, time.monotonic() + _LOOK
        return True

    def _send(self, repository: Repository, pointer: Pointer) -> None:
        from blocklist.distribution.repository import NewerInStoreError  # noqa: PLC0415 - needs an extra

        if not repository.is_due(pointer):
            return
        try:
            sent = repository.send(pointer, self._publisher.repository.folder / pointer.file)
        except NewerInStoreError as error:
            # As after the data folder was lost: nodes take only a version above the one they have.
            _LOG.warning("the store has a newer version", version=error.version, own=pointer.version)
            self._publisher.publish(force=True, above=error.version)
            pointer = self._publisher.repository.pointer() or pointer
            sent = repository.send(pointer, self._publisher.repository.folder / pointer.file)
        _LOG.info("sent", version=sent.version, number=sent.number)

    def _opened(self) -> Repository:
        from blocklist.distribution.objects import StoreAddress  # noqa: PLC0415 - needs an extra
        from blocklist.distribution.repository import Repository, Times  # noqa: PLC0415 - needs an extra
        from blocklist.distribution.trust import TrustFolder  # noqa: PLC0415 - needs an extra

        chosen = self._settings.distribution
        times = Times(chosen.sign_every, chosen.valid_for, chosen.keep_for)
        trust = TrustFolder(self._settings.data_dir / "trust")
        return Repository(StoreAddress(chosen.url, chosen.options), chosen.online_key, trust, self._folder, times)

    def _failed(self, reason: str, before: Unsent | None) -> None:
        from blocklist.distribution.publisher_state import Unsent, write_unsent  # noqa: PLC0415 - needs an extra

        attempts = before.attempts + 1 if before else 1
        delay = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(attempts - 1, 10))
        self._attempt_after = time.monotonic() + delay * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load
        if before is None or before.reason != reason:
            _LOG.error("snapshot not sent", reason=reason)
        with contextlib.suppress(BlocklistError):  # a full disk is told elsewhere
            write_unsent(self._folder, Unsent(reason, before.since if before else now(), attempts))
