"""The text of an element as a browser shows it: its lines, where spaces are, and what is struck through or hidden."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from blocklist.formats.sandbox.protocol import HIDDEN, STRUCK

#: The marks of lines that are not shown, or are shown as withdrawn.
MARKS = frozenset({HIDDEN, STRUCK})
#: Elements in a cell that begin a new line.
_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "dl", "dt", "dd", "table", "tr", "td", "th", "pre", "blockquote"})
#: Elements whose text is apart from the text beside them, such as the number of a footnote.
_APART = frozenset({"sup", "sub", "button", "select", "option", "label", "small", "rt", "rp"})
_STRUCK = frozenset({"del", "s", "strike"})
#: Elements of which a browser shows no text.
_UNSEEN = frozenset({"script", "style", "template", "noscript", "title"})
_HIDDEN_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))", re.IGNORECASE)
_STRUCK_STYLE = re.compile(r"(?:^|;)\s*text-decoration(?:-line)?\s*:[^;]*line-through", re.IGNORECASE)


def parent_of(node: LexborNode, tags: Set[str], within: int = 0) -> int:
    """Return the id of the innermost element around a node that has one of these tags or is ``within``; 0 for none."""
    parent = node.parent
    while parent is not None and parent.mem_id != within and parent.tag not in tags:
        parent = parent.parent
    return parent.mem_id if parent is not None else 0


def mark_around(node: LexborNode) -> str:
    """Return the mark of an element by itself and those around it: that of hidden or struck text, or an empty text."""
    mark = ""
    around: LexborNode | None = node
    while around is not None and mark != HIDDEN:
        mark = _mark_of(around) or mark
        around = around.parent
    return mark


def _mark_of(element: LexborNode) -> str:
    """Return the mark that an element gives to the text in it."""
    attributes = element.attributes
    style = attributes.get("style") or ""
    if "hidden" in attributes or (style and _HIDDEN_STYLE.search(style)):
        return HIDDEN
    return STRUCK if element.tag in _STRUCK or (style and _STRUCK_STYLE.search(style)) else ""


class _Around(NamedTuple):
    """What the elements around a text mean for it: its mark, its line, its part of the line (ids), if it is seen."""

    mark: str
    block: int
    apart: int
    is_unseen: bool = False

    def within(self, element: LexborNode) -> _Around:
        """Return the same for a text in an element that is within these."""
        tag, id_ = element.tag, element.mem_id
        return _Around(
            HIDDEN if self.mark == HIDDEN else _mark_of(element) or self.mark,
            id_ if tag in _BLOCKS else self.block,
            id_ if tag in _APART else self.apart,
            self.is_unseen or tag in _UNSEEN,
        )


def _around(node: LexborNode, known: dict[int, _Around]) -> _Around:
    """Return what the elements around a node mean for it; ``known`` has it for some of them, and gets the others."""
    path = []
    element = node.parent
    while element is not None and element.mem_id not in known:
        path.append(element)
        element = element.parent
    found = known[element.mem_id] if element is not None else _Around("", 0, 0)
    for inner in reversed(path):
        found = known[inner.mem_id] = found.within(inner)
    return found


def visible_lines(node: LexborNode) -> list[str]:
    """Return the text of an element as the lines that a browser shows.

    A part that is struck through or hidden is a line of its own with its mark, if white space divides it from the rest;
    otherwise its whole line has the mark. Text without a dot that is hidden beside other text is left out: it is a key
    to sort by.
    """
    outside = _Around(mark_around(node), node.mem_id, node.mem_id)
    lines = _Lines(all_hidden=outside.mark == HIDDEN)
    known = {node.mem_id: outside}
    before = outside
    for child in node.traverse(include_text=True):
        if child.tag == "br":
            lines.end()
        elif child.tag == "img":
            lines.space()
        elif child.tag == "-text" and not (around := _around(child, known)).is_unseen:
            if around.block != before.block:
                lines.end()
            if around.apart != before.apart:
                lines.space()
            before = around
            lines.add(child.text(deep=False) or "", around.mark)
    return lines.finished()


class _Lines:
    """Lines that are put together from the texts of inline elements."""

    def __init__(self, *, all_hidden: bool) -> None:
        self._all_hidden = all_hidden
        self._done: list[str] = []
        self._line = ""
        self._mark = ""

    def end(self) -> None:
        """End the line."""
        if words := " ".join(self._line.split()):
            self._done.append(self._mark + words)
        self._line = self._mark = ""

    def space(self) -> None:
        """Add a space."""
        self._line += " "

    def add(self, text: str, mark: str) -> None:
        """Add the text of an inline element."""
        if not text or (mark == HIDDEN and not self._all_hidden and "." not in text):
            return
        if text.isspace():
            self._line += " "
            return
        if mark != self._mark and self._line.strip():
            if self._line[-1:].isspace() or text[:1].isspace():
                self.end()
            else:
                # A part of a word: nobody can tell what the word is without it.
                mark = mark or self._mark
        self._mark = mark
        self._line += f"{' ' * _are_two(self._line, text)}{text}"

    def finished(self) -> list[str]:
        """End the last line, and return all."""
        self.end()
        return self._done


def _are_two(before: str, text: str) -> bool:
    """Return whether two texts of neighboring elements may be two names: both have a dot, and none where they meet.

    A browser shows no space between inline elements: ``pirate-<b>one.example</b>`` is one name.
    """
    left, right = before.rsplit(maxsplit=1)[-1:] or [""], text.split(maxsplit=1)[:1] or [""]
    if before[-1:].isspace() or text[:1].isspace():
        return False
    return "." in left[0] and "." in right[0] and left[0][-1] not in ".-/:" and right[0][0] not in ".-/:?#"
