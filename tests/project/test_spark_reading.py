"""What Spark reads, DuckDB reads alike: awkward values cell by cell, rows that are refused, and the reasons.

Both engines run the staging models of the project, see staging.py and spark_staging.py. What DuckDB says is expected: its own
tests are test_values.py, test_orders.py and test_relations.py.
"""

import gzip
import json
import math
import re
from pathlib import Path

import duckdb
import pytest
from dbt_common.exceptions import CompilationError, DbtRuntimeError
from reading import RECORDS
from staging import Staging
from test_values import DATES, NUMBERS, QUESTIONS, SUGGESTED, ways_of_writing

# What ends with a session may warn of sockets.
pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("ignore")]
SETTINGS = {
    "spark.driver.memory": "1500m",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """A Spark session of this process."""
    sql = pytest.importorskip("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[2]")
    for name, value in (SETTINGS | {"spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse"))}).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(params=["ANSI", "without ANSI"])
def spark(session, request):
    session.conf.set("spark.sql.ansi.enabled", str(request.param == "ANSI").lower())
    return session


def staged_on(session, *arguments, **settings):
    from spark_staging import SparkStaging

    return SparkStaging(session, *arguments, **settings)


TEXTS = [
    "\u00a0?\u200b \ufeff1\u00a0 \u202f30 40\u2007 \u206050 caf\u00e9 NAN +nan 1e5 1E5 1e-5 1e400 1e99 1e100 -1e101 .5 5.",
    "+5 --5 1d 2f 0x1p3 0x1F 0b11 1e e5 . Infinity -inf +Inf infinit 4.50588E+12",
    "5E+15 1,5E5 9223372036854775807 9223372036854775808 007 7.0 7.5",
    "2147483648 2147483647 0.1 \u0661\u0662 \uff11 1e3% T oN S\u00cd N\u00c3O tak a'b a\\b 2024 2024-02 2024-2-9 24-02-19",
    "2024/02/19 2024-02-19T11:33:05.25 2024-13-01 1969-12-31 1970-01-01 today now 12:30 T12:30 02024-02-19",
    "19.02.69 19.02.68 29.02.2023 10-April-24 2024-Sep-09 20240230 19000101 18991231 31/12/1899",
]
TEXTS = {text for line in TEXTS for text in line.split(" ")} | {
    *(
        "\t7 ",
        " 7",
        "New York\u3000",
        "10 %",
        "a\nb",
        "5\n",
        "2024 02 19",
        "2024-02-19 11",
        "2024-02-19 11:33",
        "2024-02-19 1:3:5",
    ),
    *("2024-02-19 25:00", "1.2.2024 5:06 am", "1.2.2024 12:06 AM", "1.2.2024 12:06 pm", "1.2.2024 13:06 pm", "Sept 9, 2024"),
    *("Apr 9 2024 10:11:12.5", "9 Septembre 2024", "2024.02.19 11:33:00,25", "2024-02-19 11:33:00+05:30", "Monday, 19 Feb 2024"),
    *("2024-02-19 11:33:00 Europe/Berlin", "mon 19.02.2024 11:33 +01", *ways_of_writing.MISSING_WORDS),
    *(word.upper() for word in ways_of_writing.MISSING_WORDS),
    *(text for _, expected in NUMBERS.values() for text in expected),
    *(text for expected in DATES.values() for text in expected),
    *(text for texts, _ in QUESTIONS.values() for text in texts),
    *(text for texts in SUGGESTED for text in texts),
}
TEXTS = sorted(TEXTS)
WAYS = [
    *(settings for settings, _ in NUMBERS.values()),
    {"decimal_separator": ",", "thousands_separator": " ", "currency": "K\u010d"},
    {"format": "accounting", "currency": "CHF", "thousands_separator": "'"},
    {"data_type": "integer"},
    {"range": [-3, 100]},
    *({"as": counted, "format": way, "range": [None, None]} for counted in ("days_since", "age_years") for way in DATES),
]
TYPES = ["double", "integer", "date", "boolean", "varchar"]
ATTRIBUTES = [{"name": f"as_{kind}", "data_type": kind} for kind in TYPES]
ATTRIBUTES += [{"name": f"date_{number}", "data_type": "date", "format": way} for number, way in enumerate(DATES)]
FEATURES = [{"name": f"x_{number}"} | way | {"missing": "median"} for number, way in enumerate(WAYS)]


