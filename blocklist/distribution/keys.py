"""Keys, named by URI. A private key is read only to sign; no message contains any part of one.

==============================  ========================================================================================
URI                             key
==============================  ========================================================================================
``file:PATH``                   private key in a PEM file (PKCS #8), which may be encrypted with a passphrase
``env:NAME``                    private key in an environment variable: PEM, or its PKCS #8 bytes in base64
``public:PATH``                 public key in a PEM file: names the key of somebody who signs elsewhere
``awskms:``, ``gcpkms:``,       key in a key store, as securesystemslib names it
``azurekms:``, ``hv:``,
``hsm:``, ``gnupg:``, ``tkey:``
==============================  ========================================================================================
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
)
from securesystemslib.signer import (
    SIGNER_FOR_URI_SCHEME,
    AWSSigner,
    CryptoSigner,
    GCPSigner,
    Key,
    Signer,
    SSlibKey,
    VaultSigner,
)

from blocklist.domain.errors import DistributionError

#: Called with the name of a secret, such as "passphrase of root.pem"; returns it.
AskSecret = Callable[[str], str]
#: Schemes whose private keys this process reads itself.
_LOCAL = ("file", "env")
#: Key stores whose public key can be read by the rest of the URI.
_IMPORTED: dict[str, Any] = {"awskms": AWSSigner, "gcpkms": GCPSigner, "hv": VaultSigner}
_PUBLIC = "public"
#: What the bytes of a private key look like in base64, which is no path.
_PASTED = re.compile(r"M[A-Za-z0-9+/]{40,}=*")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")


def no_secrets(name: str) -> str:
    """Refuse to ask: the :data:`AskSecret` of a process without a person."""
    raise DistributionError(f"the {name} is needed, and there is nobody to ask: use a key without one here")


def read_public_key(uri: str, ask: AskSecret = no_secrets) -> Key:
    """Return the public key that a URI names; of a private key, its public half. ``ask`` returns its passphrase.

    :raises DistributionError: the key cannot be read, or must be given as ``public:PATH``.
    """
    scheme, rest = _split(uri)
    if scheme == _PUBLIC:
        return _public_key_in(rest)
    if scheme in _LOCAL:
        return _local_signer(uri, ask).public_key
    if scheme in _IMPORTED:
        try:
            key: Key = _IMPORTED[scheme].import_(rest.removeprefix("//"))[1]
        except Exception as error:
            raise _key_store_failed(uri, error) from None
        return key
    raise DistributionError(
        f"{uri}: give the public key of this key as public:PATH of a PEM file, and sign with the URI"
    )


def has_private_key(uri: str) -> bool:
    """Return whether a URI names a key that can sign, not a public one."""
    return _split(uri)[0] != _PUBLIC


def signer_for(uri: str, keys: Iterable[Key], ask: AskSecret = no_secrets) -> Signer:
    """Return the signer of a private key, which must be one of ``keys``.

    :raises DistributionError: the key cannot be read or used, or is none of these.
    """
    scheme, _ = _split(uri)
    candidates = {key.keyid: key for key in keys}
    if scheme in _LOCAL:
        local = _local_signer(uri, ask)
        if local.public_key.keyid not in candidates:
            raise _not_among(uri, candidates)
        return local
    if scheme == _PUBLIC or scheme not in SIGNER_FOR_URI_SCHEME:
        raise DistributionError(f"{uri}: not a private key: write {', '.join(f'{name}:…' for name in known_schemes())}")
    failure: Exception | None = None
    for key in candidates.values():
        try:
            signer = Signer.from_priv_key_uri(uri, key, ask)
            key.verify_signature(signer.sign(b"blocklist"), b"blocklist")
        except Exception as error:
            failure = error
        else:
            return signer
    raise _key_store_failed(uri, failure) if failure else _not_among(uri, candidates)


def create_key(path: Path) -> None:
    """Write a new Ed25519 private key into a file that only its owner may read.

    :raises DistributionError: the file exists, or cannot be written.
    """
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(CryptoSigner.generate_ed25519().private_bytes)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DistributionError(f"{path}: a new key cannot be written: {error.strerror}") from None


def path_of(uri: str) -> Path | None:
    """Return the file that a ``file:`` URI names; None for every other URI."""
    scheme, rest = _split(uri)
    return Path(rest) if scheme == "file" else None


def known_schemes() -> tuple[str, ...]:
    """Return the schemes of URIs of private keys."""
    return (*_LOCAL, *sorted(SIGNER_FOR_URI_SCHEME))


def _split(uri: str) -> tuple[str, str]:
    """Return scheme and rest of a URI. Errors do not repeat it: it may be a key, pasted where its URI belongs."""
    scheme, colon, rest = uri.partition(":")
    if not colon or not rest or scheme not in (_PUBLIC, *known_schemes()):
        schemes = ", ".join(f"{name}:…" for name in (*known_schemes(), _PUBLIC))
        raise DistributionError(f"a key is named by a URI that begins with one of {schemes}")
    if scheme == "env" and not _VARIABLE.fullmatch(rest):
        raise DistributionError("env: takes the name of an environment variable: capital letters, digits, underscores")
    if "-----" in rest or not rest.isprintable() or (_PASTED.fullmatch(rest) and not Path(rest).exists()):
        raise DistributionError(f"{scheme}: takes the path of a file with the key, not the key itself")
    return scheme, rest


def _local_signer(uri: str, ask: AskSecret) -> CryptoSigner:
    scheme, rest = _split(uri)
    data = _file_bytes(rest) if scheme == "file" else _variable_bytes(rest)
    try:
        if not data.lstrip().startswith(b"-----"):
            return CryptoSigner(load_der_private_key(base64.b64decode(data, validate=True), None))
        try:
            return CryptoSigner(load_pem_private_key(data, None))
        except TypeError:  # what the library raises for an encrypted key without its passphrase
            return CryptoSigner(load_pem_private_key(data, ask(f"passphrase of {rest}").encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        # The library's own message is not repeated: what it quotes could be a part of the key.
        raise DistributionError(
            f"{uri}: no private key that can be used: it must be Ed25519, ECDSA or RSA in PEM (PKCS #8), as "
            "'openssl genpkey -algorithm ed25519' writes it, with the right passphrase if it has one"
        ) from None


def _file_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DistributionError(f"file:{path}: the key cannot be read: {error.strerror}") from None


def _variable_bytes(name: str) -> bytes:
    value = os.environ.get(name, "").strip()
    if not value:
        raise DistributionError(f"env:{name}: the environment variable is empty or not set")
    return value.encode("utf-8", "surrogateescape")


def _public_key_in(path: str) -> Key:
    data = _file_bytes(path)
    try:
        return SSlibKey.from_crypto(load_pem_public_key(data))
    except (ValueError, UnsupportedAlgorithm):
        raise DistributionError(
            f"public:{path}: no public key in PEM, as 'openssl pkey -pubout' or a key store gives it"
        ) from None


def _not_among(uri: str, keys: Iterable[str]) -> DistributionError:
    known = ", ".join(short(keyid) for keyid in keys) or "none"
    return DistributionError(f"{uri}: not a key that may sign this; those that may have the ids {known}")


def _key_store_failed(uri: str, error: Exception) -> DistributionError:
    return DistributionError(f"{uri}: the key store does not sign with this key: {type(error).__name__}: {error}")


def short(keyid: str) -> str:
    """Return the beginning of a key's id, which people compare."""
    return keyid[:12]
