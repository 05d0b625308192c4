# segwatch from a clean checkout: everything is installed into .venv, and nothing twice.
#
#   make demo     install, analyse the bundled capture into a local ClickHouse, ask it in SQL
#   make test     run the tests (ARGS= passes options to pytest, JOBS= processes)
#   make check    lint, format and type checks
#   make bench    measure segwatch beside other programs and write docs/benchmarks.md (BENCH= options: BENCH=--help)
#   make fuzz     hostile input, compiled and with bounds checks (FRAMES= SEED=)
#   make clean    remove everything that make made
#
# PYTHON= chooses the interpreter that .venv is made from (3.11 to 3.13).

PYTHON ?= python3
JOBS ?= 2
ARGS ?=
BENCH ?=
FRAMES ?= 10000000
SEED ?= 1

VENV := .venv
BIN := $(VENV)/bin
SEGWATCH := $(BIN)/segwatch
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
SOURCES := $(shell find segwatch ingest processors sinks -name '*.py')
DEMO := segwatch/data/demo.pcap.gz

.PHONY: help demo install test check bench fuzz clean
.DELETE_ON_ERROR:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: $(VENV)/.warm
	$(SEGWATCH) analyze $(DEMO)
	$(SEGWATCH) query "SELECT 1"

install: $(VENV)/.installed

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

check: $(VENV)/.check-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.warm
	$(BIN)/python -m tests.bench $(BENCH)

fuzz: $(VENV)/.installed
	$(BIN)/python -m tests.fuzz --frames $(FRAMES) --seed $(SEED)
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m tests.fuzz --frames $(FRAMES) --seed $(SEED)

clean:
	rm -rf $(VENV) .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "segwatch needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is not one of them; choose one with make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv; \
		else \
			echo "$(PYTHON) cannot make virtual environments; install the package python3-venv (as root: apt-get install python3-venv)" >&2; exit 1; \
		fi; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.test-installed: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.check-installed: $(VENV)/.installed
	$(PIP) --editable '.[check]'
	@touch $@

$(VENV)/.warm: $(VENV)/.installed $(SOURCES)
	$(SEGWATCH) warmup
	@touch $@