def parquet(path, query):
    """A Parquet file with the rows of a query."""
    duckdb.connect().execute(f"copy ({query}) to '{path}' (format parquet)")


def same(one, other):
    """Whether two cells are the same: numbers to fifteen digits, as engines divide and round on their own."""
    if isinstance(one, float) and isinstance(other, (float, int)):
        return math.isclose(one, other, rel_tol=1e-15) or (math.isnan(one) and math.isnan(other)) or one == other
    return one == other


def cells_that_differ(session, tmp_path, block, path, settings, columns):
    """(column, row, what DuckDB has, what Spark has) in the table of lines of both."""
    name = RECORDS[block][0]
    query = f"select {', '.join(columns)}, reasons, is_blank, raw_record from {name} order by n"
    with Staging(tmp_path, block, path, settings, names=[name]) as duckdb_reads:
        expected = duckdb_reads.query(query)
    with staged_on(session, block, path, settings, names=[name]) as spark_reads:
        found = spark_reads.query(query)
    assert len(found) == len(expected) > 0
    names = [*columns, "reasons", "is_blank", "raw_record"]
    return [
        (names[place], rows[0][0], *cells)
        for rows in zip(expected, found, strict=True)
        for place, cells in enumerate(zip(*rows, strict=True))
        if not same(*cells)
    ]


def settings_of(key="bigint", features=FEATURES, attributes=ATTRIBUTES):
    block = {
        "key": {"name": "customer_id", "data_type": key},
        "attributes": [{"name": "n", "data_type": "integer"}, *attributes],
        "features": features,
    }
    return {"segmentation": block, "variables": {"reference_date": "2024-04-09"}}


@pytest.fixture(scope="module")
def texts_in_parquet(tmp_path_factory):
    """A file whose every column has the same awkward texts, a row for each."""
    path = tmp_path_factory.mktemp("texts") / "texts.parquet"
    literals = ", ".join("({}, '{}')".format(number, text.replace("'", "''")) for number, text in enumerate(TEXTS))
    columns = ", ".join(f"text as {column['name']}" for column in [{"name": "customer_id"}, *ATTRIBUTES, *FEATURES])
    parquet(path, f"select n, {columns} from (values {literals}) as texts (n, text)")
    return path


@pytest.mark.parametrize("key", ["bigint", "varchar"])
def test_every_text_is_the_same_value_and_has_the_same_reasons(spark, tmp_path, texts_in_parquet, key):
    # What is refused as no whole number has no value that anybody sees: engines round it on their own.
    others = [column["name"] for column in ATTRIBUTES + FEATURES if column.get("data_type") != "integer"]
    columns = ["n", *([] if key == "bigint" else ["customer_id"]), "as_integer", *others]
    differ = cells_that_differ(
        spark, tmp_path, "segmentation", texts_in_parquet, settings_of(key), [*columns, "unread_attributes"]
    )
    assert [(name, TEXTS[row], *cells) for name, row, *cells in differ if name != "raw_record"] == []


TYPED = """
    select * from (values
        (1, 1.5::double, 0.1::float, 12.50::decimal(12, 2), true, date '2024-02-19', timestamp '2024-02-19 11:33:00', 'a@b.org'),
        (2, 'nan', 'nan', -0.05, false, date '1899-12-31', timestamp '1970-01-01 00:00:00', 'say "hi", \\ {"email":"x"}'),
        (3, 'inf', 12345678, 0.00, null, date '2024-04-10', timestamp '2024-02-19 11:33:00.25', null),
        (4, 1e7, 1e16, 9999999999.99, true, null, null, ''),
        (5, 1e16, 1e-5, null, true, date '2000-02-29', timestamp '2999-01-01 00:00:00', 'x'),
        (6, 1.2345678901234567e-4, 0.0001, 1.00, false, date '2024-04-09', timestamp '2024-04-09 00:00:00', 'y'),
        (9007199254740993, 123456789.125, null, 1.10, true, date '2024-04-08', timestamp '2024-04-08 23:59:59', 'z'),
        (null, -1.5e-7, 3, 2.00, true, date '2024-04-08', timestamp '2024-04-08 23:59:59', 'z'),
        (9, null, 3, 2.00, true, date '2024-04-08', timestamp '2024-04-08 23:59:59', 'z'),
        (9, 1e101, 3, 2.00, true, date '2024-04-08', timestamp '2024-04-08 23:59:59', 'z')
    ) as typed (customer_id, x, f, amount, member, joined, seen, email)
"""


