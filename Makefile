# Two commands matter: `make run` starts the gateway, `make test` proves it. Both set up everything first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# Apart from the rest: what it brings along (rich), structlog would load into each of the processes that tests start.
LINTER := .venv-lint
# Most tests on real processes wait more than they compute, so three at a time suit two cores.
PARALLEL := --numprocesses 3 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup run test test-lowest check format torture bench picture clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

# Bytecode, for many a container tells Python to write none, and each start would compile the gateway anew.
setup: $(STAMP) ## create .venv with everything in it
	@$(BIN)/python -m compileall -q gateway

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/one")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

$(LINTER)/.ready: constraints.txt
	$(PYTHON) -m venv $(LINTER)
	$(LINTER)/bin/python -m pip install --quiet --constraint constraints.txt import-linter
	@touch $@

run: setup ## start the gateway
	@$(BIN)/gateway serve --show-link

test: setup $(LINTER)/.ready ## run the whole test suite
	@command -v chromium >/dev/null || echo "Browser tests are skipped: install Chromium with  sudo apt-get install chromium"
	$(BIN)/python -m pytest $(PARALLEL)

check: setup $(LINTER)/.ready ## format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(LINTER)/bin/lint-imports
	$(BIN)/python -m pytest --quiet tests/docs

format: setup ## mend what the formatter and linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-lowest: $(LINTER)/.ready ## run the tests with the oldest dependencies that pyproject.toml allows
	$(PYTHON) -m venv .venv-lowest
	sed -n '/^dependencies/,/^]/s/^  "\([A-Za-z0-9-]*\)>=\(.*\)",/\1==\2/p' pyproject.toml > .venv-lowest/constraints.txt
	.venv-lowest/bin/python -m pip install --quiet --constraint .venv-lowest/constraints.txt --editable '.[dev]'
	.venv-lowest/bin/python -m pytest $(PARALLEL)

torture: setup ## break a real gateway at full size for half an hour; with ONLY=kill, so far as the name fits
	$(BIN)/python -m torture $(if $(ONLY),--only $(ONLY))

bench: setup ## measure side by side, for half an hour; with ONLY=accept, that alone; with JSON=FILE, to a file too
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

picture: setup ## take the README's pictures from the running program
	$(BIN)/python docs/picture.py

clean: ## remove what the targets made (never data/)
	rm -rf $(VENV) $(LINTER) .venv-lowest .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage dist
