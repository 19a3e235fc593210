"""Secrets that the service makes: 256 random bits each, shown once, kept as their SHA-256.

A plain hash is enough for them and would not be for a password: nobody guesses 256 bits, however fast the hash.
"""

from __future__ import annotations

import hashlib
import secrets

#: How a token begins, so that people and scanners of leaked secrets recognize one.
TOKEN_PREFIX = "blk_"  # noqa: S105 - the beginning that all have
#: Characters of a token that are kept in the clear, to tell which one it is.
_SHOWN = len(TOKEN_PREFIX) + 8


def new_secret() -> str:
    """Return 256 random bits as 43 characters that need no encoding in a URL, header or cookie."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return the secret of a new token, such as ``blk_`` and 43 characters."""
    return TOKEN_PREFIX + new_secret()


def visible_part(token: str) -> str:
    """Return what may be shown of a token.

    >>> visible_part("blk_abcdefghijklmnop")
    'blk_abcdefgh'
    """
    return token[:_SHOWN]


def hash_secret(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
