"""Files as they come: delimiters, encodings, line ends, quotes, broken lines, Parquet, several at once."""

import csv
import gzip
import io
import json
import random
import string
import zipfile

import duckdb
import pytest
import xlsxwriter

HEADER = ["CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)"]


def text(rows, delimiter=",", line_end="\n", header=HEADER):
    return line_end.join(delimiter.join(map(str, row)) for row in [header, *rows]) + line_end


def customers(first_id, n=10):
    """Rows of customers that are all different and all valid."""
    return [[first_id + i, "Female" if i % 2 else "Male", 20 + i % 60, 30 + i, 5 + i % 90] for i in range(n)]


@pytest.fixture(scope="module")
def stage(new_project):
    """A function that stages files: ({file name: bytes}, settings) → (accepted rows, {file name: refused rows})."""
    project = new_project()

    def staged(files, encoding="utf-8", decimal_separator="."):
        folder = project.folder / "incoming"
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        project.configure(source={"encoding": encoding, "decimal_separator": decimal_separator, "max_rejected_share": 1.0})
        project.build(
            "--select",
            "+stg_customers",
            "+rejected_customers",
            "--exclude",
            "test_type:unit",
            file=folder / "*",
        )
        # Copies with line ends of one kind are gone with the command that made them.
        assert not list((project.folder / "build").glob("*.normalised"))
        accepted = project.query("select * from stg_customers order by customer_id")
        refused = {name: [] for name in files}
        query = "select parse_filename(source_file), line_number, reasons, raw_record from rejected_customers order by all"
        for name, *row in project.query(query):
            refused[name].append(tuple(row))
        return accepted, refused

    staged.project = project
    return staged


def parquet(folder, query):
    """The bytes of a Parquet file."""
    path = folder / "one.parquet"
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")
    return path.read_bytes()


def workbook(folder, rows):
    """The bytes of a workbook with one sheet."""
    with xlsxwriter.Workbook(folder / "one.xlsx") as book:
        sheet = book.add_worksheet("Kunden")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return (folder / "one.xlsx").read_bytes()


