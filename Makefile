# The verbs of the project: `make help` lists them.

# Any Python from 3.10 on: make build PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

# Another customer file: make build CUSTOMERS=path/to/file.csv
ifdef CUSTOMERS
export CUSTOMERS_FILE := $(CUSTOMERS)
endif

.PHONY: help build plots test lint format docs sample lock clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(VENV)/installed ## Make the environment, run dbt build, draw the pictures (CUSTOMERS=file for another file)
	$(BIN)/dbt build
	$(BIN)/python scripts/render_plots.py

plots: $(VENV)/installed ## Draw the pictures again, from the warehouse into reports/
	$(BIN)/python scripts/render_plots.py

test: $(VENV)/installed-dev ## Run every test
	$(BIN)/pytest

lint: $(VENV)/installed-dev ## Check the style of SQL, Python and YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .
	$(BIN)/sqlfluff lint dbt_project

format: $(VENV)/installed-dev ## Mend what the style checks can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_project

docs: $(VENV)/installed ## Write dbt's documentation as one page, target/static_index.html
	$(BIN)/dbt docs generate --static

sample: $(VENV)/installed ## Make the sample customers and their orders anew
	$(BIN)/python scripts/make_sample.py dbt_project/sample/customers.csv
	$(BIN)/python scripts/make_orders_sample.py dbt_project/sample/orders.csv

lock: $(VENV)/installed-dev ## Pin the newest allowed packages with their hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-strip-extras --generate-hashes --no-header --upgrade -o requirements.txt requirements.in
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-strip-extras --generate-hashes --no-header --upgrade -o requirements-dev.txt requirements-dev.in

clean: ## Remove everything that was generated
	rm -rf $(VENV) warehouse.duckdb* build reports target logs .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and f"Python 3.10 or newer is needed, {sys.executable} is {sys.version.split()[0]}; give another one with make PYTHON=...")'
	@echo "Making the environment in $(VENV) (about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@
