# The two commands of the README are `make run` and `make test`; the rest is for those who change the code.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
CONTROL ?= 127.0.0.1:8080
LOOKUP ?= 127.0.0.1:8081

.PHONY: run test check lock release clean help

help:
	@echo "make run    install, load the catalog's samples, start the service"
	@echo "make test   run the whole suite"
	@echo "make check  formatting, linting, types, imports between rooms"
	@echo "make lock   resolve the dependencies again into requirements/*.lock"
	@echo "make release build sdist, wheel, SBOM and checksums into dist/"
	@echo "make clean  remove the environment (the data folder stays)"

run: $(VENV)/run.stamp
	@$(BIN)/blocklist --data-dir "$(DATA)" feed samples
	@sh scripts/welcome.sh "$(CONTROL)" "$(LOOKUP)" '$(BIN)/blocklist --data-dir "$(DATA)"'
	@exec $(BIN)/blocklist --data-dir "$(DATA)" serve --control "$(CONTROL)" --lookup "$(LOOKUP)"

test: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest -n auto --dist loadfile

check: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

# uv resolves once for every Python and platform the project supports; no index address is written.
lock: $(VENV)/dev.stamp
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade --python-version 3.11 -c requirements/limits.in pyproject.toml requirements/build.in -o requirements/run.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --group dev -c requirements/run.lock pyproject.toml requirements/build.in -o requirements/dev.lock

# Only what is committed may be released: the same commit gives the same bytes.
release: $(VENV)/dev.stamp
	@test -z "$$(git status --porcelain)" || { echo "make release: the working tree has changes: commit or remove them"; exit 1; }
	@rm -rf dist
	@sh scripts/release.sh $(BIN) dist

clean:
	rm -rf $(VENV)

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "blocklist needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; name another with make PYTHON=python3.12")'
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.lock pyproject.toml | $(VENV)/pyvenv.cfg
	@echo "installing from requirements/run.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.lock $(VENV)/run.stamp
	@echo "installing from requirements/dev.lock"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@
