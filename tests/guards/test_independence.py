"""Whether two feeds confirm each other."""

from __future__ import annotations

import pytest

from blocklist.domain.listing import Authority, AuthorityKind
from blocklist.guards.independence import NamedBy, Overlap, may_confirm


def named_by(
    feed: int, authority: str, kind: AuthorityKind = AuthorityKind.COURT, stated: str | None = None
) -> NamedBy:
    return NamedBy(feed, f"feed-{feed}", Authority(authority, kind, "GB"), stated)


INDUSTRY = AuthorityKind.INDUSTRY


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        (named_by(1, "Court"), named_by(2, "Regulator"), True),
        (named_by(1, "Court"), named_by(2, "Volunteers", INDUSTRY), True),
        (named_by(1, "Volunteers", INDUSTRY), named_by(2, "Court"), True),
        (named_by(1, "Volunteers", INDUSTRY), named_by(2, "Others", INDUSTRY), False),
        (named_by(1, "Court"), named_by(2, " court "), False),
        (named_by(1, "Court"), named_by(2, "Volunteers", INDUSTRY, stated="Court"), False),
        (named_by(1, "Court"), named_by(1, "Court"), False),
    ],
)
def test_two_authorities_confirm_each_other_if_one_acts_for_a_government(
    one: NamedBy, other: NamedBy, may: bool
) -> None:
    assert may_confirm(one, other) is may


@pytest.mark.parametrize(
    ("overlap", "same", "copied"),
    [
        (Overlap(100, 100, 100), True, True),
        (Overlap(100, 97, 95), True, True),
        (Overlap(10_000, 100, 100), False, True),
        (Overlap(10_000, 100, 50), False, False),
        # Too few to tell.
        (Overlap(10_000, 20, 20), False, False),
        (Overlap(4, 4, 4), False, False),
        (Overlap(0, 0, 0), False, False),
    ],
)
def test_a_copy_is_recognized_by_what_two_lists_have_in_common(overlap: Overlap, same: bool, copied: bool) -> None:
    assert (overlap.is_same_list, overlap.is_copied) == (same, copied)
