"""Reading only the lines of a body that the one that serves does not have.

Only where a line means the same wherever it stands, and then exactly: the figures, the rejected rows and the rules are
those of a full read. Whenever that is not certain, :func:`changes_of` gives None and the body is read whole. See
docs/adr/009-reading-what-changed.md.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from blocklist.definition import FeedDefinition
from blocklist.errors import UnreadableFeedError
from blocklist.formats.csv import CsvOptions
from blocklist.refresh.alignment import differing_lines, numbers_of
from blocklist.refresh.reading import BodyReader
from blocklist.vocabulary import Entry, Rejected, Rule, RuleKind, Scope

#: Bytes of a body that are compared in memory.
MAX_BYTES = 1 << 28
#: With a larger share of other lines than this, reading all of them costs no more.
_MAX_SHARE = 0.25
#: Formats in which each line stands for itself; ``csv`` does too below its header, while nothing is quoted.
_LINEWISE = frozenset({"lines", "hosts", "adblock"})
#: Encodings in which a line break is one byte and no byte of another character.
_SINGLE = ("utf-8", "ascii", "iso8859", "latin", "cp125", "cp866", "koi8")
_BOM = b"\xef\xbb\xbf"
#: What begins a container, of which no line means anything.
_PACKED = (b"\x1f\x8b", b"PK", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"%PDF", b"\xd0\xcf\x11\xe0")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What reading a body gave: enough to know what a body that differs in some lines gives.

    ``decided`` are the rules that wait for a person or on which one decided: whether they are listed is not for the
    body to say. ``rules`` counts the others. ``telling`` are the lines that are read again wherever they stand, since
    something of them was rejected or they state a decided rule (as Latin-1, a character a byte); ``repeated`` the other
    rules that are stated more than once: kind, value, scope and how often.
    """

    body: str
    reading: str
    entries: int
    rules: int
    rejected: dict[str, int]
    telling: list[str]
    repeated: list[tuple[str, str, str, int]]
    decided: list[list[str]]


