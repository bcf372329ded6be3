"""How values are written: what is read under which settings, what is refused with which reason, and what stops the build.

Each test reads a file through the models of staging, in memory; see staging.py.
"""

import datetime
import importlib
import re

import pytest
from dbt_common.exceptions import CompilationError
from hostile_inputs import EXPONENT, parquet
from staging import ROOT, Staging

ways_of_writing = importlib.import_module("ways_of_writing")
CASES = ROOT.parent / "shared" / "cases"
EXPONENT = f"customer_id {EXPONENT}"
LARGEST = "customer_id is beyond the largest bigint; use data_type varchar"


@pytest.fixture
def stage(tmp_path):
    """A function that stages a file, its text or bytes, under settings of the blocks; returns the Staging."""
    opened = []

    def staged(content, block="segmentation", name="a.csv", **settings):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        opened.append(Staging(tmp_path, block, path, settings))
        return opened[-1]

    yield staged
    for one in opened:
        one.connection.close()


@pytest.fixture
def read(stage):
    """A function: texts of a feature and its settings → {text: value, or what is said of it behind its name}."""

    def values_of(texts, source=None, reference_date=None, **feature):
        lines = ["customer_id;x", *(f"{number};{text}" for number, text in enumerate(texts))]
        block = {"key": {"name": "customer_id"}, "attributes": [], "features": [{"name": "x"} | feature], "source": source or {}}
        variables = {"reference_date": reference_date} if reference_date else {}
        staging = stage("\n".join(lines) + "\n", segmentation=block, variables=variables)
        values = dict(staging.accepted) | {line - 2: reasons.removeprefix("x ") for _, line, reasons, _ in staging.rejected}
        assert staging.not_counted is None
        return {text: values[number] for number, text in enumerate(texts)}

    return values_of


NO_PERCENT = "has no percent sign, so it may be a share or a percentage: set format: number, or mend the file"
COMMA = "is not a number, but has a comma: set "
POINTS = "is not a number, but has points: set thousands_separator"
GROUPS = "is not a number, as its digits are not grouped by three"
NUMBERS = {
    "a currency before or behind, the minus before or behind it": (
        {"currency": "$", "thousands_separator": ","},
        {
            "$740.60": 740.6,
            "$ 8,100.00 ": 8100,
            "-$5": -5,
            "$-5": -5,
            "5 $": 5,
            "\u2212$5": -5,
            "7": 7,
            "$\u00a01,234,567.5": 1234567.5,
            "€5": "is in another currency than $",
            "5 EUR": "is in another currency than $",
            "$5$": "is not a number",
            "-$-5": "is not a number",
            "$": "is not a number",
            "$(5)": "is not a number, but negative as in accounts: set format: accounting",
        },
    ),
    "a code, whatever its case": (
        {"currency": "EUR", "thousands_separator": "."},
        {"1.234,50 EUR": 1234.5, "eur 5": 5, "EUR-7": -7},
    ),
    "points between thousands": (
        {"thousands_separator": "."},
        {
            "1.234,5": 1234.5,
            "1.234": 1234,
            "5,25": 5.25,
            "1.234.567": 1234567,
            "-1.000": -1000,
            "12": 12,
            "1.23.4": GROUPS,
            "5.1": GROUPS,
            "0.731": GROUPS,
        },
    ),
    "groups of two, as in India": (
        {"thousands_separator": ","},
        {"1,23,45,678": 12345678, "12,34,567.5": 1234567.5, "1,2,345": GROUPS},
    ),
    "spaces of any kind": (
        {"thousands_separator": " "},
        {
            "1 234.5": 1234.5,
            "1\u202f234": 1234,
            "1\u00a0234\u2009567": 1234567,
            "12,5": COMMA + "decimal_separator or thousands_separator",
        },
    ),
    "apostrophes of both kinds": (
        {"thousands_separator": "'"},
        {"1'234.5": 1234.5, "1\u2019234": 1234, "12'34": "is not a number"},
    ),
    "decimal commas alone": (
        {"decimal_separator": ","},
        {"12,5": 12.5, "3,2e1": 32, "5,234": 5.234, "1.234": POINTS, "1.234,5": POINTS, "1,2,3": GROUPS},
    ),
    "decimal points alone": ({"decimal_separator": "."}, {"5.234": 5.234, "5,234": COMMA + "thousands_separator"}),
    "percent": (
        {"format": "percent"},
        {
            "31%": 0.31,
            "31 %": 0.31,
            "31\u202f%": 0.31,
            "-12.5%": -0.125,
            "0.31": NO_PERCENT,
            "%": "is not a number",
            "5%%": "is not a number",
        },
    ),
    "accounting": (
        {"format": "accounting", "currency": "$", "thousands_separator": ","},
        {
            "(12.50)": -12.5,
            "($1,200.00)": -1200,
            "$(7)": -7,
            "( 5 )": -5,
            "5-": -5,
            "5": 5,
            "-3": -3,
            "(-5)": "is not a number",
            "()": "is not a number",
        },
    ),
    "yes and no": (
        {"format": "yes_no"},
        {
            "yes": 1,
            "NO": 0,
            "ja": 1,
            "1": 1,
            "0": 0,
            "Sí": 1,
            "\u00a0true": 1,
            "maybe": "is neither yes nor no",
            "2": "is neither yes nor no",
        },
    ),
    "nothing declared": (
        {},
        {
            "7": 7,
            "0.25": 0.25,
            "\u22123": -3,
            "12,5": COMMA + "decimal_separator or thousands_separator",
            "$740.60": "is not a number, but has a currency: set currency",
            "5 kr": "is not a number, but has a currency: set currency",
            "31%": "is not a number, but has a percent sign: set format: percent",
            "(5)": "is not a number, but negative as in accounts: set format: accounting",
            "1 234": "is not a number, but has spaces between its digits: set thousands_separator",
            "1\u2019234": "is not a number, but has apostrophes between its digits: set thousands_separator",
            "no": "is not a number, but yes or no: set format: yes_no",
            "2024-02-19": "is not a number, but a date: set its format, and as: days_since or age_years",
            "1_000": "is not a number",
            "#DIV/0!": "is not a number",
            "inf": "is not a finite number",
        },
    ),
}


