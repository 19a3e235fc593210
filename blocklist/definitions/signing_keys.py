"""Public keys of publishers, parsed from definitions.

The libraries are imported only when a feed needs them: they take longer to load than most commands to run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import minisign
    import pysequoia


def minisign_key(text: str) -> minisign.PublicKey:
    """Return a minisign public key, given as its line alone or as the content of ``minisign.pub``.

    :raises ValueError: the text is not a minisign public key.
    """
    import minisign  # noqa: PLC0415 - see above

    lines = [line for line in text.strip().splitlines() if not line.startswith("untrusted comment:")]
    try:
        return minisign.PublicKey.from_base64("".join(lines).strip())
    except minisign.Error as error:
        raise ValueError(f"not a minisign public key (which begins with RW): {error}") from None


def openpgp_key(text: str) -> pysequoia.Cert:
    """Return an OpenPGP public key in ASCII armor.

    :raises ValueError: the text is not an OpenPGP public key.
    """
    import pysequoia  # noqa: PLC0415 - see above

    try:
        return pysequoia.Cert.from_bytes(text.encode())
    except Exception as error:
        raise ValueError(f"not an OpenPGP public key in ASCII armor: {first_line(error)}") from None


def first_line(error: Exception) -> str:
    """Return the first line of a library's error, without the trace that some append."""
    return (str(error).splitlines() or [type(error).__name__])[0]
