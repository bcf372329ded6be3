"""Files as they come: delimiters, encodings, line ends, quotes, broken lines, Parquet, several at once."""

import csv
import gzip
import io
import random
import string

import duckdb
import pytest

HEADER = ["CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)"]


def text(rows, delimiter=",", line_end="\n", header=HEADER):
    return line_end.join(delimiter.join(map(str, row)) for row in [header, *rows]) + line_end


def customers(first_id, n=10):
    """Rows of customers that are all different and all valid."""
    return [[first_id + i, "Female" if i % 2 else "Male", 20 + i % 60, 30 + i, 5 + i % 90] for i in range(n)]


@pytest.fixture(scope="module")
def staged(new_project):
    """A project, and a function that stages files in it: {file name: bytes} → (accepted rows, refused rows)."""
    project = new_project()

    def stage(files, encoding="utf-8", decimal_separator="."):
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
            "--indirect-selection",
            "buildable",
            "--exclude",
            "test_type:unit",
            file=folder / "*",
        )
        accepted = project.query("select * from stg_customers order by customer_id")
        refused = project.query(
            "select parse_filename(source_file), line_number, reasons, raw_record from rejected_customers order by all"
        )
        return accepted, refused

    return stage


def test_dialects_of_text_give_the_same_customers(staged):
    """One range of customers for each dialect that must work, read together by one glob; a name with a bracket is no pattern."""
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
    accepted, refused = staged(files)
    assert refused == []
    assert accepted == [tuple(row) for first_id in range(100, 1500, 100) for row in customers(first_id)]


def test_latin_1_and_decimal_commas_where_declared(staged):
    rows = [[1, "Männlich", "20", "30,0", "5"], [2, "Weiblich", "21", "3,2e1", "6"], [3, "Männlich", "22", "30,5", "7"]]
    # To a German reader 1.234 is more than a thousand; it is not guessed.
    rows += [[4, "Weiblich", "23", "1.234", "8"]]
    accepted, refused = staged({"kunden.csv": text(rows, ";").encode("latin-1")}, encoding="latin-1", decimal_separator=",")
    assert accepted == [(1, "Männlich", 20, 30, 5), (2, "Weiblich", 21, 32, 6)]
    assert [(line, reasons) for _, line, reasons, _ in refused] == [
        (4, "annual_income_k is not a whole number"),
        (5, "annual_income_k is not a number"),
    ]


def test_parquet_and_text_in_one_glob(staged, tmp_path):
    path = tmp_path / "customers.parquet"
    duckdb.sql(f"""
        copy (
            select * from (values
                (1, 'Male', 30, 40.0, 50), (2, null, 31, 41.0, 51),
                (3, 'Female', null, 42.0, 52), (4, 'Male', 33, 'nan'::double, 53)
            ) as t ("CustomerID", "Gender", "Age", "Annual Income (k$)", "Spending Score (1-100)")
        ) to '{path}' (format parquet)
    """)
    accepted, refused = staged({"one.parquet": path.read_bytes(), "two.csv": text(customers(10, 2)).encode()})
    assert accepted == [(1, "Male", 30, 40, 50), (2, None, 31, 41, 51), (10, "Male", 20, 30, 5), (11, "Female", 21, 31, 6)]
    assert [(name, row, reasons) for name, row, reasons, _ in refused] == [
        ("one.parquet", 3, "age is missing"),
        ("one.parquet", 4, "annual_income_k is not a finite number"),
    ]


def test_parquet_files_with_different_columns(staged, tmp_path):
    for name, columns in (
        ("a", "1 as CustomerID, 'Male' as Genre, 'x' as filename"),
        ("b", "2 as records, 2 as customer_id, 'Male' as Gender"),
    ):
        query = f'select {columns}, 30 as Age, 40 as "Annual Income", 50 as spending_score'
        duckdb.sql(f"copy ({query}) to '{tmp_path / name}.parquet'")
    accepted, refused = staged({f"{name}.parquet": (tmp_path / f"{name}.parquet").read_bytes() for name in "ab"})
    assert accepted == [(1, "Male", 30, 40, 50), (2, "Male", 30, 40, 50)]
    assert refused == []


def test_every_fault_is_named_at_its_line(staged):
    lines = [
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
    ]
    accepted, refused = staged({"faults.csv": "\n".join(lines).encode()})
    assert accepted == [
        (1, "Male", 30, 40, 50),
        (5, 'Ma"le', 30, 40, 50),
        (16, 'Ma"le, or not', 30, 40, 50),
        (17, None, 30, 40, 50),
        (21, "Male", 30, 40, 50),
    ]
    assert {line: reasons for _, line, reasons, _ in refused} == {
        3: "too few fields",
        4: "too many fields",
        5: "quotes are not balanced",
        7: "quotes are not balanced",
        9: "age is not a number",
        10: "annual_income_k is not a finite number",
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
        24: "customer_id is not a whole number",
        25: "annual_income_k is beyond the largest integer; use data_type double",
        26: "customer_id is not a whole number",
        27: "age is not a number",
        28: "customer_id is not a whole number",
        30: "customer_id is missing",
    }
    assert all(lines[line - 1] == raw_record for _, line, _, raw_record in refused)


def test_random_files_are_read_as_pythons_csv_module_reads_them(staged):
    """Three thousand records with quotes, delimiters and line breaks in their fields."""
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
            writer.writerow([number * 1000 + i, name, generator.randrange(0, 130), 50, 60, *["extra"] * n_extra])
        content = stream.getvalue()
        files[f"{number}.csv"] = content.encode()
        for record in list(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter))[1:]:
            # A record with a surplus field is not put together: each of its lines is refused, except for blank ones.
            _, *between = record[1].split("\n") if len(record) > 5 else [""]
            n_lines += 1 + len(between) - sum(not line.strip(" ") for line in between[:-1])
            if len(record) == 5 and int(record[2]) <= 120:
                # A blank is no value; spaces and tabs around a field are not part of it.
                expected[int(record[0])] = (record[1].strip(" \t") or None, int(record[2]))
    accepted, refused = staged(files)
    assert {key: (gender, age) for key, gender, age, _, _ in accepted} == expected
    assert len(accepted) + len(refused) == n_lines


def test_a_stray_quote_costs_its_own_line_only(staged):
    lines = text(customers(1, 200)).splitlines()
    lines[50] = lines[50].replace("Female", '"Female')
    lines[60] = lines[60].replace("Female", '"Female')
    accepted, refused = staged({"stray.csv": "\n".join(lines).encode()})
    assert len(accepted) == 198
    assert [(line, reasons) for _, line, reasons, _ in refused] == [
        (51, "quotes are not balanced"),
        (61, "quotes are not balanced"),
    ]
