"""Authentication of callers of the lookup plane, by the token in the file of the setting ``lookup.token_file``."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

import msgspec

from blocklist.domain.errors import ConfigurationError
from blocklist.lookup.http import Answer, problem

#: Paths that need no token, for load balancers.
OPEN_TO_ALL = frozenset({"/healthz", "/readyz"})


class TokenAuthentication:
    """Checks the bearer token of each request. Without a token file, every request passes."""

    def __init__(self, token_file: str) -> None:
        """Read the token; an empty path means that none is needed.

        :raises ConfigurationError: the file cannot be read, or is empty.
        """
        self._token = _read_token(token_file) if token_file else None

    def refusal(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        """Return 401 if the token is missing or wrong, else None; names of headers are in lower case."""
        if self._token is None or path in OPEN_TO_ALL:
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1", "replace"), self._token):
            return None
        refused = problem(401, "this node needs a bearer token: Authorization: Bearer TOKEN")
        return msgspec.structs.replace(refused, headers=(("WWW-Authenticate", "Bearer"),))


def _read_token(file: str) -> bytes:
    try:
        token = Path(file).read_bytes().strip()
    except OSError as error:
        raise ConfigurationError(f"lookup.token_file: {file} cannot be read: {error.strerror}") from None
    if not token:
        raise ConfigurationError(f"lookup.token_file: {file} is empty")
    return token
