"""Definitions that reach into this machine, to its files and secrets: not every editor may send those about."""

from __future__ import annotations

from blocklist.definitions.definition import FeedDefinition
from blocklist.definitions.source import Source
from blocklist.domain.access import Role
from blocklist.domain.errors import ForbiddenError


def check_definition_allowed(role: Role, after: FeedDefinition, before: FeedDefinition | None = None) -> None:
    """Make sure that a role may bring a definition about.

    A source that reads a file of this machine shows what is in it; one with credentials sends a secret to an address.
    Both are an admin's to say, the address of a feed that has credentials included.

    :raises ForbiddenError: the definition needs an admin.
    """
    source, known = after.source, before.source if before else Source()
    if role.covers(Role.ADMIN) or source == known:
        return
    if source.file is not None or (source.url or "").startswith("file:"):
        raise ForbiddenError("a source on this machine is for an admin to say: it shows whatever is in that file")
    if source.credentials is not None:
        raise ForbiddenError("where a feed with credentials is fetched is for an admin to say: the secret goes there")
