"""The verdict on a text that names several things, such as an archive's address of a page."""

from __future__ import annotations

from collections.abc import Callable

from blocklist.domain.verdict import Target, Verdict, VerdictKind
from blocklist.normalize.candidates import Candidates


def judge(candidates: Candidates, decide: Callable[[Target], Verdict]) -> Verdict:
    """Return the verdict on a text; ``decide`` gives that on one target, its overrides included.

    Each candidate is decided by itself: an override for a wrapper does not reach the page within, nor the other way
    round. The text is listed if one of them is, and the outermost listed one is in the answer. If none is, the answer
    is that of the outermost one that an override allows, else of the outermost ``partial`` one, else of the text
    itself.
    """
    found = [decide(target) for target, _ in candidates]
    ranks = [_rank(verdict) for verdict in found]
    best = ranks.index(min(ranks))
    chosen, via = found[best], candidates[best].via
    if via is not None and ranks[best] <= _PARTIAL:
        chosen = chosen._replace(via=via)
    # An override that allows one of them says nothing of listed pages on the hosts of the others.
    if ranks[best] == _OVERRIDDEN and not chosen.partial and any(verdict.partial for verdict in found):
        chosen = chosen._replace(partial=True)
    return chosen


#: Ranks of verdicts. Overridden ones go before others, which callers may cache: overrides expire.
#: Last those that say nothing: what stands within may be no site.
_LISTED, _OVERRIDDEN, _PARTIAL, _NOT_LISTED, _UNKNOWN = range(5)


def _rank(verdict: Verdict) -> int:
    if verdict.listed:
        return _LISTED
    if verdict.override:
        return _OVERRIDDEN
    if verdict.partial:
        return _PARTIAL
    return _NOT_LISTED if verdict.verdict is VerdictKind.NOT_LISTED else _UNKNOWN
