# The two commands of the README, on a machine with Python 3.11 or newer, pip, git and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
VENV_LOWEST = .venv-lowest
PARALLEL = -n auto --dist worksteal
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS)

.PHONY: sim test test-all coverage lowest wheel check bench pictures

sim: $(VENV)/console            ## the console, on the embedded room
	$(BIN)/tavus-console join sim

test: $(VENV)/test              ## the tests, without the slow ones: under 4 minutes on two cores
	$(BIN)/pytest $(PARALLEL) -m "not slow" --hypothesis-profile=quick $(PYTEST_ARGS)

test-all: $(VENV)/test          ## all tests
	$(BIN)/pytest $(PARALLEL) $(PYTEST_ARGS)

coverage: $(VENV)/test          ## all tests, and the branches they reach: fails below the floor
	$(BIN)/pytest $(PARALLEL) --cov --cov-report=term $(PYTEST_ARGS)

lowest:                         ## the tests, with the lowest versions that pyproject.toml allows
	$(PYTHON) .ci/lowest.py > .ci/lowest.txt
	$(MAKE) VENV=$(VENV_LOWEST) CONSTRAINTS="--constraint .ci/lowest.txt" test

wheel:                          ## build, install into an empty environment, use
	PYTHON=$(PYTHON) .ci/wheel

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
	$(PIP) --editable .
	touch $@

$(VENV)/test: $(BIN)/python pyproject.toml
	$(PIP) --editable '.[test]'
	touch $@ $(VENV)/console
