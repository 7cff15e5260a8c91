# `make` lists what there is. Everything is set up on the way, in .venv, and nothing outside the
# checkout but Debian packages for the tests (tests/prepare says which and why).

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo screenshots test test-long fuzz bench kernel tidy

help:
	@echo "make demo       a Kiez of simulated boxes in the browser"
	@echo "make test       every test (under ten minutes)"
	@echo "make test-long  the long ones too: 10,000 power cuts, 1,000 broken links (about an hour)"
	@echo "make fuzz       a million hostile inputs for every parser"
	@echo "make screenshots  pictures of every page into docs (two minutes)"
	@echo "make bench      Kiezbox against its peers (docs/benchmarks.md)"
	@echo "make kernel     the kernel with virtual radios that some tests boot (once, seven minutes)"
	@echo "make tidy       format the code and say what ruff and mypy think"

demo: .venv/.demo
	@$(BIN)/kiezbox demo $(DEMO)

# Most tests wait for processes, so four share two cores well; a file stays in one worker.
test: .venv/.test
	@$(BIN)/python -m pytest -m "not long" --numprocesses 4 --dist loadfile $(TESTS)

test-long: .venv/.test
	@tests/prepare long
	@KIEZBOX_CUTS=10000 $(BIN)/python -m pytest $(TESTS)

fuzz: .venv/.test
	@$(BIN)/python -m tests.fuzz.run --inputs 1000000

bench: .venv/.test
	@benchmarks/peers.sh
	@$(BIN)/python -m benchmarks run all $(BENCH)

screenshots: .venv/.test
	@nice $(BIN)/python tests/screenshots.py

kernel:
	@tests/beds/uml/build-kernel

tidy: .venv/.test
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix . && $(BIN)/mypy

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kiezbox: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.13 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "kiezbox: Python cannot make environments here: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.demo: .venv/.python pyproject.toml
	@echo "Installing Kiezbox into .venv (half a minute) …"
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --editable '.[all]'
	@touch $@

.venv/.test: .venv/.python pyproject.toml tests/prepare
	@tests/prepare
	@echo "Installing Kiezbox and its test tools into .venv (half a minute) …"
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --editable '.[all,test]'
	@# It brings axe-core, the judge of accessibility; what it brings beside (Playwright) nobody needs.
	@$(BIN)/python -m pip --quiet --disable-pip-version-check install --no-deps \
	  'axe-playwright-python>=0.1.8,<0.2'
	@touch $@
