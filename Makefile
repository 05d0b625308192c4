# segwatch from a clean checkout: everything is installed into .venv, and nothing twice.
#
#   make demo     install, run the whole pipeline on the bundled capture, sum it up, ask the store in SQL
#   make test     run the tests (ARGS= passes options to pytest, JOBS= processes)
#   make check    lint, format and type checks
#   make bench    measure segwatch beside other programs and write docs/benchmarks.md (BENCH= options: BENCH=--help)
#   make fuzz     hostile input, compiled and with bounds checks (FRAMES= SEED=)
#   make trial    the pipeline with its parts ended at random, for about an hour (TRIAL= options: TRIAL=--help)
#   make live-trial   a fleet, an outage of Kafka or an hour of mixed load, in network namespaces, as root
#                 (LIVE=fleet, LIVE=outage, LIVE=hour; options: LIVE="hour --help")
#   make lab      real TCP through a middlebox, with the truth about every repeat (LAB= options: LAB=--help)
#   make accuracy how often verdicts are right, into docs/accuracy.md (ACCURACY= options: ACCURACY=--help)
#   make paths-trial  chains of three hops with known losses, copies and clocks (PATHS= options: PATHS=--help)
#   make network-trial  the same of several sensors' verdicts in the store (NETWORK= options: NETWORK=--help)
#   make dashboards   write Grafana's dashboards and alert rules anew (deploy/grafana)
#   make clean    remove everything that make made
#
# PYTHON= chooses the interpreter that .venv is made from (3.11 to 3.13).

PYTHON ?= python3
# One more than two cores have: many tests wait for servers.
JOBS ?= 3
ARGS ?=
BENCH ?=
TRIAL ?=
LIVE ?= --help
LAB ?= list
ACCURACY ?=
PATHS ?=
NETWORK ?=
FRAMES ?= 10000000
SEED ?= 1

VENV := .venv
BIN := $(VENV)/bin
SEGWATCH := $(BIN)/segwatch
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
DEMO := segwatch/data/demo.pcap.gz
PACKAGES := ingest processors segwatch sinks
NO_KAFKA := 6

define QUESTIONS
"SELECT server, server_port, count() AS conversations, round(sum(zero_window_ms) / 1000, 1) AS zero_window_s FROM connections WHERE session = LAST GROUP BY server, server_port HAVING zero_window_s > 0 ORDER BY zero_window_s DESC" \
"SELECT client, server, server_port, retransmissions, round(retransmission_percent, 1) AS percent, round(initial_rtt_ms, 1) AS rtt_ms FROM connections WHERE session = LAST AND retransmissions > 0 ORDER BY percent DESC, server LIMIT 5" \
"SELECT reset, count() AS resets, groupUniqArray(3)(server_address) AS servers FROM anomalies WHERE session = LAST AND reset != '' GROUP BY reset ORDER BY resets DESC, reset"
endef
# Every run of the pipeline is a session of its own, so the questions are about the last one.
LAST_PUBLISHED := (SELECT argMax(session, ts) FROM sensors WHERE sensor = 'demo')
LAST_ANALYSED := (SELECT argMax(session, stored_at) FROM captures)

.PHONY: help demo java install warm test check bench fuzz trial live-trial lab accuracy paths-trial network-trial dashboards clean
.DELETE_ON_ERROR:

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

demo: warm java
	@set -e; code=0; \
	printf '$$ segwatch up --read $(DEMO) --name demo\n'; \
	$(SEGWATCH) up --read $(DEMO) --name demo || code=$$?; \
	case $$code in \
	0) last="$(LAST_PUBLISHED)"; store=" --store none" ;; \
	$(NO_KAFKA)) last="$(LAST_ANALYSED)"; store=; printf '\nWithout Kafka, one process analyses the capture.\n' ;; \
	*) exit $$code ;; \
	esac; \
	printf '\n$$ segwatch analyze%s $(DEMO)\n' "$$store"; \
	$(SEGWATCH) analyze$$store $(DEMO); \
	for question in $(QUESTIONS); do \
		question=$$(printf '%s' "$$question" | sed "s/LAST/$$last/"); \
		printf '\n$$ segwatch query "%s"\n' "$$question"; \
		$(SEGWATCH) query --format table "$$question"; \
	done

# For the local Kafka broker, which is not needed where there is no way to have it.
java:
	@if command -v java >/dev/null && command -v mvn >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends default-jre-headless maven \
			|| echo "Java and Maven could not be installed: the local Kafka broker will not start" >&2; \
	else \
		echo "Java or Maven is missing, so the local Kafka broker will not start (as root: apt-get install default-jre-headless maven)" >&2; \
	fi

install: $(VENV)/.installed

# pip compiles what it copies; these packages stay where they are.
warm: install
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@$(SEGWATCH) warmup --check >/dev/null || $(SEGWATCH) warmup

# Compiled first: a test that waits for another one's compilation may lose patience.
test: warm $(VENV)/.test-installed
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

check: $(VENV)/.check-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: warm $(VENV)/.test-installed
	$(BIN)/python -m tests.bench $(BENCH)

fuzz: $(VENV)/.test-installed
	$(BIN)/python -m tests.fuzz --frames $(FRAMES) --seed $(SEED)
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m tests.fuzz --frames $(FRAMES) --seed $(SEED)

trial: warm $(VENV)/.test-installed
	$(BIN)/python -m tests.pipeline.trial $(TRIAL)

live-trial: warm $(VENV)/.test-installed
	$(BIN)/python -m tests.live.trial $(LIVE)

lab: $(VENV)/.test-installed
	$(BIN)/python -m tests.lab $(LAB)

accuracy: warm $(VENV)/.test-installed
	$(BIN)/python -m tests.lab.scoreboard $(ACCURACY)

paths-trial: $(VENV)/.test-installed
	$(BIN)/python -m tests.paths.trial $(PATHS)

network-trial: warm $(VENV)/.test-installed
	$(BIN)/python -m tests.network.trial $(NETWORK)

dashboards: $(VENV)/.dashboards-installed
	$(BIN)/python -m deploy.grafana.generate

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
	$(PIP) --editable '.[test,dashboards]'
	@touch $@

$(VENV)/.check-installed: $(VENV)/.installed
	$(PIP) --editable '.[check,dashboards]'
	@touch $@

$(VENV)/.dashboards-installed: $(VENV)/.installed
	$(PIP) --editable '.[dashboards]'
	@touch $@
