# make run    on a new machine: a virtual environment, the locked dependencies, then the first synthetic data set
# make test   the same environment with the test tools, then the whole test suite
# make quick  all tests but the slow ones, for the time between two edits
# Another Python: make PYTHON=python3.12 run.  Other arguments: make run RUN='dataset=adult algo=independent'

PYTHON ?= python3
VENV ?= .venv
RUN ?= dataset=adult algo=weave
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet
# A worker a core, each with one thread: OpenMP's threads would wait for one another. A file's tests share its fixtures.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

# Where the environment forbids bytecode, every process would compile every library anew: thousands of files, each time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test coverage quick lint format check lock bench clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/.installed  ## install what is missing, then run RUN
	$(BIN)/python -m pasteur $(RUN)

test: $(VENV)/.installed-dev  ## the whole test suite
	$(PYTEST) $(ARGS)

coverage: $(VENV)/.installed-dev  ## the same, and which lines it reached: takes half as long again
	$(PYTEST) --cov $(ARGS)

quick: $(VENV)/.installed-dev  ## the tests to run while working: all but the slow ones
	$(PYTEST) -m 'not slow' -q $(ARGS)

lint: $(VENV)/.installed-dev  ## style, types and walls between packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev  ## let ruff rewrite what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

check: lint test  ## what CI runs

lock: $(VENV)/.installed-dev  ## resolve the newest allowed versions into requirements.lock
	$(BIN)/python tools/lock.py

bench: $(VENV)/.installed-dev  ## time and memory of the line, and the speed of encoding
	$(BIN)/python benchmarks/line.py $(ARGS)
	$(BIN)/python benchmarks/encoding.py

clean:  ## forget the environment; data/ and outputs/ stay
	rm -rf $(VENV) build dist src/*.egg-info

# A stamp is younger than what it was installed from: the second call installs nothing. Bytecode is made when a module
# is first imported: compiling all that is installed would take three times as long as installing it.
$(VENV)/.installed: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) install --no-compile -c requirements.lock -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements.lock | $(BIN)/python
	$(PIP) install --no-compile -c requirements.lock -e '.[dev]'
	@touch $(VENV)/.installed $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "Pasteur needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install 'pip>=26'
