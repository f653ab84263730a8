# Two commands for a fresh machine: `make demo` and `make test`. Both do all their set-up.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
OUT    ?= runs/demo

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check bench chaos docs system-packages clean

help:
	@echo "make demo    set up, then a 1.8 nm CsPbBr3 dot from structure to linewidth, beside measurement (minutes)"
	@echo "make test    set up, then every test, with real CP2K and a real browser where they are"
	@echo "make coverage  the same tests, and which lines they miss: half as slow again"
	@echo "make check   format, lint, types, floors, security: what CI checks before it tests"
	@echo "make bench   speed beside the peers, as ratios"
	@echo "make chaos   set up, then kill at random what a campaign runs on, and check its end (15 minutes)"
	@echo "make docs    set up, draw the figures and build the pages under docs/ into site/"
	@echo "make clean   remove the virtual environment and caches"

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "qdcomp needs Python 3.11 or later; say which with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.runtime
	$(BIN)/qdcomp run demo --out $(OUT)
	$(BIN)/qdcomp compare $(OUT) --out $(OUT)/comparison

system-packages:
	@sh tests/install_system_packages.sh
	@sh tests/install_database_server.sh

test: $(VENV)/.development system-packages
	$(BIN)/pytest -n 2 --dist loadfile -m "not cp2k and not browser and not slurm"
	$(BIN)/pytest -n 2 --dist loadfile -m "cp2k or browser or slurm"

coverage: $(VENV)/.development system-packages
	$(BIN)/pytest -n 2 --dist loadfile --cov=qdcomp --cov-report=term:skip-covered

check: $(VENV)/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --severity-level medium --recursive qdcomp

bench: $(VENV)/.development
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m benchmarks

chaos: $(VENV)/.development system-packages
	$(BIN)/python -m benchmarks.chaos

docs: $(VENV)/.runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python docs/make_figures.py
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) site docs/figures build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .coverage
