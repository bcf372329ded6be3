"""The customers that the benchmark makes, and the tables that it makes of measurements."""

import benchmark
import duckdb
import pytest


def measurement(contestant, seconds, *, rows=1000, peak_mb=500.0, limit=None, run="2026-01-01T00:00:00", **rest):
    return {
        "kind": "mall", "rows": rows, "contestant": contestant, "seconds": seconds, "cpu_seconds": 1.5 * seconds,
        "peak_mb": peak_mb, "memory_limit": limit, "run": run, "code": 0, **rest,
    }  # fmt: skip


@pytest.mark.parametrize("kind", benchmark.KINDS)
def test_the_same_customers_have_the_same_bytes_on_any_number_of_threads(kind, tmp_path):
    # More rows than two threads take in one piece of 122,880.
    for threads in (1, 2):
        benchmark.generate(kind, 250_000, tmp_path / f"{threads}.csv", threads)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_mall_like_customers_are_whole_numbers_that_merge(tmp_path):
    benchmark.generate("mall", 100_000, tmp_path / "mall.csv")
    customers = duckdb.read_csv(str(tmp_path / "mall.csv"))
    age, income, score = (f'"{name}"' for name in customers.columns[2:])
    n_rows, n_keys, lowest, highest = customers.aggregate(
        f'count(*), count(distinct "CustomerID"), min({age}), max({age})'
    ).fetchone()
    assert (n_rows, n_keys) == (100_000, 100_000)
    assert 18 <= lowest < highest <= 90
    assert customers.aggregate(f"count(distinct ({age}, {income}, {score}))").fetchone()[0] < 75_000
    # What the kinds say, weighted: 0.22 * 27 + 0.19 * 88 + 0.24 * 56 + 0.20 * 90 + 0.15 * 30.
    assert customers.aggregate(f"avg({income})").fetchone()[0] == pytest.approx(58.6, abs=0.5)


def test_skewed_customers_are_nearly_distinct_and_skewed(tmp_path):
    benchmark.generate("skewed", 100_000, tmp_path / "skewed.csv")
    customers = duckdb.read_csv(str(tmp_path / "skewed.csv"))
    amounts = ", ".join(customers.columns[1:])
    assert len(customers.columns) == 9
    assert customers.aggregate(f"count(*), count(distinct ({amounts})) > 99_990").fetchone() == (100_000, True)
    assert customers.aggregate("avg(amount_1) > 1.5 * median(amount_1)").fetchone()[0]


def test_orders_have_two_lines_of_one_customer_and_day_and_few_returns(tmp_path):
    benchmark.generate("orders", 100_000, tmp_path / "orders.csv")
    orders = duckdb.read_csv(str(tmp_path / "orders.csv"))
    n_lines, n_orders, n_headings, n_customers = orders.aggregate(
        "count(*), count(distinct order_id), count(distinct (order_id, customer_id, order_date)), count(distinct customer_id)"
    ).fetchone()
    assert (n_lines, n_orders, n_headings) == (100_000, 50_000, 50_000)
    assert 4_900 < n_customers <= 5_000
    assert orders.aggregate("avg((amount < 0)::integer)").fetchone()[0] == pytest.approx(0.02, abs=0.002)


def test_the_rows_of_a_table_are_compared_with_the_notebook_of_the_same_size():
    results = [
        measurement("notebook", 40.0, peak_mb=1000.0, wcss={"1": 100.0, "2": 50.0}),
        measurement("dbt", 10.0, peak_mb=250.0, wcss={"1": 100.0, "2": 49.0}),
        measurement("floor", 1.0, peak_mb=200.0),
        measurement("dbt", 80.0, limit="2GB", wcss={"1": 100.0, "2": 51.0}),
    ]
    assert benchmark.table(results, "mall").splitlines()[2:] == [
        "| 1,000 | dbt build | 10.0 | 4.00 | 15.0 | 4.00 | 250 | 0.25 | 1.00000 |",
        "| 1,000 | notebook (pandas, scikit-learn) | 40.0 |  | 60.0 |  | 1,000 |  |  |",
        "| 1,000 | floor: read once, write labels | 1.0 | 40.00 | 1.5 | 40.00 | 200 | 0.20 |  |",
        "| 1,000 | dbt build, memory_limit 2GB | 80.0 | 0.50 | 120.0 | 0.50 | 500 | 0.50 | 1.02000 |",
    ]


def test_a_contestant_that_fails_has_a_row_that_says_so():
    failed = measurement("dbt", 3.0) | {"code": 1}
    absent = measurement("faiss", 0.0) | {"code": None, "note": "pip could not install it"}
    rows = benchmark.table([failed, absent], "mall").splitlines()[2:]
    assert "fails with exit code 1" in rows[0]
    assert "pip could not install it" in rows[1]


def test_the_last_run_counts_and_of_its_rounds_the_median():
    results = [measurement("dbt", seconds, run="2026-01-01T00:00:00") for seconds in (1.0, 1.0)]
    results += [measurement("dbt", seconds, run="2026-01-02T00:00:00") for seconds in (5.0, 9.0, 6.0)]
    assert benchmark.latest(results)["mall", 1000, "dbt", None]["seconds"] == 6.0


def test_a_measured_process_has_its_exit_code_time_and_memory(tmp_path):
    command = [benchmark.sys.executable, "-c", "import time; held = b'x' * 80_000_000; time.sleep(0.2); raise SystemExit(3)"]
    found = benchmark.measured(command, tmp_path / "process.log")
    assert found["code"] == 3
    assert found["seconds"] > 0.2
    assert 0 < found["cpu_seconds"] < found["seconds"]
    assert found["peak_mb"] > 80


