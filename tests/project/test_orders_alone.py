"""Orders without customers, and customers whose orders cannot be segmented: one warehouse goes through several nights.

On some nights every customer has ordered once, which tells nobody apart by frequency.
"""

import random
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.nights

N_CUSTOMERS, N_WITH_ORDERS = 120, 100
# Whose names do not begin with rfm_ and which are not of the first segmentation.
WITHOUT_CUSTOMERS = {"builds", "customer_order_features", "rejected_orders", "stg_orders"}
STATE = ["segment_changes", "segment_drift", "segment_migrations", "segmentation_fits", "feature_drift"]


def write_customers(path):
    draw = random.Random(1)
    centres = [(25, 20, 80), (30, 80, 20), (60, 40, 40)]
    lines = ["customer_id,gender,age,annual_income_k,spending_score"]
    for number in range(1, N_CUSTOMERS + 1):
        values = [centre + draw.randint(-5, 5) for centre in centres[number % 3]]
        lines.append(",".join(map(str, [number, "FM"[number % 2], *values])))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_orders(path, n_orders):
    """As many orders of each customer as `n_orders` says of the number of the customer."""
    draw = random.Random(2)
    lines = ["customer_id,order_date,order_amount"]
    for number in range(1, N_WITH_ORDERS + 1):
        for _ in range(n_orders(number)):
            lines.append(f"{number},2025-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d},{draw.lognormvariate(3, 1):.2f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def tables(project):
    query = "select table_name from information_schema.tables where table_schema = 'main' order by 1"
    return {name for (name,) in project.published(query)}


def labels(project, prefix):
    return project.published(f"select customer_id, segment_id from {prefix}customer_segments order by all")


def changes(project, prefix="rfm_"):
    """{(number of the build, change): number of customers}."""
    query = f"""
        select build_number, change, count(*)
        from {prefix}segment_changes
        inner join builds using (build_id)
        group by all
    """
    return {(number, change): n for number, change, n in project.published(query)}


def run(project, script, *arguments):
    command = [sys.executable, ROOT / "scripts" / f"{script}.py", *arguments]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True)


