"""Sources that are relations: checked, refused and accounted for like files."""

import json

import pytest
import yaml
from dbt_common.exceptions import CompilationError, DbtRuntimeError
from staging import Staging

CUSTOMERS = 'create table crm as select * from (values {}) as crm (CustomerID, Gender, Age, "Annual Income", spending_score)'


@pytest.fixture
def read(tmp_path):
    """A function: (statements that make tables, what the relation says, settings of segmentation) → the reading."""

    def read_from(tables, relation="ref('crm')", block="segmentation", **settings):
        settings = {block: {"source": {"relation": relation}} | settings}
        with Staging(tmp_path, block, None, settings, tables=tables) as staging:
            assert staging.not_counted is None
            return staging

    return read_from


def test_typed_columns_are_checked_as_what_they_are_and_texts_as_texts(read):
    rows = """
        (1, 'Male', 30::smallint, '40', 50.0::double),
        (2, null, 31, ' 41', 51),
        (3, 'Female', 32, '4l', 52),
        (4, 'Female', null, '43', 53),
        (null, 'Female', 34, '44', 54),
        (6, 'Female', 35, '45', 55.5),
        (7, 'Female', 36, '46', 'nan')
    """
    found = read([CUSTOMERS.format(rows)])
    assert found.accepted == [(1, "Male", 30, 40, 50), (2, None, 31, 41, 51)]
    assert {(name, line, reasons) for name, line, reasons, _ in found.rejected} >= {
        ("ref('crm')", None, "annual_income_k is not a number"),
        ("ref('crm')", None, "age is missing"),
        ("ref('crm')", None, "customer_id is missing"),
        ("ref('crm')", None, "spending_score is not a whole number"),
    }
    assert len(found.rejected) == 5
    records = [json.loads(record) for *_, record in found.rejected]
    assert {"CustomerID": 3, "Gender": "Female", "Age": 32, "Annual Income": "4l", "spending_score": 52.0} in records


def test_of_rows_with_one_key_the_one_with_the_lowest_values_is_kept(read):
    rows = "(1, 'Male', 30, 40, 50), (1, 'Male', 29, 41, 51), (2, 'Male', 33, 43, 53), (1, 'Female', 60, 60, 60)"
    found = read([CUSTOMERS.format(rows)])
    assert sorted(found.accepted) == [(1, "Female", 60, 60, 60), (2, "Male", 33, 43, 53)]
    assert [(reasons, json.loads(record)["age"]) for _, _, reasons, record in found.rejected] == [
        ("customer_id is a duplicate", 29),
        ("customer_id is a duplicate", 30),
    ]


def test_a_relation_may_be_a_source_or_a_table_of_a_database(read):
    schema = "create schema shop"
    table = CUSTOMERS.format("(1, 'Male', 30, 40, 50)").replace("table crm", "table shop.crm")
    for relation in ("source('shop', 'crm')", "memory.shop.crm", '"memory"."shop".crm', "shop.crm"):
        assert read([schema, table], relation).accepted == [(1, "Male", 30, 40, 50)]


@pytest.mark.parametrize(("tables", "relation", "sentence"), [
    ([], "memory.main.nowhere", "there is no table memory.main.nowhere; check the names, and that its database is listed"),
    ([CUSTOMERS.format("(1, 'Male', 30, 40, 50)") + " where false"], "ref('crm')", "ref('crm') has no rows; give a table"),
    (
        ["create table crm as select 1 as CustomerID, 30 as Age, 40 as annual_incom, 50 as spending_score"],
        "ref('crm')",
        'ref(\'crm\') has no column for gender, nor for annual_income_k (the nearest header is "annual_incom"); its columns are '
        '"CustomerID, Age, annual_incom, spending_score"; rename the header in the table',
    ),
])  # fmt: skip
def test_a_relation_that_cannot_be_used(read, tables, relation, sentence):
    with pytest.raises((CompilationError, DbtRuntimeError)) as refused:
        read(tables, relation)
    assert sentence in str(refused.value)


def test_rows_that_come_meanwhile_stop_the_build(tmp_path, monkeypatch):
    """The rows are counted apart from the reading."""

    def build_and_add_a_row(staging, name, build=Staging.build):
        hook = Staging.rendered
        monkeypatch.setattr(
            Staging,
            "rendered",
            lambda staging, text, **more: (
                staging.connection.execute("insert into crm values (2, 'Male', 30, 40, 50)") if "this" in more else None,
                hook(staging, text, **more),
            )[1],
        )
        build(staging, name)

    monkeypatch.setattr(Staging, "build", build_and_add_a_row)
    tables = [CUSTOMERS.format("(1, 'Male', 30, 40, 50)")]
    with pytest.raises(DbtRuntimeError, match=r"ref\('crm'\) has 2 rows, of which 1 were read: it has changed meanwhile"):
        Staging(tmp_path, "segmentation", None, {"segmentation": {"source": {"relation": "ref('crm')"}}}, tables=tables)


ORDERS = "create table orders as select * from (values {}) as orders (shop, customer_no, order_date, amount)"


