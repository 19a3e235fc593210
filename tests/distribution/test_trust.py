"""The trust metadata and its ceremonies: which signatures count, and what the commands do."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from blocklist.cli import main
from blocklist.distribution.keys import read_public_key, signer_for
from blocklist.distribution.trust import TrustFolder
from blocklist.domain.errors import DistributionError
from tests.support import Clock


def command(folder: Path, *arguments: str, status: int = 0, typed: str | None = None) -> Result:
    done = CliRunner().invoke(main, ["--data-dir", str(folder), "trust", *arguments], input=typed)
    assert done.exit_code == status, (arguments, done.output)
    return done


def shown(folder: Path) -> dict[str, Any]:
    return dict(json.loads(command(folder, "show", "--json").stdout))


def key_id(path: Path) -> str:
    return read_public_key(f"file:{path}").keyid


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    return folder


def begin(folder: Path, keys: Path, roots: int = 1, threshold: int = 1) -> Result:
    root_keys = [part for number in range(roots) for part in ("--root-key", f"file:{keys}/root-{number}.pem")]
    rest = ("--targets-key", f"file:{keys}/targets.pem", "--online-key", f"file:{keys}/online.pem")
    return command(folder, "init", *root_keys, "--threshold", str(threshold), *rest)


def public_half(path: Path) -> Path:
    """Write the public half of a key beside it, as openssl does, and return the file."""
    public = path.with_suffix(".pub.pem")
    key = load_pem_private_key(path.read_bytes(), None).public_key()
    from cryptography.hazmat.primitives.serialization import PublicFormat

    public.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def new_key(path: Path) -> Path:
    path.write_bytes(CryptoSigner.generate_ed25519().private_bytes)
    return path


def test_init_creates_the_keys_that_are_missing_and_signs_with_them(tmp_path: Path, keys: Path) -> None:
    said = begin(tmp_path / "data", keys, roots=2, threshold=2).output
    assert said.count("created the private key") == 4
    assert said.count(": signed") == 2
    for path in keys.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    roles = shown(tmp_path / "data")["roles"]
    assert [key["id"] for key in roles["root"]["keys"]] == [key_id(keys / f"root-{n}.pem") for n in (0, 1)]
    assert (roles["root"]["threshold"], roles["root"]["version"]) == (2, 1)
    assert roles["online"]["keys"] == [{"id": key_id(keys / "online.pem"), "type": "ed25519"}]


def test_the_trust_metadata_and_what_is_printed_have_no_private_key(tmp_path: Path, keys: Path) -> None:
    said = begin(tmp_path / "data", keys).output + command(tmp_path / "data", "show").output
    said += "".join(path.read_text("utf-8") for path in (tmp_path / "data" / "trust").iterdir())
    for path in keys.iterdir():
        raw = load_pem_private_key(path.read_bytes(), None).private_bytes(
            Encoding.Raw, PrivateFormat.Raw, NoEncryption()
        )
        secrets = (path.read_text("utf-8").splitlines()[1], raw.hex(), base64.b64encode(raw).decode())
        assert [secret for secret in secrets if secret in said] == []


def test_a_second_init_is_refused_and_leaves_the_first(tmp_path: Path, keys: Path) -> None:
    begin(tmp_path / "data", keys)
    before = shown(tmp_path / "data")
    said = command(
        tmp_path / "data", "init", "--root-key", f"file:{keys}/other.pem", "--targets-key", f"file:{keys}/t.pem",
        "--online-key", f"file:{keys}/o.pem", status=1,
    ).output  # fmt: skip
    assert "there is trust metadata already" in said
    assert not (keys / "other.pem").exists()
    assert shown(tmp_path / "data") == before


def test_holders_sign_on_their_own_machines_and_nothing_counts_before_all_have(tmp_path: Path, keys: Path) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    holders = [new_key(keys / f"{name}.pem") for name in ("first", "second", "targets")]
    first, second, targets = (f"public:{public_half(path)}" for path in holders)
    named = ("--root-key", first, "--root-key", second, "--threshold", "2", "--targets-key", targets)
    said = command(data, "init", *named, "--online-key", f"file:{keys}/online.pem").output
    assert "1.root.json: 0 of 2 signatures" in said
    assert shown(data)["roles"] == {}
    assert set(shown(data)["pending"]) == {"1.root.json", "1.targets.json"}
    trust = data / "trust"
    # Who signs sees whose keys the file names.
    seen = command(data, "show").output
    for name, role in (("first", "root"), ("second", "root"), ("targets", "targets"), ("online", "online")):
        assert re.search(rf"^  {role} key +{key_id(keys / f'{name}.pem')[:12]}", seen, re.MULTILINE)
    assert re.search(r"^  root threshold +2$", seen, re.MULTILINE)
    command(data, "sign", str(trust / "1.root.json"), "--key", f"file:{keys}/first.pem")
    elsewhere.mkdir()
    for path in trust.iterdir():
        (elsewhere / path.name).write_bytes(path.read_bytes())
    said = command(tmp_path / "none", "sign", str(elsewhere / "1.root.json"), "--key", f"file:{keys}/second.pem").output
    assert "1.root.json: signed" in said
    assert not (tmp_path / "none").exists(), "a machine for ceremonies needs no data folder"
    said = command(data, "sign", str(trust / "1.root.json"), "--signatures", str(elsewhere / "1.root.json")).output
    assert "1 new signature\n" in said
    command(data, "sign", str(trust / "1.targets.json"), "--key", f"file:{keys}/targets.pem")
    assert shown(data)["pending"] == {}
    assert TrustFolder(trust).current().root.version == 1


def test_a_root_key_that_is_exchanged_needs_the_old_keys_and_the_new(tmp_path: Path, keys: Path) -> None:
    data = tmp_path / "data"
    begin(data, keys, roots=2, threshold=2)
    old = key_id(keys / "root-1.pem")
    held = [f"file:{keys}/root-{number}.pem" for number in (0, 1)]
    added = ("--add", f"file:{keys}/root-2.pem", "--remove", old[:10])
    said = command(data, "rotate", "root", *added, "--key", held[0]).output
    assert "2.root.json: 2 of 4 signatures" in said
    assert TrustFolder(data / "trust").current().root.version == 1
    command(data, "sign", str(data / "trust" / "2.root.json"), "--key", held[1])
    assert TrustFolder(data / "trust").current().root.version == 1
    command(data, "sign", str(data / "trust" / "2.root.json"), "--key", f"file:{keys}/root-2.pem")
    assert TrustFolder(data / "trust").current().root.version == 2
    assert old not in [key["id"] for key in shown(data)["roles"]["root"]["keys"]]


def test_a_change_counts_only_when_root_and_targets_are_both_signed(tmp_path: Path, keys: Path) -> None:
    data = tmp_path / "data"
    begin(data, keys)
    old = key_id(keys / "online.pem")
    added = ("--add", f"file:{keys}/online-2.pem", "--remove", old)
    command(data, "rotate", "online", *added, "--key", f"file:{keys}/root-0.pem")
    current = TrustFolder(data / "trust").current()
    assert (current.root.version, current.targets.signed.version) == (1, 1)
    assert [key.keyid for key in current.online_keys] == [old]
    assert "still lacks signatures" in command(data, "rotate", "root", status=1).output
    command(data, "sign", str(data / "trust" / "2.targets.json"), "--key", f"file:{keys}/targets.pem")
    current = TrustFolder(data / "trust").current()
    assert (current.root.version, current.targets.signed.version) == (2, 2)
    assert [key.keyid for key in current.online_keys] == [key_id(keys / "online-2.pem")]


def test_the_targets_key_can_be_exchanged(tmp_path: Path, keys: Path) -> None:
    data = tmp_path / "data"
    begin(data, keys)
    changed = ("--add", f"file:{keys}/t2.pem", "--remove", key_id(keys / "targets.pem"))
    signed = ("--key", f"file:{keys}/root-0.pem", "--key", f"file:{keys}/t2.pem")
    command(data, "rotate", "targets", *changed, *signed)
    current = TrustFolder(data / "trust").current()
    assert (current.root.version, current.targets.signed.version) == (2, 2)


def test_renewing_keeps_the_keys_and_moves_the_expiry(tmp_path: Path, keys: Path, clock: Clock) -> None:
    data = tmp_path / "data"
    begin(data, keys)
    before = shown(data)["roles"]["root"]
    clock.advance(86_400 * 100)
    command(data, "rotate", "root", "--key", f"file:{keys}/root-0.pem", "--days", "400")
    after = shown(data)["roles"]["root"]
    assert (after["keys"], after["version"]) == (before["keys"], 2)
    assert after["expires"] > before["expires"]
    assert TrustFolder(data / "trust").current().targets.signed.version == 1


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--root-key", "file:{}/a.pem", "--threshold", "2"), "2 of 1 root keys cannot sign"),
        (("--root-key", "file:{}/t.pem"), "would have two roles"),
        (("--root-key", "nonsense"), "a key is named by a URI"),
        (("--root-key", "public:{}/nosuch.pem"), "the key cannot be read: No such file or directory"),
        (("--root-key", "env:NOSUCH"), "the environment variable is empty or not set"),
        (("--root-key", "hsm:2"), "give the public key of this key as public:PATH"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(tmp_path: Path, keys: Path, arguments: tuple[str, ...], why: str) -> None:
    filled = [argument.format(keys) for argument in arguments]
    rest = ("--targets-key", f"file:{keys}/t.pem", "--online-key", f"file:{keys}/o.pem")
    assert why in command(tmp_path / "data", "init", *filled, *rest, status=1).output
    assert not (tmp_path / "data" / "trust").exists()


def test_a_key_that_may_not_sign_a_file_is_refused(tmp_path: Path, keys: Path) -> None:
    begin(tmp_path / "data", keys)
    path = tmp_path / "data" / "trust" / "1.root.json"
    before = path.read_bytes()
    said = command(tmp_path / "data", "sign", str(path), "--key", f"file:{keys}/online.pem", status=1).output
    assert "not a key that may sign this" in said
    assert path.read_bytes() == before


def test_a_root_that_somebody_changed_does_not_count(tmp_path: Path, keys: Path) -> None:
    begin(tmp_path / "data", keys)
    path = tmp_path / "data" / "trust" / "1.root.json"
    table = json.loads(path.read_text("utf-8"))
    table["signed"]["expires"] = "2099-01-01T00:00:00Z"
    path.write_text(json.dumps(table), "utf-8")
    with pytest.raises(DistributionError, match="no signed trust metadata"):
        TrustFolder(path.parent).current()


def test_signatures_of_another_file_are_not_taken(tmp_path: Path, keys: Path) -> None:
    begin(tmp_path / "data", keys)
    trust = tmp_path / "data" / "trust"
    said = command(
        tmp_path / "data", "sign", str(trust / "1.root.json"), "--signatures", str(trust / "1.targets.json"), status=1
    )
    assert "not the same metadata" in said.output


def test_an_encrypted_key_asks_for_its_passphrase_and_never_repeats_it(tmp_path: Path, keys: Path) -> None:
    data = tmp_path / "data"
    begin(data, keys)
    path = keys / "root-0.pem"
    key = load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"correct horse")))
    root = data / "trust" / "1.root.json"
    metadata = Metadata.from_file(str(root))
    metadata.signatures.clear()
    metadata.to_file(str(root))
    wrong = command(data, "sign", str(root), "--key", f"file:{path}", typed="battery staple\n", status=1)
    assert "no private key that can be used" in wrong.output
    assert "staple" not in wrong.output
    right = command(data, "sign", str(root), "--key", f"file:{path}", typed="correct horse\n")
    assert "1.root.json: signed" in right.output
    assert "horse" not in right.output


@pytest.mark.parametrize("form", ["pem", "base64"])
def test_a_key_from_the_environment_signs(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    signer = CryptoSigner.generate_ed25519()
    pem = signer.private_bytes
    value = pem.decode() if form == "pem" else "".join(pem.decode().splitlines()[1:-1])
    monkeypatch.setenv("ONLINE_KEY", value)
    found = signer_for("env:ONLINE_KEY", [signer.public_key])
    signer.public_key.verify_signature(found.sign(b"x"), b"x")


def test_a_key_of_another_scheme_is_found_among_those_of_a_role(tmp_path: Path) -> None:
    # Key stores are reached the same way, through the table of schemes of securesystemslib.
    made = new_key(tmp_path / "key.pem")
    key, other = read_public_key(f"file:{made}"), CryptoSigner.generate_ed25519().public_key
    assert signer_for(f"file2:{made}", [other, key]).public_key == key
    with pytest.raises(DistributionError, match="the key store does not sign with this key"):
        signer_for(f"file2:{made}", [other])


@pytest.mark.parametrize("where", ["env:{}", "file:{}", "{}", "public:{}", "env:X\n{}"])
def test_a_private_key_pasted_where_its_uri_belongs_is_never_repeated(where: str) -> None:
    pem = CryptoSigner.generate_ed25519().private_bytes.decode()
    for text in (pem, pem.splitlines()[1]):
        for read in (read_public_key, lambda uri: signer_for(uri, [])):
            with pytest.raises(DistributionError) as caught:
                read(where.format(text))
            if where != "file:{}" or text == pem:
                assert pem.splitlines()[1][16:] not in str(caught.value)


def test_keys_and_signatures_are_those_that_openssl_makes(tmp_path: Path, keys: Path) -> None:
    made = keys / "root.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", made], check=True, capture_output=True)
    public = keys / "root.pub.pem"
    subprocess.run(["openssl", "pkey", "-in", made, "-pubout", "-out", public], check=True, capture_output=True)
    assert read_public_key(f"public:{public}").keyid == key_id(made)


def test_a_ceremony_over_the_data_folder_is_in_the_audit_log(tmp_path: Path, keys: Path) -> None:
    begin(tmp_path / "data", keys)
    log = CliRunner().invoke(main, ["--data-dir", str(tmp_path / "data"), "audit", "list", "--json"]).stdout
    assert [event["action"] for event in json.loads(log)] == ["trust.init"]


def test_export_writes_the_newest_root_that_counts(tmp_path: Path, keys: Path) -> None:
    data = tmp_path / "data"
    begin(data, keys, roots=2, threshold=2)
    command(data, "rotate", "root", "--key", f"file:{keys}/root-0.pem")
    out = tmp_path / "root.json"
    assert "root version 1" in command(data, "export", str(out)).output
    assert Metadata.from_file(str(out)).signed.version == 1
