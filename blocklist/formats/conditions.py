"""The option ``where``: which rows of a list are read."""

from __future__ import annotations

from typing import NamedTuple


class Condition(NamedTuple):
    """A column or field of a row, and the value that it must have; with ``differs``, must not have."""

    column: str
    value: str
    differs: bool = False

    def holds(self, text: str) -> bool:
        """Return whether a row with this text in the column is read."""
        return (text == self.value) is not self.differs


def condition_of(where: str) -> Condition:
    """Return the condition that ``COLUMN=VALUE`` or ``COLUMN!=VALUE`` states.

    >>> condition_of("status != removed")
    Condition(column='status', value='removed', differs=True)

    :raises ValueError: it is neither.
    """
    column, separator, value = where.partition("=")
    if not separator:
        raise ValueError(f"where must be COLUMN=VALUE or COLUMN!=VALUE, not {where!r}")
    differs = column.endswith("!")
    return Condition((column[:-1] if differs else column).strip(), value.strip(), differs)
