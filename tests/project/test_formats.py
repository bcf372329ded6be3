"""Files in every encoding, packing and format that is read, from their bytes to the accepted and rejected rows, without dbt."""

import bz2
import codecs
import datetime
import encodings.aliases
import gzip
import importlib
import io
import json
import lzma
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from dbt_common.exceptions import DbtRuntimeError
from staging import ROOT, Staging, source_files

HEADER = ["CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)"]
ROWS = [[1, "Male", 30, 40, 50], [2, "Female", 31, 41, 51], [3, None, 32, 42, 52]]
ACCEPTED = [tuple(row) for row in ROWS]
packed_files = importlib.import_module("packed_files")
zstd = packed_files.zstd
CASES = ROOT.parent / "shared" / "cases"


@pytest.fixture
def stage(tmp_path):
    """A function: {file name: text or bytes}, settings of the source → Staging, without the folder in its rejected rows."""
    (tmp_path / "build").mkdir()
    (tmp_path / "incoming").mkdir()
    opened = []

    def staged(files, block="segmentation", settings=None, file="*", **source):
        for name, content in files.items():
            (tmp_path / "incoming" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        settings = {block: {"source": source, **(settings or {})}}
        staging = Staging(tmp_path / "build", block, tmp_path / "incoming" / file, settings)
        opened.append(staging)
        assert staging.not_counted is None
        staging.rejected = [(path.removeprefix(f"{tmp_path}/incoming/"), *row) for path, *row in staging.rejected]
        return staging

    yield staged
    for staging in opened:
        staging.connection.close()


def csv(rows, delimiter=",", header=HEADER):
    return "\n".join(delimiter.join("" if cell is None else str(cell) for cell in row) for row in [header, *rows]) + "\n"


def workbook(sheets, hidden=()):
    """The bytes of a workbook: {name: rows of cells}, with None for cells that have nothing in them, and "=NA()" for an error."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for number, row in enumerate(rows):
                for place, cell in enumerate(row):
                    if cell == "=NA()":
                        sheet.write_formula(number, place, cell, value="#N/A")
                    else:
                        sheet.write(number, place, cell)
    return stream.getvalue()


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


# --- Encodings ----------------------------------------------------------------------------------------------------------------

# A word that each of them has, besides ASCII.
WORDS = {
    "windows-1252": "€ „x“", "cp850": "Müller ½", "mac-roman": "Åsa ‰", "iso-8859-15": "5 €", "windows-1251": "Мужчина",
    "koi8-r": "Мужчина", "shift_jis": "男性", "gb18030": "男性 🙂", "big5": "男性", "euc-kr": "남성", "iso-2022-jp": "男性",
    "utf-7": "Müller 男", "utf-16": "🙂", "utf-16-be": "🙂", "utf-32": "🙂", "utf-32-le": "🙂", "cp037": "Müller",
    "utf-8-sig": "🙂",
}  # fmt: skip


@pytest.mark.parametrize("encoding", WORDS)
def test_every_codec_of_python_is_read(stage, encoding):
    """Twice as long as a block, so that characters and escapes lie across its end."""
    word = WORDS[encoding]
    rows = [[number, word, 20 + number % 60, 40, 50] for number in range(1, 8000)]
    staging = stage({"a.csv": csv(rows).encode(encoding)}, encoding=encoding)
    assert staging.accepted == [tuple(row) for row in rows]
    assert staging.rejected == []


def test_no_codec_of_python_stops_with_a_traceback():
    """Each is an encoding for files or refused as none."""
    for name in {*encodings.aliases.aliases, *encodings.aliases.aliases.values()}:
        with suppress(DbtRuntimeError):
            codecs.lookup(source_files.declared_encoding({"encoding": name, "block": "orders"}))


def test_a_suggested_code_page_works(stage):
    """What the sentence names can be set, whatever bytes there are."""
    for content in (b"\xe4", b"\x80", b"\x81", b"\x93\xff\x9d", bytes(range(0x80, 0x100))):
        files = {"a.csv": csv(ROWS).encode() + b"4," + content + b",33,43,53\n"}
        with pytest.raises(DbtRuntimeError) as refused:
            stage(files)
        suggested = refused.value.msg.split("set encoding: ")[1].split(" ")[0]
        assert stage(files, encoding=suggested).accepted == [*ACCEPTED, (4, content.decode(suggested).strip(), 33, 43, 53)]


def test_a_byte_far_below_is_found(stage):
    """Across the ends of blocks, with line ends of two bytes, packed or not."""
    rows = [[number, "Mädchen", 30, 40, 50] for number in range(1, 9000)]
    content = csv(rows).replace("\n", "\r\n").encode() + b"9000,M\xe4nnlich,30,40,50\r\n"
    place = content.index(b"M\xe4n") + 2
    for name, packed in (("a.csv", content), ("a.csv.gz", gzip.compress(content)), ("a.zip", zipped({"a.csv": content}))):
        with pytest.raises(DbtRuntimeError) as refused:
            stage({name: packed}, file=name)
        assert f"{name}, line 9001, is not utf-8 text; save the file as UTF-8, or mend its byte {place}, E4" in refused.value.msg


# --- Packings -----------------------------------------------------------------------------------------------------------------


def packings(content):
    return {
        "none": content,
        "gzip": gzip.compress(content),
        "bzip2": bz2.compress(content),
        "xz": lzma.compress(content),
        "zstd": zstd.compress(content),
        # As parallel packers write it, with a frame that is to be skipped.
        "several": b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + zstd.compress(content[:70]) + zstd.compress(content[70:]),
        "zip": zipped({"folder/": b"", "folder/a.csv": content}),
        "zip_of_macos": zipped({"a.csv": content, "__MACOSX/._a.csv": b"\0"}),
    }


def test_packings_are_seen_by_content_and_not_by_name(stage):
    files = {}
    for ending in [".csv", ".csv.gz", ".csv.zst", "?.gz"]:
        for name in packings(b""):
            files[name + ending] = packings(csv([[len(files), name + ending, 30, 40, 50]]).encode())[name]
    staging = stage(files)
    assert {gender for _, gender, *_ in staging.accepted} == set(files)
    assert staging.rejected == []


def test_what_becomes_much_longer_is_unpacked_in_pieces():
    for packing, compress in {
        "bzip2": bz2.compress,
        "xz": lzma.compress,
        "zstd": zstd.compress,
    }.items():
        pieces = list(packed_files.unpacked("a", [compress(b"x" * 10**7)], packing))
        assert sum(map(len, pieces)) == 10**7
        assert max(map(len, pieces)) <= packed_files.BLOCK


@pytest.mark.parametrize("name", ["a.parquet.gz", "a.zip", "a.csv"])
def test_parquet_and_workbooks_may_be_packed_and_called_anything(stage, tmp_path, name):
    duckdb.sql(f"copy (select 1 as CustomerID, 'x' as Gender, 30 as Age, 40 as Income, 50 as Score) to '{tmp_path}/a.parquet'")
    columns = {"features": [{"name": "age"}, {"name": "income"}, {"name": "score"}]}
    for content in ((tmp_path / "a.parquet").read_bytes(), workbook({"a": [["CustomerID", "Gender", "Age", "Income", "Score"],
                                                                           [1, "x", 30, 40, 50]]})):  # fmt: skip
        for packed in (content, gzip.compress(content), zipped({"a": content})):
            staging = stage({name: packed}, settings=columns)
            assert staging.accepted == [(1, "x", 30, 40, 50)]


def test_copies_are_as_private_as_their_files(stage, tmp_path):
    path = tmp_path / "incoming" / "a.csv"
    path.write_bytes(csv(ROWS).encode("utf-16"))
    path.chmod(0o600)
    staging = stage({})
    (copy,) = staging.plugin.copies.iterdir()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


# --- Preambles ----------------------------------------------------------------------------------------------------------------

PREAMBLES = {
    "lines": ("Report\n\n2025\n", {"skip_lines": 3}),
    "lines with a blank one behind": ("Report\n2025\n\n", {"skip_lines": 2}),
    "comments": ("# Report\n\n# 2025\n", {"comment": "#"}),
    "lines and comments": ("Report\n// a\n\n// b\n", {"skip_lines": 1, "comment": "//"}),
    "a delimiter that is named": ("sep=,\n", {}),
    "a delimiter that is named in quotes": ('"sep=,"\n', {}),
    "all at once": ("Report\n# a\nSEP=,\n# b\n\n", {"skip_lines": 1, "comment": "#"}),
    "open quotes": ('Report of "x\nof "y\n', {"skip_lines": 2}),
    "what looks like a record": ("9,Male,30,40,50\n", {"skip_lines": 1}),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("preamble", PREAMBLES)
def test_lines_above_the_header_are_skipped_and_counted(stage, preamble, line_end):
    above, settings = PREAMBLES[preamble]
    text = above + csv([*ROWS, [4, "x", "old", 40, 50], [5, '"two\nlines"', 30, 40, 50]])
    staging = stage({"a.csv": text.replace("\n", line_end)}, **settings)
    assert staging.accepted == [*ACCEPTED, (5, "two\nlines", 30, 40, 50)]
    assert staging.rejected == [("a.csv", above.count("\n") + 5, "age is not a number", "4,x,old,40,50")]


def test_each_file_has_a_preamble_of_its_own(stage):
    texts = {
        "a.csv": "# 1\n" + csv(ROWS),
        "b.csv": csv([[4, "x", "old", 40, 50]]),
        "c.csv": "sep=;\n# 2\n" + csv([[5, "x", 1, 2, 0]], ";"),
    }
    staging = stage(texts, comment="#")
    assert staging.accepted == ACCEPTED
    assert [row[:3] for row in staging.rejected] == [
        ("b.csv", 2, "age is not a number"), ("c.csv", 4, "spending_score is below 1")
    ]  # fmt: skip


def test_a_tab_can_be_named(stage):
    staging = stage({"a.csv": "sep=\t\n" + csv(ROWS, "\t")})
    assert (staging.accepted, staging.rejected) == (ACCEPTED, [])


def test_a_delimiter_that_is_named_is_taken_although_another_one_finds_as_much(stage):
    header = ["CustomerID;x", "Gender;x", "Age", "Annual Income (k$)", "Spending Score (1-100);x"]
    with pytest.raises(DbtRuntimeError) as refused:
        stage({"a.csv": "sep=;\n" + csv(ROWS, header=header)})
    assert "no column for gender" in refused.value.msg


def test_fields_that_the_configuration_names_for_customers(stage):
    fields = ["customer_id", "x", "gender", "age", "annual_income_k", "spending_score"]
    text = "\n# a\n1,,Male,30,40,50\n\n2,,Female,old,41,51\n"
    staging = stage({"a.csv": text}, fields=fields, comment="#")
    assert staging.accepted == [(1, "Male", 30, 40, 50)]
    assert staging.rejected == [("a.csv", 5, "age is not a number", "2,,Female,old,41,51")]


def test_only_a_preamble(stage):
    with pytest.raises(DbtRuntimeError) as refused:
        stage({"a.csv": "# a\n# b\n"}, comment="#")
    assert refused.value.msg.endswith(
        "a.csv has no header below the lines that are skipped; look at skip_lines: and comment: under source: in "
        "dbt_project.yml, vars, segmentation."
    )


# --- Fields -------------------------------------------------------------------------------------------------------------------


def test_spaces_around_quotes(stage):
    text = csv(ROWS[:1]) + "\n".join([
        '2, "Female, or not" , "31" ,41, 51', '3,  "a ""b"" c",32, 42,"52"', '4, "x"y,33,43,53', '5, "x,33,43,53', '6, "two',
        'lines" ,36,46,56', '7,a "b",37,47,57', '8, a "b" ,38,48,58', '9, ,39,49,59',
    ])  # fmt: skip
    staging = stage({"a.csv": text})
    assert staging.accepted == [
        (1, "Male", 30, 40, 50), (2, "Female, or not", 31, 41, 51), (3, 'a "b" c', 32, 42, 52), (7, 'a "b"', 37, 47, 57),
        (8, 'a "b"', 38, 48, 58), (9, None, 39, 49, 59), (6, "two\nlines", 36, 46, 56),
    ]  # fmt: skip
    assert [row[1:3] for row in staging.rejected] == [(5, "quotes are not balanced"), (6, "quotes are not balanced")]


def test_trailing_fields_that_nobody_asks_for_may_be_missing(stage):
    text = csv([], header=[*HEADER, "Note", "Phone"]) + "\n".join([
        "1,F,30,40,50,,", "2,F,31,41,51,n", "3,F,32,42,52", "4,F,33,43", "5,F,34,44,54,,,", "6,F,35,45,55,n,5", '7,F,36,46,56,"a',
        'b"', '8,F,37,47,57,"',
    ])  # fmt: skip
    staging = stage({"a.csv": text})
    assert [row[0] for row in staging.accepted] == [1, 2, 3, 6, 7]
    assert [row[1:3] for row in staging.rejected] == [
        (5, "too few fields"), (6, "too many fields"), (10, "quotes are not balanced")
    ]  # fmt: skip


def test_headers_are_compared_as_they_are_seen(stage):
    """No-break space and thin space, zero-width space and byte order mark, full width letters, composed and decomposed ones."""
    header = ["Customer\xa0ID", "\ufeffGen\u200bder", "\uff21\uff47\uff45", "Annual\u2009Income\u3000(k$)", "Mu\u0308ller"]
    features = [
        {"name": "age"},
        {"name": "annual_income_k", "headers": ["Annual Income (k$)"]},
        {"name": "m", "headers": ["Müller"]},
    ]
    assert stage({"a.csv": csv(ROWS, header=header)}, settings={"features": features}).accepted == ACCEPTED


# --- JSON lines ---------------------------------------------------------------------------------------------------------------


def objects(rows, **others):
    return "".join(json.dumps(dict(zip(HEADER, row, strict=True)) | others, ensure_ascii=False) + "\n" for row in rows)


def test_json_lines_are_seen_by_content(stage):
    content = objects(ROWS)
    named = {
        "a.jsonl": content,
        "b.csv": objects([[4, "ä\n🙂", 33, 43, 53]]),
        "c.ndjson.gz": gzip.compress(objects([[5, "x", 1, 2, 3]]).encode()),
    }
    staging = stage(named)
    assert staging.accepted == [*ACCEPTED, (4, "ä\n🙂", 33, 43, 53), (5, "x", 1, 2, 3)]


def test_objects_may_lack_keys_and_lines_that_are_none_cost_themselves(stage):
    text = "\n".join([
        '{"CustomerID": 1, "Age": 30, "Annual Income": 40, "Spending Score": 50}',
        "",
        ' {"spending_score": 51, "CustomerID": "2", "Gender": "a \\"b\\"", "Age": 31.0, "Annual Income": "41", "x": [{}]}\t',
        '{"CustomerID": 3, "Age": null, "Annual Income": 40, "Spending Score": 50}',
        '{"CustomerID": 4, "Age": 30, "Annual Income": 40, "Spending Score": 50',
        '[5, 30, 40, 50]',
        '{"CustomerID": 6, "Age": [30], "Annual Income": 40, "Spending Score": 50}',
        '{"CustomerID": 7, "Gender": {"a": 1}, "Age": 30, "Annual Income": 40, "Spending Score": 50}',
        '{"CustomerID": 8, "CustomerID": 9, "Age": 30, "Annual Income": 40, "Spending Score": 50}',
        '{"CustomerID": 1, "Age": 30, "Annual Income": 40, "Spending Score": 50}',
        '{"CustomerID": 18446744073709551616, "Age": true, "Annual Income": 1e1, "Spending Score": NaN}',
    ])  # fmt: skip
    staging = stage({"a.json": text.replace("spending_score", "Spending Score")})
    assert staging.accepted == [(1, None, 30, 40, 50), (2, 'a "b"', 31, 41, 51)]
    lines = text.split("\n")
    assert staging.rejected == [
        ("a.json", number, reasons, lines[number - 1])
        for number, reasons in {
            4: "age is missing",
            5: "the line is not a JSON object",
            6: "the line is not a JSON object",
            7: "age is a list or an object",
            8: "gender is a list or an object",
            9: "a key stands twice in the JSON object",
            10: "customer_id is a duplicate",
            11: "customer_id is beyond the largest bigint; use data_type varchar; spending_score is missing",
        }.items()
    ]


def test_numbers_in_json_are_what_they_are_and_texts_are_as_declared(stage):
    text = objects([[1, "x", "30,0", 40.0, 50], [2, "x", 31.0, "41.0", "51"], [3, "x", "32.0", 42, 52]])
    staging = stage({"a.json": text}, decimal_separator=",")
    assert staging.accepted == [(1, "x", 30, 40, 50)]
    assert [(line, reasons.partition(",")[0]) for _, line, reasons, _ in staging.rejected] == [
        (2, "annual_income_k is not a number"),
        (3, "age is not a number"),
    ]


def test_dates_in_json_may_be_as_iso_has_them_whatever_is_declared(stage):
    lines = [
        '{"customer_id": 1, "date": "02.01.2025", "amount": 1}',
        '{"customer_id": 2, "date": "2025-01-02T10:00:00Z", "amount": 1}',
    ]
    staging = stage({"a.json": "\n".join(lines)}, block="orders", settings={"date": {"format": "day-first"}})
    day = datetime.datetime(2025, 1, 2)
    assert [row[2] for row in staging.accepted] == [day, day.replace(hour=10)]


def test_keys_of_json_with_signs_that_pointers_have(stage):
    features = [{"name": "a", "headers": ["a/b~c\"d'"]}, {"name": "b", "headers": ["$.x[0]"]}, {"name": "c", "headers": ["ü *"]}]
    text = json.dumps({"CustomerID": 1, "Gender": "x", "a/b~c\"d'": 1, "$.x[0]": 2, "ü *": 3})
    assert stage({"a.json": text}, settings={"features": features}).accepted == [(1, "x", 1, 2, 3)]


# --- Workbooks ----------------------------------------------------------------------------------------------------------------


def test_a_workbook_keeps_rows_and_types(stage):
    rows = [
        HEADER, [1, "two\nlines", 30, 40, 50], [], ["  "], [2, None, "31", 41.0, "51"], [3, True, "=NA()", 42, 52],
        [4.5, "x", 33, 43, 53], [2**53, datetime.datetime(2025, 1, 2, 3, 4), 34, 44, 54], [5, "x", 1.5, "n/a", 50],
        [1, "x", 30, 40, 50],
    ]  # fmt: skip
    staging = stage({"a.xlsx": workbook({"Kunden": rows})})
    accepted = [(1, "two\nlines", 30, 40, 50), (2, None, 31, 41, 51), (2**53, "2025-01-02 03:04:00", 34, 44, 54)]
    assert sorted(staging.accepted) == accepted
    place = "a.xlsx, sheet Kunden"
    assert staging.rejected[:2] == [
        (place, 6, "age is missing", '{"CustomerID": 3, "Gender": true, "Annual Income (k$)": 42, "Spending Score (1-100)": 52}'),
        (place, 7, "customer_id is not a whole number",
         '{"CustomerID": 4.5, "Gender": "x", "Age": 33, "Annual Income (k$)": 43, "Spending Score (1-100)": 53}'),
    ]  # fmt: skip
    assert [row[1:3] for row in staging.rejected[2:]] == [
        (9, "age is not a whole number; annual_income_k is missing"), (10, "customer_id is a duplicate")
    ]  # fmt: skip
    assert staging.warnings == []


def test_dates_stay_dates_whatever_is_declared(stage):
    """In texts the declared format counts, in cells that are dates none is needed."""
    rows = [["customer_id", "date", "amount"], [1, datetime.date(2025, 3, 4), 1], [2, "04/03/2025", 2.25], [3, 45720, 3]]
    staging = stage({"a.xlsx": workbook({"Orders": rows})}, block="orders", settings={"date": {"format": "day-first"}})
    assert [(row[0], row[2], float(row[3])) for row in staging.accepted] == [
        (1, datetime.datetime(2025, 3, 4), 1), (2, datetime.datetime(2025, 3, 4), 2.25)
    ]  # fmt: skip
    assert [row[1:3] for row in staging.rejected] == [(4, "ordered_at is not a date")]


def test_numbers_in_cells_are_what_they_are_and_texts_are_as_declared(stage):
    rows = [HEADER, [1, "x", 30, "40,0", 50], [2, "x", 31, 41, "51.0"], [1 / 3, "x", 32, 42, 52]]
    staging = stage({"a.xlsx": workbook({"a": rows})}, decimal_separator=",")
    assert staging.accepted == [(1, "x", 30, 40, 50)]
    assert [row[2] for row in staging.rejected] == [
        "spending_score is not a number, but has points: set thousands_separator",
        "customer_id is not a whole number",
    ]
    assert '"CustomerID": 0.3333333333333333' in staging.rejected[1][3]


SHEETS = {
    "Cover": [],
    "Secret": [HEADER, [9, "x", 1, 2, 3]],
    "2025-01": [["Report"], ["# of January"], [], HEADER, ROWS[0]],
    "2025-02": [["Report"], HEADER, ROWS[1], ROWS[2]],
}


def test_sheets_by_name_by_pattern_and_by_default(stage):
    content = {"a.xlsx": workbook(SHEETS, hidden=["Secret"])}
    settings = {"skip_lines": 1, "comment": "#"}
    assert stage(content, sheet="2025-02", **settings).accepted == ACCEPTED[1:]
    staging = stage(content, sheet="2025-*", **settings)
    assert staging.accepted == ACCEPTED
    assert stage(content, sheet="Secret").accepted == [(9, "x", 1, 2, 3)]
    staging = stage(content, **settings)
    assert staging.accepted == ACCEPTED[:1]
    (warning,) = staging.warnings
    assert warning.endswith(
        'a.xlsx, sheet 2025-01, is read, because it is the first one that has cells; "2025-02" has some, too. To read another '
        "one, or several, name them with sheet: under source: in dbt_project.yml, vars, segmentation."
    )
    with pytest.raises(DbtRuntimeError) as refused:
        stage(content, sheet="2024-*")
    assert refused.value.msg.endswith(
        'a.xlsx has no sheet "2024-*"; its sheets are "Cover", "Secret", "2025-01", "2025-02"; name one of them with sheet: '
        "under source: in dbt_project.yml, vars, segmentation."
    )


def test_columns_of_a_sheet_that_have_no_header_or_the_same_one(stage):
    rows = [
        [None, *HEADER, None, "x", "x"],
        [None, 1, "x", 30, 40, 50, "a", "b", "c"],
        [None, 2, "x", "old", 40, 50, "a", "b", "c"],
    ]
    staging = stage({"a.xlsx": workbook({"a": rows})})
    assert staging.accepted == [(1, "x", 30, 40, 50)]
    assert json.loads(staging.rejected[0][3])["G"] == "a"
    assert staging.rejected[0][3].endswith('"G": "a", "x": "b", "x (I)": "c"}')
    with pytest.raises(DbtRuntimeError) as refused:
        stage({"a.xlsx": workbook({"a": [[*HEADER, "age"], [*ROWS[0], 31]]})})
    assert 'a.xlsx, sheet a has more than one column for age, "Age" and "age"; rename' in refused.value.msg


def test_a_sheet_without_a_header(stage):
    names = ["customer_id", "gender", "age", "annual_income_k", "spending_score"]
    content = {"a.xlsx": workbook({"a": ROWS})}
    assert stage(content, fields=names).accepted == ACCEPTED
    with pytest.raises(DbtRuntimeError) as refused:
        stage(content, fields=names[1:])
    assert "a.xlsx, sheet a: its first row does not have the 4 fields that fields: in dbt_project.yml" in refused.value.msg


def test_a_sheet_with_nothing_below_its_header(stage):
    with pytest.raises(DbtRuntimeError) as refused:
        stage({"a.xlsx": workbook({"a": [HEADER]})})
    assert "a.xlsx, sheet a has a header and no rows below it" in refused.value.msg
    files = {"a.xlsx": workbook({"a": [HEADER]}), "b.xlsx": workbook({"b": [HEADER, *ROWS]})}
    assert stage(files).accepted == ACCEPTED


def test_workbooks_beside_other_files(stage):
    files = {"a.xlsx": workbook({"a": [HEADER, ROWS[0]]}), "b.xlsx": workbook({"b": [HEADER, ROWS[1]]}), "c.csv": csv([ROWS[2]])}
    assert sorted(stage(files).accepted) == ACCEPTED


# --- The cases ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "n_accepted", "settings"), [
    ("headers/ga.csv", 300, {"comment": "#"}), ("headers/ga.csv", 300, {"skip_lines": 4}), ("headers/jsonl.csv", 300, {}),
    ("headers/nbsp.csv", 300, {}), ("headers/really_gz.csv", 300, {}), ("headers/really_zip.csv", 300, {}),
    ("headers/sep.csv", 300, {}), ("headers/spaceafter.csv", 300, {}), ("excel-ragged/customers.csv", 320, {}),
    ("windows-1252/customers_cp1252.csv", 300, {"encoding": "windows-1252"}),
])  # fmt: skip
def test_the_cases(stage, name, n_accepted, settings):
    if not (CASES / name).exists():
        pytest.skip("the cases are not on this machine")
    staging = stage({Path(name).name: (CASES / name).read_bytes()}, **settings)
    assert (len(staging.accepted), staging.rejected) == (n_accepted, [])


@pytest.mark.parametrize("data_type", ["bigint", "varchar"])
def test_a_number_with_an_exponent_is_no_key_in_json_or_a_workbook(tmp_path, data_type):
    """4.50588E+12 has lost digits before, and a cell of Excel has those of no number above 15 digits."""
    rows = [4.50588e22, 123456789012345678.0, 7]
    text = "\n".join(
        f'{{"CustomerID": {row}, "Gender": "x", "Age": 30, "Annual Income": 40, "Spending Score": 50}}' for row in rows
    )
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    (tmp_path / "a.xlsx").write_bytes(workbook({"a": [HEADER, *([row, "x", 30, 40, 50] for row in rows)]}))
    for name in ("a.json", "a.xlsx"):
        with Staging(tmp_path, "segmentation", tmp_path / name, {"segmentation": {"key": {"data_type": data_type}}}) as staging:
            assert [str(row[0]) for row in staging.accepted] == ["7"]
            assert all(reasons.startswith("customer_id is in exponent notation") for _, _, reasons, _ in staging.rejected)
            assert len(staging.rejected) == 2
