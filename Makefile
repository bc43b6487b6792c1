# War and Peace. `make` alone shows what there is.
#
# Needs make, a Python of 3.11 or later (3.12 preferred) and nothing else: everything is installed into .venv.

HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install

.DEFAULT_GOAL := help
.PHONY: help run setup test crash-test chaos check audit bench lock messages screenshots clean chromium
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.base ## Start the newsroom at http://HOST:PORT/ (127.0.0.1:8000), with demo content on the first start
	@exec $(BIN)/python manage.py run --host $(HOST) --port $(PORT) $(ARGS)

setup: $(VENV)/.base ## Make the virtual environment in .venv, nothing else

test: $(VENV)/.dev chromium ## Run the whole test suite, on SQLite and on PostgreSQL
	@$(BIN)/python -m tests.servers -n 4 --dist worksteal $(ARGS)

crash-test: $(VENV)/.dev ## Kill senders a thousand times at every step, with every fault, on both databases (minutes)
	@export CRASH_KILLS=$${CRASH_KILLS:-1000}; one=tests/crash/test_many_senders.py; \
	$(BIN)/python -m tests.servers $$one $(ARGS) && \
	$(BIN)/python -m tests.servers tests/crash --ignore $$one -n 3 --dist worksteal $(ARGS)

chaos: $(VENV)/.dev ## Play every fault on the whole stack while news flow (MINUTES=10; needs redis-server, best as root)
	@$(BIN)/python -m tests.chaos --minutes $${MINUTES:-10} $(ARGS)

check: $(VENV)/.dev ## Run every static check: style, types, import order, migrations, templates, Django's own
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html' '*/templates/*.html')
	$(BIN)/python manage.py check

audit: $(VENV)/.dev ## Look for known holes in the packages (asks the internet) and for weak spots in the code
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive manage.py usage articles publishing warandpeace
	$(BIN)/pip-audit --requirement requirements/base.txt --require-hashes --disable-pip

bench: $(VENV)/.dev ## Measure the speed of what must be fast
	@for module in tests/bench/[a-z]*.py; do \
		$(BIN)/python -m "$$(echo "$${module%.py}" | tr / .)" || exit 1; \
	done

lock: $(VENV)/.made ## Pin every package anew, with hashes, from requirements/*.in
	@$(PIP) uv
	@for name in base dev; do \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url \
			--no-emit-find-links --custom-compile-command 'make lock' -o requirements/$$name.txt requirements/$$name.in || exit 1; \
	done

messages: $(VENV)/.dev ## Collect the texts to translate into warandpeace/locale
	$(BIN)/python manage.py makemessages --locale ru --no-location --ignore '.venv/*' --ignore 'var/*' --ignore 'tests/*'
	$(BIN)/python manage.py compilemessages --locale ru --ignore .venv

screenshots: $(VENV)/.dev chromium ## Take the pictures of the tour and of the docs anew
	$(BIN)/python -m tests.browser.screenshots

clean: ## Remove the virtual environment and the caches; your data in var/ stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how .venv comes about: each stamp is newer than what it was made from -------------------------------------------

$(VENV)/.made:
	@python=''; for name in $(PYTHON) python3.12 python3.13 python3.11 python3 python; do \
		if "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo 'No usable Python was found. War and Peace needs Python 3.12 or 3.11 with venv (on Debian: apt-get install python3-venv).' >&2; exit 1; \
	fi; \
	echo "Making .venv with $$("$$python" -c 'import sys; print("Python", sys.version.split()[0], "from", sys.executable)')"; \
	"$$python" -m venv --clear $(VENV)
	@touch $@

$(VENV)/.base: requirements/base.txt $(VENV)/.made
	@echo "Installing $$(grep -c '==' $<) packages the newsroom runs on into .venv (about a minute, once) …"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.made
	@echo "Installing $$(grep -c '==' $<) packages for tests and checks into .venv (a minute or two, once) …"
	@$(PIP) --require-hashes -r $<
	@touch $@ $(VENV)/.base

# The browser tests drive a Chromium of the system.
chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	sudo=''; [ "$$(id -u)" = 0 ] || sudo='sudo -n'; \
	if command -v apt-get >/dev/null && $$sudo true 2>/dev/null; then \
		echo 'Installing Chromium for the browser tests …'; \
		$$sudo apt-get -qq update && DEBIAN_FRONTEND=noninteractive $$sudo apt-get -qq install --yes --no-install-recommends chromium >/dev/null; \
	else \
		echo 'The browser tests need Chromium, and it cannot be installed from here: install it and run `make test` again.' >&2; exit 1; \
	fi