def test_a_key_of_several_columns_in_customers_and_orders(tmp_path):
    key = {
        "name": "customer",
        "headers": [],
        "data_type": "varchar",
        "columns": ["shop", {"name": "customer_no", "headers": ["No"]}],
    }
    customers = "create table crm as select * from (values {}) as crm (Shop, No, Gender, Age, annual_income_k, spending_score)"
    rows = """
        ('A', '1', 'x', 30, 40, 50), ('B', '1', 'x', 31, 41, 51), ('A', '1', 'y', 32, 42, 52), ('A', null, 'x', 33, 43, 53),
        ('A|1', '2', 'x', 34, 44, 54)
    """
    settings = {"segmentation": {"source": {"file": None, "relation": "ref('crm')"}, "key": key}}
    with Staging(tmp_path, "segmentation", None, settings, tables=[customers.format(rows)]) as staging:
        assert sorted(row[0] for row in staging.accepted) == ["A|1", "B|1"]
        assert {reasons for _, _, reasons, _ in staging.rejected} == {
            "customer is a duplicate",
            "customer is missing",
            "customer has the character | in one of its columns, which joins them",
        }
    settings["orders"] = {"source": {"relation": "ref('orders')"}}
    tables = [ORDERS.format("('A', 1, date '2025-01-02', 3.5), ('B', 1, date '2025-01-03', 4)")]
    with Staging(tmp_path, "orders", None, settings, tables=tables) as staging:
        assert [row[0] for row in staging.accepted] == ["A|1", "B|1"]
        assert staging.rejected == []


def test_the_case_of_a_key_can_be_folded(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(
        "Email,Gender,Age,Annual Income,Spending Score\nAnn@X.org,F,30,40,50\nann@x.org,F,31,41,51\n", encoding="utf-8"
    )
    key = {"name": "email", "headers": [], "data_type": "varchar", "case": "fold"}
    with Staging(tmp_path, "segmentation", path, {"segmentation": {"key": key}}) as staging:
        assert [row[0] for row in staging.accepted] == ["ann@x.org"]
        assert staging.rejected == [(str(path), 3, "email is a duplicate", "ann@x.org,F,31,41,51")]


def test_customers_without_a_key_have_the_number_of_their_row(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("Gender,Age,Annual Income,Spending Score\nF,30,40,50\nF,,41,51\n\nF,30,40,50\n", encoding="utf-8")
    with Staging(tmp_path, "segmentation", path, {"segmentation": {"key": "row_number"}}) as staging:
        assert staging.accepted == [(2, "F", 30, 40, 50), (5, "F", 30, 40, 50)]
        assert staging.rejected == [(str(path), 3, "age is missing", "F,,41,51")]


CRM = """\
{{{{ config(materialized='view', database='scratch') }}}}
select *
from read_csv(
    'dbt_project/sample/{}.csv', all_varchar = true, delim = ',', header = true, null_padding = true, strict_mode = false
)
"""
SEGMENTS = (
    "select segment_name, n_customers, rule, round(age_mean, 9), spending_score_p90 from segment_profiles order by segment_id"
)
RFM_SEGMENTS = "select segment_name, n_customers, rule, round(recency_days_mean, 9) from rfm_segment_profiles order by segment_id"


@pytest.mark.nights
def test_models_of_dbt_give_the_segments_of_the_files_that_they_read(built_sample, new_project):
    project = new_project(orders=True)
    # What is laid out wrongly in the file is none of a table, and of two rows with one key another one may count there.
    refused = {line for (line,) in built_sample.query("select line_number from rejected_customers", "warehouse.duckdb")}
    path = project.folder / "dbt_project" / "sample" / "customers.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for number, line in enumerate(lines, 1) if number not in refused), encoding="utf-8")
    models = project.folder / "dbt_project" / "models" / "crm"
    models.mkdir()
    for block, name in (("segmentation", "customers"), ("orders", "orders")):
        (models / f"crm_{name}.sql").write_text(CRM.format(name), encoding="utf-8")
        project.configure(block, source={"file": None, "relation": f"ref('crm_{name}')"})
    output = project.build()
    assert "rows of ref('crm_orders') are refused" in output
    assert "rows of ref('crm_customers') are refused" not in output
    for query in (SEGMENTS, RFM_SEGMENTS):
        assert project.query(query, "warehouse.duckdb") == built_sample.query(query, "warehouse.duckdb")
    n_order_lines = "select n_accepted, n_order_lines_accepted + n_order_lines_rejected from builds"
    assert project.query(n_order_lines, "warehouse.duckdb") == built_sample.query(n_order_lines, "warehouse.duckdb")


@pytest.mark.nights
def test_customers_without_a_key_have_segments_and_no_history(built_customers, new_project):
    project = new_project()
    path = project.folder / "dbt_project.yml"
    configuration = yaml.safe_load(path.read_text(encoding="utf-8"))
    configuration["vars"]["segmentation"]["key"] = "row_number"
    path.write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    for _ in range(2):
        project.build()
    counts = "select (select count(*) from segment_changes), (select count(*) from customer_segment_history), max(row_number)"
    # Two customers more than with a key, as nobody is a duplicate or lacks it; and the last row is the last line.
    n_customers = project.query("select count(*) from customer_segments", "warehouse.duckdb")[0][0]
    assert project.query(f"{counts} from customer_segments", "warehouse.duckdb") == [(0, n_customers, 3014)]
    names = "select segment_name from segment_profiles order by segment_id"
    assert project.query(names, "warehouse.duckdb") == built_customers.query(names, "warehouse.duckdb")
