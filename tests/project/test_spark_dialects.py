"""What DuckDB and Spark spell differently says the same on both: the macros of dialects.sql and others, with awkward input."""

import hashlib
import math
from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

pytestmark = pytest.mark.spark

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
FILES = [
    "dialects.sql",
    "literals.sql",
    "segmentation/transforms.sql",
    "segmentation/training.sql",
    "segmentation/diagnostics.sql",
]
ENGINES = ["duckdb", "spark"]


def macros_for(engine):
    """The macros as dbt would render them for an engine; {{ adapter.dispatch() }} is all of dbt that they need."""

    class Adapter:
        def dispatch(self, name):
            return getattr(module, f"{engine}__{name}", None) or getattr(module, f"default__{name}")

    stubs = {"adapter": Adapter(), "local_md5": lambda text: hashlib.md5(text.encode()).hexdigest()}
    source = "\n".join((MACROS / name).read_text(encoding="utf-8") for name in FILES)
    module = Environment(extensions=["jinja2.ext.do"]).from_string(source, globals=stubs).module
    return module


def doubles(texts):
    """A table `numbered` with the columns place and v."""
    values = [f"cast('{text}' as double)" if text else "cast(null as double)" for text in texts]
    rows = ", ".join(f"({place}, {value})" for place, value in enumerate(values))
    return f"(values {rows}) as numbered (place, v)"


def days(pairs):
    rows = ", ".join(f"({place}, cast('{first}' as date), cast('{last}' as date))" for place, (first, last) in enumerate(pairs))
    return f"(values {rows}) as spans (place, a, b)"


NUMBERS = [
    "0", "1", "-44", "100", "1200.5", "0.1", "0.30000000000000004", "2.675", "1e7", "12345678.9", "123456789012345.6", "1e15",
    "9.9e15", "1e16", "-1.5e16", "1.234e20", "0.001", "1e-4", "0.000123", "9.99e-5", "1e-5", "-1.23e-7", "1.5e-20",
    "nan", "inf", "-inf", "",
]  # fmt: skip
# Halves that a double is just above or below of, and products that are.
HALVES = ["2.675", "4.55", "8.85", "0.0385", "0.045", "1.005", "-2.5", "0.05", "12.25", "99.95", "1e20", ""]
DAYS = [
    ("2024-02-29", "2025-02-28"), ("2024-02-29", "2025-03-01"), ("2023-02-28", "2024-02-28"), ("2023-02-28", "2024-02-29"),
    ("2020-02-29", "2024-02-29"), ("2025-01-01", "2025-12-31"), ("2025-01-01", "2026-01-01"), ("2026-01-01", "2025-01-01"),
    ("2025-06-01", "2025-01-01"), ("2026-06-01", "2025-01-01"), ("1990-12-31", "2020-12-30"), ("2025-03-31", "2026-03-30"),
    ("1999-12-31", "2000-01-01"), ("1969-07-20", "2024-07-20"),
]  # fmt: skip
TEXTS = (
    "(values (1, 'b', 2), (1, 'a', 1), (1, cast(null as string), 3), (2, cast(null as string), 1), (3, '', 1)) as texts (g, t, o)"
)
PARTS = "(values (1, 'b, a'), (2, 'a, b'), (3, ''), (4, null), (5, 'B, a, b')) as parts (place, t)"
KEYS = [0, 1, 2, -1, 42, 10**6, 2**31 - 1, 2**31, 2**32, -(2**40), 2**63 - 1, -(2**63)]
SEEDS = [0, 42, 2**32 - 1]
DRAWN_SHARES = ["0.001", "1000000 / cast(3000001 as double)", "0.9999"]
SHARES = ["0.0385", "0.5", "1", "0.00004", ""]
WORDS = ["", "a", "Ünal@x.com", "O''Hara", "0000123", "customer12345678901234567890@example.com", "日本"]

U, V = "'u'", "'v'"
LISTS = {"a": "x", "b": "y"}

