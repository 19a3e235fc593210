"""Lists that are proved by a hash or a signature beside them, and those that are not what it says."""

from __future__ import annotations

import hashlib
from typing import Any

import minisign
import pysequoia
import pytest

from blocklist.definitions.source import Integrity
from tests.e2e.running import Publisher
from tests.fetch.asking import GOOD, Getting, answering, at, site

HASH = hashlib.sha256(GOOD).hexdigest()
MINISIGN, OTHER_MINISIGN = minisign.KeyPair.generate(), minisign.KeyPair.generate()
OPENPGP = pysequoia.Tsk.generate("court@a.example")
OTHER_OPENPGP = pysequoia.Tsk.generate("stranger@b.example")


def minisigned(body: bytes, keys: minisign.KeyPair = MINISIGN, prehash: bool = True) -> bytes:
    return bytes(keys.secret_key.sign(body, prehash=prehash))


def pgp_signed(body: bytes, key: Any = OPENPGP) -> bytes:
    return bytes(pysequoia.sign(key.signer(), body, mode=pysequoia.SignatureMode.DETACHED))


MINISIGN_KEY = MINISIGN.public_key.to_base64().decode()
OPENPGP_KEY = str(OPENPGP.extract_certificate())
SHA = {"kind": "sha256"}
MINI = {"kind": "minisign", "key": MINISIGN_KEY}
PGP = {"kind": "openpgp", "key": OPENPGP_KEY}


@pytest.mark.parametrize(
    ("integrity", "path", "proof"),
    [
        (SHA, "/list.txt.sha256", HASH.encode()),
        (SHA, "/list.txt.sha256", f"{HASH.upper()}\n".encode()),
        (SHA, "/list.txt.sha256", f"{HASH}  list.txt\n".encode()),
        (SHA, "/list.txt.sha256", f"{'0' * 64}  other.txt\r\n{HASH} *./list.txt\r\n".encode()),
        (SHA, "/list.txt.sha256", f"SHA256 (list.txt) = {HASH}\n".encode()),
        (SHA | {"suffix": ".sum"}, "/list.txt.sum", HASH.encode()),
        (MINI, "/list.txt.minisig", minisigned(GOOD)),
        (MINI, "/list.txt.minisig", minisigned(GOOD, prehash=False)),
        (MINI | {"key": bytes(MINISIGN.public_key).decode()}, "/list.txt.minisig", minisigned(GOOD)),
        (PGP, "/list.txt.asc", pgp_signed(GOOD)),
        (PGP | {"suffix": ".sig"}, "/list.txt.sig", bytes(pysequoia.Sig.from_bytes(pgp_signed(GOOD)))),
    ],
)
def test_a_list_that_is_what_its_publisher_states_arrives(
    court: Publisher, get: Getting, integrity: dict[str, Any], path: str, proof: bytes
) -> None:
    asked = site(court, {"/list.txt": GOOD, path: proof})
    body = get(court.url, source={"integrity": integrity})
    assert body is not None
    assert body.path.read_bytes() == GOOD
    assert asked == ["/list.txt", path]


@pytest.mark.parametrize(
    ("integrity", "proof", "said"),
    [
        (SHA, b"0" * 64, "its publisher states 000000000000…"),
        (SHA, b"", "contains no SHA-256"),
        (SHA, b"<html>login</html>", "contains no SHA-256"),
        (SHA, f"{HASH}  a.txt\n{HASH}  b.txt".encode(), "2 hashes, none of them of 'list.txt'"),
        (SHA, f"{'0' * 64}  list.txt\n{HASH}  b.txt".encode(), "its publisher states 000000000000…"),
        (MINI, minisigned(b"another"), "the minisign signature is not of this list"),
        (MINI, minisigned(GOOD, OTHER_MINISIGN), "signed with another minisign key"),
        (MINI, minisigned(GOOD).replace(b"timestamp", b"timestomp"), "the minisign signature is not of this list"),
        (MINI, b"", "the signature is not one of minisign"),
        (MINI, pgp_signed(GOOD), "the signature is not one of minisign"),
        (PGP, pgp_signed(b"another"), "the OpenPGP signature is not of this list, or not by the key"),
        (PGP, pgp_signed(GOOD, OTHER_OPENPGP), "not by the key in source.integrity.key"),
        (PGP, b"", "the signature is not one of OpenPGP"),
        (PGP, minisigned(GOOD), "the signature is not one of OpenPGP"),
        (SHA, answering(b"", 404), "the SHA-256 cannot be fetched: "),
        (MINI, answering(b"", 404), "the minisign signature cannot be fetched: "),
        (PGP, answering(b"", 503), "the OpenPGP signature cannot be fetched: "),
    ],
)
def test_a_list_without_proof_or_with_another_one_is_not_used(
    court: Publisher, get: Getting, integrity: dict[str, Any], proof: Any, said: str
) -> None:
    site(court, {"/list.txt": GOOD, "/proof": proof})
    assert said in get.failing(court.url, source={"integrity": integrity | {"url": at(court, "/proof")}})


def test_a_body_that_was_not_proved_this_way_is_fetched_again(court: Publisher, get: Getting) -> None:
    site(court, {"/list.txt": answering(GOOD, ETag='"1"'), "/list.txt.sha256": HASH.encode()})
    body = get(court.url)
    assert body is not None
    assert get(court.url, body.validators, source={"integrity": SHA}) is not None
    assert "If-None-Match" not in court.requests[1]
    proved = get(court.url, source={"integrity": SHA})
    assert proved is not None
    get(court.url, proved.validators, source={"integrity": SHA})
    assert court.requests[-2]["If-None-Match"] == '"1"'


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "minisign"},
        {"kind": "openpgp"},
        {"kind": "sha256", "key": "x"},
        {"kind": "minisign", "key": "RWQ"},
        {"kind": "openpgp", "key": "-----BEGIN PGP PUBLIC KEY BLOCK-----"},
        {"kind": "sha256", "url": "https://a.example/x", "suffix": ".x"},
        {"kind": "sha256", "url": "file:///etc/passwd"},
    ],
)
def test_a_proof_that_could_not_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"key|either url|not a web address"):
        Integrity.model_validate(wrong)
