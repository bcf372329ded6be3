# The verbs of the project: `make help` lists them.

# Any Python from 3.10 on: make build PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
VENV_SUPERSET := .venv-superset
VENV_RFM := .venv-rfm
VENV_DATABASES := .venv-databases
VENV_SPARK := .venv-spark
# The versions of Spark that are tested besides that of requirements-spark.in
OTHER_SPARKS := 3.5 4.3
# Where users' verbs run. With tables of SQLite, PostgreSQL and MySQL, or files at s3://: make build DATABASES=yes
VENV_BUILD := $(if $(DATABASES),$(VENV_DATABASES),$(VENV))
# Where the dashboard is served on this machine: make superset PORT=8090
PORT ?= 8088
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

# uv leaves the compiling of packages to their first import. Python keeps the result unless this is set; then every command would compile them anew.
unexport PYTHONDONTWRITEBYTECODE

# Another customer file: make build CUSTOMERS=path/to/file.csv, or CUSTOMERS=none for segments from orders alone
ifdef CUSTOMERS
export CUSTOMERS_FILE := $(CUSTOMERS)
endif
# Another file of orders: make build ORDERS=path/to/orders.csv
ifdef ORDERS
export ORDERS_FILE := $(ORDERS)
endif

.PHONY: help build spark init plots report export activation campaign what-if restore erase segmentation superset test test-nights test-bi test-clients test-databases test-spark test-spark-short faults lint format docs compare compare-rfm structure-errors sample benchmark lock clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: $(VENV_BUILD)/installed ## Make the environment, run dbt build, draw the pictures and the report (CUSTOMERS=file and ORDERS=file for other files, DATABASES=yes for other databases and s3://)
	$(VENV_BUILD)/bin/dbt build
	$(VENV_BUILD)/bin/python scripts/render_plots.py
	$(VENV_BUILD)/bin/python scripts/render_report.py

spark: $(VENV_SPARK)/installed ## Make the environment of Apache Spark, and run dbt build there (CUSTOMERS=file and ORDERS=file for other files)
	$(VENV_SPARK)/bin/dbt build --target spark

init: $(VENV)/installed ## Write the configuration for your own table, and build (FILE=customers.csv or RELATION="ref('customers')"; ORDERS=file, SOURCE="{encoding: cp850}", OVERWRITE=1)
	@$(BIN)/python scripts/init.py $(if $(RELATION),--relation "$$RELATION") $(if $(ORDERS),--orders "$$ORDERS") $(if $(SOURCE),--source "$$SOURCE") $(if $(OVERWRITE),--overwrite) $(if $(FILE),-- "$$FILE")
	@$(MAKE) build

plots: $(VENV)/installed ## Draw the pictures again, from the warehouse into reports/
	$(BIN)/python scripts/render_plots.py

report: $(VENV)/installed ## Write the report for those who only look, reports/index.html
	$(BIN)/python scripts/render_report.py

export: $(VENV)/installed ## Write every table as Parquet, CSV and a sheet of Excel into exports/
	$(BIN)/python scripts/export.py

activation: $(VENV)/installed ## List the customers of each segment for mailing and ad tools, and who entered and left (TO=mailchimp, see activation.yml)
	$(BIN)/python scripts/activation.py $(if $(TO),--to "$$TO") $(OPTIONS)

campaign: $(VENV)/installed ## Draw the customers of a campaign once, and hold a tenth of them out (NAME=spring TO=mailchimp OPTIONS="--segments 2 3")
	@$(BIN)/python scripts/campaign.py $(if $(TO),--to "$$TO") $(OPTIONS) -- "$$NAME"

what-if: $(VENV_BUILD)/installed ## Show what other settings would make of the segments, without publishing them (K=4,6 FEATURES=age,visits TRANSFORMS=visits=log1p SEGMENTATION=rfm)
	@$(VENV_BUILD)/bin/python scripts/what_if.py $(if $(K),--clusters "$$K") $(if $(FEATURES),--features "$$FEATURES") $(if $(TRANSFORMS),--transforms "$$TRANSFORMS") $(if $(SEGMENTATION),--segmentation "$$SEGMENTATION")

restore: $(VENV)/installed ## List the last published builds, which are kept, or go back to one of them (BUILD=12)
	$(BIN)/python scripts/restore.py $(BUILD)

erase: $(VENV)/installed ## Erase customers from everything that was made of them (KEY=4711, or KEYS=file with one key per line)
	@$(BIN)/python scripts/erase.py $(if $(KEYS),--keys "$$KEYS") $(if $(KEY),-- "$$KEY")

segmentation: $(VENV)/installed ## Write the thin files of a further segmentation (NAME=money)
	$(BIN)/python scripts/add_segmentation.py $(NAME)