@pytest.mark.parametrize("way", NUMBERS)
def test_numbers_are_read_as_their_column_declares_them(read, way):
    settings, expected = NUMBERS[way]
    assert read(expected, **settings) == {
        text: pytest.approx(value) if not isinstance(value, str) else value for text, value in expected.items()
    }


def test_a_column_overrides_both_separators_of_its_source(read):
    source = {"decimal_separator": ",", "thousands_separator": "."}
    assert read(["1.234,5"], source=source) == {"1.234,5": 1234.5}
    assert read(["1,234.5"], source=source, thousands_separator=",") == {"1,234.5": 1234.5}


# The texts of a column, and what the build asks of them; None where it asks nothing.
QUESTIONS = {
    "points": (
        ["700", "5.234"],
        '"5.234" in x may be 5234 or 5.234, and no other value of the column shows which; set thousands_separator: "."',
    ),
    "points_that_are_zeros": (["5.000"], '"5.000" in x may be 5000 or 5.0, and no other'),
    "points_far_below": (["5"] * 1500 + ["-1.234"], '"-1.234" in x may be -1234 or -1.234'),
    "points_shown_to_be_of_decimals": (["5.234", "0.731"], None),
    "points_shown_far_below": (["5"] * 1500 + ["5.234", "5.25"], None),
    "points_that_a_comma_shows_to_be_of_thousands": (["5.234", "1.234,5"], '"5.234" in x may be 5234 or 5.234'),
    "points_of_millions": (
        ["1.234.567"],
        '"1.234.567" in x is 1234567 with separators that are not declared; set thousands_separator: "." for x',
    ),
    "words_show_nothing": (["5.234", "n.n.", "a.b"], '"5.234" in x may be 5234 or 5.234'),
    "commas": (
        ["5,234", "7"],
        '"5,234" in x may be 5234 or 5.234, and no other value of the column shows which; set thousands_separator: ","',
    ),
    "commas_shown_to_be_of_decimals": (["5,234", "12,5"], None),
    "commas_shown_to_be_of_thousands": (["5,234", "1,234.50"], None),
    "whole_numbers": (["5", "7"], None),
}


@pytest.mark.parametrize("case", QUESTIONS)
@pytest.mark.parametrize("data_type", ["double", "integer"])
def test_what_can_be_read_in_two_ways_stops_the_build(read, case, data_type):
    texts, question = QUESTIONS[case]
    if question is None:
        read(texts, data_type=data_type)
        return
    with pytest.raises(CompilationError) as stopped:
        read(texts, data_type=data_type)
    assert question in str(stopped.value)
    assert "under source: for all columns, in dbt_project.yml, vars, segmentation." in str(stopped.value)
    for settings in (
        {"decimal_separator": "."},
        {"decimal_separator": ","},
        {"thousands_separator": "."},
        {"thousands_separator": ","},
    ):
        read(texts, data_type=data_type, **settings)


