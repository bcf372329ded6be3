"""Files of orders as they come: dates, fixed widths, prices, cancellations; what is refused and what stops the build."""

from datetime import datetime

import duckdb
import pytest
import yaml

STAGING = ["--select", "+stg_orders", "+rejected_orders", "--indirect-selection", "buildable", "--exclude", "test_type:unit"]
ACCEPTED = "select customer_id, order_id, ordered_at, amount, quantity, product, is_return from stg_orders order by all"
REFUSED = "select parse_filename(source_file), line_number, reasons, raw_record from rejected_orders order by all"


@pytest.fixture(scope="module")
def project(new_project):
    project = new_project(whole=True)
    project.configuration = (project.folder / "dbt_project.yml").read_text(encoding="utf-8")
    project.incoming = project.folder / "incoming"
    project.incoming.mkdir()
    return project


def configure(project, date_format="iso", columns=None, **source):
    (project.folder / "dbt_project.yml").write_text(project.configuration, encoding="utf-8")
    date = yaml.safe_load(project.configuration)["vars"]["orders"]["date"] | {"format": date_format}
    project.configure("orders", source={"max_rejected_share": 1.0} | source, date=date, **(columns or {}))


@pytest.fixture
def staged(project):
    """A function that stages files: ({file name: text or bytes}, settings) → (accepted lines, refused lines)."""

    def stage(files, *arguments, **settings):
        for old in project.incoming.iterdir():
            old.unlink()
        for name, content in files.items():
            (project.incoming / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        configure(project, **settings)
        project.build(*STAGING, *arguments, orders=project.incoming / "*")
        return project.query(ACCEPTED), project.query(REFUSED)

    return stage


def lines(*texts):
    return "\n".join(texts) + "\n"


def dates_of(dates, staged, delimiter=",", **settings):
    """({number of the line: moment read}, {number of the line: reasons}); the customer is the number of the line."""
    rows = [delimiter.join([str(line), date, "1"]) for line, date in enumerate(dates, start=2)]
    accepted, refused = staged({"dates.csv": lines(delimiter.join(["customer_id", "date", "amount"]), *rows)}, **settings)
    return {customer: moment for customer, _, moment, *_ in accepted}, {line: reasons for _, line, reasons, _ in refused}


def test_iso_dates_and_moments(staged):
    texts = {
        "2025-12-31": datetime(2025, 12, 31),
        "2025-12-31 08:05": datetime(2025, 12, 31, 8, 5),
        "2025-12-31T08:05:06": datetime(2025, 12, 31, 8, 5, 6),
        "2025-12-31T08:05:06.789Z": datetime(2025, 12, 31, 8, 5, 6, 789000),
        "2025-12-31 23:05:06+02:00": datetime(2025, 12, 31, 23, 5, 6),
        " 2025-12-31\t": datetime(2025, 12, 31),
        "31.12.2025": "ordered_at is not a date",
        "2025-02-30": "ordered_at is not a date",
        "01-02-03": "ordered_at is before 1900",
        "infinity": "ordered_at is not a date",
        "2999-01-01": "ordered_at is in the future",
        "n/a": "ordered_at is missing",
        "": "ordered_at is missing",
    }
    accepted, refused = dates_of(texts, staged)
    assert accepted | refused == dict(enumerate(texts.values(), start=2))


@pytest.mark.parametrize("date_format", ["day-first", "month-first"])
def test_dates_with_the_day_or_the_month_first(staged, date_format):
    def written(text, **values):
        first, second = ("{d}", "{m}") if date_format == "day-first" else ("{m}", "{d}")
        return text.replace("A", first).replace("B", second).format(**values)

    texts = {
        written("A.B.2025", d="03", m="12"): datetime(2025, 12, 3),
        written("A/B/2025", d=3, m=12): datetime(2025, 12, 3),
        written("A-B-2025 8:05", d="31", m="01"): datetime(2025, 1, 31, 8, 5),
        written("A/B/2025 08:05:06.5", d="31", m="01"): datetime(2025, 1, 31, 8, 5, 6, 500000),
        written(" A/B/10 20:26", d=1, m=12): datetime(2010, 12, 1, 20, 26),
        written("A/B/2010 8:26 PM", d=1, m=12): datetime(2010, 12, 1, 20, 26),
        written("A/B/99", d=1, m=12): datetime(1999, 12, 1),
        written("A.B.2025", d="01", m="13"): "ordered_at is not a date",
        written("A.B.2025", d="29", m="02"): "ordered_at is not a date",
        written("A-B-2999", d="01", m="02"): "ordered_at is in the future",
        "2025-12-03": "ordered_at is not a date",
        "20251203": "ordered_at is not a date",
        "": "ordered_at is missing",
    }
    accepted, refused = dates_of(texts, staged, date_format=date_format)
    assert accepted | refused == dict(enumerate(texts.values(), start=2))


def test_dates_of_eight_digits(staged):
    texts = {
        "19970101": datetime(1997, 1, 1),
        " 19970228 ": datetime(1997, 2, 28),
        "19970229": "ordered_at is not a date",
        "1997010": "ordered_at is not a date",
        "1997-01-01": "ordered_at is not a date",
        "29990101": "ordered_at is in the future",
    }
    accepted, refused = dates_of(texts, staged, date_format="YYYYMMDD")
    assert accepted | refused == dict(enumerate(texts.values(), start=2))


def test_columns_of_a_fixed_width_without_a_header(staged):
    """As old public files come: customer, day, units and dollars in columns, and no line that names them."""
    content = " 00001 19970101  1   11.77\n 00002 19970112  1   12.00\n 00002 19970112  5   77.00\n\n 00003 19970102  2\n"
    settings = {"date_format": "YYYYMMDD", "fields": ["customer_id", "ordered_at", "quantity", "amount"]}
    accepted, refused = staged({"purchases.txt": content}, **settings)
    assert accepted == [
        (1, None, datetime(1997, 1, 1), 11.77, 1, None, False),
        (2, None, datetime(1997, 1, 12), 12, 1, None, False),
        (2, None, datetime(1997, 1, 12), 77, 5, None, False),
    ]
    assert refused == [("purchases.txt", 5, "too few fields", " 00003 19970102  2")]


def test_fields_may_be_named_for_delimited_files_too_and_be_ignored(staged):
    accepted, _ = staged(
        {"bare.csv": "a;7;x;2025-01-02;3,50\n"},
        decimal_separator=",",
        fields=["order_id", "customer_id", "till", "date", "amount"],
    )
    assert accepted == [(7, "a", datetime(2025, 1, 2), 3.5, None, None, False)]


def test_spaces_between_columns_with_a_header(staged):
    accepted, _ = staged({"wide.txt": lines("customer_id  date        amount", "7            2025-01-02    3.50")})
    assert accepted == [(7, None, datetime(2025, 1, 2), 3.5, None, None, False)]


def test_without_an_amount_quantity_times_unit_price_is_one(staged):
    rows = [
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
        '489434,85048,"LIGHTS, 12",12,2025-12-01 07:45:00,6.95,13085,United Kingdom',
        "C489449,22087,BUNTING,-4,2025-12-01 10:33:00,2.50,13085,Australia",
        "489435,22350,BOWL,,2025-12-01 07:46:00,2.55,13086,France",
        "489436,22350,BOWL,2,2025-12-01 07:46:00,free,13086,France",
    ]
    accepted, refused = staged({"lines.csv": lines(*rows)})
    assert accepted == [
        (13085, "489434", datetime(2025, 12, 1, 7, 45), pytest.approx(83.4), 12, "85048", False),
        (13085, "C489449", datetime(2025, 12, 1, 10, 33), -10, -4, "22087", True),
    ]
    assert [(line, reasons) for _, line, reasons, _ in refused] == [(4, "quantity is missing"), (5, "unit_price is not a number")]


def test_where_there_is_an_amount_the_unit_price_is_not_asked(staged):
    accepted, refused = staged(
        {"both.csv": lines("customer_id,date,amount,quantity,price", "1,2025-01-01,9,2,free", "2,2025-01-01,9,,5")}
    )
    assert [(customer, amount, quantity) for customer, _, _, amount, quantity, *_ in accepted] == [(1, 9, 2), (2, 9, None)]
    assert refused == []


def test_what_is_cancelled_is_a_return(staged):
    rows = [
        "1,2025-01-01,9,no",
        "2,2025-01-01,9,TRUE",
        "3,2025-01-01,-9,1",
        "4,2025-01-01,-9,",
        "5,2025-01-01,9,N/A",
        "6,2025-01-01,9,perhaps",
    ]
    accepted, refused = staged({"flags.csv": lines("customer_id,date,amount,cancelled", *rows)})
    found = [(customer, amount, is_return) for customer, _, _, amount, _, _, is_return in accepted]
    assert found == [(1, 9, False), (2, -9, True), (3, -9, True), (4, -9, True), (5, 9, False)]
    assert [(line, reasons) for _, line, reasons, _ in refused] == [(7, "cancelled is neither yes nor no")]


def test_latin_1_decimal_commas_and_lines_that_are_equal(staged):
    rows = ["Kunde;Datum;Betrag;Produkt", "1;31.12.2025;3,50;Brötchen", "1;31.12.2025;3,50;Brötchen", "1;31.12.2025;-1.234;Käse"]
    columns = {"customer": {"headers": ["Kunde"]}, "amount": {"headers": ["Betrag"]}, "product": {"headers": ["Produkt"]}}
    content = lines(*rows).replace("Datum", "date").encode("latin-1")
    accepted, refused = staged(
        {"kasse.csv": content}, date_format="day-first", columns=columns, encoding="latin-1", decimal_separator=","
    )
    assert accepted == [(1, None, datetime(2025, 12, 31), 3.5, None, "Brötchen", False)] * 2
    assert [(line, reasons) for _, line, reasons, _ in refused] == [(4, "amount is not a number")]


def test_utf_16_parquet_and_packed_text_in_one_glob(staged, tmp_path):
    path = tmp_path / "orders.parquet"
    query = "select * from (values (1, date '2025-01-02', 5.5), (2, null, 6.5)) as t (customer_id, order_date, amount)"
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")
    text = lines("customer_id\tdate\ttotal", "3\t03.01.2025\t7")
    accepted, refused = staged({"a.parquet": path.read_bytes(), "b.tsv": text.encode("utf-16")}, date_format="day-first")
    assert accepted == [
        (1, None, datetime(2025, 1, 2), 5.5, None, None, False),
        (3, None, datetime(2025, 1, 3), 7, None, None, False),
    ]
    assert [(name, row, reasons) for name, row, reasons, _ in refused] == [("a.parquet", 2, "ordered_at is missing")]


def test_every_fault_is_named_at_its_line(staged):
    rows = [
        "customer_id,date,amount,product",
        "1,2025-01-01,-5,x",
        "",
        ",2025-01-01,5,x",
        "one,yesterday,five,x",
        "2,2025-01-01,nan,x",
        "3,2025-01-01,1e300,x",
        "4,2025-01-01,,x",
        "5,2025-01-01,5",
        "6,2025-01-01,5,x,y",
        '7,2025-01-01,5,"x',
        '8,2025-01-01,5,"two',
        'lines"',
        "1,2025-01-01,-5,x",
    ]
    accepted, refused = staged({"faults.csv": lines(*rows)})
    assert [(customer, amount, product) for customer, _, _, amount, _, product, _ in accepted] == [
        (1, -5, "x"),
        (1, -5, "x"),
        (8, 5, "two\nlines"),
    ]
    assert {line: reasons for _, line, reasons, _ in refused} == {
        4: "customer_id is missing",
        5: "customer_id is not a whole number; ordered_at is not a date; amount is not a number",
        6: "amount is not a finite number",
        7: "amount is above 1000000000000",
        8: "amount is missing",
        9: "too few fields",
        10: "too many fields",
        11: "quotes are not balanced",
    }
    assert all(rows[line - 1] == raw_record for _, line, _, raw_record in refused)


def test_keys_of_text_stay_as_they_are(project):
    configure(project)
    project.configure(key={"name": "member", "data_type": "varchar"})
    path = project.incoming / "texts.csv"
    path.write_text(lines("member,date,amount", "007,2025-01-01,5", "7,2025-01-01,5"), encoding="utf-8")
    project.build(*STAGING, orders=path)
    assert project.query("select member, amount from stg_orders order by all") == [("007", 5), ("7", 5)]


FILES = {
    "no_amount": (
        "customer_id,date,quantity,sum\n1,2025-01-01,1,1\n", {},
        'orders.csv has no column for amount or quantity and unit_price; its first line is '
        '"customer_id, date, quantity, sum"; rename the header in the file, or add it under headers: in dbt_project.yml, vars, '
        "orders; where there is no header, name its fields under fields: there.",
    ),
    "no_date": (
        "customer_id,dates,amount\n1,2025-01-01,1\n", {},
        'orders.csv has no column for ordered_at (the nearest header is "dates")',
    ),
    "two_dates": (
        "customer_id,date,order_date,amount\n1,2025-01-01,2025-01-01,1\n", {},
        'orders.csv has more than one column for ordered_at, "date" and "order_date"; rename or remove all but one of them.',
    ),
    "empty": ("", {}, "orders.csv is empty; give a file with a header line and one line for each record."),
    "header_only": ("customer_id,date,amount\n", {}, "orders.csv has a header and no rows below it; give"),
    "other_encoding": (
        "customer_id,date,amount,product\n1,2025-01-01,1,Käse\n".encode("latin-1"), {},
        "orders.csv, line 2, is not utf-8 text; save the file as UTF-8, or set encoding: latin-1 under source: in "
        "dbt_project.yml, vars, orders.",
    ),
    "fields_that_the_file_does_not_have": (
        "1 20250101 5\n", {"fields": ["customer_id", "date", "quantity", "amount"]},
        "orders.csv: its first line does not have the 4 fields that fields: in dbt_project.yml, vars, orders names, "
        "whatever it is split by; name every field of the file, in order.",
    ),
    "dates_of_another_format": (
        "customer_id,date,amount\n1,31.12.2025,1\n2,30.12.2025,1\n", {"max_rejected_share": 0.05},
        "orders.csv are refused, more than the share of 0.05 that is allowed (2 times: ordered_at is not a date): query "
        "rejected_orders for all reasons, then mend the file, adapt the format of the date, the decimal_separator or the headers "
        "in dbt_project.yml, vars, orders, or raise max_rejected_share there.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_used(project, case):
    content, source, sentence = FILES[case]
    path = project.incoming / "orders.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    configure(project, **source)
    code, output = project.dbt("build", *STAGING, orders=path)
    assert code != 0
    assert sentence in output
    assert "Traceback" not in output


def test_a_file_that_is_not_there(project):
    configure(project)
    code, output = project.dbt("build", *STAGING, "--vars", "{orders_file: nowhere.csv}")
    assert code != 0
    assert (
        "No file is found at nowhere.csv; give the path of a CSV or Parquet file, or a pattern such as exports/*.csv, relative "
        "to the folder of dbt_project.yml, with --vars '{orders_file: path}', the environment variable ORDERS_FILE, or source: "
        "file in dbt_project.yml, vars, orders."
    ) in output


MISTAKES = {
    "unknown_setting": ({"currency": "EUR"}, "orders: the setting currency is unknown; the settings here are"),
    "unknown_setting_of_the_source": ({"source": {"header": None}}, "orders: source: the setting header is unknown; the"),
    "unknown_format": ({"date": {"format": "dmy"}}, "format of date: dmy is unknown; use iso or day-first or month-first or"),
    "headers_that_are_no_list": ({"amount": {"headers": "Betrag"}}, "headers of amount: Betrag is not a list, such as ["),
    "a_column_that_is_no_block": ({"amount": "Betrag"}, "amount: Betrag is not a list of settings; the settings here"),
    "unknown_encoding": ({"source": {"encoding": "ebcdic"}}, "source: encoding: ebcdic is unknown; use utf-8"),
    "fields_that_are_no_list": ({"source": {"fields": "amount"}}, "source: fields: amount is not a list of names, such"),
    "a_share_in_percent": ({"source": {"max_rejected_share": "5%"}}, "source: max_rejected_share: 5% is not a share from 0 to"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_the_block_is_one_sentence(project, case):
    settings, sentence = MISTAKES[case]
    configure(project)
    project.configure("orders", **settings)
    code, output = project.dbt("run", "--select", "base_orders")
    assert code != 0
    assert "dbt_project.yml, vars, orders: " + sentence in output


# The mistake in the block rfm_segmentation:, and what is said of it.
MISTAKES_OF_A_SEGMENTATION = {
    "no_block": (lambda blocks: blocks.pop("rfm_segmentation"), "vars: rfm_segmentation: is missing, by which int_rfm_"),
    "unknown_needs": (lambda blocks: blocks["rfm_segmentation"].update(needs="visits"), "needs: visits is unknown; use orders."),
    "no_customers": (lambda blocks: blocks["rfm_segmentation"].pop("customers"), "customers: is missing; name the model"),
    "unknown_customers": (
        lambda blocks: blocks["rfm_segmentation"].update(customers="int_customer_visits"),
        "vars, rfm_segmentation: customers: no model is called int_customer_visits; name the one that has the features",
    ),
    "a_key_of_its_own": (lambda blocks: blocks["rfm_segmentation"].update(key={"name": "shop"}), "the setting key is unknown;"),
    "headers": (
        lambda blocks: blocks["rfm_segmentation"]["features"][0].update(headers=["days"]),
        "headers of recency_days: the features are columns of the model int_customer_rfm; give their names there.",
    ),
    "more_segments_than_tried": (
        lambda blocks: blocks["rfm_segmentation"].update(n_clusters=12),
        "vars, rfm_segmentation: n_clusters: 12 is neither auto nor a whole number within k_range [1, 10]; change",
    ),
    "an_unknown_gate": (
        lambda blocks: blocks["rfm_segmentation"].update(gates={"size": {"bound": 1}}),
        "vars, rfm_segmentation: gates: the setting size is unknown; the settings here are smallest_share, silhouette",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES_OF_A_SEGMENTATION)
def test_a_mistake_in_the_block_of_a_further_segmentation_is_one_sentence(project, case):
    change, sentence = MISTAKES_OF_A_SEGMENTATION[case]
    configuration = yaml.safe_load(project.configuration)
    change(configuration["vars"])
    (project.folder / "dbt_project.yml").write_text(yaml.safe_dump(configuration, sort_keys=False), encoding="utf-8")
    code, output = project.dbt("run", "--select", "int_rfm_customer_features")
    assert code != 0
    assert sentence in output
    assert "Traceback" not in output


def test_invented_orders_are_not_joined_to_real_customers(project):
    configure(project)
    project.build(*STAGING)
    assert project.value("select count(*) from stg_orders") > 18_000
    path = project.incoming / "customers.csv"
    path.write_bytes((project.folder / "dbt_project" / "sample" / "customers.csv").read_bytes())
    output = project.build(*STAGING, file=path)
    assert "Nothing to do" in output
    orders = project.incoming / "orders.csv"
    orders.write_text(lines("customer_id,date,amount", "1,2025-01-01,5"), encoding="utf-8")
    project.build(*STAGING, file=path, orders=orders)
    assert project.value("select count(*) from stg_orders") == 1
