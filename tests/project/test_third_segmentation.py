"""What docs/further-segmentations.md says, done on two columns of the sample; the shipped one on known groups."""

import subprocess
import sys

import make_orders_sample
import pytest
import yaml
from sklearn.metrics import adjusted_rand_score

pytestmark = pytest.mark.nights

FEATURES_MODEL = """\
{%- set key = segmentation().key.name -%}
with

stg_customers as (
    select * from {{ ref('stg_customers') }}
),

final as (
    select
        {{ key }},
        annual_income_k as income,
        spending_score as spending
    from stg_customers
)

select * from final
"""


def add_segmentation(project, name):
    return subprocess.run(
        [sys.executable, "scripts/add_segmentation.py", name], cwd=project.folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def with_a_third(new_project):
    project = new_project()
    path = project.folder / "dbt_project.yml"
    configuration = yaml.safe_load(path.read_text(encoding="utf-8"))
    configuration["vars"]["money_segmentation"] = {
        "customers": "int_customer_money",
        "features": [
            {"name": "income", "data_type": "integer", "low": "poor", "high": "rich"},
            {"name": "spending", "data_type": "integer", "low": "thrifty", "high": "spending"},
        ],
        "n_clusters": 4,
        "k_range": [1, 6],
        "seed": 7,
    }
    path.write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    models = project.folder / "dbt_project" / "models" / "intermediate"
    (models / "int_customer_money.sql").write_text(FEATURES_MODEL, encoding="utf-8")
    added = add_segmentation(project, "money")
    assert added.returncode == 0, added.stderr
    # What an orders file adds is tested below.
    project.build()
    return project


def test_a_third_segmentation_is_a_block_a_features_model_and_thin_files(with_a_third):
    profiles = with_a_third.frame("select * from money_segment_profiles order by segment_id", "warehouse.duckdb")
    assert profiles["segment_id"].tolist() == [1, 2, 3, 4]
    assert profiles["n_customers"].sum() == with_a_third.value("select count(*) from stg_customers")
    words = {"poor", "rich", "thrifty", "spending", "income", "average"}
    assert all(words & set(name.lower().replace(",", "").split()) for name in profiles["segment_name"])
    assert {"income_mean", "spending_p90"} <= set(profiles.columns)
    assert with_a_third.query("select distinct feature from money_segment_centroids order by 1") == [("income",), ("spending",)]


def test_it_has_its_own_models_history_and_functions(with_a_third):
    assert with_a_third.query("select n_clusters, seed, reason from money_segmentation_models") == [(4, 7, "the first model")]
    query = "select count(*) from money_customer_segment_history where dbt_valid_to is null"
    assert with_a_third.value(query) == with_a_third.value("select count(*) from stg_customers")
    agreed = "select bool_and(money_nearest_segment(income, spending) = segment_id) from money_customer_segments"
    assert with_a_third.query(agreed, "warehouse.duckdb") == [(True,)]


def test_it_does_not_change_the_first_one(with_a_third, built_sample):
    query = "select customer_id, segment_id, segment_name, distance from customer_segments order by customer_id"
    assert with_a_third.query(query) == built_sample.query(query)


def test_its_tables_carry_the_words_of_the_first_one(with_a_third):
    """And name its own tables where those name theirs."""
    words = "replace(comment, 'money_', '')"
    query = "select column_name, data_type, " + words + " from duckdb_columns() where table_name = '{}' and column_name not in {}"
    features = ("age", "annual_income_k", "spending_score", "gender", "income", "spending")
    assert with_a_third.query(query.format("money_customer_segments", features)) == with_a_third.query(
        query.format("customer_segments", features)
    )


def test_its_gates_are_recorded_beside_the_others(with_a_third):
    gates = with_a_third.query("select gates from builds", "warehouse.duckdb")[0][0]
    assert "money_silhouette ok" in gates
    assert ", silhouette ok" in gates


def test_without_its_block_it_is_refused_in_a_sentence(with_a_third):
    added = add_segmentation(with_a_third, "absent")
    assert added.returncode == 1
    assert added.stderr.strip() == (
        "dbt_project.yml has no vars: absent_segmentation: with customers: and features:; write it first"
    )


def test_the_thin_files_are_those_that_the_script_writes(new_project):
    project = new_project(orders=True)
    files = [path for path in project.folder.rglob("*rfm*") if path.is_file()]
    files += [path for path in project.folder.rglob("rfm/*")]
    before = {path: path.read_bytes() for path in files}
    assert add_segmentation(project, "rfm").returncode == 0
    assert {path: path.read_bytes() for path in files} == before


def test_groups_that_are_in_the_orders_are_found_again(new_project):
    project = new_project(orders=True)
    rows, kinds = make_orders_sample.order_lines(range(1, 1501), seed=5, tightness=3)
    (project.folder / "orders.csv").write_text("\n".join([make_orders_sample.HEADER, *rows]) + "\n", encoding="utf-8")
    (project.folder / "customers.csv").write_bytes((project.folder / "dbt_project" / "sample" / "customers.csv").read_bytes())
    project.build(file="customers.csv", orders="orders.csv")
    labels = dict(project.query("select customer_id, segment_id from rfm_customer_segments", "warehouse.duckdb"))
    assert len(labels) == 1500
    assert adjusted_rand_score([kinds[customer] for customer in labels], list(labels.values())) >= 0.95
