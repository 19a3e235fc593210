"""Secrets that the service generates: 256 random bits, shown once, stored as their SHA-256.

A fast hash would be too weak for a password, but 256 random bits cannot be guessed.
"""

from __future__ import annotations

import hashlib
import secrets

#: The beginning of every token, by which people and secret scanners recognize one.
TOKEN_PREFIX = "blk_"  # noqa: S105 - not a secret
#: Characters of a token that are stored in the clear, to identify it.
_SHOWN = len(TOKEN_PREFIX) + 8


def new_secret() -> str:
    """Return 256 random bits as 43 characters that need no encoding in a URL, header or cookie."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new token: ``blk_`` and 43 characters."""
    return TOKEN_PREFIX + new_secret()


def visible_part(token: str) -> str:
    """Return the beginning of a token, which may be shown.

    >>> visible_part("blk_abcdefghijklmnop")
    'blk_abcdefgh'
    """
    return token[:_SHOWN]


def hash_secret(secret: str) -> str:
    """Return the hash of a secret to store: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
