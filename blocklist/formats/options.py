"""What the options of every format share, whatever the format."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FormatOptions(BaseModel):
    """Options of any format. ``member``: which file in a zip is the list, by name or by pattern (``*.csv``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    member: str | None = Field(None, min_length=1, max_length=500)
