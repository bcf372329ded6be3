"""The Python models on Spark, with a driver that is too small for all customers: models and labels are those of DuckDB.

.venv-spark/bin/pytest -m spark --numprocesses 0 tests/project/test_spark_fitting.py
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from frames import engine_of
from tables import REGISTRY, clusters, new_fits

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from test_frames import READ_BACK, ROW, TYPES

# Pyspark leaves the sockets that rows come through to be closed by Python.
pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]

SAMPLE = Path(__file__).parents[2] / "dbt_project" / "sample" / "customers.csv"
# A sample of a hundred thousand customers is 4 MB, a quarter of a million of them is 10 MB.
SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "512m",
    "spark.driver.maxResultSize": "8m",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
DECISION = {
    "build_id": "string",
    "built_at": "timestamp",
    "model_version": "bigint",
    "last_build_version": "bigint",
    "fitting_builds": "string",
    "reason": "string",
    "configuration": "string",
    "fingerprint": "string",
    "n_customers": "bigint",
}
# Up to so much, numbers of the two engines are equal.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def session():
    """Spark in this process."""
    sql = pytest.importorskip("pyspark.sql")
    pytest.importorskip("dbt.adapters.sparksession.java").choose_java()
    builder = sql.SparkSession.builder
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(params=["true", "false"], ids=["ansi", "no-ansi"])
def spark(request, session):
    session.conf.set("spark.sql.ansi.enabled", request.param)
    return engine_of(session)


@pytest.fixture(scope="module")
def duck():
    with duckdb.connect(config={"threads": 2}) as session:
        yield engine_of(session)


def test_a_row_is_read_back_as_it_was_written(spark):
    assert spark.records(spark.frame(TYPES, ROW)) == [READ_BACK]
    assert spark.records(spark.frame(TYPES)) == []
    assert spark.frame(TYPES).schema == spark.frame(TYPES, ROW).schema


def test_columns_are_arrays_of_numbers(spark):
    arrays = spark.arrays(spark.query("select id, cast(id as double) / 2 as half from range(3) order by id"))
    assert {name: (str(column.dtype), column.tolist()) for name, column in arrays.items()} == {
        "id": ("int64", [0, 1, 2]),
        "half": ("float64", [0, 0.5, 1]),
    }


@dataclass
class Case:
    """Customers that stand in the Parquet file `path`, or in the query `rows`, and a segmentation of them.

    `training_rows` are the columns and conditions of a query, such as "a, 1 as n_customers from {customers}".
    """

    features: list
    n_clusters: int
    training_rows: str
    path: Path = None
    rows: str = None

    @property
    def settings(self):
        return {"features": self.features, "n_clusters": self.n_clusters, "k_range": [2, self.n_clusters], "seed": 42}

    def customers(self, engine):
        read = engine.session.read.parquet if hasattr(engine.session, "read") else engine.session.read_parquet
        return engine.query(self.rows or "select * from {file}", **({} if self.rows else {"file": read(str(self.path))}))

    def counted(self, engine, columns):
        (row,) = engine.records(engine.query(f"select {columns} from {{customers}}", customers=self.customers(engine)))
        return row

    def decision(self, engine, **values):
        row = dict.fromkeys(DECISION) | {"build_id": "b1", "built_at": ROW["fitted_at"], "model_version": 1} | values
        return engine.frame(
            DECISION, row | {"configuration": "{}", "fingerprint": "7"} | self.counted(engine, "count(*) as n_customers")
        )

    def model(self, engine):
        """The row of the registry that a first build gets."""
        imputed = [f"median({feature['name']}) as {feature['name']}" for feature in self.features if "missing" in feature]
        customers = self.customers(engine)
        (model,) = engine.records(
            new_fits(
                engine.session,
                None,
                self.settings,
                decision=self.decision(engine, reason="the first model"),
                medians=engine.query(f"select {', '.join([*imputed, 'count(*) as n'])} from {{customers}}", customers=customers),
                training_rows=engine.query(f"select {self.training_rows}", customers=customers),
                customers=customers,
            )
        )
        return model

    def labels(self, engine, model):
        """The customers with their labels. Every second one was in segment 1 before."""
        names = ", ".join(feature["name"] for feature in self.features)
        to_label = f"""
            select
                customer_id, {names}, cast(case when customer_id % 2 = 0 then 1 end as integer) as last_segment_id,
                2 as _last_previous_segment_id, cast('2026-01-01' as timestamp) as _last_changed_at,
                'first' as _last_name_at_change, 1 as _last_model_version_at_change
            from {{customers}}
        """
        named = " union all ".join(f"select {number} as segment_id, 'segment {number}' as segment_name" for number in range(1, 9))
        return clusters(
            engine.session,
            self.settings,
            decision=self.decision(engine, last_build_version=1),
            models=engine.frame({name: REGISTRY[name] for name in model}, model),
            names=engine.query(named),
            last_labels=engine.query("select 'first' as name_at_change"),
            customers=engine.query(to_label, customers=self.customers(engine)),
        )


def as_in_duckdb(duck, labels, folder):
    """The labels of Spark as a relation of DuckDB."""
    labels.write.mode("overwrite").parquet(str(folder))
    columns = ", ".join(f"cast({name} as timestamp) as {name}" if name == "changed_at" else name for name in labels.columns)
    return duck.query(f"select {columns} from '{folder}/*.parquet'")


def comparable(model):
    return {name: value for name, value in model.items() if name not in ("fitted_at", "library_versions")}


def assert_equal(found, expected, place):
    """Lists, dictionaries and plain values; numbers up to rounding."""
    if isinstance(expected, dict):
        assert list(found) == list(expected), place
        for name, value in expected.items():
            assert_equal(found[name], value, f"{place}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_equal(one, other, f"{place}[{number}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE), place
    else:
        assert found == expected, place


@pytest.fixture(scope="module")
def sample(tmp_path_factory, duck):
    """The customers of the sample, without the lines whose numbers are not whole."""
    path = tmp_path_factory.mktemp("sample") / "customers.parquet"
    duck.session.execute(f"""
        copy (
            select
                cast(column0 as bigint) as customer_id,
                any_value(cast(column2 as double)) as age,
                any_value(cast(column3 as double)) as income,
                any_value(cast(column4 as double)) as score
            from read_csv('{SAMPLE}', header = false, skip = 1, all_varchar = true, null_padding = true, ignore_errors = true)
            where regexp_full_match(concat_ws(',', column0, column2, column3, column4), '[0-9]+(,[0-9]+){{3}}')
            group by column0
        ) to '{path}'
    """)
    features = [{"name": name} for name in ("age", "income", "score")]
    return Case(features, 5, "age, income, score, count(*) as n_customers from {customers} group by age, income, score", path)


def test_the_sample_has_the_model_and_to_the_last_bit_the_labels_of_duckdb(duck, spark, sample, tmp_path):
    expected, found = sample.model(duck), sample.model(spark)
    assert expected["n_customers"] > 2_900
    assert comparable(found) == comparable(expected)
    labels = {"one": sample.labels(duck, expected), "other": as_in_duckdb(duck, sample.labels(spark, found), tmp_path / "labels")}
    assert [len(relation) for relation in labels.values()] == [expected["n_customers"]] * 2
    assert duck.records(duck.query("select * from {one} except select * from {other}", **labels)) == []


@pytest.fixture(scope="module")
def skewed(tmp_path_factory, duck):
    """A quarter of a million customers, nearly all of them distinct, in four kinds, and their model of DuckDB. For that, k is
    chosen on two in five of them.
    """
    path = tmp_path_factory.mktemp("skewed") / "customers.parquet"
    duck.session.execute(f"""
        create or replace macro even(i, salt) as (hash(i, salt) // 2048 + 0.5) / 9007199254740992.0;
        create or replace macro normal(i, salt) as sqrt(-2 * ln(even(i, salt))) * cos(2 * pi() * even(i, -salt));
        copy (
            select
                i as customer_id,
                exp(2 + i % 4 + normal(i, 1)) as amount,
                floor(exp(3 - i % 2 + normal(i, 2))) as orders,
                case when i % 100 > 0 then 50 * (i % 4) + power(normal(i, 3), 3) * 40 end as balance,
                even(i, 4) * 365 as days
            from range(250000) as customers (i)
        ) to '{path}'
    """)
    features = [
        {"name": "amount", "transform": "log1p"},
        {"name": "orders", "transform": "log1p"},
        {"name": "balance", "transform": "yeo-johnson", "missing": "median"},
        {"name": "days"},
    ]
    case = Case(features, 4, "amount, orders, balance, days, 1 as n_customers from {customers} where customer_id % 5 < 2", path)
    return case, case.model(duck)


def test_a_model_that_is_refined_on_all_customers_is_that_of_duckdb(duck, spark, skewed, tmp_path):
    skewed, expected = skewed
    with pytest.raises(Exception, match=r"spark\.driver\.maxResultSize"):
        spark.arrays(skewed.customers(spark))
    found = skewed.model(spark)
    assert expected["is_sampled"]
    assert expected["n_customers"] == sum(expected["sizes"]) == 250_000
    assert_equal(comparable(found), comparable(expected), "model")

    labels = {"one": skewed.labels(duck, expected), "other": as_in_duckdb(duck, skewed.labels(spark, found), tmp_path / "labels")}
    compared = f"""
        select
            count(*) as n_labels,
            count(*) filter (where one.runner_up_distance - one.distance < {TOLERANCE}) as n_ties,
            count(*) filter (
                where
                    abs(one.distance - other.distance) > {TOLERANCE}
                    or abs(one.runner_up_distance - other.runner_up_distance) > {TOLERANCE}
                    or (one.segment_id <> other.segment_id and one.runner_up_distance - one.distance > {TOLERANCE})
            ) as n_differences
        from {{one}} as one
        inner join {{other}} as other on one.customer_id = other.customer_id
    """
    ((n_labels, n_ties, n_differences),) = (row.values() for row in duck.records(duck.query(compared, **labels)))
    print(f"{n_ties} exact ties among {n_labels} customers")
    assert (n_labels, n_differences) == (250_000, 0)


def test_millions_of_customers_are_refined_on_and_labelled_where_they_are(session, tmp_path):
    """Three kinds of a million each, which lie apart in each of the features."""
    spark = engine_of(session)
    values = ", ".join(
        f"10 * (id + {number}) % 30 + pmod(xxhash64(id, {number}), 1000003) / 1000003D as {name}"
        for number, name in enumerate("abc")
    )
    features = [{"name": name} for name in "abc"]
    rows = f"select id as customer_id, {values} from range(3000000)"
    case = Case(features, 3, "a, b, c, 1 as n_customers from {customers} where customer_id % 50 = 0", rows=rows)
    model = case.model(spark)
    assert model["is_sampled"]
    assert model["sizes"] == [1_000_000] * 3
    assert model["means"] == pytest.approx([10.5] * 3, abs=0.01)

    case.labels(spark, model).write.parquet(str(tmp_path / "labels"))
    sizes = "select segment_id, count(*) as n, max(distance) as furthest from {labels} group by segment_id order by segment_id"
    labels = spark.records(spark.query(sizes, labels=session.read.parquet(str(tmp_path / "labels"))))
    assert [(row["segment_id"], row["n"]) for row in labels] == [(1, 1_000_000), (2, 1_000_000), (3, 1_000_000)]
    # Half of the way through the cube that a kind fills, in standard deviations of about 8.2.
    assert [row["furthest"] for row in labels] == pytest.approx([0.5 * 3**0.5 / 8.17] * 3, rel=0.02)