superset: $(VENV_SUPERSET)/installed ## Serve a ready dashboard in Apache Superset on this machine (PORT=8088)
	@$(VENV_SUPERSET)/bin/python scripts/serve_superset.py --port $(PORT)

test: $(VENV)/installed-dev ## Run every test but those of the next three verbs
	$(BIN)/pytest

test-nights: $(VENV)/installed-dev ## Test warehouses that go through many nights: history, upgrades, wrong input, restores, kills
	$(BIN)/pytest -m nights

test-bi: $(VENV)/installed-dev $(VENV_SUPERSET)/installed ## Test the dashboard in a real Superset and a real browser
	$(BIN)/pytest -m superset --numprocesses 0

test-clients: $(VENV)/installed-dev ## Open the warehouse with other versions of DuckDB, and build with them
	$(BIN)/pytest -m clients --numprocesses 0

test-databases: $(VENV_DATABASES)/installed-dev ## Read customers from a real PostgreSQL, MySQL, SQLite and object store on this machine
	$(VENV_DATABASES)/bin/pytest -m databases --numprocesses 0 tests/project/test_databases.py

test-spark-short: $(VENV_SPARK)/installed-dev ## The part of test-spark that takes less than ten minutes: one version, two nights, no cluster
	SPARK_NIGHTS=2 $(VENV_SPARK)/bin/pytest -m spark --numprocesses 0 -k "not no-ansi and not cluster and not delta and not iceberg and not categories" \
		tests/project/test_spark_adapter.py tests/project/test_spark_equality.py

test-spark: $(VENV_SPARK)/installed-dev $(OTHER_SPARKS:%=$(VENV_SPARK)-%/installed) ## Build on Spark and compare with DuckDB: versions of Spark, ANSI, formats, a cluster, nights
	$(VENV_SPARK)/bin/pytest -m spark --numprocesses 0 tests/project/test_spark_*.py
	for version in $(OTHER_SPARKS); do $(VENV_SPARK)-$$version/bin/pytest -m spark --numprocesses 0 tests/project/test_spark_adapter.py tests/project/test_spark_equality.py || exit; done

# KILLS_SEED, NIGHTS_SEED, DISKS_SEED, WRITERS_SEED and INPUTS_SEED give other ones: docs/testing.md
faults: $(VENV)/installed-dev ## Let all go wrong at random for an hour: hostile files, kills, nights, full disks, writers (INPUTS=300 KILLS=20 NIGHTS=10 DISKS=5 WRITERS=5 for fewer)
	INPUTS=$(or $(INPUTS),3000) KILLS=$(or $(KILLS),100) NIGHTS=$(or $(NIGHTS),50) DISKS=$(or $(DISKS),20) WRITERS=$(or $(WRITERS),20) \
		$(BIN)/pytest --numprocesses 0 --capture no -m "nights or not nights" tests/project/test_hostile_inputs.py $(sort $(wildcard tests/project/test_faults_*.py))

lint: $(VENV)/installed-dev ## Check the style of SQL, Python and YAML
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --strict .
	$(BIN)/sqlfluff lint dbt_project

format: $(VENV)/installed-dev ## Mend what the style checks can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt_project

docs: $(VENV_BUILD)/installed ## Write dbt's documentation as one page, target/static_index.html
	$(VENV_BUILD)/bin/dbt docs generate --static

compare: $(VENV)/installed ## Build a revision and the work tree on the same inputs and compare every public table (REVISION=2ed8a1f)
	$(BIN)/python scripts/compare_builds.py $(or $(REVISION),2ed8a1f)

structure-errors: $(VENV)/installed ## Measure how often the test for structure is wrong, on thousands of tables whose answer is known (DRAWS=1000; an hour)
	$(BIN)/python scripts/structure_errors.py --draws $(or $(DRAWS),1000)

compare-rfm: $(VENV_RFM)/installed ## Score customers who share values by this project and by other packages, and print the table of docs/orders.md
	@$(VENV_RFM)/bin/python scripts/compare_rfm.py

sample: $(VENV)/installed ## Make the sample customers and their orders anew
	$(BIN)/python scripts/make_sample.py dbt_project/sample/customers.csv
	$(BIN)/python scripts/make_orders_sample.py dbt_project/sample/orders.csv

benchmark: $(VENV)/installed ## Time dbt build against the notebook way, up to ten million customers (half an hour)
	$(BIN)/python scripts/benchmark.py

COMPILE := uv pip compile --quiet --universal --no-strip-extras --generate-hashes --no-header --upgrade
lock: $(VENV)/installed-dev ## Pin the newest allowed packages with their hashes
	for file in requirements-uv requirements requirements-dev requirements-superset requirements-rfm requirements-databases requirements-databases-dev requirements-spark requirements-spark-dev; do \
		$(BIN)/$(COMPILE) --python-version 3.10 -o $$file.txt $$file.in || exit; \
	done
	for version in $(OTHER_SPARKS); do \
		echo "pyspark==$$version.*" | $(BIN)/$(COMPILE) --python-version 3.11 --override - -o requirements-spark-$$version.txt requirements-spark-dev.in || exit; \
	done

