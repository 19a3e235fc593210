"""Generate tables and settings in the documentation again: ``python -m tests.docs.regenerate``."""

from __future__ import annotations

from tests.docs.generated import PARTS, ROOT

if __name__ == "__main__":
    for part in PARTS:
        _, text = part.replaced()
        (ROOT / part.file).write_text(text, encoding="utf-8")
