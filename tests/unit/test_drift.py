import re
from pathlib import Path

import duckdb
import numpy as np
import pytest
from jinja2 import Environment
from measured_drift import BOUND, data_sets, joint_drifts, permuted
from scipy.stats import chi2
from segmentation.assignment import assign
from segmentation.drift import expectations, tenths

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros" / "segmentation" / "drift.sql"
STRONG = 0.25


def test_equal_values_are_never_parted():
    """Of ten customers four have the value 0, the first of whom opens the first tenth and the last ends the fourth: one bin.

    The next three, 5, 6 and 7, are a tenth each; three customers have the value 9, and the last bin has no upper end.
    """
    points, weights = [[5.0], [0.0], [7.0], [6.0], [9.0]], [1, 4, 1, 1, 3]
    assert tenths(points, weights, ["amount"]) == [
        {
            "feature": "amount",
            "lowest": 0.0,
            "highest": 9.0,
            "upper_edges": [0.0, 5.0, 6.0, 7.0, np.inf],
            "shares": [0.4, 0.1, 0.1, 0.1, 0.3],
        }
    ]


def test_rows_that_share_a_value_count_together():
    """As the same customers merged: the rows are combinations of features, of which one value may stand in many."""
    merged = tenths([[1.0, 3.0], [2.0, 3.0]], [6, 4], ["a", "b"])
    apart = tenths([[1.0, 3.0], [2.0, 3.0], [1.0, 3.0], [2.0, 3.0]], [2, 3, 4, 1], ["a", "b"])
    assert apart == merged
    assert merged[1] == {"feature": "b", "lowest": 3.0, "highest": 3.0, "upper_edges": [np.inf], "shares": [1.0]}


def test_a_hundred_different_values_make_ten_bins_of_ten():
    (bins,) = tenths(np.random.default_rng(0).permutation(100)[:, None], np.ones(100), ["a"])
    assert bins["upper_edges"] == [9, 19, 29, 39, 49, 59, 69, 79, 89, np.inf]
    assert bins["shares"] == pytest.approx([0.1] * 10)


def test_those_who_are_not_zero_do_not_share_one_bin():
    """Of 1,000 customers 950 have 0; the amounts 1 to 50 of the others are ten bins of five."""
    (bins,) = tenths(np.arange(51)[:, None], np.append(950, np.ones(50)), ["amount"])
    assert bins["upper_edges"] == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, np.inf]
    assert bins["shares"] == pytest.approx([0.95] + [0.005] * 10)


def test_a_value_of_many_parts_the_others_where_it_stands():
    """One customer in two has 0, which lies within the fifth of the tenths of the others: they are -9 to 0 and 0 to 11."""
    values = np.concatenate([np.arange(-9, 0), [0], np.arange(1, 12)])
    (bins,) = tenths(values[:, None], np.where(values == 0, 20, 1), ["balance"])
    assert bins["upper_edges"] == [-8, -6, -4, -2, -1, 0, 1, 3, 5, 7, 9, np.inf]
    assert bins["shares"] == pytest.approx(np.array([2, 2, 2, 2, 1, 20, 1, 2, 2, 2, 2, 2]) / 40)


def test_what_is_expected_of_others_than_those_of_the_fit():
    """Three customers at -1, 0 and 1, and five at 9 to 11, are nearer to their own means than others, by roots of 2/4 and 4/6."""
    points = np.array([-1, 0, 1, 9, 9.5, 10, 10.5, 11.0])[:, None]
    assignment = assign(points, means=[0], scales=[1], centroids_scaled=[[0.0], [10.0]])
    expected = expectations(assignment, np.ones(8), np.array([3, 5]))
    distance = np.array([1, 0, 1, 1, 0.5, 0, 0.5, 1])
    ratio = distance / np.array([11, 10, 9, 9, 9.5, 10, 10.5, 11])
    growth = np.sqrt([2, 2, 2, 1.5, 1.5, 1.5, 1.5, 1.5])
    assert expected == pytest.approx(
        {
            "expected_distance": (distance * growth).mean(),
            "distance_deviation": distance.std(),
            "expected_confidence": (1 - ratio * growth).mean(),
            "confidence_deviation": ratio.std(),
        }
    )