def report(project):
    answer = run(project, "render_report")
    assert answer.returncode == 0, answer.stderr
    return (project.folder / "reports" / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def project(new_project):
    """After a first night, on which everybody has ordered once."""
    project = new_project(orders=True)
    write_customers(project.folder / "customers.csv")
    write_orders(project.folder / "once.csv", lambda number: 1)
    write_orders(project.folder / "orders.csv", lambda number: 1 + number % 4)
    few = {"n_clusters": 3, "k_range": [2, 4]}
    gates = {**project.block()["gates"], "orders": {"growth": [0, 100]}}
    project.configure(**few, gates=gates)
    project.configure("rfm_segmentation", **few)
    project.output = project.build(file="customers.csv", orders="once.csv")
    return project


SENTENCE = (
    "customer_order_features has the same value for every customer in frequency, which tells nobody apart; remove it from "
    "features in dbt_project.yml, vars, rfm_segmentation."
)


def is_without_segments_from_orders(project, number):
    (obstacle, gates) = project.published(f"select not_segmented, gates from builds where build_number = {number}")[0]
    assert obstacle == f"rfm: {SENTENCE}"
    assert "rfm_" not in gates
    assert len(labels(project, "")) == N_CUSTOMERS
    for name in ("customer_segments", "segment_profiles", "segment_feature_profiles", "segment_classes"):
        assert project.published(f"select count(*) from rfm_{name}") == [(0,)]
    assert project.published("select count(*) from rfm_customer_segment_history where dbt_valid_to is null") == [(0,)]
    assert project.published("select count(*), count(rfm_class) from rfm_scores") == [(N_WITH_ORDERS, N_WITH_ORDERS)]
    counts = "select count(*), count(rfm_class), count(rfm_segment_id), count(segment_id) from customers_360"
    assert project.published(counts) == [(N_CUSTOMERS, N_WITH_ORDERS, 0, N_CUSTOMERS)]


def test_customers_whose_orders_cannot_be_segmented_are_published_with_a_sentence(project):
    assert f"There are no segments from the orders in this build: {SENTENCE} All else is published." in project.output
    assert f"Published: {N_CUSTOMERS} customers in 3 segments, {N_WITH_ORDERS} lines of orders" in project.output
    is_without_segments_from_orders(project, 1)
    assert project.published("select count(*) from rfm_segmentation_models") == [(0,)]


def test_the_report_and_the_scripts_say_so_too(project):
    page = report(project)
    assert f"too much alike in what they ordered. For those who run the builds: rfm: {SENTENCE}" in page
    assert page.count("<h3>Who they are</h3>") == 1
    assert run(project, "render_plots").returncode == 0
    assert {"rfm_grid.png"} == {path.name for path in (project.folder / "reports").glob("rfm_*.png")}
    answer = run(project, "activation", "--prefix", "rfm_")
    assert answer.returncode == 1
    assert (
        "rfm_customer_segments is empty: the last build could not form these segments; the column not_segmented" in answer.stderr
    )


@pytest.fixture(scope="module")
def segmented(project):
    """The same after a second night with orders that differ."""
    project.output = project.build(file="customers.csv", orders="orders.csv")
    project.labels = {prefix: labels(project, prefix) for prefix in ("", "rfm_")}
    return project


def test_the_first_segments_from_orders_come_when_they_can(segmented):
    assert len(segmented.labels["rfm_"]) == N_WITH_ORDERS
    assert segmented.published("select model_version, reason from rfm_segmentation_models") == [(1, "the first model")]
    # The table was there before, with the types of a model.
    assert segmented.published("select silhouette > 0 and silhouette < 1 from rfm_segmentation_models") == [(True,)]
    assert segmented.published("select not_segmented from builds where build_number = 2") == [(None,)]
    assert changes(segmented) == {(2, "joined"): N_WITH_ORDERS}


@pytest.fixture(scope="module")
def interrupted(segmented):
    """The same after two more nights on which everybody has ordered once."""
    for _ in range(2):
        segmented.output = segmented.build(file="customers.csv", orders="once.csv")
    return segmented


def test_segments_of_earlier_orders_do_not_look_like_those_of_today(interrupted):
    """Who was in a segment has left it; the model stays for the night on which it can be used again."""
    is_without_segments_from_orders(interrupted, 4)
    assert changes(interrupted) == {(2, "joined"): N_WITH_ORDERS, (3, "left"): N_WITH_ORDERS}
    assert interrupted.published("select count(*) from rfm_segmentation_models") == [(1,)]


@pytest.fixture(scope="module")
def resumed(interrupted):
    """The same after a fifth night with the orders of the second."""
    interrupted.output = interrupted.build(file="customers.csv", orders="orders.csv")
    return interrupted


def test_the_model_goes_on_when_orders_can_be_segmented_again(resumed):
    assert labels(resumed, "rfm_") == resumed.labels["rfm_"]
    assert resumed.published("select model_version from rfm_segmentation_models") == [(1,)]
    assert changes(resumed)[5, "joined"] == N_WITH_ORDERS


@pytest.fixture(scope="module")
def alone(resumed):
    """The same after a sixth night, from the orders alone."""
    resumed.state = {name: resumed.published(f"from {name} order by all") for name in STATE}
    resumed.output = resumed.build(file="none", orders="orders.csv")
    return resumed


def test_orders_alone_make_the_segments_from_orders_and_nothing_else(alone):
    assert {name for name in tables(alone) if not name.startswith("rfm_")} == WITHOUT_CUSTOMERS
    assert labels(alone, "rfm_") == alone.labels["rfm_"]
    assert "Published: segments from orders alone, 250 lines of orders" in alone.output
    columns = "source_file, n_rows, n_accepted, n_rejected, n_segments, model_version, n_order_lines_accepted"
    row = alone.published(f"select {columns} from builds order by build_number")[-1]
    assert row == ("orders.csv", None, None, None, None, None, 250)


def test_what_is_known_of_the_customers_is_kept(alone):
    assert "This build goes without the segments of the customers; its models and history are kept." in alone.output
    for name, rows in alone.state.items():
        assert alone.published(f"from main_carried.{name} order by all") == rows
    assert all(alone.state.values())


def test_the_scripts_show_the_segments_from_orders(alone):
    page = report(alone)
    assert page.count("<h3>Who they are</h3>") == 1
    assert f"{N_WITH_ORDERS} customers by their orders in 3 segments" in page
    assert "<code>orders.csv</code>" in page
    assert run(alone, "render_plots").returncode == 0
    drawn = {path.name for path in (alone.folder / "reports").glob("*.png")}
    assert {"rfm_grid.png", "rfm_segments.png", "rfm_profiles.png"} < drawn
    assert all(name.startswith("rfm_") for name in drawn)
    assert run(alone, "activation").returncode == 0
    listed = (alone.folder / "exports" / "activation" / "rfm" / "all_segments.csv").read_text(encoding="utf-8").splitlines()
    assert len(listed) == 1 + N_WITH_ORDERS
    kept = run(alone, "restore")
    assert kept.returncode == 0, kept.stderr
    assert "orders.csv: segments from 250 lines of orders alone, gates:" in kept.stdout
    assert f"customers.csv: {N_CUSTOMERS} customers in 3 segments, model 1 (scored), gates:" in kept.stdout


def test_orders_alone_that_cannot_be_segmented_stop_the_build(alone):
    before = alone.generation()
    code, output = alone.dbt("build", file="none", orders="once.csv")
    assert code == 1
    assert SENTENCE in output
    assert "All else is published" not in output
    assert alone.generation() == before


def test_the_sample_is_not_published_over_orders_of_ones_own(alone):
    code, output = alone.dbt("build", file="none", orders="dbt_project/sample/orders.csv")
    assert code != 0
    assert "holds the segments of orders.csv, and the sample is not published over them; give your orders with the" in output


def test_when_the_customers_return_they_go_on(alone):
    alone.build(file="customers.csv", orders="orders.csv")
    assert labels(alone, "") == alone.labels[""]
    assert alone.published("select model_version from segmentation_models") == [(1,)]
    assert changes(alone, "") == {(1, "joined"): N_CUSTOMERS}
    assert alone.published("select 1 from duckdb_tables() where schema_name = 'main_carried'") == []


def test_a_customer_is_erased_from_orders_alone(alone):
    """The key is that of the orders; what is carried on of the customers knows it, too."""
    alone.configure(customers=None)
    alone.build(orders="orders.csv")
    answer = run(alone, "erase", "--", "7")
    assert answer.returncode == 0, answer.stderr
    assert len(labels(alone, "rfm_")) == N_WITH_ORDERS - 1
    for place in ("rfm_segment_changes", "main_carried.segment_changes", "main_carried.customer_clusters"):
        assert alone.published(f"select count(*) from {place} where customer_id = 7") == [(0,)]
