# `make` sets up .venv and runs the default experiment; `make quick` and `make test` run the tests;
# `make generate` rewrites what follows from the declared settings; `make bench` measures.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--retries 2 --no-deps --require-hashes

.PHONY: run quick test lint generate bench lock reproductions pictures clean

run: $(VENV)/installed
	@PATH="$(CURDIR)/$(BIN):$$PATH" workflow/run_default_or_digits.sh

# Without real Snakemake runs, a browser and long solves.
quick: $(VENV)/installed-dev
	$(BIN)/python -m pytest -n 2 --ignore=tests/workflow -m "not slow"

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest

# Files that follow from src/ntk_mnist/settings.py and the declared columns.
generate: $(VENV)/installed
	$(BIN)/python -m ntk_mnist generate --folder .

lint: $(VENV)/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --lint --configfile config/width_convergence.yaml

$(VENV)/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null || { \
		echo "error: $(PYTHON) is not Python 3.11 or newer; name one, as in: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV), once; this takes a minute or two"
	@$(PYTHON) -m venv --clear $(VENV) > /dev/null || { \
		echo "error: $(PYTHON) -m venv failed; on Debian and Ubuntu, install python3-venv" >&2; exit 1; }
	@$(PIP_INSTALL) -r requirements.lock > $(VENV)/install.log 2>&1 || { \
		echo "error: the packages of requirements.lock cannot be installed: can the package registry be reached? pip says: $$(grep -i error $(VENV)/install.log | head -n 1) (all of it: $(VENV)/install.log)" >&2; exit 1; }
	@$(BIN)/python -c 'import pathlib, sysconfig; \
		path = pathlib.Path(sysconfig.get_path("purelib"), "ntk_mnist.pth"); \
		path.write_text(str(pathlib.Path("src").resolve()) + "\n")'
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo "Adding what tests and checks need to $(VENV)"
	@$(PIP_INSTALL) -r requirements-dev.lock > $(VENV)/install.log 2>&1 || { \
		echo "error: the packages of requirements-dev.lock cannot be installed: can the package registry be reached? pip says: $$(grep -i error $(VENV)/install.log | head -n 1) (all of it: $(VENV)/install.log)" >&2; exit 1; }
	@touch $@

# Takes some hours, with nothing else on the machine.
bench: $(VENV)/installed-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake data
	$(BIN)/python -m benchmarks.default_run
	$(BIN)/python -m benchmarks.scale
	$(BIN)/python -m benchmarks.seeds
	$(BIN)/python -m benchmarks.small_networks
	$(BIN)/python -m benchmarks.descent
	$(BIN)/python -m benchmarks.compilation
	$(BIN)/python -m benchmarks.exact_solve
	$(BIN)/python -m benchmarks.short_memory

# Pin the newest versions that pyproject.toml allows; needs uv (pip install uv).
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

# docs/reproductions.md, from the results of the experiments that have published numbers.
reproductions: $(VENV)/installed
	$(BIN)/python -m ntk_mnist reproductions --configs config/*.yaml --results results \
		--output docs/reproductions.md

# The pictures of the documentation, from the results of both experiments; needs Debian's chromium.
pictures: $(VENV)/installed-dev
	for experiment in ntk_mnist width_convergence; do \
		PYTHONPATH=src:tests $(BIN)/python -m browser.take_pictures results/$$experiment docs/pictures || exit; \
	done

clean:
	rm -rf $(VENV)
