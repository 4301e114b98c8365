# Needs Python 3.11 or newer, git and make; everything else comes from the Python package index.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run-installed
DEV    := $(VENV)/.dev-installed
# Each process of the tests has a PostgreSQL of its own.
TEST_PROCESSES ?= 2
LOCK    = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade

.DEFAULT_GOAL := help
.PHONY: help run dev test check format lint types imports docs evals bench lock clean

help:            ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Afterword needs Python 3.11 or newer; set PYTHON=/path/to/python3.11 and run make again" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN): requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

run: $(RUN)      ## Install what is missing and start Afterword on http://127.0.0.1:8321
	@exec $(BIN)/afterword serve

dev: $(DEV)      ## The same, with the web server reloading as the code changes
	@exec $(BIN)/afterword serve --reload

test: $(DEV)     ## Install what is missing and run the tests
	@sh tests/install-system-packages
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal

check: format lint types imports docs evals test  ## What CI runs: everything, the tests last

format: $(DEV)   ## Is the code formatted?
	$(BIN)/ruff format --check .

lint: $(DEV)     ## Ruff's rules
	$(BIN)/ruff check .

types: $(DEV)    ## Pyright, strict
	$(BIN)/basedpyright --warnings

imports: $(DEV)  ## Everything imports downward
	$(BIN)/lint-imports --no-cache

docs: $(DEV)     ## Every setting, route, error code and command has its place in the docs
	$(BIN)/python -m pytest tests/test_docs.py

evals: $(DEV)    ## Hold simulated interviews and check the gates; ONLINE=1 asks the model of AFTERWORD_LLM_* instead
	$(BIN)/python -m evals $(if $(ONLINE),--online)

bench: $(DEV)    ## Measure POST /api/v1/interviews against pgbench and the usual way, and how long a turn takes
	$(BIN)/python bench/create_interview.py
	$(BIN)/python bench/turns.py

lock: $(DEV)     ## Renew requirements/*.txt from pyproject.toml
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) --group build -o requirements/build.txt
	$(LOCK) pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt

clean:           ## Remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache
