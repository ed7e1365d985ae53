# `make demo` and `make test` install what they need into .venv; nothing else has to be done.

PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
PIP := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet

.PHONY: demo test test-fast lint browser bench parity clean

demo: .venv/installed
	$(BIN)/cuesta fit breast_cancer --out demo.cuesta

test: .venv/installed-dev lint browser
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# For the working day: all but the tests that are marked as slow.
test-fast: .venv/installed-dev
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not slow"

# .pre-commit-config.yaml holds the same commands.
lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What the tests of the pages need. Where it cannot be installed, those tests are skipped and say so.
browser:
	@test -x /usr/bin/chromium -a -x /usr/bin/chromedriver || test "$$(id -u)" != 0 || \
		! command -v apt-get > /dev/null || { apt-get update && \
		apt-get install --yes --no-install-recommends chromium chromium-driver; } || true

# Beside the peers, in one run; TABLES=FOLDER names where housing.csv and penguins.csv lie,
# SUITE=FOLDER a suite of tables with fixed test rows (or several, in quotes), UCI=FOLDER the UCI sets.
bench: .venv/installed-bench
	$(BIN)/python bench/lanes.py $(if $(TABLES),--tables $(TABLES))
	$(BIN)/python bench/planner.py
	$(BIN)/python bench/options.py
	$(BIN)/python bench/scale.py
	$(BIN)/python bench/rule_cost.py
	$(BIN)/python bench/basins.py
	$(BIN)/python bench/coverage.py
	$(BIN)/python bench/corrected.py
	$(BIN)/python bench/quality.py $(if $(TABLES),--tables $(TABLES))
	$(if $(TABLES),$(BIN)/python bench/tables.py --tables $(TABLES))
	$(if $(TABLES),$(BIN)/python bench/adult.py --tables $(TABLES))
	$(if $(SUITE),$(BIN)/python bench/suite.py $(SUITE))
	$(if $(SUITE),$(BIN)/python bench/ingredients.py $(SUITE))
	$(if $(UCI),$(BIN)/python bench/uci.py $(UCI))

# Our optimizers beside torch's, optax's and Keras's: the table of worst differences.
parity: .venv/installed-parity
	$(BIN)/python -m tests.parity

# The constraints hold for the build's own tools too, hence the variable. The version is read from
# the package when it is installed.
.venv/installed: pyproject.toml constraints.txt src/cuesta/__init__.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "cuesta needs Python 3.11 or newer; name one with PYTHON=..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(PIP) --editable '.[dev]'
	touch $@

.venv/installed-parity: .venv/installed-dev
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[dev,parity]'
	touch $@

.venv/installed-bench: .venv/installed
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[bench]'
	touch $@

clean:
	rm -rf .venv demo.cuesta
