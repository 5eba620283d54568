.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
INSTALLED := $(VENV)/.installed

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(INSTALLED) ## Create .venv with everything in it, a Java runtime too

demo: $(INSTALLED) ## Run the main job: weekly files to next-basket scores (a synthetic shop, or NEXTBASKET_LANDING)
	$(VENV)/bin/nextbasket demo $(ARGS)

test: $(INSTALLED) ## Run the tests that take less than ten minutes together, on two cores
	$(VENV)/bin/python -m pytest -n 2 -m "not slow and not emr and not browser" $(ARGS)

slow: $(INSTALLED) ## Run the slow tests, on two cores
	$(VENV)/bin/python -m pytest -n 2 -m slow $(ARGS)

emr: $(INSTALLED) ## Run the deployment `emr` on the local test bed: real Spark steps, no AWS
	$(VENV)/bin/python -m pytest -m emr $(ARGS)

browser: $(INSTALLED) ## Drive the UI and the report in a headless Chromium (apt-get install chromium)
	$(VENV)/bin/python -m pytest -m browser $(ARGS)

check: $(INSTALLED) ## Lint, formatting, types and the import directions
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest -q nextbasket_tests/test_architecture.py

faults: $(INSTALLED) ## Run the fault catalogue and print its table; ARGS="--fast" leaves the slow cases out
	$(VENV)/bin/python -m nextbasket_tests.faults $(ARGS)

audit: $(INSTALLED) ## Ask for known vulnerabilities of what is pinned
	$(VENV)/bin/python .ci/audit.py

lock: ## Write requirements.hashes anew, after a change of requirements.lock
	$(PYTHON) .ci/lock.py

ui: $(INSTALLED) ## Open the Dagster UI on the same data (127.0.0.1:3000)
	$(VENV)/bin/nextbasket ui $(ARGS)

pictures: $(INSTALLED) ## Make the README's pictures from the synthetic shop, in a headless Chromium
	PYTHONPATH=. $(VENV)/bin/python docs/pictures/make.py $(ARGS)

clean: ## Remove the environment and every lake and model below .nextbasket
	rm -rf $(VENV) .nextbasket

$(INSTALLED): pyproject.toml requirements.lock requirements.hashes
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --require-hashes --no-deps --requirement requirements.hashes
	$(VENV)/bin/python -m pip install --quiet --constraint requirements.lock --editable ".[dev]"
	-$(VENV)/bin/nextbasket warm
	@touch $@

.PHONY: help install demo test slow emr browser check faults audit lock ui pictures clean
