import numpy as np
import pytest
from segmentation.stability import bootstrap_stability, weakest_stability
from sklearn.cluster import KMeans


def blobs(n_per_blob=60, centres=((0, 0), (20, 0), (0, 20)), spread=1.0):
    generator = np.random.default_rng(0)
    points = np.vstack([generator.normal(centre, spread, (n_per_blob, 2)) for centre in centres])
    return points, np.ones(len(points)), np.repeat(np.arange(len(centres)), n_per_blob)


def test_groups_far_apart_are_found_in_every_resample():
    similarities, errors, agreement = bootstrap_stability(*blobs(), seed=1)
    assert similarities == pytest.approx([1, 1, 1])
    assert errors == pytest.approx([0, 0, 0])
    assert agreement == 1


def test_a_cut_through_one_group_is_not_stable():
    """The third group is cut in two at random. In a resample any of the three is cut, so the others stay whole in most."""
    points, weights, labels = blobs()
    third = np.flatnonzero(labels == 2)
    labels[third[::2]] = 3
    similarities, errors, agreement = bootstrap_stability(points, weights, labels, seed=1)
    assert (similarities[:2] > 0.6).all()
    assert (similarities[2:] < 0.6).all()
    assert (errors > 0).all()
    assert agreement < 1


def test_by_hand_two_customers():
    """Of two customers half of the resamples draw both, each of whom is found alone; a customer who is not drawn counts as 0."""
    similarities, errors, _ = bootstrap_stability(np.array([[0.0], [1.0]]), np.ones(2), np.array([0, 1]), seed=0)
    # Each is left out by a quarter of the resamples: 1 - sum of the two = half.
    assert 2 - similarities.sum() == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / 100))
    # The standard error of a share from 100 draws.
    assert errors == pytest.approx(np.sqrt(similarities * (1 - similarities) / 99))


def test_agrees_with_a_loop_over_customers_as_in_fpc():
    """Written out after the documentation of fpc::clusterboot: bootmethod "boot", multipleboot FALSE, B = 100."""
    points, _, labels = blobs(n_per_blob=40, spread=9.0)
    generator = np.random.default_rng(11)
    by_resample = []
    for _ in range(100):
        drawn = sorted(set(generator.integers(120, size=120).tolist()))
        found = KMeans(3, n_init=3, random_state=int(generator.integers(1000))).fit_predict(points[drawn])
        own = labels[drawn]
        by_resample.append(
            [
                max(((own == one) & (found == other)).sum() / ((own == one) | (found == other)).sum() for other in range(3))
                for one in range(3)
            ]
        )
    means, errors, _ = bootstrap_stability(points, np.ones(120), labels, seed=1)
    expected_errors = np.std(by_resample, axis=0, ddof=1) / 10
    assert (means < 0.95).all()
    assert np.abs(means - np.mean(by_resample, axis=0)).max() < 4 * np.hypot(errors, expected_errors).max()
    assert errors == pytest.approx(expected_errors, rel=0.4)


def test_the_weakest_segment_of_another_number_of_clusters():
    points, weights, labels = blobs()
    assert weakest_stability(points, weights, labels, seed=1) == 1
    cut = np.where(points[:, 0] > np.median(points[labels == 0, 0]), labels, 3)
    assert weakest_stability(points, weights, np.unique(cut, return_inverse=True)[1], seed=1) < 0.75
    assert np.isnan(weakest_stability(points, weights, np.zeros(len(points), dtype=int), seed=1))


def test_equal_seeds_give_equal_results_and_weights_count():
    points, weights, labels = blobs(spread=7.0)
    one = bootstrap_stability(points, weights, labels, seed=3)
    np.testing.assert_array_equal(one[0], bootstrap_stability(points, weights, labels, seed=3)[0])
    heavier = bootstrap_stability(points, weights * 50, labels, seed=3)
    # Fifty times the customers vary less from resample to resample.
    assert heavier[2] > one[2]


def test_a_large_table_is_sampled_and_a_segment_that_the_sample_misses_has_no_value():
    points, weights, labels = blobs(n_per_blob=400)
    points, weights, labels = np.vstack([points, [[90, 90]]]), np.append(weights * 1000, 1), np.append(labels, 3)
    similarities, errors, _ = bootstrap_stability(points, weights, labels, seed=1, n_customers=300)
    assert np.isnan([similarities[3], errors[3]]).all()
    assert (similarities[:3] > 0.5).all()
