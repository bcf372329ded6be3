import numpy as np
import pytest
from segmentation import stability
from segmentation.stability import bootstrap_stability


def blobs(n_per_blob=60, centres=((0, 0), (20, 0), (0, 20)), spread=1.0):
    generator = np.random.default_rng(0)
    points = np.vstack([generator.normal(centre, spread, (n_per_blob, 2)) for centre in centres])
    return points, np.ones(len(points)), np.repeat(np.arange(len(centres)), n_per_blob)


def test_groups_far_apart_are_found_in_every_resample():
    similarities, agreement = bootstrap_stability(*blobs(), seed=1)
    assert similarities == pytest.approx([1, 1, 1])
    assert agreement == 1


def test_a_cut_through_one_group_is_not_stable():
    """The third group is cut in two at random. Any of the three is cut in a resample, so the others stay whole in most."""
    points, weights, labels = blobs()
    third = np.flatnonzero(labels == 2)
    labels[third[::2]] = 3
    similarities, agreement = bootstrap_stability(points, weights, labels, seed=1)
    assert (similarities[:2] > 0.75).all()
    assert (similarities[2:] < 0.6).all()
    assert agreement < 1


def test_by_hand_two_rows_in_two_segments():
    """Two rows of many customers: each resample draws both, finds each alone, and every similarity is 1."""
    similarities, agreement = bootstrap_stability(np.array([[0.0], [1.0]]), np.array([50, 50]), np.array([0, 1]), seed=0)
    assert similarities.tolist() == [1, 1]
    assert agreement == 1


def test_equal_seeds_give_equal_results_and_weights_count():
    points, weights, labels = blobs(spread=7.0)
    one = bootstrap_stability(points, weights, labels, seed=3)
    np.testing.assert_array_equal(one[0], bootstrap_stability(points, weights, labels, seed=3)[0])
    heavier = bootstrap_stability(points, weights * 50, labels, seed=3)
    # Fifty times the customers vary less from resample to resample.
    assert heavier[1] > one[1]


def test_a_large_table_is_sampled_and_a_segment_that_the_sample_misses_has_no_value(monkeypatch):
    points, weights, labels = blobs(n_per_blob=400)
    points, weights, labels = np.vstack([points, [[90, 90]]]), np.append(weights, 1e-6), np.append(labels, 3)
    monkeypatch.setattr(stability, "SAMPLE", 300)
    similarities, _ = bootstrap_stability(points, weights, labels, seed=1)
    assert np.isnan(similarities[3])
    assert (similarities[:3] > 0.5).all()
