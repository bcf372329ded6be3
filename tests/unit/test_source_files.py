"""What files are: which ones, how they are written, where each column stands; and the sentence where that cannot be told.

The macros that ask are rendered as they are, without dbt; the plugin answers on a DuckDB in memory.
"""

import bz2
import csv
import gzip
import importlib
import io
import lzma
import os
import random
import re
import string
import sys
import tarfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import xlsxwriter
from dbt_common.clients.jinja import CallableMacroGenerator, get_template
from dbt_common.exceptions import DbtRuntimeError

PROJECT = Path(__file__).parents[2] / "dbt_project"
sys.path.append(str(PROJECT / "plugins"))
source_files = importlib.import_module("source_files")
headers_plugin = importlib.import_module("headers")
layouts_plugin = importlib.import_module("layouts")
packed_files = importlib.import_module("packed_files")
zstd = packed_files.zstd
sys.path.append(str(Path(__file__).parents[1] / "project"))
staging = importlib.import_module("staging")

CUSTOMERS = [
    {"name": "customer_id", "headers": ["CustomerID"]},
    {"name": "gender", "headers": ["Gender", "Genre"]},
    {"name": "age", "headers": ["Age"]},
    {"name": "annual_income_k", "headers": ["Annual Income (k$)", "Annual Income"]},
    {"name": "spending_score", "headers": ["Spending Score (1-100)", "Spending Score"]},
]
NAMES = [column["name"] for column in CUSTOMERS]
ORDERS = [
    {"name": "customer_id", "headers": []},
    {"name": "order_id", "headers": ["invoice"], "is_optional": True},
    {"name": "ordered_at", "headers": ["date", "order_date"]},
    {"name": "amount", "headers": ["order_amount", "total"], "missing": "reject", "instead": ["quantity", "unit_price"]},
    {"name": "unit_price", "headers": ["price"], "missing": "null", "is_optional": True, "is_substitute": True},
    {"name": "quantity", "headers": [], "missing": "null", "is_optional": True},
]
HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
TEXT = f"{HEADER}\n1,Male,30,40,50\n"


def workbook(sheets, **formats):
    """The bytes of a workbook: {name: rows of cells, None for one with nothing in it}."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "yyyy-mm-dd"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for place, cell in enumerate(row):
                    sheet.write(number, place, cell)
    return stream.getvalue()


def zipped(files, *, flags=0, method=None):
    """The bytes of a zip: {name: text}; with other flags or another method for those files in its directory."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        for member in archive.infolist():
            member.flag_bits |= flags
            member.compress_type = method or member.compress_type
    return stream.getvalue()


def tarred():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"), io.BytesIO())
    return stream.getvalue()


def zstd_with_checksum(text):
    return zstd.compress(text.encode(), options={zstd.CompressionParameter.checksum_flag: 1})


