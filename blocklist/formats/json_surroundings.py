"""What a JSON body states beside its rows: that there are more of them elsewhere, or that an error cut them off."""

from __future__ import annotations

from typing import Any

#: Names of members, without signs and in lower case: an address or number of the next page.
_NEXT = frozenset({"next", "nextpage", "nextlink", "nexturl", "nextcursor", "nexttoken", "nextpagetoken"})
_CONTINUED = frozenset({"continuation", "continuationtoken", "hasmore", "hasnext", "hasnextpage", "moreavailable"})
#: Members that are true in a part of a list, and those that are false.
_PART = frozenset({"truncated", "istruncated", "partial", "ispartial", "incomplete", "incompleteresults"})
_WHOLE = frozenset({"complete", "iscomplete", "last", "islast", "lastpage", "islastpage"})
_ERROR = frozenset({"error", "errors", "errormessage", "exception"})
_NO_ERROR = frozenset({"", "none", "ok", "no error", "no errors", "success", "null"})
#: Members that state the number of all rows.
_TOTAL = frozenset(
    {
        *("total", "totalcount", "totalresults", "totalrecords", "totalitems", "totalelements", "totalentries"),
        *("totalrows", "totalhits", "recordstotal", "numfound", "count", "recordcount"),
    }
)
#: The share of rows by which a stated total may be above those that are there: lists are counted at another moment.
_TOLERANCE = 0.01
#: A member deeper than this is about something else.
_MAX_DEPTH = 3


class Surroundings:
    """The members beside the rows, as far as they tell whether the rows are the whole list."""

    def __init__(self, *, paged: bool = False) -> None:
        """Begin with nothing found.

        ``paged``: the body was joined from pages, each of which states whether there is another one. :attr:`finding` is
        the end of a sentence that says why the rows are not the whole list; empty if nothing says so.
        """
        self.paged = paged
        self.finding = ""
        self._total = 0
        self._total_at = ""

    def note(self, path: str, value: Any) -> None:
        """Take a member with a value that is no object or list; ``path`` has dots between the names."""
        names = [_bare(name) for name in path.split(".")]
        if len(names) > _MAX_DEPTH or self.finding:
            return
        if not _ERROR.isdisjoint(names):
            if _states(value) and str(value).strip().lower() not in _NO_ERROR:
                self.finding = f"{path!r} is {_shown(value)}"
        elif "item" in names:
            return
        elif names[-1] in _TOTAL:
            self._note_total(path, value)
        elif not self.paged and self._is_part(names, value):
            self.finding = f"{path!r} is {_shown(value)}, so this is not the whole list"

    def sentence(self, rows: int) -> str | None:
        """Return a sentence that says why a body with this many rows is not the whole list, or None."""
        if self.finding:
            return f"beside the rows, {self.finding}: the list may come in pages (source.pagination)"
        if self._total > rows * (1 + _TOLERANCE):
            return (
                f"beside the rows, {self._total_at!r} is {self._total:,}, and the body has {rows:,} rows: the list may "
                "come in pages (source.pagination)"
            )
        return None

    def _is_part(self, names: list[str], value: Any) -> bool:
        if names[-1] in _PART:
            return value is True
        if names[-1] in _WHOLE:
            return value is False
        return not {*_NEXT, *_CONTINUED}.isdisjoint(names[-2:]) and _states(value)

    def _note_total(self, path: str, value: Any) -> None:
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > self._total:
            self._total, self._total_at = int(value), path


def _bare(name: str) -> str:
    return "".join(ch for ch in name if ch.isalnum()).lower()


def _states(value: Any) -> bool:
    """Return whether a value is more than a way to write that there is none."""
    return bool(value.strip() if isinstance(value, str) else value)


def _shown(value: Any) -> str:
    return "true" if value is True else "false" if value is False else repr(value)[:80]
