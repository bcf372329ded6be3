"""The SQL of the RFM scores on customers who share values: the model rfm_score_thresholds itself, on a table in memory."""

from pathlib import Path

import compare_rfm
import numpy as np
import pandas as pd
import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "orders.md"


def crowds():
    """{name: number of customers with each value, the worst value first, the best last}."""
    drawn = np.random.default_rng(0)
    named = {
        "850 of 1,000 are best": [10, 20, 30, 40, 50, 850],
        "850 of 1,000 are worst": [850, 50, 40, 30, 20, 10],
        "nearly all are almost the best": [100, 895, 5],
        "half and half": [500, 500],
        "one less than half are best": [501, 499],
        "zeros and a tail": [950, *[1] * 50],
        "a lump in the middle": [*[1] * 20, 61, *[1] * 19],
        "exact fifths": [200] * 5,
        "one each": [1] * 1_000,
        "one each, not in fifths": [1] * 997,
        "five customers": [1] * 5,
        "two of five are best": [1, 1, 1, 2],
        "four customers": [1] * 4,
        "two customers": [1, 1],
    }
    random = {
        f"drawn {number}": drawn.geometric(1 / drawn.integers(1, 60), drawn.integers(2, 60)).tolist() for number in range(25)
    }
    return named | random


CROWDS = crowds()


def published(values, bounds=None):
    """What the model publishes of customers with these values; the days are their opposites, so that more is better in all."""
    features = pd.DataFrame({"recency_days": -values, "frequency": values, "monetary_value": values})
    return compare_rfm.thresholds(features, bounds)


def scores_by(bounds, values):
    """The score of each customer by the published bounds of a measure, and no other way."""
    found = np.zeros(len(values), dtype=int)
    for row in bounds[bounds["n_customers"] > 0].itertuples():
        has_it = (row.lowest_value <= values) & (values <= row.highest_value)
        assert not found[has_it].any(), "two scores for one value"
        assert has_it.sum() == row.n_customers
        assert np.unique(values[has_it], return_counts=True)[1].max() == row.largest_tie
        found[has_it] = row.score
    assert found.all(), "a value without a score"
    return found


def scores(values):
    """The score of each customer, which is the same in all three measures."""
    by_measure = dict(list(published(values).groupby("measure")))
    found = scores_by(by_measure["monetary_value"], values)
    assert (scores_by(by_measure["frequency"], values) == found).all()
    assert (scores_by(by_measure["recency_days"], -values) == found).all()
    return found


@pytest.mark.parametrize("counts", CROWDS.values(), ids=CROWDS)
def test_scores_of_crowds_with_ties(counts):
    """By the places that the customers take when they stand in order, and not by the formula of the model."""
    values = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts), dtype=float), counts))
    found = scores(values)
    in_order = np.sort(values)
    fifth_of_place = 1 + 5 * np.arange(len(values)) // len(values)
    for value in np.unique(values):
        fifths = fifth_of_place[in_order == value]
        is_in_the_better_half = (values < value).sum() >= (values > value).sum()
        assert set(found[values == value]) == {fifths.max() if is_in_the_better_half else fifths.min()}
    assert (np.diff(found[np.argsort(values)]) >= 0).all()
    if len(values) >= 5:
        assert found[values == values.max()].tolist() == [5] * counts[-1]
        assert found[values == values.min()].tolist() == [1] * counts[0]


@pytest.mark.parametrize("n_customers", [1, 2, 4, 5, 1_000])
def test_where_all_are_equal_all_are_in_the_middle(n_customers):
    assert scores(np.full(n_customers, 49.99)).tolist() == [3] * n_customers


def test_without_ties_the_scores_are_quintiles():
    """As before version 1.1: one more than the whole fifths of the customers who do worse."""
    for n_customers in (2, 3, 4, 5, 9, 10, 11, 29):
        values = np.random.default_rng(n_customers).permutation(n_customers).astype(float)
        assert scores(values).tolist() == (1 + 5 * values // n_customers).tolist()


def test_fixed_bounds_count_what_they_say():
    values = np.array([0, 30, 31, 90, 90.5, 180, 365, 366, 367, 368])
    found = published(values, {"monetary_value": [30, 90, 180, 365]}).set_index(["measure", "score"])["n_customers"]
    assert found["monetary_value"].to_dict() == {1: 2, 2: 2, 3: 2, 4: 1, 5: 3}
    assert found["frequency"].to_dict() == {1: 2, 2: 2, 3: 2, 4: 2, 5: 2}
    found = published(-values, {"recency_days": [30, 90, 180, 365]}).set_index(["measure", "score"])["n_customers"]
    assert found["recency_days"].to_dict() == {5: 2, 4: 2, 3: 2, 2: 1, 1: 3}


def test_nobody_is_a_crowd_without_scores():
    found = published(np.zeros(0))
    assert len(found) == 15
    assert found["lowest_value"].isna().all()
    assert (found["n_customers"] == 0).all()


def test_the_restated_rule_of_the_r_package_by_hand():
    """The fifths of 0 to 10 end at 2, 4, 6 and 8, and a score one unit higher; a day is such a unit, and so is a dollar."""
    features = pd.DataFrame({measure: range(11) for measure in ("recency_days", "frequency")})
    assert compare_rfm.scores_of_r_rfm(None, features, "frequency").tolist() == [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert compare_rfm.scores_of_r_rfm(None, features, "recency_days").tolist() == [5, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_the_table_of_the_document_is_what_the_script_prints():
    """But for the packages that have an environment of their own: make compare-rfm."""
    rows = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    documented = {row[0]: row[1:] for row in rows}
    place = list(compare_rfm.CONTESTANTS).index
    for words, measure, values in compare_rfm.crowds():
        orders = compare_rfm.orders_of(measure, values)
        features = compare_rfm.features_of(orders)
        assert sorted(features[measure]) == sorted(values)
        for name in ("this project", "this project, 1.0", "rfm (R)"):
            found = compare_rfm.scores_in_words(compare_rfm.CONTESTANTS[name], orders, features, measure)
            assert documented[words][place(name)] == found


def test_equal_customers_with_several_scores_and_a_package_that_stops_are_shown():
    features = pd.DataFrame({"frequency": [1, 2, 2, 3]})
    assert compare_rfm.scores_in_words(lambda *_: [1, 2, 3, 5], None, features, "frequency") == "1, 2-3, 5"

    def stops(*_):
        raise ValueError

    assert compare_rfm.scores_in_words(stops, None, features, "frequency") == "error"