def zipped(content):
    """The bytes of a zip with one file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("customers.csv", content)
    return stream.getvalue()


def test_files_of_every_kind_in_one_glob(stage, tmp_path):
    """One range of customers for each dialect that must work, and Parquet files whose columns differ."""
    crlf_and_lf = text(customers(800)).replace("\n", "\r\n", 4)
    files = {
        "a_comma.csv": text(customers(100)).encode(),
        "b_semicolon.csv": text(customers(200), ";").encode(),
        "c_tab.tsv": text(customers(300), "\t").encode(),
        "d_pipe.txt": text(customers(400), "|").encode(),
        "e_bom.csv": b"\xef\xbb\xbf" + text(customers(500)).encode(),
        "f_utf16.csv": text(customers(600)).encode("utf-16"),
        "g_crlf.csv": text(customers(700), line_end="\r\n").encode(),
        "h_mixed.csv": crlf_and_lf.encode(),
        "h_mixed_the_other_way.csv": text(customers(1400)).replace("\n", "\r\n").replace("\r\n", "\n", 4).encode(),
        "i_packed.csv.gz": gzip.compress(text(customers(900)).encode()),
        "j_other_headers.csv": text(
            [[score, age, income, gender, f"{key:06d}", "x"] for key, gender, age, income, score in customers(1000)],
            header=["spending score", "AGE", "annual_income(k$)", "Genre", " customer_id ", "Comment"],
        ).encode(),
        "k_blank_lines.csv": ("\n" + text(customers(1100)).replace("\n", "\n\n \n")).encode(),
        "l_quoted.csv": text([[f'"{field}"' for field in row] for row in customers(1200)]).encode(),
        "m[1] no last 'line end.csv": text(customers(1300)).rstrip("\n").encode(),
    }
    typed = """
        select * from (values
            (1, 'Male', 30, 40.0, 50), (2, null, 31, 41.0, 51), (3, 'Female', null, 42.0, 52), (4, 'Male', 33, 'nan'::double, 53)
        ) as t ("CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)")
    """
    others = 'select {}, 30 as Age, 40 as "Annual Income", 50 as spending_score'
    files |= {
        "n.parquet": parquet(tmp_path, typed),
        "o.parquet": parquet(tmp_path, others.format("5 as CustomerID, 'Male' as Genre, 'x' as filename")),
        "p.pq": parquet(tmp_path, others.format("2 as records, 6 as customer_id, 'Male' as Gender")),
        "q.xlsx": workbook(tmp_path, [HEADER, *customers(1500)]),
        "r.jsonl": "\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in customers(1600)).encode(),
        "s.zip": zipped(text(customers(1700)).encode()),
        "t.csv": b"sep=;\n" + text(customers(1800), ";").encode(),
    }
    accepted, refused = stage(files)
    expected = [(1, "Male", 30, 40, 50), (2, None, 31, 41, 51), (5, "Male", 30, 40, 50), (6, "Male", 30, 40, 50)]
    assert accepted == expected + [tuple(row) for first_id in range(100, 1900, 100) for row in customers(first_id)]
    assert [(row, reasons) for row, reasons, _ in refused.pop("n.parquet")] == [
        (3, "age is missing"),
        (4, "annual_income_k is missing"),
    ]
    assert not any(refused.values())


def test_latin_1_and_decimal_commas_where_declared(stage):
    rows = [[1, "Männlich", "20", "30,0", "5"], [2, "Weiblich", "21", "3,2e1", "6"], [3, "Männlich", "22", "30,5", "7"]]
    # To a German reader 1.234 is more than a thousand; it is not guessed.
    rows += [[4, "Weiblich", "23", "1.234", "8"]]
    accepted, refused = stage({"kunden.csv": text(rows, ";").encode("latin-1")}, encoding="latin-1", decimal_separator=",")
    assert accepted == [(1, "Männlich", 20, 30, 5), (2, "Weiblich", 21, 32, 6)]
    assert [(line, reasons) for line, reasons, _ in refused["kunden.csv"]] == [
        (4, "annual_income_k is not a whole number"),
        (5, "annual_income_k is not a number, but has points: set thousands_separator"),
    ]


FAULTS = [
    ",".join(HEADER),
    "1,Male,30,40,50",
    "2,Male,30,40",
    "3,Male,30,40,50,60",
    '4,"Male,30,40,50',
    '5,Ma"le,30,40,50',
    '6,"Male"x,30,40,50',
    "",
    "7,Male,thirty,40,50",
    "8,Male,30,nan,50",
    "9,Male,30,Infinity,50",
    "10,Male,30,40,0",
    "11,Male,121,40,50",
    "12,Male,30.5,40,50",
    "13,Male,,N/A,50",
    "x14,Male,30,40,50",
    "15.5,Male,30,40,50",
    ",Male,30,40,50",
    "1,Male,31,41,51",
    "0001,Female,32,42,52",
    '16,"Ma""le, or not", 30 ,40, 50',
    "17,,30,40,50",
    ",,,,",
    "999999999999999999999,Male,30,40,50",
    "18,Male,30,1e300,50",
    "1_9,Male,30,40,50",
    "20,Male,3_0,40,50",
    "9007199254740993.5,Male,30,40,50",
    "21.0,\tMale\t,\t30,40,50",
    "null,Male,30,40,50",
    '22,"two',
    'lines",30,40,50',
    '22,"two again',
    'lines",30,40,50',
]


def random_files():
    """Three thousand records with quotes, delimiters and line breaks in their fields, as Python's csv module writes them.

    Returns ({file name: bytes}, {key: (gender, age)} of what that module reads in them, and the number of records, each line
    of those that are not put together counted).
    """
    generator = random.Random(5)
    alphabet = string.ascii_letters + ' ,;|\t"' + "\n" + "äéß€"
    files, expected, n_lines = {}, {}, 0
    for number, (delimiter, line_end) in enumerate([(",", "\n"), (";", "\r\n"), ("\t", "\n"), ("|", "\n")]):
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end)
        writer.writerow(HEADER)
        for i in range(750):
            name = "".join(generator.choices(alphabet, k=generator.randrange(12)))
            n_extra = generator.choice([0] * 9 + [1])
            writer.writerow([(number + 1) * 1000 + i, name, generator.randrange(0, 130), 50, 60, *["extra"] * n_extra])
        content = stream.getvalue()
        files[f"{number}.csv"] = content.encode()
        for record in list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))[1:]:
            # A record with a surplus field is not put together: each of its lines is refused, except for blank ones.
            _, *between = record[1].split("\n") if len(record) > 5 else [""]
            n_lines += 1 + len(between) - sum(not line.strip(" ") for line in between[:-1])
            if len(record) == 5 and int(record[2]) <= 120:
                # A blank is no value; spaces and tabs around a field are not part of it.
                expected[int(record[0])] = (record[1].strip(" \t") or None, int(record[2]))
    return files, expected, n_lines


def file_of_mixed_line_ends():
    """Three hundred customers from 20,001 on; LF first, then CR LF, a CR in quotes, and faults in lines 202 and 302."""
    rows = customers(20_001, 300)
    rows[9][1] = '"Fe\rmale"'
    rows[199][2] = "old"
    rows[299] = rows[0]
    lines = text(rows).split("\n")[:-1]
    return b"".join(line.encode() + (b"\n" if number < 100 else b"\r\n") for number, line in enumerate(lines))


@pytest.fixture(scope="module")
def dirty(stage):
    """(accepted rows, {file name: refused rows}) of one build of four kinds of dirty files, each with a range of keys."""
    stray = text(customers(10_001, 200)).splitlines()
    stray[50] = stray[50].replace("Female", '"Female')
    stray[60] = stray[60].replace("Female", '"Female')
    files, _, _ = random_files()
    faults = {"faults.csv": "\n".join(FAULTS).encode(), "stray.csv": "\n".join(stray).encode()}
    return stage(files | faults | {"mixed.csv": file_of_mixed_line_ends()})


def test_every_fault_is_named_at_its_line(dirty):
    accepted, refused = dirty
    assert [row for row in accepted if row[0] < 1000] == [
        (1, "Male", 30, 40, 50),
        (5, 'Ma"le', 30, 40, 50),
        (16, 'Ma"le, or not', 30, 40, 50),
        (17, None, 30, 40, 50),
        (21, "Male", 30, 40, 50),
        (22, "two\nlines", 30, 40, 50),
    ]
    assert {line: reasons for line, reasons, _ in refused["faults.csv"]} == {
        3: "too few fields",
        4: "too many fields",
        5: "quotes are not balanced",
        7: "quotes are not balanced",
        9: "age is not a number",
        10: "annual_income_k is missing",
        11: "annual_income_k is not a finite number",
        12: "spending_score is below 1",
        13: "age is above 120",
        14: "age is not a whole number",
        15: "age is missing; annual_income_k is missing",
        16: "customer_id is not a whole number",
        17: "customer_id is not a whole number",
        18: "customer_id is missing",
        19: "customer_id is a duplicate",
        20: "customer_id is a duplicate",
        23: "customer_id is missing; age is missing; annual_income_k is missing; spending_score is missing",
        24: "customer_id is beyond the largest bigint; use data_type varchar",
        25: "annual_income_k is beyond the largest integer; use data_type double",
        26: "customer_id is not a whole number",
        27: "age is not a number",
        28: "customer_id is not a whole number",
        30: "customer_id is missing",
        33: "customer_id is a duplicate",
    }
    texts = {line: FAULTS[line - 1] for line, _, _ in refused["faults.csv"]} | {33: "\n".join(FAULTS[32:34])}
    assert {line: raw_record for line, _, raw_record in refused["faults.csv"]} == texts


def test_random_files_are_read_as_pythons_csv_module_reads_them(dirty):
    accepted, refused = dirty
    files, expected, n_lines = random_files()
    found = {key: (gender, age) for key, gender, age, _, _ in accepted if 1000 <= key < 10_000}
    assert found == expected
    assert len(found) + sum(len(refused[name]) for name in files) == n_lines


def test_a_stray_quote_costs_its_own_line_only(dirty):
    accepted, refused = dirty
    assert len([key for key, *_ in accepted if 10_000 < key < 20_000]) == 198
    assert [(line, reasons) for line, reasons, _ in refused["stray.csv"]] == [
        (51, "quotes are not balanced"),
        (61, "quotes are not balanced"),
    ]


def test_line_ends_of_several_kinds_cost_nothing(dirty):
    """The CR in quotes is a line break like others there, and counts as a line."""
    accepted, refused = dirty
    found = [row for row in accepted if row[0] > 20_000]
    assert found == [
        (key, "Fe\nmale" if key == 20_010 else gender, *features)
        for key, gender, *features in customers(20_001, 299)
        if key != 20_200
    ]
    first, wrong = customers(20_001, 1)[0], customers(20_001, 200)[199]
    wrong[2] = "old"
    assert refused["mixed.csv"] == [
        (202, "age is not a number", ",".join(map(str, wrong))),
        (302, "customer_id is a duplicate", ",".join(map(str, first))),
    ]


def test_a_part_is_not_tested_with_tables_that_are_not_of_it(stage):
    """In a fresh copy they do not exist. Whatever the part, its own tests are among those that are run."""
    listed = {
        part: stage.project.dbt("ls", "--quiet", "--select", part, "--resource-type", "test")[1]
        for part in ("+stg_customers", "+rejected_customers +stg_customers")
    }
    accounting = "rejected_customers__accepted_and_rejected_make_all_rows"
    assert [accounting in tests for tests in listed.values()] == [False, True]
