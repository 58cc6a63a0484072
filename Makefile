# `make demo` and `make test` need Python 3.11 or later and make; everything else they install into .venv.
# README.md says how without make.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PIP_INSTALL := $(PIP) install --quiet --progress-bar off
LOCKS := requirements/torch.txt requirements/dev.txt pyproject.toml

# Names the content of the lock files, of pyproject.toml and the interpreter: the environment is made anew when it moves.
STAMP := .venv/.made-$(shell { cat $(LOCKS); $(PYTHON) -VV; } 2>&1 | cksum | cut -d ' ' -f 1)

.PHONY: help setup demo test lint unit e2e slow lock stage-versions clean

help: ## what can be made
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-22s%s\n' "$$name" "$$text"; done

setup: $(STAMP) ## the environment in .venv (instant when nothing changed)

# The stamp is written last: a set-up that was cut off, or whose locks have changed since, starts from nothing.
$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Modelyard needs Python 3.11 or later, {sys.executable} is {sys.version.split()[0]}. Give another: make PYTHON=/path/to/python3.11")'
	@echo "setting up .venv with $(PYTHON) (a few minutes the first time)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "python -m venv failed. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PIP_INSTALL) --no-deps -r requirements/torch.txt
	@$(PIP_INSTALL) --no-deps --require-hashes -r requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python requirements/forbidden.py
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
