"""Optimistic concurrency: ETag identifies a version, If-Match names the version that may be changed (RFC 9110)."""

from __future__ import annotations

from flask import request
from pydantic import BaseModel, ConfigDict, Field

from blocklist.web.api.framework.problems import ProblemError

_DESCRIPTION = "The ETag of the version that you have read; `*` for any version."


class OptionalIfMatch(BaseModel):
    """Headers of a request that may name the version to change."""

    if_match: str | None = Field(None, alias="If-Match", description=_DESCRIPTION)


class RequiredIfMatch(BaseModel):
    """Headers of a request that must name the version to change, so that it does not overwrite an unseen change."""

    # Required in the description only: without the header the status must be 428, not 400.
    model_config = ConfigDict(json_schema_extra={"required": ["If-Match"]})
    if_match: str | None = Field(None, alias="If-Match", description=f"{_DESCRIPTION} Without it the status is 428.")


def read_if_match(header: OptionalIfMatch | RequiredIfMatch) -> set[str] | None:
    """Return the versions that the request accepts; None for any version.

    :raises ProblemError: 428, the header is required and missing.
    """
    if header.if_match is None:
        if isinstance(header, RequiredIfMatch):
            raise ProblemError(
                428, "the header If-Match is missing: send the ETag of the version that you have read, or * for any"
            )
        return None
    return None if request.if_match.star_tag else set(request.if_match.as_set())


def etag_header(version: str) -> tuple[str, str]:
    """Return the name and the value of the ETag header of a version."""
    return "ETag", f'"{version}"'