class Memory:
    """What was remembered of the body that each feed serves: a file a feed, which may be lost at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, feed_id: int) -> Remembered | None:
        """Return what is remembered of a feed's body."""
        try:
            return Remembered(**json.loads(self._path(feed_id).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, feed_id: int, remembered: Remembered | None) -> None:
        """Remember; None forgets. A disk that is full costs only the next run some time."""
        path = self._path(feed_id)
        beside = path.with_suffix(".part")  # a feed has one run at a time
        with contextlib.suppress(OSError):
            if remembered is None:
                path.unlink(missing_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_text(json.dumps(asdict(remembered)), encoding="utf-8")
                beside.rename(path)
            finally:
                beside.unlink(missing_ok=True)

    def _path(self, feed_id: int) -> Path:
        return self._folder / f"feed-{feed_id}.json"


@dataclass(frozen=True, slots=True)
class Changes:
    """How a body differs: what its new lines state, what its telling lines state, and the rules of the lines it lost.

    ``telling`` are the lines to remember; ``lines`` those that were read, by their numbers.
    """

    arriving: list[tuple[Entry, Rule]]
    restated: list[tuple[Entry, Rule]]
    lost: list[Rule]
    telling: set[bytes]
    lines: dict[int, bytes]


def is_linewise(definition: FeedDefinition, reader: BodyReader) -> bool:
    """Return whether each line of a body of this definition may stand for itself."""
    return definition.format in (*_LINEWISE, "csv") and reader.encoding.startswith(_SINGLE)


def states_facts(reader: BodyReader) -> bool:
    """Return whether rows state more than a rule: then it matters which of several mentions comes first."""
    return isinstance(reader.options, CsvOptions)


def changes_of(old: bytes, new: bytes, remembered: Remembered, reader: BodyReader) -> Changes | None:
    """Return how a body differs from the one that serves, and set the figures of its reader to those of a full read.

    None where the bodies must be read whole.
    """
    old, new = _without_mark(old), _without_mark(new)
    prefix = _prefix(old, new, reader)
    if prefix is None:
        return None
    head = prefix.count(b"\n")
    old, new = _after(old, head), _after(new, head)
    removed, came = differing_lines(old, new)
    if len(came) > old.count(b"\n") * _MAX_SHARE + 100:
        return None
    added = {number + head: line for number, line in came}
    telling = {line.encode("latin-1") for line in remembered.telling}
    told = {number + head: line for number, line in numbers_of(new, telling) if number + head not in added}
    try:
        return _read(prefix, added, [(0, line) for line in removed], told, remembered, reader)
    except UnreadableFeedError:
        # Reading all of it says on which line.
        return None


def mentions_after(
    remembered: Remembered, changes: Changes, listed: set[Rule]
) -> tuple[list[Rule], list[tuple[str, str, str, int]]]:
    """Return the rules that no line states any more, and those that more than one does now.

    ``listed`` are the rules that the feed lists, of those that any changed line states and of the decided ones.
    """
    decided = decided_rules(remembered)
    mentions = {Rule(RuleKind(kind), value, Scope(scope)): count for kind, value, scope, count in remembered.repeated}
    balance = Counter(rule for _, rule in changes.arriving)
    balance.subtract(changes.lost)
    leaving = []
    for rule, by in balance.items():
        if rule in decided:
            continue
        count = mentions.get(rule, 1 if rule in listed else 0) + by
        if count > 1:
            mentions[rule] = count
        else:
            mentions.pop(rule, None)
            if count == 0 and rule in listed:
                leaving.append(rule)
    # Every line that states a decided rule is read each time.
    stated = {rule for _, rule in (*changes.arriving, *changes.restated)}
    leaving += (decided & listed) - stated
    return leaving, [(rule.kind.value, rule.value, rule.scope.value, count) for rule, count in mentions.items()]


def decided_rules(remembered: Remembered) -> set[Rule]:
    """Return the rules that waited for a person, or on which one had decided, when a body was remembered."""
    return {Rule(RuleKind(kind), value, Scope(scope)) for kind, value, scope in remembered.decided}


def lines_at(path: Path, positions: set[int]) -> set[bytes]:
    """Return the distinct lines of a body at these positions (from 1)."""
    if not positions:
        return set()
    return {line for number, line in enumerate(_without_mark(path.read_bytes()).split(b"\n"), 1) if number in positions}


def _read(
    prefix: bytes,
    added: dict[int, bytes],
    removed: list[tuple[int, bytes]],
    told: dict[int, bytes],
    remembered: Remembered,
    reader: BodyReader,
) -> Changes | None:
    lost_entries, lost_codes, lost = 0, Counter[str](), []
    for item in _items(prefix, removed, reader):
        lost_entries += 1
        if isinstance(item, Rejected):
            lost_codes[item.code] += 1
        else:
            lost.append(item)
    new_entries, new_codes = 0, Counter[str]()
    rejections = []
    arriving, restated = list[tuple[Entry, Rule]](), list[tuple[Entry, Rule]]()
    telling = set(told.values())
    for found in _items(prefix, sorted((added | told).items()), reader):
        number = found[1] if isinstance(found, Rejected) else found[0][1]
        new = number in added
        new_entries += new
        if isinstance(found, Rejected):
            rejections.append(found)
            new_codes[found.code] += new
            if new:
                telling.add(added[number])
        else:
            (arriving if new else restated).append(found)
    if isinstance(reader.options, CsvOptions) and rejections:
        # The reason names the line by its number in the body, not among the changes.
        return None
    codes = Counter(remembered.rejected) + new_codes
    codes.subtract(lost_codes)
    reader.adopt(remembered.entries - lost_entries + new_entries, +codes, rejections)
    return Changes(arriving, restated, [rule for _, rule in lost], telling, added | told)


def _items(
    prefix: bytes, lines: list[tuple[int, bytes]], reader: BodyReader
) -> Iterator[tuple[Entry, Rule] | Rejected]:
    """Yield what a full read would yield of these lines, each at its own position."""
    # A blank line first: a byte order mark is one only where a body begins, and a header stands on its own line.
    head = prefix or b"\n"
    offset = head.count(b"\n") + 1
    joined = head + b"\n".join(line for _, line in lines)
    for item in reader.items(io.BytesIO(joined)):
        if isinstance(item, Rejected):
            yield item._replace(position=lines[item.position - offset][0])
        else:
            entry, rule = item
            yield entry._replace(position=lines[entry.position - offset][0]), rule


def _after(body: bytes, lines: int) -> bytes:
    return body.split(b"\n", lines)[lines] if lines else body


def _without_mark(body: bytes) -> bytes:
    return body.removeprefix(_BOM)


def _prefix(old: bytes, new: bytes, reader: BodyReader) -> bytes | None:
    """Return the lines that the rest cannot be read without (nothing for most formats), or None: read it whole."""
    if any(len(body) > MAX_BYTES or not _is_plain(body) for body in (old, new)):
        return None
    options = reader.options
    if not isinstance(options, CsvOptions):
        return b""
    quote = options.quote.encode(options.encoding, "replace")
    # The mark of the format's own end of a body, and a quote, may join lines.
    if any(b"\x1e" in body or (quote and quote in body) for body in (old, new)):
        return None
    heads = [body.split(b"\n", options.skip_rows + 1) for body in (old, new)]
    if any(len(head) <= options.skip_rows + 1 for head in heads):
        return None
    if options.header:
        ours, theirs = (head[options.skip_rows] for head in heads)
        named = ours.replace(options.delimiter.encode(options.encoding, "replace"), b"").strip()
        if ours != theirs or not named:
            return None
    kept = options.skip_rows + (1 if options.header else 0)
    return b"".join(line + b"\n" for line in heads[1][:kept])


def _is_plain(body: bytes) -> bool:
    """Return whether lines end as this module cuts them: a lone carriage return ends a line too."""
    return (
        not body.startswith(_PACKED)
        and b"\0" not in body
        and (b"\r" not in body or body.count(b"\r") == body.count(b"\r\n"))
    )
