"""Which definitions are an admin's to bring about."""

from __future__ import annotations

from typing import Any

import pytest

from blocklist.access.definition_limits import check_definition_allowed
from blocklist.domain.access import Role
from blocklist.domain.errors import ForbiddenError
from tests.support import definition

SECRET = {"kind": "bearer", "env": "TOKEN"}
PLAIN = {"url": "https://lists.example/"}


@pytest.mark.parametrize(
    ("source", "known", "free"),
    [
        (PLAIN, None, True),
        ({}, None, True),
        ({"file": "/etc/passwd"}, None, False),
        ({"url": "file:///etc/passwd"}, PLAIN, False),
        (PLAIN | {"credentials": SECRET}, None, False),
        (PLAIN | {"credentials": SECRET}, PLAIN, False),
        ({"url": "https://thief.example/", "credentials": SECRET}, PLAIN | {"credentials": SECRET}, False),
        (PLAIN | {"credentials": SECRET}, PLAIN | {"credentials": SECRET}, True),
        ({"file": "/srv/list"}, {"file": "/srv/list"}, True),
        (PLAIN, PLAIN | {"credentials": SECRET}, True),
    ],
)
def test_files_of_the_machine_and_the_way_of_secrets_are_an_admins_to_say(
    source: dict[str, Any], known: dict[str, Any] | None, free: bool
) -> None:
    after = definition(source=source)
    before = definition(source=known) if known is not None else None
    check_definition_allowed(Role.ADMIN, after, before)
    if free:
        check_definition_allowed(Role.EDITOR, after, before)
        return
    for role in (Role.EDITOR, Role.APPROVER):
        with pytest.raises(ForbiddenError, match="only an admin may"):
            check_definition_allowed(role, after, before)
