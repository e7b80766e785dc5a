# make demo and make test are all a newcomer needs; both make their own virtual environment first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# Three at a time, as a fifth of the time is waiting, and who is done takes over from the others. The suite starts some
# hundred processes, none of which should compile the program anew.
PYTEST := env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest -n 3 --dist worksteal

.PHONY: install demo test lint types contracts pytest system-deps bench crash sweep mutants gallery fmt clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "claude-watcher needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 …")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing claude-watcher into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: install
	@$(BIN)/watcher demo

test: lint types contracts pytest

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

contracts: install
	$(BIN)/lint-imports

pytest: install
	$(PYTEST)

fmt: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Programs from outside that some tests talk to; those tests say that they are skipped where the program is missing.
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)
system-deps:
	$(SUDO) apt-get update -qq
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends prometheus prometheus-alertmanager postgresql chromium fonts-dejavu-core openssl

bench: install
	$(BIN)/python -m benchmarks

crash: install
	$(PYTEST) -m slow tests/crash tests/shutoff

sweep: install
	$(PYTEST) -m slow tests/acceptance tests/deploy tests/rules tests/watcher
	$(PYTEST) -m "hypothesis and not slow" --hypothesis-profile thorough --timeout 1200

# What changes code beside the tests has a place of its own, which sees what the tests need. Half an hour on two cores.
MUTANTS := .venv-mutants

mutants: $(MUTANTS)/.installed
	nice -n 10 $(BIN)/python -m benchmarks.mutants

$(MUTANTS)/.installed: constraints.txt | install
	@test -x $(MUTANTS)/bin/python || $(BIN)/python -m venv $(MUTANTS)
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$($(MUTANTS)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tests.pth"
	@$(MUTANTS)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt mutmut
	@touch $@

gallery: install
	$(BIN)/python -m benchmarks.gallery

clean:
	rm -rf $(VENV) $(MUTANTS) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
