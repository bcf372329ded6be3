"""What Python models ask of a session of DuckDB; tests/project/test_spark_fitting.py asks one of Spark the same."""

from datetime import datetime

import duckdb
import numpy as np
import pytest
from frames import _duckdb_type, _plain, _spark_type, engine_of

TYPES = {
    "version": "bigint",
    "fitted_at": "timestamp",
    "reason": "string",
    "is_sampled": "boolean",
    "agreement": "double",
    "kept": ["integer"],
    "edges": ["double"],
    "centroids": [["double"]],
    "rules": [{"segment_id": "integer", "feature": "string", "lower": "double", "bounds": ["double"]}],
}
ROW = {
    "version": np.int64(3),
    "fitted_at": datetime(2026, 3, 29, 1, 30),
    "reason": "it's {new}",
    "is_sampled": False,
    "agreement": np.nan,
    "kept": [],
    "edges": np.array([0.1, np.nan, np.inf]),
    "centroids": [[1, -2.5], [1e-300, 1e300]],
    "rules": [
        {"segment_id": np.int32(1), "feature": "age", "lower": np.nan, "bounds": []},
        {"segment_id": 2, "feature": "é", "lower": 1 / 3, "bounds": [None, 2]},
    ],
}
READ_BACK = ROW | {
    "version": 3,
    "agreement": None,
    "edges": [0.1, None, np.inf],
    "rules": [
        {"segment_id": 1, "feature": "age", "lower": None, "bounds": []},
        {"segment_id": 2, "feature": "é", "lower": 1 / 3, "bounds": [None, 2.0]},
    ],
}


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as session:
        yield engine_of(session)


def test_a_row_is_read_back_as_it_was_written_with_null_for_nan(engine):
    assert engine.records(engine.frame(TYPES, ROW)) == [READ_BACK]


def test_a_frame_without_rows_has_the_same_types(engine):
    empty = engine.frame(TYPES)
    assert engine.records(empty) == []
    assert empty.types == engine.frame(TYPES, ROW).types


@pytest.mark.parametrize("row", [ROW | {"unknown": 1}, {name: ROW[name] for name in list(ROW)[1:]}])
def test_a_row_with_other_columns_than_the_table_is_refused(engine, row):
    with pytest.raises(KeyError, match=r"unknown|version"):
        engine.frame(TYPES, row)


def test_a_query_names_its_frames_whatever_tables_there_are(engine):
    engine.session.execute("create or replace table customers as select 'of the catalog' as source")
    customers = engine.query("select range as id from range(3)")
    more = engine.query("select * from {customers} where id > 0", customers=customers)
    joined = "select one.id, other.id * 1.5 as more from {customers} as one inner join {more} as other on one.id = other.id"
    frame = engine.query(joined, customers=customers, more=more)
    assert engine.records(frame) == [{"id": 1, "more": 1.5}, {"id": 2, "more": 3.0}]
    assert {name: column.tolist() for name, column in engine.arrays(frame).items()} == {"id": [1, 2], "more": [1.5, 3.0]}


def test_all_customers_are_asked_in_points(engine):
    customers = engine.query("select range * 10 as amount from range(4)")
    everybody = engine.all_customers(customers, {"amount": "cast(amount as double) / 10"})
    n_customers, means, _ = everybody.moments(np.zeros(1), np.ones(1))
    assert (n_customers, means.tolist()) == (4, [1.5])


def test_types_in_the_words_of_both():
    data_type = [{"feature": "string", "edges": ["double"]}]
    assert _duckdb_type(data_type) == "struct(feature string, edges double[])[]"
    assert _spark_type(data_type) == "array<struct<feature: string, edges: array<double>>>"


def test_plain_values_are_of_python():
    plain = _plain([np.float32(0.5), np.float64(np.nan), 2], ["double"])
    assert plain == [0.5, None, 2.0]
    assert {type(value) for value in plain} == {float, type(None)}
    assert type(_plain(np.int64(2), "integer")) is int
