import csv
import datetime
import io
import re
import sys

import duckdb
import export
import pytest
from export import copy_csv, csv_column, excel_value, neutralised, number_format, sheet_names, too_large
from hypothesis import example, given
from hypothesis import strategies as st

TEXTS = {
    "=cmd()": "'=cmd()",
    "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t'=1",
    "\r=1": "'\r'=1",
    "\n=1": "'\n'=1",
    "\t1": "'\t1",
    "\uff1d1": "'\uff1d1",
    "-": "'-",
    "+a@example.com": "'+a@example.com",
    "a;=1": "a;'=1",
    "a,+cmd()": "a,'+cmd()",
    "a\t-1": "a\t'-1",
    "a\r\n@b\r\n=c": "a\r\n'@b\r\n'=c",
    'a;""=1': 'a;""\'=1',
    '"=1"': '"\'=1"',
    ";=;=": ";'=;'=",
    "==1": "'==1",
    "a;\uff1d1": "a;'\uff1d1",
    "-17;-18": "'-17;'-18",
    "-17": "-17",
    "-1.5": "-1.5",
    "+351 912-000": "+351 912-000",
    "+1 (800) 555": "+1 (800) 555",
    "a=b": "a=b",
    "a; -1, -2": "a; -1, -2",
    "low income, high-spending; 20-30": "low income, high-spending; 20-30",
    "some.body+news@example.com": "some.body+news@example.com",
    "'=1": "'=1",
    "00042": "00042",
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items())
def test_only_what_a_spreadsheet_would_run_is_quoted_in_python_as_in_sql(text, expected):
    assert neutralised(text) == expected
    sql = f"select {csv_column('it', 'VARCHAR')} from (select ? as it)"
    assert duckdb.execute(sql, [text]).fetchone()[0] == expected


def test_numbers_and_times_are_not_touched_and_lists_are():
    for data_type in ("BIGINT", "UINTEGER", "DOUBLE", "DECIMAL(10,2)", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN"):
        assert csv_column("it", data_type) == '"it" as "it"'
    for data_type in ("VARCHAR", "VARCHAR[]", "STRUCT(a INTEGER)", "BLOB", "INTEGER[]"):
        assert "regexp_replace" in csv_column("it", data_type)


def test_headings_are_neutralised_and_quoted():
    names = ["=cmd()", 'say "no"']
    shown = duckdb.sql('select 1 as "=cmd()", 2 as "say ""no"""')
    assert shown.columns == names
    selected = duckdb.sql(f"select {', '.join(csv_column(name, 'INTEGER') for name in names)} from shown")
    assert selected.columns == ["'=cmd()", 'say "no"']


def test_sheets_are_named_within_the_limits_of_excel():
    long = "a_table_with_a_name_of_more_than_31_characters"
    names = sheet_names([long, long + "_too", "short", "Tables", "what?"])
    assert names == ["a_table_with_a_name_of_more_tha", "a_table_with_a_name_of_more_t~2", "short", "Tables~2", "what_"]
    assert all(len(name) <= 31 for name in names)


@pytest.mark.parametrize(
    ("name", "data_type", "comment", "largest", "expected"),
    [
        ("share", "DOUBLE", "Share of all customers, 0 to 1.", 0.5, "0.0%"),
        ("share_index", "DOUBLE", "Share in the segment, the share among all customers being 100.", 150.0, "#,##0.00"),
        ("psi", "DOUBLE", "Population stability index over the tenths of the fit, 0 or more.", 0.2, "0.000"),
        ("n_customers", "BIGINT", "Number of customers.", None, "#,##0"),
        ("model_version", "INTEGER", "Version.", None, "0"),
        ("built_at", "TIMESTAMP", "When.", None, "yyyy-mm-dd hh:mm:ss"),
        ("day", "DATE", "", None, "yyyy-mm-dd"),
        ("rule", "VARCHAR", "", None, None),
        ("segment_ids", "INTEGER[]", "", None, None),
    ],
)
def test_numbers_are_shown_as_what_they_are(name, data_type, comment, largest, expected):
    assert number_format(name, data_type, comment, largest) == expected


def test_cells_hold_what_excel_can_hold():
    assert excel_value(123456789012345) == 123456789012345
    assert excel_value(1234567890123456) == "1234567890123456"  # would end in 0 as a number
    assert excel_value(float("inf")) == "inf"
    assert excel_value(float("nan")) is None
    assert excel_value(datetime.date(1812, 9, 7)) == "1812-09-07"
    assert excel_value(datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone.utc)) == datetime.datetime(2026, 1, 2, 3)
    assert excel_value([1, "a"]) == "[1, 'a']"
    assert excel_value(True) is True
    assert len(excel_value("x" * 40_000)) == 32_767


