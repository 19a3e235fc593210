"""Passwords: what one must be, and how one is kept."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from blocklist.domain.errors import UsageError

#: Characters of a password; the upper limit keeps the work of hashing one within bounds.
SHORTEST, LONGEST = 12, 256
_DIFFERENT = 5
#: The second choice of OWASP's Password Storage Cheat Sheet: 19 MiB and two passes, so that eight people who sign in at
#: once do not take half a gigabyte.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check_password(password: str, name: str) -> None:
    """Refuse a password that is guessed easily.

    :raises UsageError: what to do instead.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"a password has {SHORTEST} to {LONGEST} characters: take several words")
    if len(set(password.casefold())) < _DIFFERENT:
        raise UsageError("a password of so few different characters is guessed easily: take several words")
    if name.casefold() in password.casefold() or "blocklist" in password.casefold():
        raise UsageError("a password that holds your name or the program's is guessed easily: take several words")


def hash_password(password: str) -> str:
    """Return what is kept of a password: argon2id with its parameters and salt."""
    return _HASHER.hash(_normalized(password))


def verify_password(kept: str | None, password: str) -> bool:
    """Return whether a password is the one that was kept.

    Without one it takes as long, so that nobody learns from the time which names there are.
    """
    try:
        fits = _HASHER.verify(kept or _nobodys(), _normalized(password[: LONGEST + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return fits and kept is not None


def needs_rehash(kept: str) -> bool:
    """Return whether a password was hashed with other parameters than those in use."""
    return _HASHER.check_needs_rehash(kept)


def _normalized(password: str) -> bytes:
    # The same key presses give other code points on other systems (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys() -> str:
    return _HASHER.hash(b"no password has this hash")
