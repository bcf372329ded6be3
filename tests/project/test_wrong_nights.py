"""Nights on which the wrong input arrives, or none: what stops them, and what comes back after them.

One warehouse goes through several nights. Unit tests at the end say which files are the sample.
"""

import importlib
import shutil

import duckdb
import pytest
from conftest import ROOT

pytestmark = pytest.mark.nights

SAMPLE = ROOT / "dbt_project" / "sample"
N_CUSTOMERS = 600
STATE = ["segment_changes", "segment_drift", "segment_migrations", "segmentation_fits"]


def write_files(folder, n_customers, name=""):
    """Customers and orders of one's own: the first ones of the sample, and what they ordered."""
    header, *rows = (SAMPLE / "customers.csv").read_text(encoding="utf-8").splitlines()
    (folder / f"{name}customers.csv").write_text("\n".join([header, *rows[:n_customers]]) + "\n", encoding="utf-8")
    header, *lines = (SAMPLE / "orders.csv").read_text(encoding="utf-8").splitlines()
    place = header.split(",").index("customer_id")
    known = set(map(str, range(1, n_customers + 1)))
    kept = [line for line in lines if line.split(",")[place : place + 1] and line.split(",")[place] in known]
    (folder / f"{name}orders.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")


def published(project, sql):
    return project.query(sql, "warehouse.duckdb")


def generation(project):
    return (project.folder / "warehouse.duckdb").read_bytes()


@pytest.fixture(scope="module")
def project(new_project):
    """After one night with customers and orders of one's own."""
    project = new_project(orders=True)
    write_files(project.folder, N_CUSTOMERS)
    write_files(project.folder, 100, "few_")
    project.build(file="customers.csv", orders="orders.csv")
    return project


@pytest.fixture(scope="module")
def without_orders(project):
    """The same after a second night, on which ORDERS_FILE was forgotten; `state` is what there was before."""
    project.state = {f"rfm_{name}": published(project, f"from rfm_{name} order by all") for name in STATE}
    project.labels = published(project, "select customer_id, segment_id from main_internal.rfm_customer_clusters order by all")
    project.output = project.build(file="customers.csv")
    return project


def test_what_a_build_goes_without_is_not_published_and_its_state_is_kept(without_orders):
    assert "This build goes without the segmentation rfm; its models and history are kept." in without_orders.output
    names = """
        select table_name from information_schema.tables
        where table_schema = 'main' and regexp_matches(table_name, 'rfm|order|360')
    """
    functions = "select function_name from duckdb_functions() where function_name like 'rfm%'"
    assert published(without_orders, names) == published(without_orders, functions) == []
    assert all(without_orders.state.values())
    for name, rows in without_orders.state.items():
        assert published(without_orders, f"from main_carried.{name} order by all") == rows
    carried = "select customer_id, segment_id from main_carried.rfm_customer_clusters order by all"
    assert published(without_orders, carried) == without_orders.labels


@pytest.fixture(scope="module")
def with_orders_again(without_orders):
    """The same after a third and a fourth night, both with the orders, the third also without the build files."""
    shutil.rmtree(without_orders.folder / "build")
    for _ in range(2):
        without_orders.build(file="customers.csv", orders="orders.csv")
    return without_orders


def test_what_returns_goes_on(with_orders_again):
    """With the model, the numbers and the history that there were: nobody moves, joins or leaves."""
    for name in ("segment_changes", "segmentation_fits"):
        assert published(with_orders_again, f"from rfm_{name} order by all") == with_orders_again.state[f"rfm_{name}"]
    now = "select customer_id, segment_id from rfm_customer_segments order by all"
    assert published(with_orders_again, now) == with_orders_again.labels
    assert published(with_orders_again, "select count(distinct build_id) from rfm_segment_migrations") == [(3,)]
    assert published(with_orders_again, "select 1 from duckdb_tables() where schema_name = 'main_carried'") == []
    counted = "select n_order_lines_accepted is null from builds order by build_number"
    assert published(with_orders_again, counted) == [(False,), (True,), (False,), (False,)]


