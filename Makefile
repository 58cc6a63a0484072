# `make demo` and `make test` need Python 3.11 or later and make; everything else they install into .venv.
# README.md says how without make.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PIP_INSTALL := $(PIP) install -qq --progress-bar off

# Two stamps named by content. The environment is made anew when a lock file, the interpreter or the folder changes;
# the package is installed anew when pyproject.toml does. A stamp is written last: what was cut off is done again.
ENVIRONMENT := .venv/.environment-$(shell { cat requirements/torch.txt requirements/dev.txt; pwd; $(PYTHON) -VV; } 2>&1 | cksum | cut -d ' ' -f 1)
PACKAGE := .venv/.package-$(shell cksum pyproject.toml | cut -d ' ' -f 1)

.PHONY: help setup demo test lint unit e2e slow lock stage-versions clean

help: ## what can be made
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-22s%s\n' "$$name" "$$text"; done

setup: $(PACKAGE) ## the environment in .venv (instant when nothing changed)

$(ENVIRONMENT):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and f"Modelyard needs Python 3.11, 3.12 or 3.13; {sys.executable} is {sys.version.split()[0]}. Name another: make PYTHON=python3.11")'
	@echo "setting up .venv with $(PYTHON): some minutes the first time"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "python -m venv failed. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PIP_INSTALL) --no-deps -r requirements/torch.txt
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements/dev.txt
	@touch $@

$(PACKAGE): $(ENVIRONMENT)
	@rm -f .venv/.package-*
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python requirements/verify.py
	@touch $@

demo: setup ## the whole chain on real data: raw text in, a served, monitored model and its report out
	@$(BIN)/modelyard demo

test: setup ## everything a change must pass; prints the time of each lane
	@$(BIN)/python -m tests.lanes lint unit e2e

lint: setup ## ruff, mypy --strict, the import contracts
	@$(BIN)/python -m tests.lanes lint

unit: setup ## the fast tests
	@$(BIN)/python -m tests.lanes unit

e2e: setup ## the real chain, real servers, real clients
	@$(BIN)/python -m tests.lanes e2e

slow: setup ## the tests that are too long for every change
	@$(BIN)/python -m tests.lanes slow

lock: setup ## write the lock files anew (UPGRADE=1 takes the newest versions)
	@requirements/lock.sh

stage-versions: setup ## record the code of every stage after its STAGE_VERSION was thought about
	@$(BIN)/python -m tests.stage_versions

clean: ## remove the environment and every cache; data and models in .modelyard stay
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
