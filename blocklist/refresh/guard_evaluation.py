"""The guards applied to a body and to a staged list, in the order of their table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from blocklist.domain.errors import GuardError
from blocklist.domain.run import Effect, GuardFinding
from blocklist.guards.body_guards import BODY_GUARDS
from blocklist.guards.guard import HEAD_SIZE, BodyGuard, BodyScan, BodyType, Limits, ListFacts
from blocklist.guards.list_guards import LIST_GUARDS
from blocklist.guards.stated_dates import DATE_WITHIN, STATED_DATE, stated_date
from blocklist.guards.stated_sizes import has_end_marker, stated_size

#: Bytes at the end of a body that :class:`.BodyScan` keeps.
_TAIL_SIZE = 65_536
#: What DOS writes behind the last line of a file.
_END_OF_FILE = b"\x1a"


def check_body(stream: BinaryIO, body: BodyType, limits: Limits) -> BodyScan:
    """Check the bytes of an open body, and leave it at its beginning.

    :raises GuardError: a guard fails the run.
    :raises UnreadableFeedError: the pattern of the stated date takes too long.
    """
    checks = [(guard, guard.check(body, limits)) for guard in BODY_GUARDS if guard.is_on(limits)]
    head = stream.read(HEAD_SIZE)
    stream.seek(0)
    _fail_on((guard, check.head(head)) for guard, check in checks)
    if body.content != "text":
        return BodyScan(whole=True)
    size, tail = 0, b""
    while block := stream.read(1 << 20):
        _fail_on((guard, check.block(block)) for guard, check in checks)
        size += len(block)
        tail = (tail + block)[-_TAIL_SIZE:]
    _fail_on((guard, check.end()) for guard, check in checks)
    stream.seek(0)
    first, last = (part.decode(body.encoding, "replace") for part in (head[:DATE_WITHIN], tail[-DATE_WITHIN:]))
    return BodyScan(
        ends_open=size > 0 and not body.is_wide and tail.rstrip(_END_OF_FILE)[-1:] not in (b"\n", b"\r"),
        stated_date=stated_date(first, STATED_DATE.of(limits)),
        tail=tail,
        whole=size == len(tail),
        stated_size=stated_size(first, last),
        end_marker=has_end_marker(last),
    )


def judge(facts: ListFacts, limits: Limits) -> list[GuardFinding]:
    """Return what the guards find in a list as a whole.

    :raises GuardError: a guard fails the run.
    """
    findings = []
    for guard in LIST_GUARDS:
        sentence = guard.sentence(facts, limits)
        if sentence and guard.effect is Effect.FAILS:
            raise GuardError(guard.name, sentence)
        if sentence:
            findings.append(GuardFinding(guard.name, guard.effect, sentence))
    return findings


def _fail_on(findings: Iterable[tuple[BodyGuard, str | None]]) -> None:
    for guard, sentence in findings:
        if sentence:
            raise GuardError(guard.name, sentence)