def test_a_currency_does_not_hide_the_question_and_orders_have_it_too(stage, read):
    with pytest.raises(CompilationError, match=r'"5[.]234" in x may be 5234'):
        read(["$5.234"], currency="$")
    lines = "customer_id,date,amount\n1,2025-01-01,€ 1.200\n"
    with pytest.raises(CompilationError, match=r'"1.200" in amount may be 1200 or 1.2, .*vars, orders[.]'):
        stage(lines, "orders", orders={"amount": {"currency": "€"}})
    assert stage(lines, "orders", orders={"amount": {"currency": "€", "thousands_separator": "."}}).accepted[0][3] == 1200


def test_texts_in_json_and_parquet_are_asked_and_numbers_are_not(stage):
    block = {"key": {"name": "customer_id"}, "attributes": [], "features": [{"name": "x"}]}
    assert stage('{"customer_id": 1, "x": 5.234}\n', name="a.jsonl", segmentation=block).accepted == [(1, 5.234)]
    with pytest.raises(CompilationError, match=r'"5[.]234" in x may be'):
        stage('{"customer_id": 1, "x": "5.234"}\n', name="a.jsonl", segmentation=block)


def test_texts_in_parquet_are_asked_and_numbers_are_not(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "folder", tmp_path, raising=False)
    block = {"key": {"name": "customer_id"}, "attributes": [], "features": [{"name": "x"}]}
    typed = parquet([("customer_id", "bigint"), ("x", "double")], [["1", "5.234"], ["2", "nan"]])
    staging = stage(typed, name="a.parquet", segmentation=block)
    assert (staging.accepted, [row[2] for row in staging.rejected]) == ([(1, 5.234)], ["x is missing"])
    with pytest.raises(CompilationError, match=r'"5[.]234" in x may be'):
        stage(parquet([("customer_id", "bigint"), ("x", "varchar")], [["1", "5.234"]]), name="a.parquet", segmentation=block)


def test_typed_yes_and_no_days_and_nan(stage, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "folder", tmp_path, raising=False)
    columns = [("customer_id", "bigint"), ("is_member", "boolean"), ("joined", "date"), ("spent", "double")]
    content = parquet(columns, [["1", "true", "2024-12-30", "nan"], ["2", "false", "2024-12-31", "5"]])
    features = [{"name": "is_member"}, {"name": "joined", "as": "days_since"}, {"name": "spent", "missing": "median"}]
    block = {"key": {"name": "customer_id"}, "attributes": [], "features": features}
    settings = {"segmentation": block, "variables": {"reference_date": "2025-01-01"}}
    assert stage(content, name="a.parquet", **settings).accepted == [(1, 1, 2, None), (2, 0, 1, 5)]
    block["features"] = [{"name": "joined"}]
    reason = "joined is not a number, but a date: set its format, and as: days_since or age_years"
    assert {row[2] for row in stage(content, name="a.parquet", **settings).rejected} == {reason}


IN_2024 = {
    "2024-02-19": 50,
    "2024-02-19 11:33:00 -0500": 50,
    "2024-02-19 11:33 +05:30": 50,
    "2024-02-19T11:33Z": 50,
    "2024-02-19 11:33 UTC": 50,
    "2024-02-19 11:33:00 CET": 50,
    "2024-02-19 02:33:00 PM": 50,
    "2024.02.19": 50,
}
NAMED = {
    "19 Feb 2024": 50,
    "Feb 19, 2024": 50,
    "19-FEB-2024": 50,
    "February 19, 2024 2:33 p.m.": 50,
    "Mon, 19 Feb 2024 11:33:00 +0000": 50,
    "9 Sept 2024": -153,
    "September 9 2024": -153,
}
DATES = {
    "iso": IN_2024
    | NAMED
    | {
        "31.12.2023": "is not a date of the format iso, but one with the year last: set format: day-first or month-first",
        "19-Feb-24": "is not a date of the format iso, but one with the year last: set format: day-first or month-first",
        "20240219": "is not a date of the format iso, but one of eight digits: set format: YYYYMMDD",
        "epoch": "is not a date",
        "infinity": "is not a date",
        "2024-02-30": "is not a date",
        "1899-12-30": "is before 1900",
    },
    "day-first": NAMED
    | {
        "10.04.2024": -1,
        "10/4/24 8:05 PM": -1,
        "10-Apr-24": -1,
        "10.04.2024 08:05 +02:00": -1,
        "04/10/2024 00:00": -178,
        "04.13.2024": "is not a date",
    },
    "month-first": NAMED | {"4/10/2024": -1, "04/10/24": -1, "10-Apr-24": -1, "13/04/2024": "is not a date"},
    "YYYYMMDD": NAMED
    | {"20240410": -1, "2024-04-10": "is not a date of the format YYYYMMDD, but one with the year first: set format: iso"},
}