def test_one_segment_has_no_confidence():
    expected = expectations(assign([[0.0], [2.0]], means=[1], scales=[1], centroids_scaled=[[0.0]]), np.ones(2), [2])
    assert expected["expected_distance"] == pytest.approx(np.sqrt(3))
    assert np.isnan([expected["expected_confidence"], expected["confidence_deviation"]]).all()


@pytest.fixture(scope="module")
def macros():
    """The macros of drift.sql that are expressions."""
    texts = re.findall(
        r"{% macro (?:share_of_bin|stability_term|index_by_chance).*?{%- endmacro %}",
        MACROS.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    return Environment().from_string("\n".join(texts)).module


def test_the_quantiles_are_those_of_chi_squared(macros):
    index = macros.index_by_chance("n_bins", "50", "200")
    found = duckdb.sql(f"select {index} from range(1, 29) as bins (n_bins) order by n_bins").fetchall()
    # One bin has an index of 0, always.
    quantiles = chi2.ppf(0.95, np.arange(1, 28))
    assert np.ravel(found) == pytest.approx(np.append(0, quantiles) * (1 / 50 + 1 / 200), abs=1e-5)


CROWDS = {
    "normal": lambda draw, size: draw.normal(size=size),
    "whole numbers": lambda draw, size: draw.integers(0, 6, size),
    "poisson": lambda draw, size: draw.poisson(3, size),
    "mostly zero": lambda draw, size: np.where(draw.random(size) < 0.95, 0, draw.lognormal(size=size)),
    "often zero": lambda draw, size: np.where(draw.random(size) < 0.7, 0, draw.lognormal(size=size)),
    "yes or no": lambda draw, size: (draw.random(size) < 0.3).astype(float),
}


@pytest.mark.parametrize("name", CROWDS)
@pytest.mark.parametrize(("n_at_fit", "n_today"), [(50, 50), (200, 50), (1000, 100)])
def test_two_samples_of_the_same_customers_rarely_drift(macros, name, n_at_fit, n_today):
    """In 400 draws. Five in a hundred would be 20, with a standard deviation of 4.4."""
    draw, rows = np.random.default_rng(0), []
    for number in range(400):
        fitted, today = (CROWDS[name](draw, size) for size in (n_at_fit, n_today))
        (bins,) = tenths(fitted[:, None], np.ones(n_at_fit), ["value"])
        counts = np.bincount(np.searchsorted(bins["upper_edges"], today), minlength=len(bins["shares"]))
        rows.append(np.column_stack([np.full(len(counts), number), np.multiply(bins["shares"], n_at_fit), counts]))
    number, at_fit, now = np.vstack(rows).T
    share = {column: macros.share_of_bin(column, n, "n_bins") for column, n in (("at_fit", n_at_fit), ("now", n_today))}
    n_drifted = duckdb.sql(
        f"""
        with bins as (
            select number, at_fit, now, count(*) over (partition by number) as n_bins
            from (select unnest($number) as number, unnest($at_fit) as at_fit, unnest($now) as now)
        ),
        indices as (
            select
                sum({macros.stability_term(share["now"], share["at_fit"])}) as psi,
                {macros.index_by_chance("count(*)", n_at_fit, n_today)} as psi_by_chance
            from bins
            group by number
        )
        select count(*) filter (where psi >= {STRONG} and psi > psi_by_chance) from indices
        """,
        params={"number": number, "at_fit": at_fit, "now": now},
    ).fetchone()[0]
    assert n_drifted <= 32


@pytest.mark.parametrize(("name", "k"), [("iris", 3), ("blobs", 5), ("50 normal", 5)])
def test_permuted_columns_are_joint_drift_where_there_is_structure(name, k):
    generator = np.random.default_rng(1)
    fitted, today = data_sets()[name](generator)
    anew, mixed_up = (
        drift >= max(BOUND, chance) for drift, chance in joint_drifts(fitted, [today, permuted(today, generator)], k=k)
    )
    assert (anew, mixed_up) == (False, name != "50 normal")
