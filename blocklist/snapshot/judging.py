"""The verdict on a text that names several things, such as an archive's address of a page."""

from __future__ import annotations

from collections.abc import Callable

from blocklist.domain.verdict import Target, Verdict
from blocklist.normalize.candidates import Candidates


def judge(candidates: Candidates, decide: Callable[[Target], Verdict]) -> Verdict:
    """Return the verdict on a text; ``decide`` gives that on one target, its overrides included.

    Each candidate is decided by itself: an override for a wrapper does not reach the page within, nor the other way
    round. The text is listed if one of them is; the outermost listed one is in the answer. If none is, the answer is
    that of the outermost one that an override allows, else that of the text itself. It is ``partial`` if any is.
    """
    found = [decide(target)._replace(via=via) if via else decide(target) for target, via in candidates]
    first = found[0]
    if len(found) == 1 or first.listed:
        return first
    # Verdicts by overrides go before others, which callers may cache: overrides expire.
    chosen = next((verdict for verdict in found if verdict.listed), None)
    if chosen is None:
        chosen = next((verdict for verdict in found if verdict.override), first)
        if not chosen.partial and any(verdict.partial for verdict in found):
            chosen = chosen._replace(partial=True)
    return chosen
