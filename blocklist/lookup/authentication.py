"""Who may ask for verdicts: anybody, or whoever shows the token of the setting ``lookup.token_file``."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

from blocklist.domain.errors import ConfigurationError
from blocklist.lookup.http import Answer, problem

#: Answered to anybody in any case, for load balancers.
OPEN_TO_ALL = frozenset({"/healthz", "/readyz"})


class TokenAuthentication:
    """Lets callers of the lookup plane in."""

    def __init__(self, token_file: str | None) -> None:
        """Read the token.

        :raises ConfigurationError: its file cannot be read, or is empty.
        """
        self._token = _token(token_file)

    def refusal(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        """Return why a request is not answered, if its caller may not ask; names of headers are in lower case."""
        if self._token is None or path in OPEN_TO_ALL:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1", "replace"), self._token):
            return None
        told = problem(401, "this node wants a bearer token: Authorization: Bearer TOKEN")
        return Answer(told.status, told.body, (("WWW-Authenticate", "Bearer"),))


def _token(file: str | None) -> bytes | None:
    if not file:
        return None
    try:
        token = Path(file).read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"lookup.token_file: {file} cannot be read: {error.strerror}") from None
    if not token:
        raise ConfigurationError(f"lookup.token_file: {file} is empty")
    return token
