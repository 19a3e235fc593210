"""Two admins do not overwrite each other: ETag tells a version, If-Match says which one may be changed (RFC 9110)."""

from __future__ import annotations

from flask import request
from pydantic import BaseModel, ConfigDict, Field

from blocklist.web.api.framework.problems import refused

_SAYS = "The ETag of the version that you have seen; `*` for any."


class MayMatch(BaseModel):
    """Headers of a request that may say which version it means."""

    if_match: str | None = Field(None, alias="If-Match", description=_SAYS)


class MustMatch(BaseModel):
    """Headers of a request that would overwrite what it has not seen, did it not say which version it means."""

    # Described as required; whoever leaves it out is told so with 428, and not with 400.
    model_config = ConfigDict(json_schema_extra={"required": ["If-Match"]})
    if_match: str | None = Field(None, alias="If-Match", description=f"{_SAYS} Without it the answer is 428.")


def seen_versions(header: MayMatch | MustMatch) -> set[str] | None:
    """Return the versions that the caller has seen; None for any.

    :raises RefusedError: 428, the caller must say so.
    """
    if header.if_match is None:
        if isinstance(header, MustMatch):
            raise refused(428, "say with If-Match which version you have seen: the ETag that GET gives, or * for any")
        return None
    return None if request.if_match.star_tag else set(request.if_match.as_set())


def tag_of(version: str) -> tuple[str, str]:
    """Return the header that tells a version."""
    return "ETag", f'"{version}"'
