import pytest
from render_report import change, in_sentence, label_of, number, percent, whole


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
