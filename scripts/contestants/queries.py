"""What dashboards ask for: queries to a published file, each on a new read-only connection, five times.

Prints {question: [milliseconds, CPU milliseconds]}, both medians.

python queries.py warehouse.duckdb
"""

import json
import sys
import time
from statistics import median

import duckdb

REPEATS = 5
# Customers who stand in the middle of the table, and in the middle of a segment.
MIDDLE = "select {key} from customer_segments order by {key} limit 1 offset (select count(*) // 2 from customer_segments)"
QUESTIONS = {
    "sizes of the segments": "select segment_id, segment_name, count(*) from customer_segments group by all order by all",
    "a segment's customers, first page": """
        select * from customer_segments where segment_id = {segment} order by {key} limit 100
    """,
    "a segment's customers, a page in the middle": """
        select * from customer_segments where segment_id = {segment} and {key} > {middle} order by {key} limit 100
    """,
    "a customer by the key": "select * from customer_segments where {key} = {middle}",
    "ten customers by their keys": "select * from customer_segments where {key} in ({keys})",
    "the history of a customer": "select * from customer_segment_history where {key} = {middle} order by dbt_valid_from",
    "a feature by segment": """
        select segment_name, avg({feature}), median({feature}), min({feature}), max({feature})
        from customer_segments group by all order by all
    """,
    "histogram of a feature by segment": """
        select segment_id, floor({feature} / {width}) as bin, count(*) from customer_segments group by all order by all
    """,
    "two columns crossed by segment": """
        select segment_name, {attribute}, count(*), avg({feature}) from customer_segments group by all order by all
    """,
    "outliers by segment": "select segment_id, count(*) from customer_segments where is_outlier group by all order by all",
    "the hundred furthest from their segment": "select * from customer_segments order by distance desc, {key} limit 100",
    "who moved in the last build": """
        select from_segment_id, to_segment_id, change, count(*)
        from segment_changes
        where build_id = (select max_by(build_id, build_number) from builds)
        group by all order by all
    """,
}
WITH_ORDERS = {
    "a customer by the key, with orders": "select * from customers_360 where {key} = {middle}",
    "a segment's customers, with orders": "select * from customers_360 where segment_id = {segment} order by {key} limit 100",
}


def asked(file, query):
    """The milliseconds and the CPU milliseconds of an answer, without those of opening the file."""
    with duckdb.connect(file, read_only=True) as warehouse:
        start = time.perf_counter(), time.process_time()
        warehouse.execute(query).fetchall()
        return [1000 * (end - began) for began, end in zip(start, (time.perf_counter(), time.process_time()), strict=True)]


def names(warehouse):
    """What stands for the names in braces."""
    columns = [column for column, *_ in warehouse.execute("describe customer_segments").fetchall()]
    (feature,) = warehouse.execute("select feature from segment_feature_profiles order by feature_order limit 1").fetchone()
    attribute = warehouse.execute("select min(attribute) from segment_attribute_profiles").fetchone()[0]
    key = columns[0]
    (middle,) = warehouse.execute(MIDDLE.format(key=key)).fetchone()
    keys = warehouse.execute(f"select {key} from customer_segments using sample reservoir(10 rows) repeatable (42)").fetchall()
    width, segment = warehouse.execute(
        f"select (max({feature}) - min({feature})) / 20, min(segment_id) from customer_segments"
    ).fetchone()
    return {
        "key": key,
        "middle": repr(middle),
        "keys": ", ".join(repr(one) for (one,) in keys),
        "feature": feature,
        "width": width,
        "attribute": attribute or "is_outlier",
        "segment": segment,
    }


def main(file):
    with duckdb.connect(file, read_only=True) as warehouse:
        tables = {name for (name,) in warehouse.execute("select table_name from information_schema.tables").fetchall()}
        words = names(warehouse)
    questions = QUESTIONS | (WITH_ORDERS if "customers_360" in tables else {})
    found = {}
    for question, query in questions.items():
        repeats = [asked(file, query.format(**words)) for _ in range(REPEATS)]
        found[question] = [median(of_repeats) for of_repeats in zip(*repeats, strict=True)]
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
