# `make` sets up .venv and runs the default experiment; `make test` runs the tests; `make bench`
# measures.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--retries 2 --no-deps --require-hashes

.PHONY: run test lint bench lock figure clean

run: $(VENV)/installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" workflow/run_default_or_digits.sh

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		echo "error: $(PYTHON) is not Python 3.11 or newer; name one, as in: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV), once; this takes a minute or two"
	@$(PYTHON) -m venv --clear $(VENV) > /dev/null || { \
		echo "error: $(PYTHON) -m venv failed; on Debian and Ubuntu, install python3-venv" >&2; exit 1; }
	@$(PIP_INSTALL) -r requirements.lock > $(VENV)/install.log 2>&1 || { \
		echo "error: the packages of requirements.lock cannot be installed: is the package registry in reach? pip says: $$(grep -i error $(VENV)/install.log | head -n 1) (all of it: $(VENV)/install.log)" >&2; exit 1; }
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo "Adding what tests and checks need to $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.lock > $(VENV)/install.log 2>&1 || { \
		echo "error: the packages of requirements-dev.lock cannot be installed: is the package registry in reach? pip says: $$(grep -i error $(VENV)/install.log | head -n 1) (all of it: $(VENV)/install.log)" >&2; exit 1; }
	@touch $@

# Well over an hour, with nothing else on the machine.
bench: $(VENV)/installed-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake data
	PYTHONPATH=src $(BIN)/python benchmarks/default_run.py
	PYTHONPATH=src $(BIN)/python benchmarks/scale.py
	PYTHONPATH=src $(BIN)/python benchmarks/exact_solve.py

# Pin anew what pyproject.toml allows; needs uv (pip install uv).
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" uv pip compile --quiet --universal \
	--python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate

lock:
	$(COMPILE) --upgrade pyproject.toml --output-file requirements.lock
	for group in dev cluster cuda; do \
		$(COMPILE) --upgrade --group $$group --constraints requirements.lock pyproject.toml \
			--output-file requirements-$$group.lock || exit; \
	done
	sed -i.old '/^      - [a-z0-9-]*==/d' environment.yml
	sed -n 's/^\([a-z0-9-]*==[^\\]*[^\\ ]\) *\\$$/      - \1/p' requirements.lock >> environment.yml
	rm environment.yml.old

# The README's picture, from the results of the default experiment.
figure:
	cp results/ntk_mnist/figures/comparison.png docs/comparison.png

clean:
	rm -rf $(VENV)
