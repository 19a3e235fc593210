#!/bin/sh
# Build what a release consists of into a folder: sdist, wheel, SBOM and their checksums. Nothing is uploaded.
# Usage: release.sh BIN OUT, where BIN has the programs of requirements/dev.lock. The same commit gives the same bytes.
set -eu
bin=$(cd "$1" && pwd)
out=$2

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' blocklist/__init__.py)
if ! grep -q "^## \[$version\] - " CHANGELOG.md; then
  echo "CHANGELOG.md has no section for $version: add '## [$version] - DATE' below 'Unreleased'" >&2
  exit 1
fi
# Dates within the files: those of the commit, not of the build.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The wheel is built from the sdist, which shows that the sdist is complete. The lock has what builds it: no network.
"$bin/uv" build --quiet --offline --no-build-isolation --python "$bin/python" --out-dir "$work/dist"

# The version stands in the code; the SBOM takes that of the project from pyproject.toml.
sed "s/^dynamic = \[\"version\"\]$/version = \"$version\"/" pyproject.toml >"$work/pyproject.toml"
PYTHONWARNINGS=ignore "$bin/cyclonedx-py" requirements --output-reproducible --sv 1.6 --of JSON \
  --pyproject "$work/pyproject.toml" --output-file "$work/dist/blocklist-$version.cdx.json" requirements/run.lock

mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$work/dist"
set -- "blocklist-$version.tar.gz" "blocklist-$version-py3-none-any.whl" "blocklist-$version.cdx.json"
"$bin/python" -c 'import hashlib, pathlib, sys
for name in sys.argv[1:]: print(hashlib.sha256(pathlib.Path(name).read_bytes()).hexdigest(), "", name)' "$@" >SHA256SUMS
cp "$@" SHA256SUMS "$out/"

cat <<END
Built in $out (nothing was uploaded):
$(sed 's/^/  /' SHA256SUMS)

To publish version $version (CONTRIBUTING.md, "Releasing"):
  1. git tag --sign v$version --message "blocklist $version" && git push origin v$version
  2. Upload the sdist and the wheel, and nothing else, to PyPI: by the workflow that PyPI trusts, or
     python -m twine upload $1 $2
  3. Attach all four files to the release of the tag: $1, $2,
     $3, SHA256SUMS
END
