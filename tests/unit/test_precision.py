import numpy as np
import pytest
from segmentation.fitting import fit_segmentation
from segmentation.precision import frame
from segmentation.rules import segment_rules


def test_origins_are_nought_unless_values_lie_far_from_it():
    points = np.array([[18.0, 1e15, 1e-300, 2015.0], [90.0, 1e15 + 9, 4e-300, 2025.0]])
    origins, units = frame(points)
    assert origins.tolist() == [0, 1e15, 0, 0]
    assert np.log2(units).tolist() == np.floor(np.log2(units)).tolist()
    shares = (points - origins) / units
    assert np.floor(np.ptp(shares, axis=0)).tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(origins + units * shares, points)


@pytest.mark.parametrize(("origin", "unit"), [(1e15, 1), (-1e15, 1), (0, 1e-300), (0, 1e90)])
def test_a_fit_and_its_rules_hold_at_the_ends_of_precision(origin, unit):
    """Five groups of whole numbers, 0, 10, ..., 40 and one more: as good at 1e15, and by the 1e-300, as they are."""
    values = np.repeat(10 * np.arange(5), 2) + np.tile([0, 1], 5)
    points = np.column_stack([origin + unit * values, values % 10])
    weights = np.arange(1, 11)
    model = fit_segmentation(points, weights, n_clusters=5, k_range=[5, 5], seed=0)
    plain = fit_segmentation(np.column_stack([values, values % 10]), weights, n_clusters=5, k_range=[5, 5], seed=0)
    assert model.scales == pytest.approx(plain.scales * [unit, 1], rel=1e-9)
    assert model.wcss == pytest.approx(plain.wcss, rel=1e-6)
    labels = values // 10
    for label, (bound, other) in enumerate(segment_rules(points, weights, labels, seed=0)):
        above = -np.inf if bound.lower is None else bound.lower
        below = np.inf if bound.upper is None else bound.upper
        assert ((points[:, 0] > above) & (points[:, 0] <= below)).tolist() == (labels == label).tolist()
        assert (other.lower, other.upper) == (None, None)
