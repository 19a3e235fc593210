"""What others wrote, shown so that it only reads."""

from __future__ import annotations


def sanitize(text: str, longest: int | None = None) -> str:
    r"""Return a text without characters that control, break lines or turn the reading order; cut where it is too long.

    >>> sanitize("a\r\nBcc: x\u202egpj"), sanitize("abcdef", 4)
    ('a  Bcc: x gpj', 'abc…')
    """
    shown = "".join(ch if ch.isprintable() else " " for ch in (text if longest is None else text[: longest + 1]))
    return shown if longest is None or len(shown) <= longest else shown[: longest - 1] + "…"
