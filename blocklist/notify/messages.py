"""The content of messages: of one piece of news, or of several as a digest. Text of feeds is made inert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from blocklist.config.notifications import Event
from blocklist.text.sanitize import sanitize

#: Most pieces of news in a message, and most characters of each.
_MOST, _LONGEST = 100, 500
_TITLES = {
    Event.FEED_STALE: ("feed stale", "feeds stale"),
    Event.RUN_FAILED: ("run failed", "runs failed"),
    Event.RUN_HELD: ("run waits for review", "runs wait for review"),
    Event.ENTRY_HELD: ("feed with entries held", "feeds with entries held"),
    Event.ENTRY_FLAGGED: ("feed with listed entries worth a look", "feeds with listed entries worth a look"),
    Event.SNAPSHOT_UNPUBLISHED: ("snapshot not published", "snapshots not published"),
    Event.SNAPSHOT_UNSENT: ("signed snapshot not sent", "signed snapshots not sent"),
    Event.TRUST_EXPIRES: ("trust metadata expires", "roles of trust metadata expire"),
}


class News(NamedTuple):
    """One alert that is news: its state is ``begun``, ``still`` or ``ended``; ``feed`` is empty for the snapshot."""

    state: str
    event: Event
    feed: str
    since: str
    sentence: str


class Message(NamedTuple):
    """One message to one channel: its id, its subject line, and its data (see docs/operations.md)."""

    id: str
    summary: str
    content: dict[str, Any]

    @property
    def text(self) -> str:
        """The message as plain text."""
        data = self.content["data"]
        lines = [f"[{item['state']}] {item['said']}\n    since {item['since']}" for item in data["news"]]
        if data["left_out"]:
            lines.append(f"and {data['left_out']:,} more: 'blocklist doctor' shows each")
        return "\n\n".join([self.summary, *lines]) + "\n"


def compose(id_: str, news: Sequence[News], moment: str) -> Message:
    """Return a message with some news; ``moment`` is its time."""
    summary = _summary(news)
    shown = [
        {"state": item.state, "event": item.event.value, "feed": item.feed or None, "since": item.since,
         "said": sanitize(item.sentence, _LONGEST)}
        for item in news[:_MOST]
    ]  # fmt: skip
    data = {"summary": summary, "news": shown, "left_out": len(news) - len(shown)}
    return Message(id_, summary, {"type": "blocklist.news", "timestamp": moment, "data": data})


def test_message(id_: str, moment: str) -> Message:
    """Return a message that tests whether messages arrive."""
    summary = "test: messages of blocklist arrive here"
    data = {"summary": summary, "news": [], "left_out": 0}
    return Message(id_, summary, {"type": "blocklist.test", "timestamp": moment, "data": data})


def _summary(news: Sequence[News]) -> str:
    if len(news) == 1:
        item = news[0]
        over = {"begun": "", "still": "still: ", "ended": "over: "}[item.state]
        return over + sanitize(f"{_TITLES[item.event][0]}{': ' if item.feed else ''}{item.feed}", 200)
    counted = Counter((item.state, item.event) for item in news)
    parts = []
    for (state, event), number in counted.items():
        over = {"begun": "", "still": "still ", "ended": "no longer "}[state]
        parts.append(f"{number:,} {over}{_TITLES[event][number > 1]}")
    return ", ".join(parts)
