"""Definitions that only an admin may create or change, because they read files or secrets of this machine."""

from __future__ import annotations

from blocklist.definitions.definition import FeedDefinition
from blocklist.definitions.source import Source
from blocklist.domain.access import Role
from blocklist.domain.errors import ForbiddenError


def check_definition_allowed(role: Role, after: FeedDefinition, before: FeedDefinition | None = None) -> None:
    """Make sure that a role may create a definition, or change one from ``before`` to ``after``.

    A source that is a file of this machine shows its content; a source with credentials sends a secret to its address.
    Only an admin may set these, or change the source of a feed that has credentials.

    :raises ForbiddenError: the change needs an admin.
    """
    source, known = after.source, before.source if before else Source()
    if role.covers(Role.ADMIN) or source == known:
        return
    if source.file is not None or (source.url or "").startswith("file:"):
        raise ForbiddenError(
            "only an admin may set a file of this machine as the source, because the feed shows its content"
        )
    if source.credentials is not None:
        raise ForbiddenError(
            "only an admin may change the source of a feed with credentials, because the secret is sent to its address"
        )
