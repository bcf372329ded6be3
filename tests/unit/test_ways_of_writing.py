"""What is seen in the texts of a column, and what is suggested; tests/project/test_values.py reads by the suggestions."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2] / "dbt_project" / "plugins"))
ways = importlib.import_module("ways_of_writing")

SETTINGS = {
    "plain": (["7", "0.25", "\u22123", "1.5e3"], {}),
    "currency": (["$740.60", "-$5", "$ 7"], {"currency": "$"}),
    "currency_and_thousands": (
        ["$740.60", "$8,100.00"],
        {"currency": "$", "decimal_separator": ".", "thousands_separator": ","},
    ),
    "code_behind": (["12,5 EUR", "7"], {"currency": "EUR", "decimal_separator": ","}),
    "percent": (["31%", "5 %"], {"format": "percent"}),
    "accounting": (["(12.50)", "5"], {"format": "accounting"}),
    "spaces": (["1\u202f234,5", "7"], {"decimal_separator": ",", "thousands_separator": " "}),
    "india": (["1,23,456"], {"thousands_separator": ","}),
    "commas_shown_by_another_value": (["5,234", "12,5"], {"decimal_separator": ","}),
    "points_shown_by_another_value": (["5.234", "0.731"], {}),
    "points_shown_to_be_of_thousands": (["5.234", "1.234,5"], {"decimal_separator": ",", "thousands_separator": "."}),
    "yes_and_no": (["yes", "No", "NA"], {"format": "yes_no"}),
    "iso_dates": (["2024-02-19 11:33:00 -0500", "2024-02-20"], {"format": "iso"}),
    "day_first": (["01.02.2024", "31.12.2024"], {"format": "day-first"}),
    "month_first": (["01/02/2024", "12/31/2024"], {"format": "month-first"}),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_read_all_values(case):
    texts, settings = SETTINGS[case]
    seen = ways.look_at(texts)
    assert (seen.settings, seen.question) == (settings, None)
    assert seen.kind == ("date" if settings.get("format") in ("iso", "day-first", "month-first") else "number")


QUESTIONS = {
    "points": (["5.234", "7"], '"5.234" may be 5234, with thousands_separator: ".", or 5.234, with decimal_separator: "."'),
    "commas": (["5,234"], '"5,234" may be 5234, with thousands_separator: ",", or 5.234, with decimal_separator: ","'),
    "some_percent": (["31%", "5"], "some values have a percent sign, and others have not"),
    "two_currencies": (["$5", "5 EUR"], "it has several currencies: $, EUR"),
    "days_and_months": (["01/02/2024"], '"01/02/2024" may have the day or the month first: set format: day-first or format: mon'),
    "eight_digits": (["20240219"], '"20240219" and the others may be days, with format: YYYYMMDD, or numbers'),
    "two_forms": (["2024-02-19", "19.02.2024"], "it has dates of several forms"),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_questions_are_asked_and_not_answered(case):
    texts, question = QUESTIONS[case]
    seen = ways.look_at(texts)
    assert seen.settings is None
    assert seen.question.startswith(question)


def test_what_is_counted():
    seen = ways.look_at(["$5", " $7.50 ", None, "NA", "na", "?", "\u00a0"])
    assert (seen.n_values, seen.missing) == (2, {"": 2, "NA": 1, "na": 1, "?": 1})
    assert seen.shapes == {"$9": (1, "$5"), "$9.9": (1, "$7.50")}
    assert ways.look_at(["NA", ""]) == ways.Seen(missing={"NA": 1, "": 1})
    assert ways.look_at(["old", "older"]).kind == "text"


def test_in_words():
    assert ways.in_words("price", ways.look_at(["$5", "$6"])) == 'price has 2 values such as "$5"; set currency: "$"'
    assert ways.in_words("price", ways.look_at(["old"])) == 'price has 1 values such as "old"'
    assert ways.in_words("price", ways.look_at(["NA"])) == ""
    said = ways.in_words("share", ways.look_at(["5%", "6"]))
    assert said.endswith("and it is open how they are meant: some values have a percent sign, and others have not")


@given(st.lists(st.text(alphabet="0123456789.,'$€%()-+ eEx/:\u00a0yn", max_size=12), max_size=6))
def test_nothing_is_both_answered_and_open(texts):
    seen = ways.look_at(texts)
    assert seen.settings is None or seen.question is None
    assert seen.n_values + sum(seen.missing.values()) == len(texts)
    assert sum(count for count, _ in seen.shapes.values()) == seen.n_values
