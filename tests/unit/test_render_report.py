import pytest
from render_report import change, in_sentence, label_of, listed, number, parsed, percent, whole

LABELS = {"region": "Region", "has_app": "Has app", "spend": "Spend (EUR)"}
NUMBER = {"label": "Spend (EUR)", "lower": None, "upper": None}


def levels(feature, **settings):
    """A condition on a category as `parsed` gives it."""
    plain = {"levels": [], "is_excluded": False, "given": None, "yes_or_no": "yes", "or_missing": False}
    return {"label": LABELS[feature], "lower": None, "upper": None} | plain | settings


@pytest.mark.parametrize(
    ("share", "decimals", "expected"),
    [
        (0.5, 0, "50%"),
        (0.2357, 1, "23.6%"),
        (0, 1, "0.0%"),
        (0.0004, 1, "less than 0.1%"),
        (0.004, 0, "less than 1%"),
        (1, 0, "100%"),
    ],
)
def test_few_are_not_none(share, decimals, expected):
    assert percent(share, decimals) == expected


def test_numbers_are_read_as_a_person_writes_them():
    assert [number(value) for value in (62500.0, 30.5, 0.00125)] == ["62,500", "30.5", "0.00125"]
    assert [whole(text) for text in ("45.0", "37.6", "1,200", "0.50", "100")] == ["45", "37.6", "1,200", "0.5", "100"]
    assert [change(n) for n in (1200, -3, 0)] == ["+1,200", "\N{MINUS SIGN}3", "\N{PLUS-MINUS SIGN}0"]


def test_labels_fit_into_a_sentence():
    assert label_of("home_town") == "Home town"
    assert [in_sentence(label) for label in ("Home town", "VAT", "e")] == ["home town", "VAT", "e"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("spend > 12.5 and spend <= 1e3", [NUMBER | {"lower": 12.5, "upper": 1000.0}]),
        ("spend <= -0.5", [NUMBER | {"upper": -0.5}]),
        ("region = 'north'", [levels("region", levels=["north"])]),
        ("region <> 'x'", [levels("region", levels=["x"], is_excluded=True)]),
        ("region not in ('a', 'b')", [levels("region", levels=["a", "b"], is_excluded=True)]),
        ("(region = 'x' or region is null)", [levels("region", levels=["x"], or_missing=True)]),
        ("(has_app or has_app is null)", [levels("has_app", or_missing=True)]),
        ("region is null", [levels("region", given="null")]),
        ("region is not null", [levels("region", given="not null")]),
        ("not has_app", [levels("has_app", yes_or_no="no")]),
        (
            "region in ('north and south', 'o''west, (inner)', ' or region is null)') and has_app and spend <= 87.1",
            [
                levels("region", levels=["north and south", "o'west, (inner)", " or region is null)"]),
                levels("has_app"),
                NUMBER | {"upper": 87.1},
            ],
        ),
        ("region = 'x'' and spend > 1 and ''y'", [levels("region", levels=["x' and spend > 1 and 'y"])]),
    ],
)
def test_a_rule_is_read_whatever_its_levels_are_called(rule, expected):
    assert parsed(rule, LABELS) == expected


@pytest.mark.parametrize(
    "rule", ["spend between 1 and 2", "region like 'x'", "region = 'x", "other > 1", "spend > 1 or has_app", "has_app spend"]
)
def test_a_rule_that_is_none_has_no_words(rule):
    assert parsed(rule, LABELS) == []


def test_words_are_listed_as_in_a_sentence():
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a or b", "a, b or c"]
