"""Proof of a body: the SHA-256 or the detached signature that its publisher puts beside it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blocklist.definitions.signing_keys import first_line, minisign_key, openpgp_key
from blocklist.definitions.source import Integrity
from blocklist.domain.errors import FetchError
from blocklist.fetch.body import Body
from blocklist.fetch.http import Session, page, shown_address

#: What each kind is published as, beside the list.
_SUFFIXES = {"sha256": ".sha256", "minisign": ".minisig", "openpgp": ".asc"}
#: A hash or a signature takes a few hundred bytes; a file of hashes a line for each of its neighbors.
_MAX_PROOF = 1 << 20
#: minisign's older form signs the body itself, and not its hash: it must be in memory.
_MAX_UNHASHED = 64 << 20
_HASH = r"[0-9A-Fa-f]{64}"
#: ``sha256sum`` writes ``HASH  name`` or ``HASH *name``, the BSD tools ``SHA256 (name) = HASH``.
_SUM = re.compile(rf"(?:(?P<hash>{_HASH})(?:[ \t]+\*?(?P<name>.+))?|SHA256 \((?P<name2>.+)\) = (?P<hash2>{_HASH}))")


def verify(session: Session, url: str, body: Body, integrity: Integrity) -> None:
    """Compare a body with what its publisher says of it.

    :raises FetchError: the proof could not be had, is none, or is of another body or key.
    """
    at = integrity.url or beside(url, integrity.suffix or _SUFFIXES[integrity.kind])
    try:
        proof, _ = page(session, at, _MAX_PROOF)
    except FetchError as error:
        raise FetchError(f"the {_TOLD[integrity.kind]} could not be had: {error}") from None
    try:
        _VERIFY[integrity.kind](proof, body, integrity, Path(unquote(urlsplit(url).path)).name)
    except FetchError as error:
        raise FetchError(f"{shown_address(url)}: {error} ({shown_address(at)}); the body was not used") from None


def beside(url: str, suffix: str) -> str:
    """Return the address of a file beside the list: the path goes on with a suffix, the query stays.

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
        why = f"{len(found):,} hashes, none of them of {name!r}" if found else "no SHA-256"
        raise FetchError(f"the file that should hold the list's SHA-256 holds {why}")
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
        key = "incompatible key" in str(error)
        raise FetchError(
            "the list is signed with another minisign key than source.integrity.key"
            if key
            else "the minisign signature is not of this list"
        ) from None
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


_TOLD = {"sha256": "SHA-256", "minisign": "minisign signature", "openpgp": "OpenPGP signature"}
_VERIFY = {"sha256": _sha256, "minisign": _minisign, "openpgp": _openpgp}