@pytest.mark.parametrize("key", ["customer_id", "x", "joined"])
def test_typed_columns_are_the_same_values_and_texts(spark, tmp_path, key):
    path = tmp_path / "typed.parquet"
    names = ["x", "f", "amount", "member", "joined", "seen"]
    texts = ", ".join(f"{name} as {name}_text" for name in names)
    parquet(path, f"select row_number() over () as n, *, {key} as the_key, {texts} from ({TYPED})")
    features = [{"name": "x"}, {"name": "amount", "missing": "median"}, {"name": "member", "missing": "median"}]
    features += [{"name": "joined", "as": "age_years", "missing": "median"}, {"name": "seen", "missing": "median"}]
    attributes = [{"name": f"{name}_text"} for name in names] + [{"name": "f", "data_type": "double"}]
    settings = settings_of("varchar", features, [*attributes, {"name": "email", "personal": True}])
    settings["segmentation"]["key"] = {
        "name": "the_key",
        "headers": [],
        "data_type": "varchar" if key != "customer_id" else "bigint",
    }
    columns = ["n", "the_key", *(column["name"] for column in attributes), "x", "amount", "member", "joined"]
    differ = cells_that_differ(spark, tmp_path, "segmentation", path, settings, columns)
    assert [cells for cells in differ if cells[0] != "raw_record" or said_by(cells[2]) != said_by(cells[3])] == []


def said_by(record):
    """What a JSON object says; Spark puts the numbers that JSON has not in quotes."""
    return json.loads(re.sub('"(NaN|-?Infinity)"', r"\1", record), parse_constant=str)


def records(rows):
    """Rejected rows in an order; JSON objects as what they say."""
    texts = [(*row, json.loads(text) if (text or "").startswith("{") else text) for *row, text in rows]
    return sorted(texts, key=repr)


def require_the_same(session, tmp_path, block, path, settings, tables=()):
    with Staging(tmp_path, block, path, settings, tables=tables) as expected:
        pass_on = expected.accepted, expected.rejected, expected.warnings
    with staged_on(session, block, path, settings) as found:
        assert sorted(found.accepted, key=repr) == sorted(pass_on[0], key=repr)
        assert records(found.rejected) == records(pass_on[1])
        assert found.warnings == pass_on[2]
        assert found.not_counted is None
    return pass_on


HEADER = "Customer ID;Gender;Age;Annual Income;Spending Score;Email\n"
FILES = {
    "quotes, line breaks and ragged rows": HEADER
    + '1;"a;b";30;40;50;x@y.org\n2;"two\nlines";31;41;51\n\n3;"a ""b""";32;42;52;"z"\n4;x;33\n'
    + '5;x;34;44;54;y;too many\n6;"open;35;45;55;y\n'
    + '1;again;36;46;56;z\n 7 ; "spaced" ;37;47;57;y\n8;x;no;48;580;y\n',
    "a byte order mark and Windows line ends": "\ufeff"
    + HEADER.replace("\n", "\r\n")
    + "1;\u00e9;30;40;50;x\r\n2;b;31;41;51;\r\n",
    "sep= and lines above": "sep=;\n\n" + HEADER + "1;a;30;40;50;x\n2;b;31;41;;y",
}


@pytest.mark.parametrize("name", FILES)
def test_a_text_file_has_the_same_rows_lines_and_reasons(spark, tmp_path, name):
    path = tmp_path / "a [1] {b}.csv"
    path.write_text(FILES[name], encoding="utf-8", newline="")
    attributes = [{"name": "gender"}, {"name": "email", "personal": True}]
    accepted, *_ = require_the_same(spark, tmp_path, "segmentation", path, {"segmentation": {"attributes": attributes}})
    assert accepted


