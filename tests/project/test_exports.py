"""Files for tools without DuckDB: every table as CSV, Parquet and a sheet of Excel, and the lists for mailing and ad tools."""

import csv
import hashlib
import re
import subprocess
import sys
from datetime import datetime

import activation
import duckdb
import export
import openpyxl
import pytest

BESIDE_LISTS = {".lists.json", "added.csv", "deliveries.csv", "ledger.csv", "removed.csv"}


def run(script, warehouse, output, *options):
    """Run a script as its main() is run from the command line; returns `output`."""
    before = sys.argv
    sys.argv = [script.__name__, "--warehouse", str(warehouse), "--output", str(output), *options]
    try:
        script.main()
    finally:
        sys.argv = before
    return output


def tables_of(warehouse):
    """{table: its number of rows}"""
    with duckdb.connect(warehouse, read_only=True) as connection:
        names = [name for (name,) in connection.sql("show tables").fetchall()]
        return {name: connection.sql(f'select count(*) from "{name}"').fetchone()[0] for name in names}


def read_csv(path, delimiter=","):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


@pytest.fixture(scope="module")
def sample_exports(built_sample, tmp_path_factory):
    return run(export, built_sample.folder / "warehouse.duckdb", tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def hostile_exports(hostile, tmp_path_factory):
    return run(export, hostile.folder / "warehouse.duckdb", tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def workbook(sample_exports):
    return openpyxl.load_workbook(sample_exports / "segments.xlsx")


def test_every_table_is_in_every_format(built_sample, sample_exports, workbook):
    tables = tables_of(built_sample.folder / "warehouse.duckdb")
    assert len(tables) >= 13
    assert {path.name for path in (sample_exports / "csv").iterdir()} == {f"{table}.csv" for table in tables}
    assert {path.name for path in (sample_exports / "parquet").iterdir()} == {f"{table}.parquet" for table in tables}
    assert set(workbook.sheetnames) == {"tables", "columns", *tables}
    for table, n_rows in tables.items():
        assert len(read_csv(sample_exports / "csv" / f"{table}.csv")) == n_rows + 1
        assert duckdb.sql(f"select count(*) from '{sample_exports / 'parquet' / table}.parquet'").fetchone()[0] == n_rows
        assert workbook[table].max_row == n_rows + 1


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_holds_what_the_table_holds(built_sample, sample_exports, kind):
    answer = built_sample.query("select * from customer_segments order by customer_id")
    path = sample_exports / kind / f"customer_segments.{kind}"
    assert duckdb.sql(f"select * from '{path}' order by customer_id").fetchall() == answer


def test_the_workbook_is_readable(built_sample, workbook):
    sheet = workbook["segment_profiles"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref.startswith("A1:")
    header = [cell.value for cell in sheet[1]]
    assert header[:2] == ["segment_id", "segment_name"]
    assert all(cell.font.bold for cell in sheet[1])
    formats = dict(zip(header, (cell.number_format for cell in sheet[2]), strict=True))
    shares = {name for name, text in formats.items() if text == "0.0%"}
    assert shares == {"rule_coverage", "rule_precision", "share"}
    assert formats["n_customers"] == "#,##0"
    assert sheet.column_dimensions["B"].width > 30
    values = built_sample.query("select segment_id, segment_name, is_name_current from segment_profiles order by segment_id")
    assert [tuple(cell.value for cell in row[:3]) for row in sheet.iter_rows(min_row=2)] == values

    migrations = workbook["segment_migrations"]
    built_at = migrations.cell(2, [cell.value for cell in migrations[1]].index("built_at") + 1)
    assert isinstance(built_at.value, datetime)
    assert built_at.number_format == "yyyy-mm-dd hh:mm:ss"

    described = {row[1]: row for row in workbook["tables"].iter_rows(min_row=2, values_only=True)}
    assert described["customer_segments"][0] == "customer_segments"
    assert described["customer_segments"][2] == 3000
    assert described["customer_segments"][4].startswith("One row per customer")


@pytest.mark.parametrize("script", [export, activation], ids=lambda script: script.__name__)
def test_a_full_disk_keeps_the_files_of_the_last_run(built_sample, sample_exports, tmp_path, script):
    """No file may grow beyond 20 kB (40 in some shells), as a full disk is to DuckDB and to what writes the workbook."""
    warehouse = built_sample.folder / "warehouse.duckdb"
    output = sample_exports if script is export else run(activation, warehouse, tmp_path / "lists")
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    script_and_options = [sys.executable, script.__file__, "--warehouse", warehouse, "--output", output]
    command = ["sh", "-c", 'ulimit -f 40 && exec "$@"', "sh", *script_and_options]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"{output} cannot be written: ")
    assert len(failed.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before


def test_progress_is_told(built_sample, tmp_path, capsys):
    run(export, built_sample.folder / "warehouse.duckdb", tmp_path)
    begin, *lines = capsys.readouterr().out.splitlines()
    n_tables = len(tables_of(built_sample.folder / "warehouse.duckdb"))
    assert begin == f"Writing {n_tables} tables ..."
    assert [line.split(":")[0] for line in lines[:n_tables]] == [f"{n} of {n_tables}" for n in range(1, n_tables + 1)]
    assert any(re.fullmatch(r"\d+ of \d+: customer_segments, 3,000 rows", line) for line in lines)


def test_a_table_too_long_for_a_sheet_is_left_out_of_the_workbook_and_named(built_sample, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(export, "EXCEL_ROWS", 1000)
    run(export, built_sample.folder / "warehouse.duckdb", tmp_path)
    words = "not in the workbook: 3,000 rows, and a sheet of Excel holds 999; take the CSV or Parquet file"
    at_once, _ = capsys.readouterr().out.split("Writing ")
    assert f"customer_segments is {words}." in at_once.splitlines()
    book = openpyxl.load_workbook(tmp_path / "segments.xlsx")
    assert "customer_segments" not in book.sheetnames
    assert "segment_profiles" in book.sheetnames
    assert words in [row[0] for row in book["tables"].iter_rows(values_only=True)]
    assert len(read_csv(tmp_path / "csv" / "customer_segments.csv")) == 3001


def test_no_cell_is_a_formula(hostile, hostile_exports):
    cells = [
        cell
        for path in (hostile_exports / "csv").iterdir()
        for delimiter in ",;\t"
        for row in read_csv(path, delimiter)
        for cell in row
    ]
    assert "'=cmd()" in cells
    assert "'@SUM(A1)" in cells
    assert "<script>alert(1)</script>" in cells
    # A line that begins with a number is one cell to a program that splits at semicolons: numbers and texts in quotes.
    harmless = re.compile(r'[+-][0-9][0-9 ().e,:+-]*($|,")')
    harmful = [cell for cell in cells if re.match(r"[=+\-@\t\r\n]", cell) and not harmless.match(cell)]
    assert harmful == []
    book = openpyxl.load_workbook(hostile_exports / "segments.xlsx")
    values = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in values if cell.data_type == "f"] == []
    # In the workbook, which knows texts from formulas, they are as they are.
    assert "=cmd()" in [cell.value for cell in values]
    assert not any(sheet._hyperlinks for sheet in book)
    names = [row[1] for row in book["segment_profiles"].iter_rows(min_row=2, values_only=True)]
    assert names == hostile.names


def test_an_output_that_cannot_be_written_is_one_sentence(built_sample, tmp_path):
    (tmp_path / "file").write_text("a file, not a folder")
    for script in (export, activation):
        with pytest.raises(SystemExit, match="cannot be written"):
            run(script, built_sample.folder / "warehouse.duckdb", tmp_path / "file")


def test_every_customer_is_in_one_list_and_in_the_list_of_all(built_sample, tmp_path):
    run(activation, built_sample.folder / "warehouse.duckdb", tmp_path)
    names = {
        1: "segment_1_close_to_the_average.csv",
        2: "segment_2_young_low_annual_income_high_spending_score.csv",
        3: "segment_3_high_spending_score_high_annual_income_young.csv",
        4: "segment_4_low_spending_score_high_annual_income.csv",
        5: "segment_5_senior_low_spending_score_low_annual_income.csv",
    }
    assert {path.name for path in tmp_path.iterdir()} == {*BESIDE_LISTS, "all_segments.csv", *names.values()}
    answer = built_sample.query(
        "select customer_id, segment_id, segment_name from customer_segments order by segment_id, customer_id"
    )
    expected = [[str(value) for value in row] for row in answer]
    header, *listed = read_csv(tmp_path / "all_segments.csv")
    assert header == ["customer_id", "segment_id", "segment_name"]
    assert listed == expected
    for segment_id, name in names.items():
        assert read_csv(tmp_path / name)[1:] == [row for row in expected if row[1] == str(segment_id)]


def test_ids_stay_what_other_tools_know_and_names_are_harmless(hostile, tmp_path):
    run(activation, hostile.folder / "warehouse.duckdb", tmp_path)
    listed = {row[0]: row[2] for row in read_csv(tmp_path / "all_segments.csv")[1:]}
    assert {"-17", "+351 912-000", "'=cmd()", "'@SUM(A1)", "00042"} <= set(listed)
    assert {"'=cmd()", "'@SUM(A1)", "<script>alert(1)</script>"} <= set(listed.values())
    assert (tmp_path / "segment_3_etc_passwd.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".lists.json",
        "added.csv",
        "all_segments.csv",
        "deliveries.csv",
        "ledger.csv",
        "removed.csv",
        "segment_1_script_alert_1_script.csv",
        "segment_2_cmd.csv",
        "segment_3_etc_passwd.csv",
        "segment_4_sum_a1.csv",
        "segment_5_img_src_x_onerror_alert_1.csv",
    ]
    # No cell of what is written beside the lists is a formula either.
    for path in tmp_path.glob("*.csv"):
        cells = [cell for row in read_csv(path) for cell in row]
        assert [cell for cell in cells if re.match(r"[=@]", cell)] == []


def test_addresses_are_hashed_as_ad_tools_expect(hostile, tmp_path, capsys):
    run(activation, hostile.folder / "warehouse.duckdb", tmp_path, "--hash-email", "email")
    header, *listed = read_csv(tmp_path / "all_segments.csv")
    assert header == ["email_sha256", "segment_id", "segment_name"]
    emails = [email for (email,) in hostile.query("select email from customer_segments where email is not null")]
    expected = {hashlib.sha256(email.strip().lower().encode()).hexdigest() for email in emails}
    assert {row[0] for row in listed} == expected
    assert len(listed) == len(emails) == hostile.value("select count(*) - 1 from customer_segments")
    assert "; left out: 1 without an address" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no customer has an e-mail in the column gender"):
        run(activation, hostile.folder / "warehouse.duckdb", tmp_path, "--hash-email", "gender")


def test_a_second_segmentation_has_lists_of_its_own(built_sample, tmp_path):
    warehouse = built_sample.folder / "warehouse.duckdb"
    run(activation, warehouse, tmp_path, "--prefix", "rfm_")
    names = {path.name for path in (tmp_path / "rfm").iterdir()}
    assert len(names) == 11
    assert {*BESIDE_LISTS, "all_segments.csv", "segment_1_long_ago_few_orders.csv"} <= names
    answer = built_sample.query(
        "select customer_id, segment_id, segment_name from rfm_customer_segments order by segment_id, customer_id"
    )
    assert read_csv(tmp_path / "rfm" / "all_segments.csv")[1:] == [[str(value) for value in row] for row in answer]
    with pytest.raises(SystemExit, match="has no table abc_customer_segments; run dbt build first"):
        run(activation, warehouse, tmp_path, "--prefix", "abc_")