def changed(content, *, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    credentials = SimpleNamespace(path=str(tmp_path_factory.mktemp("build") / "warehouse.duckdb"))
    plugin = source_files.Plugin("source_files", {}, credentials=credentials)
    with duckdb.connect() as connection:
        plugin.configure_connection(connection)
        yield plugin


def rendered(expression, adapter=None, **context):
    """What a macro writes, or asks of the adapter."""
    adapter = adapter or SimpleNamespace()
    adapter.dispatch = lambda name: context.get(f"duckdb__{name}") or context[f"default__{name}"]
    context |= {"execute": True, "invocation_id": object(), "return": staging.Staging.returned, "adapter": adapter}
    context |= {macro.name: CallableMacroGenerator(macro, context) for macro in staging.macros()}
    return get_template("{{ " + expression + " }}", context).render(context).strip()


def asked(table):
    """The dictionary that the macro source_layouts hands to the plugin, and takes its answer from."""
    requests = []
    adapter = SimpleNamespace(store_relation=lambda *arguments: requests.append(arguments[-1]))
    rendered("source_layouts(table)", table={"key": table["columns"][0]} | table, adapter=adapter)
    return requests[0]


@pytest.fixture
def ask(plugin, tmp_path):
    """A function: ({file name: text or bytes}, settings of the source) → the request, answered."""

    def ask_for(files, columns=CUSTOMERS, block="segmentation", **settings):
        for name, content in files.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        source = {"file": f"{tmp_path}/*", "encoding": "utf-8", "block": block, "variable": "customers_file"} | settings
        request = asked({"source": source, "columns": columns})
        plugin.store(SimpleNamespace(config=request))
        return request

    return ask_for


@pytest.fixture
def layouts(ask):
    """A function: as above → the layouts of the files, without the folder."""

    def layouts_of(*arguments, **settings):
        answer = ask(*arguments, **settings)["layouts"]
        return [layout | {"files": [Path(path).name for path in layout["files"]]} for layout in answer]

    return layouts_of


@pytest.fixture
def lines(ask, plugin):
    """A function: as above → {file name: the lines that the models read in it}, which have to be all that it has."""

    def lines_of(*arguments, **settings):
        request = ask(*arguments, **settings)
        found = {path: [] for layout in request["layouts"] for path in layout["files"]}
        for layout in request["layouts"]:
            for path, line, *_ in plugin.connection.execute(rendered("lines_of(layout)", layout=layout)).fetchall():
                found[path].append(line or "")
        counts = [(path, len(texts), len([text for text in texts if str(text).strip()])) for path, texts in found.items()]
        layouts_plugin.check_lines(request["layouts"], request["source"], unreadable=None, found=counts)
        return {Path(path).name: texts for path, texts in found.items()}

    return lines_of


@pytest.fixture
def refusal(layouts):
    """A function: as above → the sentence with which the files are refused."""

    def refusal_of(*arguments, **settings):
        with pytest.raises(DbtRuntimeError) as refused:
            layouts(*arguments, **settings)
        return refused.value.msg

    return refusal_of


DIALECTS = {
    "comma.csv": (TEXT, ",", "utf-8"),
    "semicolon.csv": (TEXT.replace(",", ";"), ";", "utf-8"),
    "tab.tsv": (TEXT.replace(",", "\t"), "\t", "utf-8"),
    "pipe.txt": (TEXT.replace(",", "|"), "|", "utf-8"),
    "spaces.txt": ("customer_id  gender  age  annual_income_k  spending_score\n1  Male  30  40  50\n", " ", "utf-8"),
    "byte_order_mark.csv": (b"\xef\xbb\xbf" + TEXT.encode(), ",", "utf-8"),
    "utf_16.csv": (TEXT.encode("utf-16"), ",", "utf-8"),
    "utf_16_without_a_mark.csv": (TEXT.encode("utf-16-le"), ",", "utf-8"),
    "utf_16_high_byte_first.csv": (b"\xfe\xff" + TEXT.encode("utf-16-be"), ",", "utf-8"),
    "utf_16_high_byte_first_without_a_mark.csv": (TEXT.encode("utf-16-be"), ",", "utf-8"),
    "windows.csv": (TEXT.replace("\n", "\r\n"), ",", "utf-8"),
    "mixed.csv": (TEXT.replace("\n", "\r\n", 1), ",", "utf-8"),
    "packed.csv.gz": (gzip.compress(TEXT.encode()), ",", "utf-8"),
    "blank_lines.csv": ("\n  \n" + TEXT, ",", "utf-8"),
    "quoted.csv": ('"CustomerID","Gender","Age","Annual Income (k$)","Spending Score"\n1,"x",30,40,50', ",", "utf-8"),
    "no_line_end.csv": (TEXT.rstrip(), ",", "utf-8"),
    "a [1] * b?.csv": (TEXT, ",", "utf-8"),
    "empty_member_first.csv.gz": (gzip.compress(b"") + gzip.compress(TEXT.encode("utf-16")), ",", "utf-8"),
    "a?b.csv.gz": (gzip.compress(TEXT.encode()), ",", "utf-8"),
}  # fmt: skip


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_of_text(layouts, name):
    content, delimiter, encoding = DIALECTS[name]
    (layout,) = layouts({name: content})
    assert layout["files"] == [name]
    assert (layout["delimiter"], layout["format"], layout["n_fields"]) == (delimiter, encoding, 5)
    assert layout["fields"] == dict(zip(NAMES, range(1, 6), strict=True))


def test_the_pattern_of_a_file_stands_for_no_other(layouts, plugin):
    found = layouts({"[a]*?.csv": TEXT, "a12.csv": TEXT, "axy.csv": TEXT})
    patterns = [pattern for layout in found for pattern in layout["patterns"].values()]
    matches = [plugin.connection.execute("select parse_filename(file) from glob($1)", [one]).fetchall() for one in patterns]
    assert matches == [[("[a]*?.csv",)], [("a12.csv",)], [("axy.csv",)]]


def test_latin_1_where_it_is_declared(layouts):
    (layout,) = layouts({"kunden.csv": TEXT.replace("Gender", "Männlich,Gender").encode("latin-1")}, encoding="Latin-1")
    assert layout["format"] == "latin-1"
    assert layout["fields"]["gender"] == 3


def test_case_spaces_and_underscores_of_headers_do_not_matter(layouts):
    (layout,) = layouts({"other.csv": "spending score,AGE,annual_income(k$),Comment,GENRE, customer_id \n"})
    assert layout["fields"] == {"customer_id": 6, "gender": 5, "age": 2, "annual_income_k": 3, "spending_score": 1}
    assert layout["n_fields"] == 6


def test_files_that_are_laid_out_alike_share_a_layout(layouts):
    """Each layout stands where its first file does; files that are read as copies stand alone."""
    found = layouts({
        "a.csv": TEXT, "b.csv": TEXT.encode("utf-16"), "c.csv": TEXT.replace(",", ";"), "d.csv": TEXT + TEXT,
        "e.csv": "Comment," + HEADER, "f.csv": TEXT.replace("Gender", "Genre"),
    })  # fmt: skip
    assert [layout["files"] for layout in found] == [["a.csv", "d.csv", "f.csv"], ["b.csv"], ["c.csv"], ["e.csv"]]


def test_parquet_files_are_read_by_name_and_one_by_one(layouts, plugin, tmp_path):
    for name, genre in (("a", "Gender"), ("b", "Genre")):
        columns = f'1 as CustomerID, \'x\' as "{genre}", 30 as Age, 40 as "Annual Income", 50 as spending_score, 1 as records'
        plugin.connection.execute(f"copy (select {columns}) to '{tmp_path}/{name}.parquet'")
    first, second = layouts({})
    assert (first["files"], first["format"], first["delimiter"]) == (["a.parquet"], "parquet", None)
    assert first["n_fields"] == 5
    assert first["fields"]["gender"] == "Gender"
    assert second["fields"]["gender"] == "Genre"


def test_a_source_is_asked_about_once_a_build(plugin, tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(TEXT, encoding="utf-8")
    source = {"file": str(path), "encoding": "utf-8", "block": "segmentation", "variable": "customers_file"}
    request = asked({"source": source, "columns": CUSTOMERS})
    plugin.store(SimpleNamespace(config=request))
    again = dict(request, layouts=None)
    plugin.store(SimpleNamespace(config=again))
    assert again["layouts"] is request["layouts"]
    path.write_text(TEXT.replace("Gender", "Genre"), encoding="utf-8")
    next_build = dict(request, invocation="the next build")
    plugin.store(SimpleNamespace(config=next_build))
    assert next_build["layouts"] is not request["layouts"]


def test_an_amount_needs_no_unit_price_and_without_one_every_record_needs_what_makes_up_for_it(layouts):
    (layout,) = layouts({"orders.csv": "customer_id,date,amount,quantity,price\n"}, ORDERS, "orders")
    assert [(column["name"], column.get("missing")) for column in layout["columns"]] == [
        ("customer_id", None), ("ordered_at", None), ("amount", "reject"), ("quantity", "null")
    ]  # fmt: skip
    (layout,) = layouts({"orders.csv": "customer_id,date,quantity,price\n"}, ORDERS, "orders")
    assert [(column["name"], column.get("missing")) for column in layout["columns"]] == [
        ("customer_id", None), ("ordered_at", None), ("unit_price", "reject"), ("quantity", "reject")
    ]  # fmt: skip
    assert ORDERS[4]["missing"] == "null"


@pytest.mark.parametrize(
    ("line", "delimiter"), [(" 00001 19970101  1   11.77", " "), ("7;2025-01-02;1;3,50", ";"), ("7,2025-01-02,1,3.50", ",")]
)
def test_fields_that_the_configuration_names(layouts, line, delimiter):
    names = ["customer_id", "date", "till", "amount"]
    (layout,) = layouts({"bare.txt": line + "\n"}, ORDERS, "orders", fields=names)
    assert layout["delimiter"] == delimiter
    assert layout["fields"] == {"customer_id": 1, "ordered_at": 2, "amount": 4}


REFUSED = {
    "a_header_misspelt": (
        "data.csv", TEXT.replace("Spending Score (1-100)", "Spendig Score"),
        'data.csv has no column for spending_score (the nearest header is "Spendig Score"); its first line is '
        '"CustomerID, Gender, Age, Annual Income (k$), Spendig Score"; rename the header in the file, or add it under headers: '
        "in dbt_project.yml, vars, segmentation; what the file does not have can be removed there.",
    ),
    "another_table_altogether": (
        "data.csv", "order,amount\n1,2\n",
        "data.csv has no column for customer_id, nor for gender, nor for age, nor for annual_income_k, nor for spending_score; "
        'its first line is "order,amount"; rename',
    ),
    "two_columns_for_one_feature": (
        "data.csv", TEXT.replace("Gender", "age"),
        'data.csv has more than one column for age, "age" and "Age"; rename or remove all but one of them.',
    ),
    "empty": ("data.csv", "", "data.csv is empty; give a file with a header line and one line for each record."),
    "blank": ("data.csv", "\n  \n\n", "data.csv is empty; give a file with a header line and one line for each record."),
    "a_quote_left_open_in_the_header": (
        "data.csv", '"' + TEXT,
        "data.csv: the quotes of its first line are not balanced; the header has to stand on one line, with each quote closed.",
    ),
    "latin_1_undeclared": (
        "data.csv", TEXT.replace("Male", "Männlich").encode("latin-1"),
        "data.csv, line 2, is not utf-8 text; save the file as UTF-8, or set encoding: latin-1 under source: in "
        'dbt_project.yml, vars, segmentation; then its byte 68, E4, is "ä", in windows-1251 "д", in cp850 "õ", in mac-roman "‰".',
    ),
    "latin_1_undeclared_in_the_header": (
        "data.csv", TEXT.replace("Gender", "Männlich").encode("latin-1"), "data.csv, line 1, is not utf-8 text; save the file",
    ),
    "utf_16_with_half_a_character": (
        "data.csv", TEXT.encode("utf-16-le") + b"\x00\xd8\n\0",
        "data.csv, line 3, is not utf-16-le text; save the file as UTF-8, or set encoding: under source: in dbt_project.yml, "
        "vars, segmentation to the one that it is in; it fails at byte 161.",
    ),
    "a_quote_left_open_within_the_header": (
        "data.csv", TEXT.replace("Age", '"Age'), "data.csv: the quotes of its first line are not balanced; the header has to",
    ),
    "a_line_beyond_two_megabytes": (
        "data.csv", "x" * 3_000_000 + TEXT,
        "data.csv, line 1, has more than two million bytes, which is too long; is this a text file with a line for each record?",
    ),
    "no_workbook_under_that_name": (
        "data.xlsx", TEXT,
        "data.xlsx is not a workbook, which its name says; save it anew, or let the name of a text file end in .csv.",
    ),
    "a_workbook_that_is_cut": (
        "data.xlsx", workbook({"Sheet1": [HEADER.split(",")]})[:-400],
        "data.xlsx is damaged or not whole: it cannot be unpacked; copy or export it anew.",
    ),
    "a_workbook_without_cells": (
        "data.xlsx", workbook({"Sheet1": [], "Sheet2": []}),
        "data.xlsx is empty; give a workbook with a row of headers and one row for each record.",
    ),
    "a_document_of_word_of_long_ago": (
        "data.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "data.doc cannot be read as a workbook: ",
    ),
    "a_zip_of_two": (
        "data.zip", zipped({"a.csv": TEXT, "b.csv": TEXT}),
        "data.zip is a zip of 2 files, such as a.csv and b.csv; unpack it, and give what is to be read.",
    ),
    "a_zip_of_none": ("data.zip", zipped({"folder/": ""}), "data.zip is a zip of 0 files; unpack it, and give what is"),
    "a_zip_with_a_password": (
        "data.zip", zipped({"a.csv": TEXT}, flags=1), "data.zip is a zip with a password; unpack it, and give what is in it.",
    ),
    "a_zip_of_a_kind_that_python_does_not_know": (
        "data.zip", zipped({"a.csv": TEXT}, method=9), "data.zip is a zip of a kind that is not read; unpack it, and give",
    ),
    "a_zip_that_is_cut": (
        "data.csv", zipped({"a.csv": TEXT})[:100],
        "data.csv is damaged or not whole: it cannot be unpacked; copy or export it anew.",
    ),
    "a_zip_with_another_checksum": (
        "data.csv", zipped({"a.csv": TEXT}).replace(b"Male", b"Mole"),
        "data.csv is damaged or not whole: its checksum is wrong; copy or export it anew.",
    ),
    "an_archive": ("data.tgz", gzip.compress(TEXT.encode()), "data.tgz is an archive; unpack it, and give what is to be read."),
    "an_archive_under_another_name": ("data.csv", tarred(), "data.csv is an archive; unpack it, and give"),
    "packed_twice": (
        "data.csv.gz", gzip.compress(gzip.compress(TEXT.encode())), "data.csv.gz is packed twice; unpack it, and give what is in",
    ),
    "a_zip_within_gzip": ("data.gz", gzip.compress(zipped({"a.csv": TEXT})), "data.gz is packed twice; unpack it, and give"),
    "parquet_that_is_cut_under_another_name": ("data.csv", b"PAR1\0\0", "data.csv is not whole: a Parquet file ends as"),
    "packed_and_cut": (
        "data.csv.gz", gzip.compress(TEXT.encode() * 9)[:-20],
        "data.csv.gz is not whole: it ends before its checksum; copy or export it anew.",
    ),
    "packed_and_cut_in_the_checksum": ("data.csv.gz", gzip.compress(TEXT.encode())[:-1], "data.csv.gz is not whole: it ends"),
    "packed_and_cut_in_the_second_member": (
        "data.csv.gz", gzip.compress(TEXT.encode()) + gzip.compress(b"2,Male,31,41,51\n")[:-9], "data.csv.gz is not whole: it",
    ),
    "packed_with_another_checksum": (
        "data.csv.gz", gzip.compress(TEXT.encode())[:-8] + b"\1\2\3\4" + gzip.compress(TEXT.encode())[-4:],
        "data.csv.gz is damaged: its checksum is wrong; copy or export it anew.",
    ),
    "packed_with_another_length": (
        "data.csv.gz", gzip.compress(TEXT.encode())[:-4] + b"\1\2\3\4", "data.csv.gz is damaged: its checksum is wrong; copy",
    ),
    "packed_with_something_behind": (
        "data.csv.gz", gzip.compress(TEXT.encode()) + b"something", "data.csv.gz is damaged: it cannot be unpacked; copy",
    ),
    "packed_with_zstd_and_cut": (
        "data.csv", zstd.compress(TEXT.encode() * 9)[:-3],
        "data.csv is not whole: it ends before its checksum; copy or export it anew.",
    ),
    "packed_with_zstd_with_another_checksum": (
        "data.csv.zst", zstd_with_checksum(TEXT)[:-1] + b"!",
        "data.csv.zst is damaged: its checksum is wrong; copy or export it anew.",
    ),
    "packed_with_zstd_with_something_behind": (
        "data.csv.zst", zstd.compress(TEXT.encode()) + b"something", "data.csv.zst is damaged: it cannot be unpacked; copy",
    ),
    "packed_with_bzip2_and_cut": ("data.csv", bz2.compress(TEXT.encode() * 9)[:-3], "data.csv is not whole: it ends before"),
    "packed_with_bzip2_with_another_checksum": (
        "data.csv", changed(bz2.compress(TEXT.encode()), place=12), "data.csv is damaged: it cannot be unpacked; copy",
    ),
    "packed_with_xz_and_cut": ("data.csv.xz", lzma.compress(TEXT.encode() * 9)[:-3], "data.csv.xz is not whole: it ends before"),
    "packed_with_xz_with_another_byte": (
        "data.csv.xz", changed(lzma.compress(TEXT.encode()), place=40), "data.csv.xz is damaged: it cannot be unpacked; copy",
    ),
    "packed_with_lz4": (
        "data.lz4", b"\x04\x22\x4d\x18", "data.lz4 is packed with lz4, which is not read; unpack it, or pack it with gzip.",
    ),
    "packed_and_empty": ("data.csv.gz", gzip.compress(b""), "data.csv.gz is empty; give a file with a header line"),
    "no_parquet_under_that_name": (
        "data.parquet", TEXT,
        "data.parquet is not a Parquet file, which its name says; export it anew, or let the name of a text file end in .csv.",
    ),
    "empty_parquet": ("data.parquet", b"", "data.parquet is empty; give a file with a header line"),
    "parquet_that_is_cut": (
        "data.parquet", b"PAR1" + b"x" * 100,
        "data.parquet is not whole: a Parquet file ends as it begins, and this one does not; export or copy it anew.",
    ),
    "parquet_that_is_garbage_inside": (
        "data.parquet", b"PAR1" + b"x" * 100 + b"\x10\0\0\0PAR1", "data.parquet cannot be read: ",
    ),
    "a_program": (
        "data.csv", Path(sys.executable).read_bytes()[:9000],
        "data.csv is not text, but a program, a picture or the like; give a CSV or Parquet file.",
    ),
    "a_picture": ("data.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", "data.csv is not text, but a program, a picture or the like;"),
    "json_whose_records_are_not_a_line_each": (
        "data.csv", '[{"CustomerID": 1},\n{"CustomerID": 2}]',
        'data.csv is JSON whose records are not a line each; write it as JSON lines, as jq -c ".[]" does, or as CSV.',
    ),
    "json_of_several_lines": ("data.json", '{\n"CustomerID": 1\n}', "data.json is JSON whose records are not a line each; write"),
    "json_without_a_column": (
        "data.json", '{"CustomerID": 1, "Gender": "x", "Ages": 2, "annual income": 3, "spending score": 4}\n',
        'data.json has no column for age (the nearest header is "Ages"); its first line is "CustomerID, Gender, Ages, ',
    ),
    "called_json": ("data.json", '{"CustomerID\n', "data.json is called JSON and has no line that is a JSON object; write one"),
    "a_delimiter_that_is_not_read": (
        "data.csv", "sep=^\n" + TEXT.replace(",", "^"),
        'data.csv: its first line names the delimiter "^", which is not read; save the file with commas, semicolons, tabs or',
    ),
    "a_header_below_other_lines": (
        "data.csv", "Report of 2025\n\nall customers;;\n" + TEXT,
        "data.csv has its header in line 4, below others; set skip_lines: 3 under source: in dbt_project.yml, "
        "vars, segmentation.",
    ),
    "utf_8_with_one_byte_that_is_none": (
        "data.csv", (TEXT + "2,Müller,30,40,50\n3,Käßmann,30,40,50\n").encode() + b"4,M\xfcller,30,40,50\n",
        "data.csv, line 5, is not utf-8 text; save the file as UTF-8, or mend its byte 124, FC: what else it has beyond ASCII is "
        "UTF-8.",
    ),
    "windows_1252_undeclared": (
        "data.csv", (TEXT + "2,€ „x“,30,40,50\n").encode("windows-1252"),
        "data.csv, line 3, is not utf-8 text; save the file as UTF-8, or set encoding: windows-1252 under source: in "
        'dbt_project.yml, vars, segmentation; then the bytes 80 84 93, from byte 83 on, are "€„“", in windows-1251 "Ђ„“", in '
        'cp850 "Çäô", in mac-roman "ÄÑì".',
    ),
    "a_code_page_that_is_not_windows_1252": (
        "data.csv", TEXT.replace("Male", "Müller").encode("cp850"),
        "data.csv, line 2, is not utf-8 text; save the file as UTF-8, or set encoding: windows-1251 under source: in "
        'dbt_project.yml, vars, segmentation; then its byte 68, 81, is "Ѓ", in cp850 "ü", in mac-roman "Å".',
    ),
    "utf_16_cut_within_a_character": (
        "data.csv", TEXT.encode("utf-16")[:-1],
        "data.csv is not whole: it ends in the middle of a character; copy or export it anew.",
    ),
    "the_one_character_that_lines_are_split_by": (
        "data.csv", TEXT + "2,Ma\U0010ffffle,30,40,50\n",
        "data.csv, line 3, has the character U+10FFFF, which is never one of a text; remove it.",
    ),
    "a_header_that_a_terminal_would_obey": (
        "data.csv", TEXT.replace("Gender", "\x1b]0;title\x07\x1b[31mGender\u202e"),
        "data.csv has no column for gender; its first line is \"CustomerID, \\x1b]0;title\\x07\\x1b[31mGender\\u202e, Age, ",
    ),
    "a_name_that_a_terminal_would_obey": (
        "da\x1b[31mta.csv", TEXT, "da\\x1b[31mta.csv has a control character in it; rename it.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_used(refusal, tmp_path, case):
    name, content, sentence = REFUSED[case]
    said = refusal({name: content})
    assert said.removeprefix("The name of the file ").startswith(f"{tmp_path}/{sentence}")
    assert said.isprintable()


def test_text_that_is_not_what_was_declared(refusal):
    assert refusal({"data.csv": "CustomerID;Betrag €\n".encode("cp1252")}, encoding="latin-1").endswith(
        "data.csv, line 1, is not latin-1 text; save the file as UTF-8, or set encoding: windows-1252 under source: in "
        'dbt_project.yml, vars, segmentation; then its byte 19, 80, is "€", in windows-1251 "Ђ", in cp850 "Ç", in mac-roman "Ä".'
    )
    assert refusal({"data.csv": TEXT.encode() + b"2,\xff,30,40,50\n"}, encoding="shift_jis").endswith(
        "data.csv, line 3, is not shift_jis text; save the file as UTF-8, or set encoding: under source: in dbt_project.yml, "
        "vars, segmentation to the one that it is in; it fails at byte 83."
    )


@pytest.mark.parametrize("encoding", ["base64", "rot13", "idna", "hex", "undefined", "unicode_escape", "no such", "", "a\0"])
def test_what_is_no_encoding(refusal, encoding):
    said = refusal({"data.csv": TEXT}, encoding=encoding)
    assert said.startswith("dbt_project.yml, vars, segmentation: source: encoding: ")
    assert "is not the name of an encoding that Python knows; use one such as utf-8, windows-1252, cp850 or utf-16" in said


REFUSED_ORDERS = {
    "no_amount": (
        "customer_id,date,quantity,sum\n", {},
        'orders.csv has no column for amount or quantity and unit_price; its first line is '
        '"customer_id, date, quantity, sum"; rename the header in the file, or add it under headers: in dbt_project.yml, vars, '
        "orders; where there is no header, name its fields under fields: there.",
    ),
    "no_date": ("customer_id,dates,amount\n", {}, 'has no column for ordered_at (the nearest header is "dates"); its first'),
    "two_dates": (
        "customer_id,date,order_date,amount\n", {},
        'orders.csv has more than one column for ordered_at, "date" and "order_date"; rename or remove all but one of them.',
    ),
    "empty": ("", {}, "orders.csv is empty; give a file with a header line and one line for each record."),
    "other_encoding": (
        "customer_id,date,amount\n1,Käse,1\n".encode("latin-1"), {},
        "orders.csv, line 2, is not utf-8 text; save the file as UTF-8, or set encoding: latin-1 under source: in "
        "dbt_project.yml, vars, orders; then its byte 28",
    ),
    "fields_that_the_file_does_not_have": (
        "1 20250101 5\n", {"fields": ["customer_id", "date", "quantity", "amount"]},
        "orders.csv: its first line does not have the 4 fields that fields: in dbt_project.yml, vars, orders names, "
        "whatever it is split by; name every field of the file, in order.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED_ORDERS)
def test_a_file_of_orders_that_cannot_be_used(refusal, case):
    content, settings, sentence = REFUSED_ORDERS[case]
    assert sentence in refusal({"orders.csv": content}, ORDERS, "orders", **settings)


@pytest.mark.parametrize("name", ["broken.csv", "zz.csv"])
def test_one_bad_file_among_good_ones(refusal, tmp_path, name):
    assert refusal({"good.csv": TEXT, name: '"' + TEXT}).startswith(f"{tmp_path}/{name}: the quotes of its first line")
    assert refusal({name: ""}).startswith(f"{tmp_path}/{name} is empty")


def test_a_parquet_file_without_a_column(refusal, plugin, tmp_path):
    columns = "1 as CustomerID, 'x' as Gender, 30 as Age, 40 as Income"
    plugin.connection.execute(f"copy (select {columns}) to '{tmp_path}/data.parquet'")
    said = refusal({})
    assert "data.parquet has no column for annual_income_k" in said
    assert 'nor for spending_score; its first line is "CustomerID, Gender, Age, Income"; rename' in said


@pytest.mark.parametrize("block", ["segmentation", "orders"])
def test_a_file_that_is_not_there(refusal, block):
    variable = {"segmentation": "customers_file", "orders": "orders_file"}[block]
    assert refusal({}, block=block, file="no/such.csv", variable=variable) == (
        "No file is found at no/such.csv; give the path of a CSV or Parquet file, or a pattern such as exports/*.csv, relative "
        f"to the folder of dbt_project.yml, with --vars '{{{variable}: path}}', the environment variable {variable.upper()}, or "
        f"source: file in dbt_project.yml, vars, {block}."
    )


@pytest.mark.parametrize(
    ("name", "headers", "nearest"),
    [
        ("spending_score", ["Spendig Score", "Score"], "Spendig Score"),
        ("customer_id", ["client", "Customer"], "Customer"),
        ("customer_id", ["country", "comment", ""], None),
        ("ordered_at", ["dates", "rates"], "dates"),
        ("amount", ["quantity", "Order Total"], "Order Total"),
        ("amount", [], None),
    ],
)
def test_the_nearest_header_is_named_where_one_is_near(plugin, name, headers, nearest):
    column = next(column for column in CUSTOMERS + ORDERS if column["name"] == name)
    reader = source_files.Reader(plugin.connection, "", {}, "")
    assert headers_plugin.nearest_header(reader, column, headers) == nearest


@pytest.mark.parametrize(("text", "parquet", "fields", "n_lines", "is_refused"), [
    (["a.csv", "b.csv"], [], None, 2, True),
    (["a.csv", "b.csv"], [], None, 3, False),
    (["a.csv"], ["c.parquet"], None, 1, True),
    ([], ["c.parquet"], None, 0, True),
    (["a.csv"], [], ["customer_id"], 1, False),
])  # fmt: skip
def test_headers_without_rows_below_are_refused(text, parquet, fields, n_lines, is_refused):
    layouts = [
        {"format": format, "files": files, "n_lines": {}, "preambles": {}, "has_header": format != "parquet" and not fields}
        for format, files in (("utf-8", text), ("parquet", parquet))
    ]
    source = {"block": "segmentation", "fields": fields}
    found = [("a.csv", 9, n_lines)]
    if not is_refused:
        layouts_plugin.check_lines(layouts, source, unreadable=None, found=found)
        return
    with pytest.raises(DbtRuntimeError) as refused:
        layouts_plugin.check_lines(layouts, source, unreadable=None, found=found)
    files = ", ".join(text + parquet)
    assert refused.value.msg == f"{files} has a header and no rows below it; give a file with one line for each record."


def test_a_line_far_below_that_cannot_be_read_is_refused():
    layouts = [{"format": "utf-8", "files": ["a.csv", "b.csv"], "opened": {"a.csv": "a.csv", "b.csv": "build/0.txt"}}]
    with pytest.raises(DbtRuntimeError) as refused:
        layouts_plugin.check_lines(layouts, {"block": "orders"}, unreadable=("build/0.txt", 70_000, "INVALID ENCODING"), found=[])
    assert refused.value.msg == "b.csv, line 70000, is not utf-8 text; save the file as UTF-8."


@pytest.mark.parametrize("found", [[("a.csv", 2, 2)], [("a.csv", 4, 4)], []])
def test_lines_that_the_reader_does_not_see_are_missed(found):
    layouts = [{"format": "utf-8", "files": ["a.csv"], "n_lines": {"a.csv": 3}, "preambles": {}, "has_header": True}]
    with pytest.raises(DbtRuntimeError) as refused:
        layouts_plugin.check_lines(layouts, {"block": "orders"}, unreadable=None, found=found)
    assert refused.value.msg.startswith(f"a.csv has 3 lines, of which {found[0][1] if found else 0} were read; save it anew")


def test_headers_are_split_as_pythons_csv_module_splits_them(plugin):
    """Five hundred lines with quotes, delimiters and spaces in their fields."""
    generator = random.Random(5)
    request = asked({"source": {"block": "segmentation"}, "columns": CUSTOMERS})
    reader = source_files.Reader(plugin.connection, request["read_lines"], request["split_record"], request["is_json_object"])
    for _ in range(500):
        delimiter = generator.choice(",;\t|")
        stream = io.StringIO()
        alphabet = string.ascii_letters + ' ,;|\t"' + "äéß€"
        fields = ["".join(generator.choices(alphabet, k=generator.randrange(1, 9))) for _ in range(generator.randrange(1, 7))]
        csv.writer(stream, delimiter=delimiter, lineterminator="").writerow(fields)
        assert reader.split(stream.getvalue(), [delimiter]) == {delimiter: fields}


# What is declared, and what the bytes are.
CODECS = {
    "utf-8": ("utf-8", "utf-8"),
    "latin-1": ("latin-1", "latin-1"),
    "utf-16": ("utf-8", "utf-16-le"),
    "utf-16 with the high byte first": ("utf-8", "utf-16-be"),
}


def mixed_text(generator, line_ends):
    """Some lines below a header, with blank ones among them, and perhaps without a line end behind the last one."""
    alphabet = ["a", "b", '"', " ", ",", "\x85", "\x1c", "ü", "\ufeff", "\t", "\U0001f600"]
    text = "customer_id" + generator.choice(line_ends)
    for _ in range(generator.randrange(1, 9)):
        text += "".join(generator.choices(alphabet, k=generator.randrange(0, 4))) + generator.choice(line_ends)
    return text + "x" * generator.randrange(2)


def test_line_ends_of_every_kind_are_counted_and_read_alike(lines):
    """Texts whose line ends are of one kind or of several, in every encoding, packed or not, as Python reads them."""
    generator = random.Random(7)
    n_mixed = 0
    for encoding, (declared, codec) in CODECS.items():
        texts = {}
        for number in range(12):
            line_ends = generator.sample(["\n", "\r\n", "\r"], generator.randrange(1, 4))
            text = mixed_text(generator, line_ends)
            # Latin-1 has none of these.
            texts[f"{number}.csv"] = text if encoding != "latin-1" else re.sub("[\x85\ufeff\U0001f600]", "", text)
            n_mixed += len(line_ends) > 1
        expected = {name: io.StringIO(text, newline=None).read().split("\n") for name, text in texts.items()}
        expected = {name: texts[:-1] if texts[-1] == "" else texts for name, texts in expected.items()}
        plain = {name: text.encode(codec) for name, text in texts.items()}
        packed = {f"{name}.gz": gzip.compress(content) for name, content in plain.items()}
        found = lines(plain | packed, [{"name": "customer_id", "headers": []}], encoding=declared)
        assert found == expected | {f"{name}.gz": texts for name, texts in expected.items()}
    assert n_mixed > 15


BLOCKS = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)\r\n" + "".join(
    f"{number},Male,30,40,50" + ("\n" if number % 7 else "\r\n") for number in range(40_000)
)


@pytest.mark.parametrize("block", [1 << 16, 4099])
def test_line_ends_between_two_blocks(lines, monkeypatch, block):
    monkeypatch.setattr(packed_files, "BLOCK", block)
    content = BLOCKS.encode()
    found = lines(
        {"a.csv": content, "b.csv.gz": gzip.compress(content[:50_001], mtime=0) + gzip.compress(content[50_001:], mtime=0)}
    )
    assert found == dict.fromkeys(["a.csv", "b.csv.gz"], BLOCKS.replace("\r\n", "\n").split("\n")[:-1])


def test_only_files_whose_line_ends_differ_are_copied_and_no_copy_stays(plugin, ask, layouts):
    found = layouts({
        "lf.csv": TEXT, "crlf.csv": TEXT.replace("\n", "\r\n"), "cr.csv": TEXT.replace("\n", "\r"), "mixed.csv": TEXT + "\r\n",
    })  # fmt: skip
    copied = {Path(path).name: opened for layout in found for path, opened in layout["opened"].items() if opened != path}
    assert list(copied) == ["mixed.csv"]
    assert Path(copied["mixed.csv"]).read_bytes() == TEXT.encode() + b"\n"
    next_build = source_files.Plugin("source_files", {}, credentials=plugin.creds)
    assert not plugin.copies.exists()
    next_build.copies.mkdir()
    del next_build
    assert not plugin.copies.exists()


@pytest.mark.parametrize("change", ["longer", "of the same length", "replaced", "gone"])
def test_a_file_that_changes_while_it_is_read(ask, plugin, tmp_path, change):
    path = tmp_path / "data.csv"
    request = ask({"data.csv": TEXT})
    plugin.store(SimpleNamespace(config=request))
    state = path.stat()
    if change == "gone":
        path.unlink()
    elif change == "replaced":
        (tmp_path / "new.csv").write_text(TEXT, encoding="utf-8")
        os.utime(tmp_path / "new.csv", ns=(state.st_atime_ns, state.st_mtime_ns))
        os.replace(tmp_path / "new.csv", path)
    else:
        path.write_text(TEXT + "2,Male,31,41,51\n" if change == "longer" else TEXT.replace("30", "31"), encoding="utf-8")
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + (change != "longer")))
    with pytest.raises(DbtRuntimeError) as refused:
        plugin.store(SimpleNamespace(config=request))
    assert refused.value.msg.startswith(f"{path} has changed while it was read; start again when it is complete")


def test_what_is_no_file_is_not_opened(refusal, tmp_path):
    """Reading a pipe waits for a writer, for ever."""
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder").mkdir()
    for path, sentence in {
        tmp_path / "pipe.csv": "is a pipe, a socket or a device; write what comes out of it into a file, and give that.",
        Path("/dev/null"): "is a pipe, a socket or a device; write",
        tmp_path / "folder": f"is a folder; give a file in it, or a pattern such as {tmp_path}/folder/*.csv.",
    }.items():
        assert refusal({}, file=str(path)).startswith(f"{path} {sentence}")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    assert refusal({}, file=f"{tmp_path}/gone.csv") == f"{tmp_path}/gone.csv cannot be read: No such file or directory."


def test_a_name_that_is_not_utf_8(refusal, tmp_path):
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/k\xe4ufer.csv"))).write_text(TEXT, encoding="utf-8")
    sentence = f"The name of the file {tmp_path}/k\\udce4ufer.csv is not UTF-8; rename it."
    assert refusal({}) == sentence
    assert refusal({}, file=os.fsdecode(os.fsencode(tmp_path) + b"/k\xe4ufer.csv")) == sentence


def test_a_file_with_brackets_in_its_name_is_that_file(lines, tmp_path):
    files = {"a[1].csv": TEXT, "a1.csv": TEXT + "2,Male,31,41,51\n"}
    assert list(lines(files, file=f"{tmp_path}/a[1].csv")) == ["a[1].csv"]
    assert list(lines(files, file=f"{tmp_path}/a[2-9].csv".replace("2-9", "0-9"))) == ["a1.csv"]


def test_names_that_duckdb_spells_another_way(lines, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a[1].csv", "~b.csv", "c.csv", "d.csv"]
    assert list(lines(dict.fromkeys(names, TEXT), file="*.csv")) == ["a[1].csv", "c.csv", "d.csv", "~b.csv"]


def test_a_folder_named_like_a_column_does_not_replace_its_values(lines, plugin, tmp_path):
    folder = tmp_path / "age=99" / "raw_record=1"
    folder.mkdir(parents=True)
    (folder / "data.csv").write_text(TEXT, encoding="utf-8")
    columns = '1 as CustomerID, \'x\' as "Gender", 30 as Age, 40 as "Annual Income", 50 as spending_score'
    plugin.connection.execute(f"copy (select {columns}) to '{folder}/data.parquet'")
    found = lines({}, file=f"{tmp_path}/**/data.*")
    assert found["data.csv"] == TEXT.splitlines()
    assert [row["Age"] for row in found["data.parquet"]] == [30]


def test_files_elsewhere_that_duckdb_cannot_open(refusal):
    assert refusal({}, file="s3://a-bucket/customers.csv").startswith("s3://a-bucket/customers.csv cannot be looked at: ")


def test_a_line_that_many_files_begin_with_is_split_once():
    class Session:
        n_questions = 0

        def execute(self, query):
            self.n_questions += 1
            return duckdb.execute(query)

    splits = {",": "string_split(raw_record, ',')", ";": "if(contains(raw_record, ';'), string_split(raw_record, ';'), null)"}
    reader = source_files.Reader(Session(), "", splits, None)
    assert [reader.split("a,b", [",", ";"]) for _ in range(3)] == [{",": ["a", "b"]}] * 3
    assert reader.session.n_questions == 1
    assert reader.split("a,c", [",", ";"]) == {",": ["a", "c"]}
    assert reader.split("a,b", [";"]) == {}
