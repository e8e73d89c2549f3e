# Hubwise. Needs Python 3.11 or newer and make; everything else is installed into $(VENV).
#
#   make study    plan the reference scenario and say where the report is
#   make test     every check
#   make live     serve a small site on loopback, with simulated chargers and cars, for a simulated day
#   make pictures take the pictures of pages in docs/images anew; needs Chromium
#   make bench    measure what the project promises about speed and results
#   make nightly  every check with all of its examples; hunt for bounds that some lawful tariff passes, for what
#                 kills of a served site lose, and for what noise does to one
#   make mutants  put small faults into kernels, bounds, ledger and audit, and see whether tests find them

PYTHON ?= python3
VENV   ?= .venv
OUT    ?= out
PAIRS  ?= 10000
COUNT  ?= 40
KILLS  ?= 200
BLOWS  ?= 40
PLANS  ?= 60
NOISE  ?= 100000
ROOM   ?=
MINUTES ?= 24

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Install $(1) and say every five seconds how far it is; all that pip said is shown if it fails.
define install
@log=$$(mktemp); $(PIP) install --progress-bar off -c constraints.txt -e '$(1)' > $$log 2>&1 & pid=$$!; \
trap 'kill $$pid; rm -f $$log; exit 130' INT TERM; s=0; \
while kill -0 $$pid 2> /dev/null; do \
	sleep 1; s=$$((s + 1)); test $$((s % 5)) -ne 0 || printf '  %3d s, %d packages there: %.80s\n' $$s \
	"$$(ls -d $(VENV)/lib/python*/site-packages/*.dist-info 2> /dev/null | wc -l)" "$$(grep -v WARNING $$log | tail -n 1 | cut -d: -f1)"; \
done; \
wait $$pid || { cat $$log >&2; rm -f $$log; exit 1; }; rm -f $$log
endef

# Warnings are errors in our tests (pyproject.toml), not in pip or in anybody else's tool.
unexport PYTHONWARNINGS

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help study test live pictures bench nightly mutants constraints clean

help:
	@sed -n 's/^#   //p' Makefile

study: $(VENV)/.installed
	@$(BIN)/hubwise study ieee33 --out $(OUT)/ieee33

test: $(VENV)/.installed-test
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n 3 --dist worksteal

# At 60 times its speed a day takes 24 minutes.
live: $(VENV)/.installed-serve
	@rm -rf $(OUT)/live && $(BIN)/hubwise site new $(OUT)/live
	@$(BIN)/hubwise serve $(OUT)/live --speed 60 --ocpp-port 0 --http-port 0 & serving=$$!; \
	trap 'kill $$serving; wait $$serving' EXIT; \
	$(BIN)/hubwise simulate $(OUT)/live --minutes $(MINUTES) && $(BIN)/hubwise status $(OUT)/live

pictures: $(VENV)/.installed-test
	PYTHONPATH=tests $(BIN)/python -m pictures --out docs/images

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks --out $(OUT)/bench.json

nightly: $(VENV)/.installed-test
	HUBWISE_EXAMPLES=1 $(BIN)/python -m pytest -n 3 --dist worksteal
	PYTHONPATH=tests $(BIN)/python -m bounds_hunt --pairs $(PAIRS)
	PYTHONPATH=tests $(BIN)/python -m faults_hunt --kills $(KILLS) --blows $(BLOWS) --plans $(PLANS)
	PYTHONPATH=tests $(BIN)/python -m fuzz_hunt --frames $(NOISE) --bodies $(NOISE)

mutants: $(VENV)/.installed-mutants
	HUBWISE_EXAMPLES=1 PYTHONPATH=tests $(BIN)/python -m mutants --count $(COUNT) $(addprefix --room ,$(ROOM))

# The pins, made anew from what is installed now. To raise them: upgrade in $(VENV), test, make constraints.
constraints: $(VENV)/.installed-test
	$(BIN)/python -m pip --disable-pip-version-check freeze --exclude-editable > constraints.txt

clean:
	rm -rf $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps keep a second run from installing again.
$(VENV)/.installed-bench: $(VENV)/.installed-test
	@echo "Installing what is measured beside ..."
	$(call install,.[bench])
	@touch $@

$(VENV)/.installed-mutants: $(VENV)/.installed-test
	@echo "Installing what makes mutants ..."
	$(call install,.[mutants])
	@touch $@

$(VENV)/.installed-serve: $(VENV)/.installed
	@echo "Installing what serves ..."
	$(call install,.[serve])
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "Installing the test tools ..."
	$(call install,.[test])
	@touch $@

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing Hubwise into $(VENV) ..."
	$(call install,.)
	@touch $@

$(BIN)/python:
	@command -v "$(PYTHON)" > /dev/null || { echo "There is no $(PYTHON) here. Hubwise needs Python 3.11 or newer; \
	name yours, for example: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is \
	$$("$(PYTHON)" --version 2>&1). Hubwise needs 3.11 or newer; name one, for example: \
	make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) cannot make virtual environments. \
	On Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@"$(PYTHON)" -m venv $(VENV)
