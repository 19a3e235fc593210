"""Text that others wrote, made safe to show in a terminal, a mail or an export."""

from __future__ import annotations


def sanitize(text: str, longest: int | None = None) -> str:
    r"""Return text with a space for each unprintable character: controls, line breaks, marks of the reading order.

    A text of more than ``longest`` characters is cut to that length and ends in an ellipsis.

    >>> sanitize("a\r\nBcc: x\u202egpj"), sanitize("abcdef", 4)
    ('a  Bcc: x gpj', 'abc…')
    """
    shown = "".join(ch if ch.isprintable() else " " for ch in (text if longest is None else text[: longest + 1]))
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"
