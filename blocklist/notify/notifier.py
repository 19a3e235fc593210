"""The notifier, which the schedule calls: it updates the alerts, puts news into the outbox, and delivers."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import structlog

from blocklist.config.notifications import Event, WebhookSettings
from blocklist.config.settings import Settings
from blocklist.domain.clock import later, now
from blocklist.domain.errors import BlocklistError, NotFoundError, UsageError
from blocklist.notify.conditions import Condition, conditions, ending, is_news
from blocklist.notify.mail import send
from blocklist.notify.messages import Message, News, compose, test_message
from blocklist.notify.webhook import DeliveryError, post
from blocklist.store import Store

_LOG = structlog.get_logger("blocklist.notify")
#: Seconds between the attempts to deliver a message (as Standard Webhooks suggests); then it is given up.
_DELAYS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000)
#: Seconds that messages and ended alerts are kept.
_KEPT = 30 * 86_400


class Notifier:
    """Notifies people of what is wrong with one installation, and when it has ended."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        publishing_trouble: Callable[[], str],
        further: Callable[[], Iterable[Condition]] = tuple,
    ) -> None:
        """Prepare; ``publishing_trouble`` returns why the snapshot lags behind the database, or an empty string.

        ``further`` returns conditions that do not follow from the database.
        """
        self._store = store
        self._settings = settings.notify
        self._fetch_settings = settings.fetch
        self._publishing_trouble, self._further = publishing_trouble, further
        self.messages = store.alerts.messages

    def tick(self) -> None:
        """Update the alerts and deliver what is due; a failure is logged, and the next tick tries again."""
        try:
            self.update_alerts()
            self.deliver()
        except BlocklistError as error:
            _LOG.error("notify", error=str(error))

    def update_alerts(self) -> None:
        """Record what is wrong now and what has ended, and put news into the outbox after the time to gather them."""
        moment = now()
        present = (*conditions(self._store, self._publishing_trouble()), *self._further())
        current = {(item.event, item.subject): item for item in present}
        known = {(Event(row["event"]), row["subject"]): row for row in self._store.alerts.open()}
        restated = [
            (known[key], item)
            for key, item in current.items()
            if key in known and (known[key]["marker"], known[key]["sentence"]) != (item.marker, item.sentence)
        ]
        if current.keys() != known.keys() or restated:
            with self._store.database.transaction():
                for key in current.keys() - known.keys():
                    self._store.alerts.begin(*current[key], moment)
                for row, item in restated:
                    report_again = is_news(item.event, row["marker"], item.marker)
                    self._store.alerts.restate(row["id"], item.marker, item.sentence, report_again=report_again)
                for key in known.keys() - current.keys():
                    self._store.alerts.end(known[key]["id"], moment, ending(self._store, *key))
        self._post_news(moment)

    def deliver(self) -> None:
        """Deliver the messages that are due."""
        for id_ in self._store.alerts.due(now()):
            if row := self._claim(id_):
                self._deliver(row)

    def test(self, names: Iterable[str] = ()) -> list[dict[str, Any]]:
        """Send a test message to the named channels or to all, and return the row of each message afterwards.

        :raises UsageError: no channel is configured.
        :raises NotFoundError: there is no channel of a name.
        """
        channels = self._settings.channels
        if not channels:
            raise UsageError("no channel is configured: see [notify] in config.example.toml")
        asked = list(names) or list(channels)
        for name in asked:
            if name not in channels:
                raise NotFoundError(f"there is no channel {name!r}: {', '.join(channels)}")
        moment = now()
        with self._store.database.transaction():
            # Claimed in the same transaction: a service that runs beside this command must not deliver them first.
            claimed = [self._claim(self._post(name, test_message(_id(), moment), moment)) for name in asked]
        rows = list(filter(None, claimed))
        for row in rows:
            self._deliver(row)
        return [self._store.alerts.get(row["id"]) for row in rows]

    def _post_news(self, moment: str) -> None:
        """Put one message per channel into the outbox, unless news still gather or the last message is recent."""
        rows = list(self._news(moment))
        if not rows:
            return
        oldest = min(row["waits_since"] for row in rows)
        last = self._store.alerts.last_queued()
        if later(oldest, self._settings.gather) > moment or (last and later(last, self._settings.pause) > moment):
            return
        news = [(Event(row["event"]), _news(row)) for row in rows]
        with self._store.database.transaction():
            for name, channel in self._settings.channels.items():
                wanted = [item for event, item in news if channel.wants(event)]
                if wanted:
                    self._post(name, compose(_id(), wanted, moment), moment)
            self._store.alerts.note_reported([row["id"] for row in rows], moment)
            self._store.alerts.delete_before(later(moment, -_KEPT))

    def _news(self, moment: str) -> Iterator[dict[str, Any]]:
        """Yield the alerts that are news, each with ``waits_since``: it began, ended, or is due as a reminder."""
        for row in self._store.alerts.to_report():
            if row["ended_at"]:
                yield row | {"waits_since": row["ended_at"]}
            elif row["reported_at"] is None:
                yield row | {"waits_since": row["begun_at"]}
            elif row["event"] == Event.ENTRY_FLAGGED:
                # Nothing is wrong, and nobody has to act: once is enough.
                continue
            elif later(row["reported_at"], self._settings.remind) <= moment:
                yield row | {"waits_since": later(row["reported_at"], self._settings.remind)}

    def _post(self, channel: str, message: Message, moment: str) -> int:
        content = json.dumps(message.content, ensure_ascii=False)
        return self._store.alerts.queue(message.id, channel, message.summary, content, moment, moment)

    def _claim(self, id_: int) -> dict[str, Any] | None:
        moment = now()
        # Reserved for this process for somewhat longer than the delivery may take.
        return self._store.alerts.claim(id_, moment, later(moment, self._settings.timeout + 60))

    def _deliver(self, row: dict[str, Any]) -> None:
        try:
            trouble = self._send(row)
        except BlocklistError as error:
            self._failed(row, error)
        except Exception as error:
            _LOG.exception("message broke", channel=row["channel"], message=row["message"])
            fault = f"a fault of the service, please report it: {type(error).__name__}: {error}"
            self._failed(row, DeliveryError(fault))
        else:
            self._store.alerts.note_delivered(row["id"], now(), trouble)

    def _send(self, row: dict[str, Any]) -> str | None:
        channel = self._settings.channels.get(row["channel"])
        if channel is None:
            raise DeliveryError(f"there is no channel {row['channel']} in the configuration any more", final=True)
        message = Message(row["message"], row["summary"], json.loads(row["content"]))
        if isinstance(channel, WebhookSettings):
            post(channel, self._fetch_settings, self._settings.timeout, message)
            return None
        return send(channel, self._settings, self._fetch_settings, message)

    def _failed(self, row: dict[str, Any], error: BlocklistError) -> None:
        attempts = row["attempts"]
        if getattr(error, "final", False) or attempts > len(_DELAYS):
            _LOG.error("message given up", channel=row["channel"], message=row["message"], reason=str(error))
            self._store.alerts.note_given_up(row["id"], now(), str(error))
            return
        delay = _DELAYS[attempts - 1] * random.uniform(1, 1.2)  # noqa: S311 - spreads load, hides nothing
        _LOG.warning("message not delivered", channel=row["channel"], message=row["message"], reason=str(error))
        self._store.alerts.note_retry(row["id"], later(now(), delay), str(error))


def _id() -> str:
    return f"msg_{secrets.token_urlsafe(16)}"


def _news(row: dict[str, Any]) -> News:
    state = "ended" if row["ended_at"] else "begun" if row["reported_at"] is None else "still"
    return News(state, Event(row["event"]), row["subject"], row["begun_at"], row["ending"] or row["sentence"])