QUERIES = {
    "joined texts are in order, empty ones count, and missing ones do not": lambda m: (
        f"select g, {m.joined_texts('t', '; ', 'o')}, {m.joined_texts('t', '; ', 'o', 'o < 2')} "
        f"from {TEXTS} group by g order by g"
    ),
    "parts are in the order of their letters": lambda m: (
        f"select place, {m.joined_list(m.sorted_parts('t', ', '), '|')} from {PARTS} order by place"
    ),
    "a list is one text": lambda m: (
        f"select {m.joined_list(m.made_list(['1', '2', '3']), '-')}, {m.joined_list(m.made_list([U]), '-')}"
    ),
    "lists become rows, and shorter ones end in NULL": lambda m: (
        f"select {m.unnested(LISTS)} from (select {m.made_list(['1', '2'])} as a, {m.made_list([U])} as b) as lists"
    ),
    "a list that is NULL has no rows of its own": lambda m: (
        f"select {m.unnested(LISTS)} from "
        f"(select {m.made_list(['1', '2'])} as a, case when 1 = 0 then {m.made_list([U])} end as b) as lists"
    ),
    "one list alone that is NULL has no rows": lambda m: (
        f"select {m.unnested({'a': 'x'})} from (select case when 1 = 0 then {m.made_list(['1', '2'])} end as a) as lists"
    ),
    "places are counted from 1": lambda m: (
        f"select {m.unnested({'a': 'x', m.places_in('a'): 'place'})} from (select {m.made_list([U, V])} as a) as lists"
    ),
    "names may have any characters": lambda m: (
        f"select {m.quoted_name('a b')} from (select 1 as {m.quoted_name('a b')}) as named"
    ),
    "numbers are plain": lambda m: f"select place, {m.plain_number('v')} from {doubles(NUMBERS)} order by place",
    "whole numbers are plain": lambda m: f"select {m.plain_number('12')}, {m.plain_number('cast(10000000000 as bigint)')}",
    "halves are rounded alike": lambda m: (
        f"select place, {', '.join(m.plain_number(m.rounded('v', decimals)) for decimals in (1, 2, 3, 4))} "
        f"from {doubles(HALVES)} order by place"
    ),
    "bounds are rounded alike": lambda m: (
        f"select place, {', '.join(m.plain_number(m.rounded_bound('v', spread)) for spread in ('0.001', '3.7', '1e9'))} "
        f"from {doubles([number for number in NUMBERS if number != 'nan'])} order by place"
    ),
    "shares are in percent": lambda m: f"select place, {m.in_percent('v')} from {doubles(SHARES)} order by place",
    "years are completed": lambda m: f"select place, {m.completed_years('a', 'b')} from {days(DAYS)} order by place",
    "whole numbers are drawn": lambda m: (
        "select " + ", ".join(m.drawn_number(f"cast('{key}' as bigint)", seed) for key in KEYS for seed in SEEDS)
    ),
    "texts are drawn": lambda m: (
        "select "
        + ", ".join(m.is_drawn(f"'{word}'", share, "varchar", seed) for word in WORDS for share in DRAWN_SHARES for seed in SEEDS)
    ),
    "NaN is no number, and NULL is none": lambda m: (
        f"select place, nullif(v, cast('nan' as double)) is null from {doubles(['1', 'nan', '', 'inf'])} order by place"
    ),
    "combinations are counted": lambda m: (
        f"select {m.approximate_distinct('x, y')} from (values (1, 2), (1, 2), (2, 1), (null, 1), (1, null)) as pairs (x, y)"
    ),
    "a step that is computed once loses nothing": lambda m: f"select count(*) from {doubles(NUMBERS)} where {m.computed_once()}",
}


def alike(one, other):
    if isinstance(one, float) and isinstance(other, float):
        return one == other or math.isclose(one, other, rel_tol=1e-15)
    return one == other


@pytest.fixture(scope="module")
def answers(spark):
    """A function that asks both engines: their rows as lists."""
    connection = duckdb.connect()

    def ask(query):
        statements = [query(macros_for(engine)) for engine in ENGINES]
        return [list(row) for row in connection.sql(statements[0]).fetchall()], spark.ask(sql=statements[1], schema="default")

    return ask


@pytest.mark.parametrize("words", QUERIES)
def test_engines_say_the_same(answers, words):
    one, other = answers(QUERIES[words])
    assert len(one) == len(other)
    differing = [pair for pair in zip(one, other, strict=True) if not all(map(alike, *pair))]
    assert not differing, differing[:5]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fingerprint_tells_tables_apart_whatever_the_order_of_rows(spark, engine):
    macros = macros_for(engine)

    def fingerprint(*rows):
        values = ", ".join(f"({', '.join(row)})" for row in rows)
        query = f"select {macros.fingerprint('x, y')} from (values {values}) as pairs (x, y)"
        return duckdb.sql(query).fetchone()[0] if engine == "duckdb" else spark.ask(sql=query, schema="default")[0][0]

    one, two, three = ("1.5", "2"), ("2.5", "1"), ("cast(null as double)", "1")
    assert fingerprint(one, two) == fingerprint(two, one)
    others = [(one,), (two, one), (one, three), (one, ("1", "cast(null as integer)")), (("1.5", "1"), ("2.5", "2"))]
    assert len({fingerprint(*rows) for rows in others}) == len(others)


def test_a_function_answers_with_a_whole_number(spark):
    if spark.ask(sql="select version()", schema="default")[0][0].startswith("3."):
        pytest.skip("Spark has functions in SQL from version 4 on.")
    macros = macros_for("spark")
    name = "default.side_of_five"
    spark.ask(
        sql=macros.create_function(
            name, {"a": "double", "b": "double"}, "case when a + b < 5 then 1 when a + b >= 5 then 2 end", "integer"
        ),
        schema="default",
    )
    asked = f"select {name}(1, 2), {name}(4, 4), {name}(null, 1), typeof({name}(1, 2))"
    assert spark.ask(sql=asked, schema="default") == [[1, 2, None, "int"]]
    spark.ask(sql=f"drop function {name}", schema="default")
