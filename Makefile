# The two commands of the README, on a machine with Python 3.11 or newer, git and make; uv is used where it is installed.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
VENV_LOWEST = .venv-lowest
# Tests mostly wait, for rooms and for time limits: two at once on each core.
PARALLEL = -n $(shell expr 2 \* `getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1`) --dist worksteal

.PHONY: sim test test-all coverage lowest wheel check bench fuzz pictures

sim: $(VENV)/console            ## the console, on the embedded room
	@$(BIN)/tavus-console join sim

test: $(VENV)/test              ## the tests, without the slow ones: under 4 minutes on two cores
	$(BIN)/pytest $(PARALLEL) -m "not slow" --hypothesis-profile=quick $(PYTEST_ARGS)

test-all: $(VENV)/test          ## all tests
	status=0; \
	$(BIN)/pytest $(PARALLEL) -m "not slow" $(PYTEST_ARGS) || status=1; \
	$(BIN)/pytest $(PARALLEL) -m slow $(PYTEST_ARGS) || status=1; \
	exit $$status

coverage: $(VENV)/test          ## all tests, and the branches they reach: fails below the floor
	status=0; \
	$(BIN)/pytest $(PARALLEL) -m "not slow" --cov --cov-report= --cov-fail-under=0 $(PYTEST_ARGS) || status=1; \
	$(BIN)/pytest $(PARALLEL) -m slow --cov --cov-append --cov-report=term $(PYTEST_ARGS) || status=1; \
	exit $$status

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

FUZZ_SECONDS ?= 60

fuzz: $(VENV)/test              ## random input, FUZZ_SECONDS for each target
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

pictures: $(VENV)/test          ## docs/join.svg and one picture of each theme, from real runs
	$(BIN)/python docs/picture.py

$(VENV)/console: $(BIN)/python pyproject.toml setup.py
	@echo "Installing tavus-console into $(VENV), once; this may take a minute ..."
	@$(call install,.)
	@touch $@

$(VENV)/test: $(BIN)/python pyproject.toml setup.py
	@echo "Installing tavus-console and what its tests need into $(VENV), once; this may take two minutes ..."
	@$(call install,'.[test]')
	@touch $@ $(VENV)/console

ifdef UV
install = $(UV) pip install --python $(BIN)/python $(CONSTRAINTS) --editable $(1)

# uv finds a Python that pyproject.toml allows, unless PYTHON names one; --seed: with pip, as venv does.
$(BIN)/python:
	@UV_VENV_CLEAR=1 $(UV) venv --seed $(if $(filter file,$(origin PYTHON)),,--python $(PYTHON)) $(VENV)
else
install = $(BIN)/python -m pip install --disable-pip-version-check $(CONSTRAINTS) --editable $(1)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "There is no $(PYTHON). $(call remedy,python3 python3-venv)" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "tavus-console needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	    echo "$(PYTHON) cannot create environments. $(call remedy,$(notdir $(PYTHON))-venv)" >&2; exit 1; }
	@echo "Creating the environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
endif

remedy = $(if $(shell command -v apt 2>/dev/null),Run: sudo apt install $(1),Install Python with its modules venv and ensurepip or https://docs.astral.sh/uv/.)
