"""Write every table of the warehouse as Parquet, as CSV, and as a sheet of one Excel workbook, for tools without DuckDB.

The warehouse is opened read-only and its rows are streamed. The files take their places together, when all are complete.
What looks like a formula stays text: in CSV behind a single quote, in the workbook as a text cell.

    python scripts/export.py --warehouse warehouse.duckdb --output exports
"""

import argparse
import re
import tempfile
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import duckdb
import xlsxwriter
from file_set import file_set
from warehouse import found_tables, plural, quoted, read_only

EXCEL_ROWS = 1_048_576  # of a sheet, the header included
EXCEL_COLUMNS = 16_384
EXCEL_TEXT = 32_767  # characters of a cell
EXCEL_DIGITS = 15  # of a number: longer ones would be rounded, so they become texts
BATCH = 10_000  # rows that are in memory at once
PROGRESS = 100_000  # rows between two lines that say so
PARQUET = "format parquet, compression zstd, compression_level 1"  # level 3, the default, takes half as long again to save 8 %
MEMORY = "1GB"  # for DuckDB, which needs less and would take most of the machine's; what does not fit goes to disk

# A spreadsheet runs a cell that begins with one of these signs, also in its full-width form (OWASP: "CSV Injection"). A cell
# begins where the text does, and wherever a program splits it because it takes another character for the separator; double
# quotes before the sign are taken away. A telephone number or a negative number can be no more than a sum, and is left as
# other tools expect it. Python and DuckDB read these patterns alike.
SIGN = r"[=+\-@＝＋－＠]"  # noqa: RUF001
FORMULA = rf'((?:^|[,;\t\r\n])"*)({SIGN})'
INDENT = r"^([\t\r\n])"
HARMLESS = r"[+-][0-9][0-9 ().-]*"

COLUMNS = """
    select column_name, data_type, coalesce(comment, '') as comment
    from duckdb_columns()
    where database_name = current_database() and schema_name = current_schema() and table_name = ?
    order by column_index
"""

DESCRIPTIONS = """
    select table_name, comment from duckdb_tables() where database_name = current_database() and schema_name = current_schema()
    union all
    select view_name, comment from duckdb_views() where database_name = current_database() and schema_name = current_schema()
"""


def neutralised(text):
    """A text that no spreadsheet takes for a formula: with a single quote wherever one could begin."""
    return text if re.fullmatch(HARMLESS, text) else re.sub(INDENT, r"'\1", re.sub(FORMULA, r"\1'\2", text))


def csv_column(name, data_type):
    """The SQL of a column of a CSV file: texts neutralised, in the value as in the heading."""
    return f"{csv_value(quoted(name), data_type)} as {quoted(neutralised(name))}"


def csv_value(value, data_type):
    """The SQL of a cell of a CSV file, of the SQL of a value: texts neutralised."""
    # Lists and structs of texts become texts, too; numbers and times cannot hold a formula.
    if not re.fullmatch(r"(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL.*|BOOLEAN|DATE|TIME.*)", data_type):
        text = f"cast({value} as varchar)"
        # Most texts have no such sign, and a first look costs half as much.
        is_harmless = f"not regexp_matches({text}, '{SIGN}|{INDENT}') or regexp_full_match({text}, '{HARMLESS}')"
        replaced = rf"regexp_replace(regexp_replace({text}, '{FORMULA}', '\1''\2', 'g'), '{INDENT}', '''\1')"
        return f"case when {is_harmless} then {text} else {replaced} end"
    return value


def copy(warehouse, query, path, options):
    """Write the answer to a file; an error of writing is told from one of reading."""
    path.parent.mkdir(exist_ok=True)
    target = str(path).replace("'", "''")
    try:
        warehouse.execute(f"copy ({query}) to '{target}' ({options})")
    except duckdb.IOException as error:
        raise OSError(str(error).splitlines()[0]) from None