def test_most_customers_gone_stop_the_build_before_anything_is_fitted(with_orders_again):
    before = generation(with_orders_again)
    code, output = with_orders_again.dbt("build", file="few_customers.csv", orders="few_orders.csv")
    n_few, n_lines = (with_orders_again.value(f"select count(*) from {table}") for table in ("stg_customers", "stg_orders"))
    n_before, lines_before = published(with_orders_again, "select max(n_accepted), max(n_order_lines_accepted) from builds")[0]
    assert code == 1
    assert (
        f"few_customers.csv has {n_few} customers; the last build had {n_before}, of whom {n_few} are still there. The gate is a "
        "share of 0.7 of them, and 0.7 to 2 times their number." in output
    )
    assert f"few_orders.csv has {n_lines} lines of orders; the last build had {lines_before}." in output
    assert "SKIP relation main.segmentation_fits" in output
    assert "SKIP relation main.rfm_segmentation_fits" in output
    assert "Traceback" not in output
    assert generation(with_orders_again) == before


def test_the_sample_is_not_published_over_ones_own_customers(with_orders_again):
    before = generation(with_orders_again)
    code, output = with_orders_again.dbt("build")
    assert code != 0
    assert "warehouse.duckdb holds the segments of customers.csv, and the sample is not published over them; give your" in output
    assert "Traceback" not in output
    assert generation(with_orders_again) == before


def test_orders_of_ones_own_are_not_joined_to_the_customers_of_the_sample(with_orders_again):
    code, output = with_orders_again.dbt("build", orders="orders.csv")
    assert code != 0
    assert "The orders are those of orders.csv, but the customers are those of the sample, who did not place them; give" in output


def test_what_has_changed_is_accepted_for_one_run(with_orders_again):
    accepted = ["--vars", "{accept_customers: true, accept_orders: true}"]
    output = with_orders_again.build(*accepted, file="few_customers.csv", orders="few_orders.csv")
    assert "few_customers.csv has " in output
    gates = published(with_orders_again, "select gates from builds order by build_number")[-1][0].split(", ")
    assert {"customers warn", "orders warn", "rfm_customers warn"} <= set(gates)


def test_the_sample_yields_to_the_first_file_of_ones_own_that_can_be_used(built_customers, copy_of):
    """Its builds stay listed, so that no number is used twice; its models and history are not those of one's own customers."""
    project = copy_of(built_customers)
    before = generation(project)
    write_files(project.folder, 300)
    (project.folder / "bad.csv").write_text("something,else\n1,2\n", encoding="utf-8")
    assert project.dbt("build", file="bad.csv")[0] == 1
    assert generation(project) == before
    assert "The last build was on the sample: models and history begin anew." in project.build(file="customers.csv")
    assert published(project, "select build_number, source_file, model_version from builds order by 1") == [
        (1, "dbt_project/sample/customers.csv", 1),
        (2, "customers.csv", 1),
    ]
    assert published(project, "select model_version, reason from segmentation_models") == [(1, "the first model")]
    assert published(project, "select distinct from_segment_id from segment_migrations") == [(None,)]
    sizes = [size for (size,) in published(project, "select n_customers from segment_profiles order by segment_id")]
    assert sizes == sorted(sizes, reverse=True)


def test_a_file_that_this_project_has_not_published_is_not_replaced(built_customers, copy_of):
    project = copy_of(built_customers)
    path = project.folder / "warehouse.duckdb"
    path.unlink()
    with duckdb.connect(path) as other:
        other.execute("create table invoices as select 1 as number")
    before = generation(project)
    code, output = project.dbt("build")
    assert code != 0
    assert "warehouse.duckdb holds tables, but none called builds: it was not published by this project, and is not rep" in output
    assert generation(project) == before


@pytest.fixture
def is_sample(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "dbt_project" / "plugins")
    monkeypatch.chdir(ROOT)
    return importlib.import_module("build_rules").is_sample


@pytest.mark.parametrize(
    "path",
    [
        "dbt_project/sample/customers.csv",
        "./dbt_project/sample/../sample/customers.csv",
        "dbt_project/sample/cust*.csv",
        SAMPLE / "customers.csv",
    ],
    ids=["as shipped", "with dots", "a pattern", "absolute"],
)
def test_the_sample_is_known_however_its_path_is_written(is_sample, path):
    assert is_sample(path, ["customers"])
    assert not is_sample(path, ["orders"])


@pytest.mark.parametrize("path", [None, "", "customers.csv", "dbt_project/sample/*.parquet", "dbt_project/sample/orders.csv", 5])
def test_other_files_are_not_the_sample(is_sample, path):
    assert not is_sample(path, ["customers"])
