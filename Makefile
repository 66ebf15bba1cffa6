# The two commands of the README, on a machine with Python 3.11 or newer, pip, git and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: sim test check bench pictures

sim: $(VENV)/console            ## the console, on the embedded room
	$(BIN)/tavus-console join sim

test: $(VENV)/test              ## the whole test suite
	$(BIN)/pytest $(PYTEST_ARGS)

check: $(VENV)/test             ## what reviewers ask first: style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test             ## the figures, side by side in one run
	$(BIN)/python -m bench

pictures: $(VENV)/test          ## docs/join.svg and one picture of each theme, from real runs
	$(BIN)/python docs/picture.py

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/console: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/test: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@ $(VENV)/console