def test_a_table_beyond_the_limits_of_a_sheet_is_named():
    assert too_large(1_048_575, 16_384) is None
    assert too_large(1_048_576, 3).startswith("not in the workbook: 1,048,576 rows")
    assert too_large(1, 16_385).startswith("not in the workbook: 16,385 columns")


SPICES = ["=", "+", "-", "@", "\uff1d", ";", ",", "\t", "\n", "\r", '"', "'", " ", "1", "a", "cmd|' /C calc'!A0"]
texts = st.lists(st.sampled_from(SPICES), max_size=8).map("".join)


def written(records, path):
    """The text of a CSV file with a number before the two texts of each record."""
    with duckdb.connect() as connection:
        connection.execute("create table records (id integer, a varchar, b varchar)")
        connection.executemany("insert into records values (?, ?, ?)", [(id, *texts) for id, texts in enumerate(records)])
        copy_csv(connection, f"select id, {csv_column('a', 'VARCHAR')}, {csv_column('b', 'VARCHAR')} from records", path)
    return path.read_bytes().decode("utf-8")


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
@example([("a;=1", 'b","=1')])
@example([("a\n=1", "a\r=1")])
@example([('";""=1', "\t;=1")])
def test_no_cell_is_a_formula_wherever_a_program_splits_a_line(tmp_path_factory, records):
    text = written(records, tmp_path_factory.mktemp("csv") / "it.csv")
    for delimiter in ",;\t":
        cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]
        # Not all programs heed quotes.
        cells += [cell.strip('"') for line in re.split(r"[\r\n]", text) for cell in line.split(delimiter)]
        found = [cell for cell in cells if re.match(r"[\t\r\n]*[=+\-@\uff1d]", cell)]
        assert [cell for cell in found if not re.fullmatch(r"[+-][0-9][0-9 ().-]*", cell)] == []


def test_the_texts_of_a_file_are_those_of_the_table_but_for_the_quotes(tmp_path):
    records = [("plain", 'say "no", or; not'), ("-17", "a\nb"), ("", "\u00e9")]
    rows = list(csv.reader(io.StringIO(written(records, tmp_path / "it.csv"), newline="")))
    assert rows == [["id", "a", "b"], *([str(id), *texts] for id, texts in enumerate(records))]


def test_a_number_at_the_start_of_a_line_makes_no_formula_with_the_text_behind_it(tmp_path):
    """To a program that splits at semicolons this line is one cell, and where a comma is the decimal one, 1,5 is a number."""
    with duckdb.connect() as connection:
        columns = ", ".join(csv_column(name, "VARCHAR") for name in ("id", "name"))
        copy_csv(connection, f"select {columns} from (select '+1' as id, '5+cmd|'' /C calc''!A0' as name)", tmp_path / "it.csv")
    assert (
        (tmp_path / "it.csv").read_text()
        == """\
"id","name"
"+1","5+cmd|' /C calc'!A0"
"""
    )


def names_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_files_of_tables_that_are_gone_are_removed_and_files_of_others_stay(tmp_path, monkeypatch, capsys):
    warehouse, output = tmp_path / "warehouse.duckdb", tmp_path / "exports"
    monkeypatch.setattr(sys, "argv", ["export.py", "--warehouse", str(warehouse), "--output", str(output)])
    with duckdb.connect(warehouse) as connection:
        connection.execute("create table stays as select 1 as a; create table goes as select 1 as a")
    export.main()
    assert names_in(output) == [
        ".exports.json",
        *(f"{kind}/{table}.{kind}" for kind in ("csv", "parquet") for table in ("goes", "stays")),
        "segments.xlsx",
    ]
    (output / "csv" / "mine.csv").write_text("mine")
    with duckdb.connect(warehouse) as connection:
        connection.execute("drop table goes")
    warehouse.chmod(0o600)
    export.main()
    left = [".exports.json", "csv/mine.csv", "csv/stays.csv", "parquet/stays.parquet", "segments.xlsx"]
    assert names_in(output) == left
    assert {(output / name).stat().st_mode & 0o777 for name in left if name != "csv/mine.csv"} == {0o600}
    assert f"{output / 'csv/goes.csv'}: removed, it was of an earlier run" in capsys.readouterr().out