@pytest.mark.parametrize("date_format", DATES)
def test_dates_are_counted_to_the_reference_date(read, date_format):
    expected = DATES[date_format]
    found = read(expected, format=date_format, reference_date="2024-04-09", range=[None, None], **{"as": "days_since"})
    assert found == expected


def test_an_age_is_that_of_the_last_birthday_and_nobody_is_born_later(read):
    birthdays = {"2000-02-29": 24, "1990-04-09": 34, "1990-04-10": 33, "2024-04-10": "is after 2024-04-09"}
    assert read(birthdays, reference_date="2024-04-09", data_type="integer", **{"as": "age_years"}) == birthdays


def test_words_for_no_value(read):
    words = ["", " ", *ways_of_writing.MISSING_WORDS, *(word.upper() for word in ways_of_writing.MISSING_WORDS), "\u00a0?\u200b"]
    assert set(read(words, missing="median").values()) == {None}
    assert set(read(words).values()) == {"is missing"}
    assert read(["-999", "n", "-", "NaN"], source={"missing_words": [-999, "N"]}, missing="median") == {
        "-999": None,
        "n": None,
        "-": "is not a number",
        "NaN": None,
    }


def test_spaces_of_every_kind_are_trimmed_around_every_value(stage):
    rows = ["CustomerID,Gender,Age,Annual Income,Spending Score", "\ufeff1\u00a0,\u200bNew York\u3000,\u202f30,40\u2007,\u206050"]
    assert stage("\n".join(rows)).accepted == [(1, "New York", 30, 40, 50)]
    keys = {
        "segmentation": {"key": {"name": "customer_id", "data_type": "varchar"}, "attributes": [], "features": [{"name": "x"}]}
    }
    assert stage("customer_id,x\na@example.org\u00a0,1\n", **keys).accepted == [("a@example.org", 1)]
    orders = stage("customer_id,date,amount\n1,\u00a02025-01-02\u200b,5\n", "orders").accepted
    assert [(row[0], row[2], row[3]) for row in orders] == [(1, datetime.datetime(2025, 1, 2), 5)]


@pytest.mark.parametrize("block", ["segmentation", "orders"])
def test_keys_that_a_spreadsheet_has_spoilt_are_refused(stage, block):
    lines = [
        "customer_id,date,amount",
        "4.50588E+12,2025-01-01,1",
        "5E+15,2025-01-01,1",
        "9223372036854775808,2025-01-01,1",
        "0x1F,2025-01-01,1",
    ]
    key = {"name": "customer_id"}
    customers = {"attributes": [], "features": [{"name": "amount"}]}
    staging = stage("\n".join(lines), block, segmentation=customers | {"key": key})
    assert [row[2] for row in staging.rejected] == [EXPONENT, EXPONENT, LARGEST, "customer_id is not a whole number"]
    staging = stage(
        "\n".join([*lines, "+351 9,2025-01-01,1", "1E5,2025-01-01,1"]),
        block,
        segmentation=customers | {"key": key | {"data_type": "varchar"}},
    )
    assert [row[2] for row in staging.rejected] == [EXPONENT, EXPONENT]
    assert {row[0] for row in staging.accepted} == {"9223372036854775808", "0x1F", "+351 9", "1E5"}


def test_the_sentence_that_stops_a_build_says_what_was_seen(stage):
    block = {"key": {"name": "customer_id"}, "attributes": [], "features": [{"name": "x"}, {"name": "y"}]}
    rows = ["customer_id;x;y", *(f"{number};$740.6{number};31%" for number in range(5))]
    staging = stage("\n".join(rows), segmentation=block)
    said = staging.rendered("{{ what_was_seen('rejected_customers', 'select 0', segmentation()) }}")
    assert said == ' x has 5 values such as "$740.60"; set currency: "$". y has 5 values such as "31%"; set format: percent.'
    assert staging.rendered("{{ what_was_seen('rejected_customers', 'select 1000', segmentation()) }}") == ""


