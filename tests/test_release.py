"""What `make release` builds: the files of a release, what is in them, and the same bytes from the same source."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import blocklist

_ROOT = Path(__file__).parents[1]
_BIN = Path(sys.executable).parent
_VERSION = blocklist.__version__
_WHEEL, _SDIST = f"blocklist-{_VERSION}-py3-none-any.whl", f"blocklist-{_VERSION}.tar.gz"
_SBOM, _SUMS = f"blocklist-{_VERSION}.cdx.json", "SHA256SUMS"
_NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", "dist", "data", "screenshots", "__pycache__", ".*_cache", ".hypothesis", ".schemathesis"
)


def build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "scripts/release.sh", str(_BIN), str(out)],
        cwd=source,
        env=os.environ | {"SOURCE_DATE_EPOCH": "1790000000"},
        capture_output=True,
        text=True,
        check=False,
    )


def copy_of_source(folder: Path) -> Path:
    # shutil.copy, not copy2: the copies have other times than the originals, as in another checkout.
    shutil.copytree(_ROOT, folder, ignore=_NOT_SOURCE, copy_function=shutil.copy)
    return folder


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a release."""
    out = tmp_path_factory.mktemp("release") / "dist"
    done = build(_ROOT, out)
    assert done.returncode == 0, done.stderr
    assert "nothing was uploaded" in done.stdout
    assert f"git push origin v{_VERSION}" in done.stdout
    return out


def in_wheel(release: Path) -> set[str]:
    with zipfile.ZipFile(release / _WHEEL) as wheel:
        return set(wheel.namelist())


def test_a_release_is_sdist_wheel_sbom_and_their_checksums(release: Path) -> None:
    assert {path.name for path in release.iterdir()} == {_WHEEL, _SDIST, _SBOM, _SUMS}
    sums = dict(line.split("  ")[::-1] for line in (release / _SUMS).read_text().splitlines())
    assert sums == {name: hashlib.sha256((release / name).read_bytes()).hexdigest() for name in (_WHEEL, _SDIST, _SBOM)}


def test_the_wheel_has_every_module_the_catalog_templates_and_static_files(release: Path) -> None:
    names = in_wheel(release)
    package = {
        str(path.relative_to(_ROOT))
        for path in (_ROOT / "blocklist").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"blocklist/py.typed", "blocklist/__main__.py"} <= package
    assert any(name.endswith(".html") for name in package)
    assert any(name.endswith((".css", ".js")) for name in package)
    assert package <= names
    definitions = {path.parent.name for path in (_ROOT / "feeds").glob("*/feed.toml")}
    packaged = {name.split("/")[-2] for name in names if name.endswith("/feed.toml")}
    assert definitions == packaged != set()


def test_the_wheel_has_nothing_but_the_package_and_its_metadata(release: Path) -> None:
    names = in_wheel(release)
    assert {name.split("/")[0] for name in names} == {"blocklist", f"blocklist-{_VERSION}.dist-info"}
    assert not [name for name in names if "test_" in name or "conftest" in name or "__pycache__" in name]
    assert f"blocklist-{_VERSION}.dist-info/licenses/LICENSE" in names


def test_the_sdist_has_what_the_tests_and_the_next_release_need(release: Path) -> None:
    with tarfile.open(release / _SDIST) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {
        *("pyproject.toml", "Makefile", "README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE"),
        *("requirements/run.lock", "requirements/dev.lock", "scripts/release.sh", "tests/test_release.py"),
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".git/", "dist", "data"))]


def test_the_sbom_has_every_pinned_package_and_no_path_of_the_build(release: Path) -> None:
    text = (release / _SBOM).read_text(encoding="utf-8")
    sbom = json.loads(text)
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    root = sbom["metadata"]["component"]
    assert (root["name"], root["version"], root["type"]) == ("blocklist", _VERSION, "application")
    lock = (_ROOT / "requirements" / "run.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock, re.MULTILINE))
    assert {(part["name"], part["version"]) for part in sbom["components"]} == pinned != set()
    assert all(part["purl"].startswith("pkg:pypi/") for part in sbom["components"])
    assert str(_ROOT) not in text


def test_another_checkout_gives_the_same_bytes(release: Path, tmp_path: Path) -> None:
    done = build(copy_of_source(tmp_path / "checkout"), tmp_path / "dist")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dist" / _SUMS).read_text() == (release / _SUMS).read_text()


def test_a_version_without_a_section_in_the_changelog_is_not_built(tmp_path: Path) -> None:
    source = copy_of_source(tmp_path / "checkout")
    module = source / "blocklist" / "__init__.py"
    module.write_text(module.read_text().replace(f'__version__ = "{_VERSION}"', '__version__ = "99.1.0"'))
    done = build(source, tmp_path / "dist")
    assert (done.returncode, (tmp_path / "dist").exists()) == (1, False)
    assert "CHANGELOG.md has no section for 99.1.0" in done.stderr


def test_the_wheel_installs_a_program_that_finds_its_catalog(release: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install: list[str | Path] = [
        _BIN / "uv",
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        sys.executable,
    ]
    subprocess.run([*install, "--target", target, release / _WHEEL], check=True, capture_output=True)
    environment = os.environ | {"PYTHONPATH": str(target)}

    def output(*command: str | Path) -> str:
        run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        return run.stdout

    assert output(sys.executable, "-c", "import blocklist; print(blocklist.__file__)").startswith(str(target))
    program = target / "bin" / "blocklist"
    assert _VERSION in output(program, "--version")
    assert "it-agcom" in output(program, "--data-dir", tmp_path / "data", "feed", "catalog")


def test_the_changelog_and_the_security_policy_name_the_version() -> None:
    changelog = (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## \[([^\]]+)\](?: - \d{4}-\d{2}-\d{2})?$", changelog, re.MULTILINE)
    assert sections[:2] == ["Unreleased", _VERSION]
    minor = _VERSION.rpartition(".")[0]
    assert f"| {minor}.x | yes |" in (_ROOT / "SECURITY.md").read_text(encoding="utf-8")