def copy_csv(warehouse, query, path, delimiter=","):
    """Write the answer as CSV, every text in double quotes: no cell is made of two where a program splits at another sign."""
    texts = [name for name, data_type, *_ in warehouse.execute(f"describe {query}").fetchall() if data_type == "VARCHAR"]
    quotes = f", force_quote ({', '.join(map(quoted, texts))})" if texts else ""
    copy(warehouse, query, path, f"format csv, header, delimiter '{delimiter}'{quotes}")


def sheet_names(tables):
    """A name for each sheet, at most 31 characters long and each another, also in small letters."""
    names = []
    for table in tables:
        name, number = re.sub(r"[\[\]:*?/\\']", "_", table)[:31], 1
        while name.lower() in {taken.lower() for taken in [*names, "tables", "columns", "history"]}:
            number += 1
            name = f"{name[: 30 - len(str(number))]}~{number}"
        names.append(name)
    return names


def number_format(name, data_type, comment, largest):
    """How Excel shows a column. Counts are named n_..., and a share says in its description that it is one, from 0 to 1."""
    if data_type == "DATE":
        return "yyyy-mm-dd"
    if data_type.startswith("TIMESTAMP"):
        return "yyyy-mm-dd hh:mm:ss"
    if re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", data_type):
        return "#,##0" if name.startswith("n_") else "0"
    if data_type == "DOUBLE" or data_type.startswith("DECIMAL") or data_type == "FLOAT":
        if "share" in comment.lower() and "0 to 1" in comment:
            return "0.0%"
        return "#,##0.00" if largest and largest >= 10 else "0.000"
    return None


