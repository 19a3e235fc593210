"""Verifies a body with the SHA-256 or the detached signature that its publisher puts beside it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blocklist.definitions.signing_keys import first_line, minisign_key, openpgp_key
from blocklist.definitions.source import Integrity
from blocklist.domain.errors import FetchError
from blocklist.fetch.body import Body
from blocklist.fetch.http import FetchSession, fetch_page, shown_address

#: The usual suffix of each kind.
_SUFFIXES = {"sha256": ".sha256", "minisign": ".minisig", "openpgp": ".asc"}
#: Bytes. A hash or a signature has a few hundred; a file of hashes has one line per file in the folder.
_MAX_PROOF = 1 << 20
#: Bytes. minisign's older form signs the body, not its hash, so the body must fit in memory.
_MAX_UNHASHED = 64 << 20
_HASH = r"[0-9A-Fa-f]{64}"
#: ``sha256sum`` writes ``HASH  name`` or ``HASH *name``, the BSD tools ``SHA256 (name) = HASH``.
_SUM = re.compile(rf"(?:(?P<hash>{_HASH})(?:[ \t]+\*?(?P<name>.+))?|SHA256 \((?P<name2>.+)\) = (?P<hash2>{_HASH}))")


def verify(session: FetchSession, url: str, body: Body, integrity: Integrity) -> None:
    """Verify a body with its publisher's hash or signature.

    :raises FetchError: the hash or signature cannot be fetched or read, or is of another body or key.
    """
    proof_url = integrity.url or beside(url, integrity.suffix or _SUFFIXES[integrity.kind])
    try:
        proof = fetch_page(session, proof_url, _MAX_PROOF).body
    except FetchError as error:
        raise FetchError(f"the {_NAMES[integrity.kind]} cannot be fetched: {error}") from None
    try:
        _VERIFY[integrity.kind](proof, body, integrity, Path(unquote(urlsplit(url).path)).name)
    except FetchError as error:
        raise FetchError(f"{shown_address(url)}: {error} ({shown_address(proof_url)}); the body was not used") from None


def beside(url: str, suffix: str) -> str:
    """Return the address of a file beside the list: the suffix is appended to the path, before the query.

    >>> beside("https://lists.example/b.txt?year=2026", ".sha256")
    'https://lists.example/b.txt.sha256?year=2026'
    """
    path, question, query = url.partition("#")[0].partition("?")
    return f"{path}{suffix}{question}{query}"


def _sha256(proof: bytes, body: Body, _: Integrity, name: str) -> None:
    lines = [line.strip() for line in proof.decode("utf-8", "replace").lstrip("\ufeff").splitlines() if line.strip()]
    found = [match for line in lines if (match := _SUM.fullmatch(line))]
    named = [match for match in found if Path(match["name"] or match["name2"] or "").name == name]
    chosen = named or (found if len(found) == 1 else [])
    if not chosen:
        content = f"{len(found):,} hashes, none of them of {name!r}" if found else "no SHA-256"
        raise FetchError(f"the file that should contain the list's SHA-256 contains {content}")
    stated = {(match["hash"] or match["hash2"]).lower() for match in chosen}
    if body.sha256 not in stated:
        raise FetchError(f"the list's SHA-256 is {body.sha256[:12]}…, its publisher states {min(stated)[:12]}…")


def _minisign(proof: bytes, body: Body, integrity: Integrity, _: str) -> None:
    import minisign  # noqa: PLC0415 - see blocklist.definitions.signing_keys

    try:
        signature = minisign.Signature.from_bytes(proof.strip())
    except (minisign.Error, ValueError) as error:
        raise FetchError(f"the signature is not one of minisign: {error}") from None
    if not signature.is_prehashed() and body.size > _MAX_UNHASHED:
        raise FetchError(
            f"the signature is of minisign's older form, which is read for lists up to {_MAX_UNHASHED:,} bytes"
        )
    try:
        minisign_key(integrity.key or "").verify_file(body.path, signature)
    except minisign.VerifyError as error:
        if "incompatible key" in str(error):
            raise FetchError("the list is signed with another minisign key than source.integrity.key") from None
        raise FetchError("the minisign signature is not of this list") from None
    except (minisign.Error, ValueError) as error:
        raise FetchError(f"the minisign signature cannot be checked: {error}") from None


def _openpgp(proof: bytes, body: Body, integrity: Integrity, _: str) -> None:
    import pysequoia  # noqa: PLC0415 - see blocklist.definitions.signing_keys

    certificate = openpgp_key(integrity.key or "")
    try:
        signature = pysequoia.Sig.from_bytes(proof)
    except Exception as error:
        raise FetchError(f"the signature is not one of OpenPGP: {first_line(error)}") from None
    try:
        checked = pysequoia.verify(file=str(body.path), store=lambda _ids: [certificate], signature=signature)
    except Exception as error:
        raise FetchError(
            f"the OpenPGP signature is not of this list, or not by the key in source.integrity.key: {first_line(error)}"
        ) from None
    if not checked.valid_sigs:
        raise FetchError("the OpenPGP signature is not by the key in source.integrity.key")


_NAMES = {"sha256": "SHA-256", "minisign": "minisign signature", "openpgp": "OpenPGP signature"}
_VERIFY = {"sha256": _sha256, "minisign": _minisign, "openpgp": _openpgp}
