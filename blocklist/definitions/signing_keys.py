"""Public keys of publishers, as definitions hold them.

The libraries are loaded by the feeds that need them: they take longer to load than most commands take to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import minisign
    import pysequoia


def minisign_key(text: str) -> minisign.PublicKey:
    """Return a public key of minisign, given alone or as its file ``minisign.pub``.

    :raises ValueError: it is none.
    """
    import minisign  # noqa: PLC0415 - see above

    lines = [line for line in text.strip().splitlines() if not line.startswith("untrusted comment:")]
    try:
        return minisign.PublicKey.from_base64("".join(lines).strip())
    except minisign.Error as error:
        raise ValueError(f"not a public key of minisign (it begins with RW): {error}") from None


def openpgp_key(text: str) -> pysequoia.Cert:
    """Return an OpenPGP public key in ASCII armor.

    :raises ValueError: it is none.
    """
    import pysequoia  # noqa: PLC0415 - see above

    try:
        return pysequoia.Cert.from_bytes(text.encode())
    except Exception as error:
        raise ValueError(f"not an OpenPGP public key in ASCII armor: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """Return what a library says, without the trace that some add to it."""
    return (str(error).splitlines() or [type(error).__name__])[0]