def excel_value(value):
    """A value as a cell can hold it: a number, a time, a truth value or a text; None for none."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if len(str(abs(value))) <= EXCEL_DIGITS else str(value)
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None if value != value else str(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None) if value.year >= 1900 else str(value)
    if isinstance(value, date):
        return value if value.year >= 1900 else str(value)
    text = str(value)
    return text if len(text) <= EXCEL_TEXT else text[: EXCEL_TEXT - 1] + "…"


def write_cell(sheet, row, column, value, style=None):
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value, style)
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, style)
    elif value is not None:
        # Never write(), which takes texts that begin with = for formulas.
        sheet.write_string(row, column, value)


def write_sheet(book, name, headings, widths, formats, rows):
    """One sheet: a frozen, filtered header and the rows, which come one after the other."""
    sheet = book.add_worksheet(name)
    header = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#E8EEF4"})
    styles = [book.add_format({"num_format": text}) if text else None for text in formats]
    sheet.freeze_panes(1, 0)
    for column, (heading, width) in enumerate(zip(headings, widths, strict=True)):
        sheet.set_column(column, column, min(max(width + 2, 9), 60))
        sheet.write_string(0, column, heading, header)
    n_rows = 0
    for n_rows, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            write_cell(sheet, n_rows, column, excel_value(value), styles[column])
    sheet.autofilter(0, 0, max(n_rows, 1), len(headings) - 1)


def batches(answer, table):
    """The rows, a batch at a time; of a long table it says how far it has come."""
    n_rows = 0
    while rows := answer.fetchmany(BATCH):
        yield from rows
        n_rows += len(rows)
        if n_rows % PROGRESS == 0:
            print(f"  {table}: {n_rows:,} rows are in the workbook", flush=True)


def write_table(warehouse, book, name, table, columns):
    """Widths and formats come from the first thousand rows."""
    measures = ", ".join(
        f"coalesce(max(length(cast({quoted(column)} as varchar)[:100])), 0), "
        + (f"max(abs({quoted(column)}))" if data_type in ("DOUBLE", "FLOAT") else "null")
        for column, data_type, _ in columns
    )
    measured = warehouse.execute(f"select {measures} from (from {quoted(table)} limit 1000)").fetchone()
    formats = [
        number_format(column, data_type, comment, largest)
        for (column, data_type, comment), largest in zip(columns, measured[1::2], strict=True)
    ]
    # A number is as wide as it is shown; a header wraps at its spaces only, so it needs its own width.
    widths = [
        max(len(column), 19 if text and text.startswith("yyyy") else 8 if text else length)
        for (column, _, _), text, length in zip(columns, formats, measured[::2], strict=True)
    ]
    selected = ", ".join(
        f"cast({quoted(column)} as double)" if data_type.startswith("DECIMAL") else quoted(column)
        for column, data_type, _ in columns
    )
    # A cursor of its own, so that its rows are not lost to another question.
    with closing(warehouse.cursor()) as cursor:
        answer = cursor.execute(f"select {selected} from {quoted(table)}")
        write_sheet(book, name, [column for column, _, _ in columns], widths, formats, batches(answer, table))


def too_large(n_rows, n_columns):
    """Why a table is not in the workbook, or None."""
    if n_rows >= EXCEL_ROWS:
        return (
            f"not in the workbook: {n_rows:,} rows, and a sheet of Excel holds {EXCEL_ROWS - 1:,}; take the CSV or Parquet file"
        )
    if n_columns > EXCEL_COLUMNS:
        return f"not in the workbook: {n_columns:,} columns, and a sheet of Excel holds {EXCEL_COLUMNS:,}"
    return None


def export(warehouse, new):
    """Write all files to the folder `new`, and say of each table what becomes of it; returns the names of the tables."""
    warehouse.execute(f"set memory_limit = '{MEMORY}'")
    tables = found_tables(warehouse)
    described = dict(warehouse.execute(DESCRIPTIONS).fetchall())
    columns = {table: warehouse.execute(COLUMNS, [table]).fetchall() for table in tables}
    n_rows = {table: warehouse.execute(f"select count(*) from {quoted(table)}").fetchone()[0] for table in tables}
    problems = {table: too_large(n_rows[table], len(columns[table])) for table in tables}
    names = dict(zip(tables, sheet_names(tables), strict=True))
    contents = [
        (problems[table] or names[table], table, n_rows[table], len(columns[table]), described.get(table) or "")
        for table in tables
    ]
    for table in tables:
        if problems[table]:
            print(f"{table} is {problems[table]}.", flush=True)
    print(f"Writing {plural(len(tables), 'table')} ...", flush=True)
    with tempfile.TemporaryDirectory(dir=new) as rows:
        # Row by row into the file: memory does not grow with the table.
        options = {"constant_memory": True, "tmpdir": rows, "remove_timezone": True, "strings_to_urls": False}
        book = xlsxwriter.Workbook(new / "segments.xlsx", options)
        book.use_zip64()
        formats = [None, None, "#,##0", "#,##0", None]
        write_sheet(book, "tables", ["sheet", "table", "rows", "columns", "description"], [34, 34, 8, 8, 100], formats, contents)
        meanings = [(table, *column) for table in tables for column in columns[table]]
        write_sheet(book, "columns", ["table", "column", "data type", "description"], [34, 30, 14, 100], [None] * 4, meanings)
        for number, table in enumerate(tables, start=1):
            print(f"{number} of {len(tables)}: {table}, {plural(n_rows[table], 'row')}", flush=True)
            text = ", ".join(csv_column(name, data_type) for name, data_type, _ in columns[table])
            copy_csv(warehouse, f"select {text} from {quoted(table)}", new / "csv" / f"{table}.csv")
            copy(warehouse, f"from {quoted(table)}", new / "parquet" / f"{table}.parquet", PARQUET)
            if not problems[table]:
                write_table(warehouse, book, names[table], table, columns[table])
        print("Closing the workbook ...", flush=True)
        try:
            book.close()
        except xlsxwriter.exceptions.XlsxWriterException as error:
            raise OSError(str(error)) from None
    return tables


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the file that dbt has built")
    parser.add_argument("--output", type=Path, default=Path("exports"), help="the folder for the files")
    arguments = parser.parse_args()
    with read_only(arguments.warehouse) as warehouse, file_set(arguments.output, "exports", like=arguments.warehouse) as new:
        tables = export(warehouse, new)
    print(f"{arguments.output}: {len(tables)} tables in csv/ and parquet/, and in segments.xlsx")


if __name__ == "__main__":
    main()
