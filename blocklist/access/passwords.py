"""Passwords: the requirements, and how they are hashed."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from blocklist.domain.errors import UsageError

#: Characters of a password; the upper limit bounds the work of hashing.
MIN_LENGTH, MAX_LENGTH = 12, 256
_DIFFERENT = 5
#: The second option of OWASP's Password Storage Cheat Sheet, 19 MiB and two passes: eight people who sign in at once
#: must not take half a gigabyte.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def check_password(password: str, name: str) -> None:
    """Refuse a password that is easy to guess.

    :raises UsageError: the password is too short, too long, or easy to guess.
    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise UsageError(f"a password must have {MIN_LENGTH} to {MAX_LENGTH} characters: use several words")
    if len(set(password.casefold())) < _DIFFERENT:
        raise UsageError("a password of so few different characters is easy to guess: use several words")
    if name.casefold() in password.casefold() or "blocklist" in password.casefold():
        raise UsageError("a password with your name or the name of this program is easy to guess: use several words")


def hash_password(password: str) -> str:
    """Return the hash of a password to store: argon2id with its parameters and salt."""
    return _HASHER.hash(_normalized(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Return whether a password matches a stored hash.

    Without a hash it takes the same time, so that the response time does not show which names exist.
    """
    try:
        fits = _HASHER.verify(stored or _dummy_hash(), _normalized(password[: MAX_LENGTH + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return fits and stored is not None


def needs_rehash(stored: str) -> bool:
    """Return whether a password was hashed with other parameters than the current ones."""
    return _HASHER.check_needs_rehash(stored)


def _normalized(password: str) -> bytes:
    # Systems differ in the code points that they send for the same keys (NIST SP 800-63B, section 3.1.1.2).
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _dummy_hash() -> str:
    return _HASHER.hash(b"no password has this hash")
