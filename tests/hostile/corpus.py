"""All cases, in one list."""

from __future__ import annotations

from tests.hostile import documents, lists, names, tables, text, wrapped
from tests.hostile.served import Case

CASES: list[Case] = [case for module in (text, names, lists, tables, wrapped, documents) for case in module.CASES]
