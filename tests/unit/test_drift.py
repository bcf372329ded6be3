import numpy as np
import pytest
from segmentation.drift import tenths


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