def test_python_and_sql_have_the_same_words(stage):
    """The report of what was seen knows the words that SQL reads."""
    staging = stage("CustomerID,Gender,Age,Annual Income,Spending Score\n1,,30,40,50\n")
    words = staging.rendered("{{ segmentation().source.missing_words | join(' ') }}")
    assert set(words.split(" ")) == ways_of_writing.MISSING_WORDS
    lists = re.findall(r"list_contains\(\[(.*?)\]", staging.rendered("{{ _yes_or_no('x') }}"))
    assert [set(re.findall("'(.*?)'", found)) for found in lists] == [ways_of_writing.YES, ways_of_writing.NO]


SUGGESTED = [
    ["$740.60", "$8,100.00 ", "-$5"],
    ["1.234,50 €", "3 €"],
    ["31%", "5 %"],
    ["12,5", "0,25"],
    ["1'234.50", "7"],
    ["1\u202f234,5"],
    ["(12.50)", "5"],
    ["($1,200.00)", "$3"],
    ["1,23,456"],
    ["yes", "NO", "t"],
    ["5-", "3"],
    ["US$5"],
    ["1.234.567", "2,5"],
    ["\u22125,0"],
]


@pytest.mark.parametrize("texts", SUGGESTED, ids=repr)
def test_the_settings_that_are_suggested_read_all_values(read, texts):
    settings = ways_of_writing.look_at(texts).settings
    assert not [value for value in read(texts, **settings).values() if isinstance(value, str)]


def case(name):
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the case is absent: {name} is not in {CASES}")
    return path.read_bytes()


def test_case_of_missing_words(stage):
    features = [{"name": "balance", "missing": "median"}, {"name": "visits"}]
    block = {"key": {"name": "customer_id"}, "attributes": [], "features": features}
    assert stage(case("missing-words/marks.csv"), segmentation=block).rejected == []
    frame = case("missing-words/polars_nan.parquet")
    assert stage(frame, name="a.parquet", segmentation=block).rejected == []


@pytest.mark.parametrize("row", ["A;4.50588E+12", "A;4.50588E12", '"4,5E+12";17', "4.50588E+12;1E+05"])
def test_no_column_of_a_key_may_have_lost_digits(stage, row):
    block = {
        "key": {"name": "customer", "headers": [], "columns": ["shop", "number"], "data_type": "varchar"},
        "attributes": [],
        "features": [{"name": "x"}],
    }
    staging = stage(f"shop;number;x\n{row};1\nA;E+12;2\nA;INV-1E+05;3\n", segmentation=block)
    assert [reasons.replace("customer ", "customer_id ", 1) for _, _, reasons, _ in staging.rejected] == [EXPONENT]
    assert sorted(staging.accepted) == [("A|E+12", 2), ("A|INV-1E+05", 3)]


def test_case_of_mangled_ids(stage):
    staging = stage(case("excel-mangled-ids/customers_mangled.csv"))
    assert (staging.accepted, {row[2] for row in staging.rejected}) == ([], {EXPONENT})
    staging = stage(case("excel-mangled-ids/orders.csv"), "orders")
    assert (staging.accepted, {row[2] for row in staging.rejected}) == ([], {EXPONENT})


def test_case_of_money_and_of_large_ids(stage):
    staging = stage(case("headers/money.csv"))
    assert {row[2] for row in staging.rejected} == {"annual_income_k is not a number, but has a currency: set currency"}
    said = staging.rendered("{{ what_was_seen('rejected_customers', 'select 0', segmentation()) }}")
    assert 'set currency: "$" and decimal_separator: "." and thousands_separator: ","' in said
    features = [{"name": "income", "headers": ["Annual Income (k$)"], "currency": "$", "thousands_separator": ","}]
    assert stage(case("headers/money.csv"), segmentation={"features": features}).rejected == []
    assert {row[2] for row in stage(case("headers/hugeid.csv")).rejected} == {LARGEST}


def test_case_of_email_keys_and_of_dates_of_a_shop(stage):
    block = {"key": {"name": "email", "data_type": "varchar"}}
    keys = {row[0] for row in stage(case("email-keys/customers.csv"), segmentation=block).accepted}
    assert not [key for key in keys if key != key.strip()]
    columns = {"date": {"headers": ["Created at"], "format": "iso"}, "amount": {"headers": ["Lineitem price"]}}
    columns |= {"status": {"counts": "all"}, "currency": {"keep": "EUR"}}
    staging = stage(case("shopify-orders/orders_export.csv"), "orders", segmentation=block, orders=columns)
    assert staging.accepted
    assert not [row for row in staging.rejected if "date" in row[2]]
