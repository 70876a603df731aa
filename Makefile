# Nothing is needed beforehand but Python 3.11 or newer, make and a network for packages.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
DATA ?=
ARGS ?=
TESTS ?= tests
WORKERS ?= 2
PROFILE ?= full
BIN := .venv/bin
STAMP := .venv/.installed
PACKAGES := shared services/ingest services/compute services/api cli
MANIFESTS := $(addsuffix /pyproject.toml,$(PACKAGES))
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	$(foreach name,bellwether bellwether-ingest bellwether-compute bellwether-api bellwether-cli,--no-emit-package $(name))

# A test run starts hundreds of processes of the product: each would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: install
install: $(STAMP) ## Make .venv and install the pinned packages and this checkout into it

$(STAMP): requirements/dev.txt $(MANIFESTS)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Bellwether needs Python 3.11 or newer; pass PYTHON=/path/to/it")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation $(foreach package,$(PACKAGES),-e $(package))
	@touch $@

.PHONY: lock
lock: $(STAMP) ## Renew the pins in requirements/ (UPGRADE=--upgrade takes newer versions)
	$(LOCK) $(UPGRADE) --extra stack $(MANIFESTS) --group pyproject.toml:dev -o requirements/dev.txt
	$(LOCK) --constraints requirements/dev.txt --group pyproject.toml:build -o requirements/build.txt
	$(LOCK) --constraints requirements/dev.txt shared/pyproject.toml cli/pyproject.toml -o requirements/cli.txt
	for service in ingest compute api; do \
		$(LOCK) --constraints requirements/dev.txt \
			shared/pyproject.toml services/$$service/pyproject.toml -o requirements/$$service.txt; \
	done

.PHONY: demo
demo: $(STAMP) ## Start everything, replay events, print a scorecard (DATA=file.csv takes your own)
	$(BIN)/bellwether demo $(if $(DATA),--data "$(DATA)") $(ARGS)

.PHONY: test
test: $(STAMP) alertmanager ## Run all tests on real Kafka and PostgreSQL (TESTS=path or ARGS='-k word' picks some; WORKERS=0: in one process)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS) $(ARGS)

# Alertmanager and promtool of the tests: from Debian where that is possible, else their tests are skipped and say so.
.PHONY: alertmanager
alertmanager:
	@{ command -v prometheus-alertmanager && command -v promtool; } > /dev/null \
		|| { [ "$$(id -u)" = 0 ] && apt-get install --yes --quiet --no-install-recommends prometheus-alertmanager prometheus; } \
		|| echo "prometheus-alertmanager and promtool are not both installed: their tests are skipped"

.PHONY: check
check: $(STAMP) ## Lint, format check, strict types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: docs
docs: $(STAMP) ## Write the generated pages and documents of docs/ anew
	$(BIN)/python -m bellwether.wire.schema
	$(BIN)/python -m bellwether.wire.asyncapi
	$(BIN)/python -m bellwether_ingest.openapi
	$(BIN)/python -m bellwether_api.openapi
	$(BIN)/python -m tests.contract.pages

.PHONY: bench
bench: $(STAMP) wrk ## Measure everything beside ceilings and peers (ARGS='peers --quick' picks some, ARGS=--write keeps it)
	$(BIN)/python -m tests.bench $(ARGS)

.PHONY: bench-detector
bench-detector: $(STAMP) ## Score the crisis detector on real and made streams (ARGS=--write keeps it in docs/detector.md)
	$(BIN)/python -m tests.bench.detector $(ARGS)

# The load generator of the benchmark: from Debian where that is possible, else the benchmark takes its own and says so.
.PHONY: wrk
wrk:
	@command -v wrk > /dev/null || { [ "$$(id -u)" = 0 ] && apt-get install --yes --quiet wrk; } \
		|| echo "wrk is not installed: the benchmark takes its own generator of requests, which is slower"

.PHONY: chaos
chaos: $(STAMP) ## Strike everything with faults while events flow (PROFILE=smoke, full or soak)
	$(BIN)/python -m tests.faults.harness --profile $(PROFILE) $(ARGS)

.PHONY: chaos-selftest
chaos-selftest: $(STAMP) ## Prove that harness: builds with a planted bug have to fail in it
	$(BIN)/python -m tests.faults.harness --selftest $(ARGS)

.PHONY: promises
promises: $(STAMP) ## Try every promise of docs/promises.md as often and as long as it says there
	BELLWETHER_FAULTS=long $(BIN)/python -m pytest tests/faults $(ARGS)

.PHONY: clean
clean: ## Remove .venv and caches (the Kafka jars stay in the user's cache folder)
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