def test_builds_on_spark_have_a_table_of_their_own_beside_those_on_duckdb_of_the_same_run():
    common = {"kind": "mall", "rows": 1000, "memory_limit": None, "code": 0, "peak_mb": 300.0, "nodes": {"stg_customers": 2.0}}
    results = [
        common | {"contestant": "dbt", "run": "earlier", "seconds": 99.0},
        common | {"contestant": "dbt", "run": "last", "seconds": 10.0},
        common | {"contestant": "spark", "run": "last", "seconds": 60.0, "driver_mb": 1500.0, "executors_mb": 0.0},
        common | {"contestant": "spark2", "run": "last", "seconds": 80.0, "driver_mb": 900.0, "executors_mb": 1100.0},
        common | {"contestant": "spark1", "run": "last", "code": 1},
    ]
    assert benchmark.spark_table(results).splitlines()[2:] == [
        "| mall | 1,000 | DuckDB | 10.0 |  | 300 |  | `stg_customers` 2.0 |",
        "| mall | 1,000 | Spark, a session on all cores | 60.0 | 6.0 | 1,500 |  | `stg_customers` 2.0 |",
        "| mall | 1,000 | Spark, a cluster of one worker with one core | fails with exit code 1 | | | | |",
        "| mall | 1,000 | Spark, a cluster of two workers with one core each | 80.0 | 8.0 | 900 | 1,100 | `stg_customers` 2.0 |",
    ]


def test_a_line_through_two_sizes_says_what_each_million_customers_takes():
    common = {"kind": "mall", "memory_limit": None, "code": 0, "run": "last"}
    seconds = {
        ("dbt", 10**6): 22.0,
        ("dbt", 10**7): 40.0,
        ("spark1", 10**6): 170.0,
        ("spark1", 10**7): 350.0,
        ("spark2", 10**6): 9.0,
    }
    results = [common | {"contestant": name, "rows": rows, "seconds": found} for (name, rows), found in seconds.items()]
    assert benchmark.growth_table(results).splitlines()[2:] == [
        "| mall | DuckDB, two cores | 20 | 2.0 |",
        "| mall | Spark, a cluster of one worker with one core | 150 | 20.0 |",
    ]
    assert len(benchmark.growth_table(results[:1]).splitlines()) == 2


def test_queries_stand_beside_each_other_and_not_among_the_builds():
    common = {"run": "1", "memory_limit": None, "code": 0, "contestant": "queries", "seconds": 1.0, "cpu_seconds": 1.0}
    results = [
        {"kind": "mall", "rows": 10**7, "queries": {"a customer by the key": [4.4, 8.6]}, "peak_mb": 1.0} | common,
        {"kind": "mall", "rows": 10**8, "queries": {"sizes": [777.7, 1554.1]}, "peak_mb": 1.0} | common,
    ]
    lines = benchmark.queries_table(results).splitlines()
    assert lines[0] == "| question | mall, 10,000,000: ms | CPU ms | mall, 100,000,000: ms | CPU ms |"
    assert lines[2:] == ["| a customer by the key | 4 | 9 |  |  |", "| sizes |  |  | 778 | 1,554 |"]
    assert len(benchmark.table(results, "mall").splitlines()) == 2
    assert len(benchmark.nodes_table(results).splitlines()) == 2


def test_customers_in_another_guise_stand_beside_the_usual_ones():
    common = {"run": "1", "memory_limit": None, "code": 0, "cpu_seconds": 10.0, "peak_mb": 300.0}
    results = [
        {"kind": "mall", "rows": 10**6, "contestant": "dbt", "seconds": 8.0} | common,
        {"kind": "mall_uuid", "rows": 10**6, "contestant": "dbt", "seconds": 10.0} | common,
        {"kind": "mall_uuid", "rows": 10**6, "contestant": "again", "seconds": 6.0} | common,
        {"kind": "mall_notes", "rows": 10**6, "contestant": "dbt", "seconds": 6.0} | common | {"code": 1},
    ]
    assert benchmark.guises_table(results).splitlines()[2:] == [
        "| `mall_uuid` | 1,000,000 | dbt build | 10.0 | 1.25 | 10.0 | 1.00 | 300 |",
        "| `mall_uuid` | 1,000,000 | dbt build, the night after | 6.0 |  | 10.0 |  | 300 |",
    ]


def test_what_is_made_of_a_build_has_a_table():
    common = {"run": "1", "memory_limit": None, "code": 0, "cpu_seconds": 2.0, "peak_mb": 300.0, "kind": "mall", "rows": 10**6}
    results = [common | {"contestant": "report", "seconds": 3.0}, common | {"contestant": "dbt", "seconds": 8.0}]
    assert benchmark.scripts_table(results).splitlines()[2:] == ["| mall | 1,000,000 | `make report` | 3.0 | 2.0 | 300 |"]


def test_the_lines_of_a_file_are_shared_out_among_many(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "N_FILES", 3)
    (tmp_path / "customers.csv").write_text("id\n1\n2\n3\n4\n", encoding="utf-8")
    benchmark.share_out(tmp_path / "customers.csv", tmp_path / "customers")
    pieces = [path.read_text(encoding="utf-8") for path in sorted((tmp_path / "customers").iterdir())]
    assert pieces == ["id\n1\n", "id\n2\n", "id\n3\n4\n"]