clean: ## Remove everything that was generated
	rm -rf $(VENV) $(VENV_SUPERSET) $(VENV_RFM) $(VENV_DATABASES) $(VENV_SPARK) $(OTHER_SPARKS:%=$(VENV_SPARK)-%) spark_adapter/build spark_adapter/*.egg-info warehouse_spark warehouse.duckdb* kept_builds build reports exports target logs .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installs the packages of the file $(2) in the environment $(1). uv takes seconds where pip takes a minute. pip takes over where there is no uv for the
# platform, and where the package index is set for pip alone.
define install
	@echo "Installing uv and with it the packages of $(2) ..."
	@$(1)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt \
		&& $(1)/bin/uv pip install --python $(1)/bin/python --require-hashes -r $(2) \
		|| { echo "uv could not install the packages. pip installs them instead (a minute or more) ..."; \
			$(1)/bin/pip install --disable-pip-version-check --require-hashes -r $(2); }
	@touch $@
endef

$(VENV)/installed: requirements-uv.txt requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and f"Python 3.10 or newer is needed, {sys.executable} is {sys.version.split()[0]}; give another one with make PYTHON=...")'
	@echo "Making the environment in $(VENV) (usually ten seconds; downloads 140 MB) ..."
	@$(PYTHON) -m venv $(VENV)
	$(call install,$(VENV),requirements.txt)

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Adding the packages for tests to $(VENV) (usually some seconds) ..."
	$(call install,$(VENV),requirements-dev.txt)

$(VENV_SUPERSET)/installed: requirements-uv.txt requirements-superset.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13) and f"Superset needs Python 3.10, 3.11 or 3.12, {sys.executable} is {sys.version.split()[0]}; give another one with make superset PYTHON=...")'
	@echo "Making the environment of Superset in $(VENV_SUPERSET) (usually half a minute; takes 1 GB) ..."
	@$(PYTHON) -m venv $(VENV_SUPERSET)
	$(call install,$(VENV_SUPERSET),requirements-superset.txt)

$(VENV_RFM)/installed: requirements-uv.txt requirements-rfm.txt
	@echo "Making the environment for the comparison of RFM scores in $(VENV_RFM) (usually a minute; takes 1 GB) ..."
	@$(PYTHON) -m venv $(VENV_RFM)
	$(call install,$(VENV_RFM),requirements-rfm.txt)

$(VENV_DATABASES)/installed: requirements-uv.txt requirements-databases.txt
	@echo "Making the environment for other databases in $(VENV_DATABASES) (usually half a minute; downloads 210 MB) ..."
	@$(PYTHON) -m venv $(VENV_DATABASES)
	$(call install,$(VENV_DATABASES),requirements-databases.txt)

$(VENV_DATABASES)/installed-dev: requirements-databases-dev.txt $(VENV_DATABASES)/installed
	@echo "Adding the packages for tests to $(VENV_DATABASES) (usually some seconds) ..."
	$(call install,$(VENV_DATABASES),requirements-databases-dev.txt)

# dbt-spark with what it lacks is a folder of this project.
SPARK_ADAPTER := $(shell find spark_adapter -type f -not -path '*/build/*' -not -path '*.egg-info/*' -not -name '*.pyc')
define install-spark
	$(call install,$(1),$(2))
	@$(1)/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall ./spark_adapter || { rm $@; exit 1; }
endef

$(VENV_SPARK)/installed: requirements-uv.txt requirements-spark.txt $(SPARK_ADAPTER)
	@echo "Making the environment of Spark in $(VENV_SPARK) (usually a minute; downloads 600 MB) ..."
	@$(PYTHON) -m venv $(VENV_SPARK)
	$(call install-spark,$(VENV_SPARK),requirements-spark.txt)

$(VENV_SPARK)/installed-dev: requirements-spark-dev.txt $(VENV_SPARK)/installed
	@echo "Adding the packages for tests to $(VENV_SPARK) (usually some seconds) ..."
	$(call install,$(VENV_SPARK),requirements-spark-dev.txt)

$(VENV_SPARK)-%/installed: requirements-uv.txt requirements-spark-%.txt $(SPARK_ADAPTER)
	@echo "Making an environment with Spark $* in $(VENV_SPARK)-$* (usually a minute; downloads 600 MB) ..."
	@$(PYTHON) -m venv $(VENV_SPARK)-$*
	$(call install-spark,$(VENV_SPARK)-$*,requirements-spark-$*.txt)
