# Needs Python 3.11 or newer. Uses uv if it is on the PATH. `make` lists the commands.

PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
SANDBOX_PORT ?= 9100
TEST_WORKERS ?= 2
ROWS ?= 10000
# Compiled modules are kept, even where the shell says otherwise: without them, each process that a test starts compiles
# the console, and each pytest process spends ten seconds on the asserts of the tests.
export PYTHONDONTWRITEBYTECODE =

UV := $(shell command -v uv 2>/dev/null)
RUN := $(VENV)/bin/python
ifdef UV
MAKE_VENV = $(UV) venv --quiet --python $(PYTHON) $(VENV)
INSTALL = $(UV) pip install --quiet --python $(RUN) --require-hashes -r
else
MAKE_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r
endif

# The settings of a server, with throwaway keys, for the checks of production settings.
PRODUCTION_LIKE = SECRET_KEY="$$($(RUN) -c 'import secrets; print(secrets.token_urlsafe(50))')" \
	CREDENTIAL_KEYS="$$($(RUN) -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
	PUBLIC_URL=https://console.acme.test EMAIL_URL=smtp://mail.acme.test DEBUG=False

.DELETE_ON_ERROR:
.PHONY: help install install-sentry demo demo-reset test test-postgres test-quick asvs audit image upgrade lint run format \
	messages stylesheet lock bench

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/installed ## Install what the console needs into .venv

install-sentry: install ## Install what SENTRY_DSN needs as well
	$(INSTALL) requirements-sentry.txt

demo: $(VENV)/installed ## Start the console, connected to a local PingOne with invented people (FRESH=1: not; PORT=8000 SANDBOX_PORT=9100)
	@$(RUN) -m console.demo --port $(PORT) --sandbox-port $(SANDBOX_PORT) $(if $(FRESH),--fresh)

demo-reset: ## Delete the demo's data; the next `make demo` starts over
	rm -rf var/demo

test: $(VENV)/installed-dev ## Run all tests in parallel (TEST_WORKERS=2 DATABASE_URL=postgres://...)
	$(RUN) -m pytest -n $(TEST_WORKERS) --dist worksteal

test-postgres: $(VENV)/installed-dev ## Run the tests that depend on the database, on a temporary PostgreSQL
	$(if $(DATABASE_URL),,.ci/with-postgres) $(RUN) -m pytest -n $(TEST_WORKERS) --dist worksteal -m database

test-quick: $(VENV)/installed-dev ## Run the tests that need no browser, no database and no local PingOne (VENV= PYTHON= for another Python)
	$(RUN) -m pytest -m "not browser and not database" $(QUICK)

QUICK = tests/test_configuration.py tests/test_version.py tests/console/test_typed_text.py tests/console/audit tests/console/users/test_standing.py

asvs: $(VENV)/installed-dev ## Render docs/asvs.toml as docs/asvs.md
	@$(RUN) -m tests.support.asvs

audit: $(VENV)/installed-dev ## Look for known vulnerabilities of what is locked, and for secrets in the files
	@DJANGO_SETTINGS_MODULE=tests.settings $(RUN) -m tests.support.secrets_in_tree
	@$(RUN) -m tests.support.vulnerabilities

image: $(VENV)/installed-dev ## Carry out the Dockerfile and compose.yaml without Docker (root, Linux; takes minutes)
	$(RUN) -m tests.support.image

upgrade: $(VENV)/installed-dev ## Upgrade from a commit under load and count lost requests (FROM=commit DATABASE_URL=; takes minutes)
	$(RUN) -m tests.support.upgrade $(FROM)

lint: $(VENV)/installed-dev ## Check style, types, import contracts, templates, migrations and deployment settings
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/djlint --quiet --lint templates pingone_integration
	$(PRODUCTION_LIKE) $(RUN) manage.py makemigrations --check --dry-run
	$(RUN) -m django makemigrations --check --dry-run --settings pingone_integration.sandbox.settings
	$(PRODUCTION_LIKE) $(RUN) manage.py check --deploy --fail-level WARNING

format: $(VENV)/installed-dev ## Fix and format the Python code
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

run: $(VENV)/installed ## Serve with gunicorn and a worker; settings from the environment or .env; migrate first
	$(RUN) manage.py check
	@$(RUN) manage.py migrate --check || { echo "Migrate the database first: $(RUN) manage.py migrate"; exit 1; }
	$(RUN) manage.py collectstatic --noinput --verbosity 0
	exec $(RUN) -m console.server.serve

bench: $(VENV)/installed-dev ## Measure the console, a million audit entries, jobs and a local PingOne with a million users (ROWS=10000 of a job; takes hours)
	$(RUN) -m tests.benchmarks.page_cost
	$(RUN) -m tests.benchmarks.console_pages
	$(RUN) -m tests.benchmarks.audit_pages
	$(RUN) -m tests.benchmarks.sandbox_lists
	$(RUN) -m tests.benchmarks.many_operators
	$(RUN) -m tests.benchmarks.lists
	$(if $(DATABASE_URL),,.ci/with-postgres) $(RUN) -m tests.benchmarks.jobs --rows $(ROWS)
	$(if $(DATABASE_URL),,.ci/with-postgres) $(RUN) -m tests.benchmarks.recovery

messages: $(VENV)/installed-dev ## Extract the texts of the pages to console/locale
	@$(RUN) -m tests.support.catalogs

stylesheet: $(VENV)/installed-dev ## Reduce Tabler's stylesheet to what the pages use (static/vendor/tabler/tabler.css)
	@$(RUN) -m tests.support.stylesheet

lock: $(VENV)/installed-dev ## Compile the requirements files from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(VENV)/bin/uv pip compile $(LOCK_FLAGS) pyproject.toml -o requirements.txt
	$(VENV)/bin/uv pip compile $(LOCK_FLAGS) --extra sentry pyproject.toml -o requirements-sentry.txt
	$(VENV)/bin/uv pip compile $(LOCK_FLAGS) --extra sentry --extra dev pyproject.toml -o requirements-dev.txt

LOCK_FLAGS = --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate $(UPGRADE)

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is required, and $(PYTHON) is older or missing. Try: make PYTHON=python3.12 ..."; exit 1; }
	$(MAKE_VENV)

# requirements-dev.txt includes requirements.txt, so either is enough for the commands that need no test tools.
$(VENV)/installed: requirements.txt | $(VENV)/pyvenv.cfg
	$(INSTALL) requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt | $(VENV)/pyvenv.cfg
	$(INSTALL) requirements-dev.txt
	@touch $(VENV)/installed $@