def test_several_files_and_the_sample(spark, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    for block, name in (("segmentation", "customers"), ("orders", "orders")):
        require_the_same(spark, tmp_path, block, f"dbt_project/sample/{name}.csv", {})
    (tmp_path / "1.csv").write_text("CustomerID,Gender,Age,Annual Income,Spending Score\n1,F,30,40,50\n2,F,,40,50\n", "utf-8")
    (tmp_path / "2.csv").write_text("Age;CustomerID;Gender;Annual Income;Spending Score\n31;1;F;41;51\n32;4;F;42;52\n", "utf-8")
    parquet(
        tmp_path / "3.csv", "select 5 as customer_id, 'F' as gender, 33 as age, 43.0 as annual_income, '53' as spending_score"
    )
    accepted, rejected, _ = require_the_same(spark, tmp_path, "segmentation", tmp_path / "[12].csv", {})
    assert (len(accepted), len(rejected)) == (2, 2)
    assert len(require_the_same(spark, tmp_path, "segmentation", tmp_path / "3.csv", {})[0]) == 1


CRM = """
    select * from (values
        (1, 'Male', 30, '40', 50.0, 'a@b.org'), (1, 'Male', 29, '41', 51.0, 'a,"b"'), (2, null, 31, ' 42', 52.0, null),
        (3, 'Female', null, '4l', 53.0, 'c@d.org'), (null, 'Female', 33, '44', 54.5, 'x')
    ) as crm (CustomerID, Gender, Age, income, spending_score, email)
"""


def test_a_relation_has_the_same_rows_and_reasons_and_hides_what_is_personal(spark, tmp_path):
    parquet(tmp_path / "crm.parquet", CRM)
    spark.sql("create schema if not exists shop")
    spark.sql("drop table if exists shop.crm")
    spark.sql(f"create table shop.crm using parquet as select * from parquet.`{tmp_path}/crm.parquet`")
    income = {"name": "annual_income_k", "headers": ["income"], "data_type": "integer"}
    features = [{"name": "age"}, income, {"name": "spending_score", "data_type": "integer"}]
    block = {"attributes": [{"name": "gender"}, {"name": "email", "personal": True}], "features": features}
    for relation in ("source('shop', 'crm')", "shop.crm"):
        settings = {"segmentation": block | {"source": {"relation": relation}}}
        tables = ["create schema shop", f"create table shop.crm as {CRM}"]
        accepted, rejected, _ = require_the_same(spark, tmp_path, "segmentation", None, settings, tables)
        assert (len(accepted), len(rejected)) == (2, 3)
        assert not [text for *_, text in rejected if "d.org" in text]


@pytest.mark.parametrize("case", ["points", "points_of_millions", "commas"])
def test_what_can_be_read_in_two_ways_stops_the_build_with_the_same_question(spark, tmp_path, case):
    texts, question = QUESTIONS[case]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["customer_id;x", *(f"{number};{text}" for number, text in enumerate(texts))]), encoding="utf-8")
    block = {"key": {"name": "customer_id"}, "attributes": [], "features": [{"name": "x"}]}
    with pytest.raises(CompilationError) as stopped:
        staged_on(spark, "segmentation", path, {"segmentation": block})
    assert question in str(stopped.value)


def test_what_spark_does_not_read_is_refused_with_a_sentence(spark, tmp_path):
    json_lines, packed, windows = tmp_path / "a.jsonl", tmp_path / "a.csv.gz", tmp_path / "w.csv"
    json_lines.write_text('{"customer_id": 1}\n', encoding="utf-8")
    packed.write_bytes(gzip.compress(b"customer_id\n1\n"))
    windows.write_bytes(b"customer_id,gender\n1,\xe9\n")
    declared = {"segmentation": {"source": {"encoding": "windows-1252"}}}
    for path, settings, sentence in [
        (json_lines, {}, "has JSON lines, which are not read on Spark; read it with DuckDB"),
        (packed, {}, "is packed or a workbook, which is not read on Spark; read it with DuckDB"),
        (windows, declared, "is declared as windows-1252, and on Spark texts are read in UTF-8 only; read it with DuckDB"),
        (windows, {}, "line 2, is not utf-8 text; save the file as UTF-8"),
        (tmp_path / "none.csv", {}, "No file is found at"),
        (None, {"segmentation": {"source": {"relation": "nowhere.crm"}}}, "there is no table nowhere.crm"),
    ]:
        with pytest.raises((DbtRuntimeError, CompilationError)) as refused:
            staged_on(spark, "segmentation", path, settings)
        assert sentence in str(refused.value)
