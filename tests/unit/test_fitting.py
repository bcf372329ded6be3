import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import segmentation
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from segmentation import fitting
from segmentation.assignment import assign
from segmentation.fitting import fit_segmentation
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

# Three obvious groups, eight customers: (0, 0) and three times (2, 0); twice (20, 10) and (20, 13); (10, 50).
POINTS = np.array([[20.0, 10.0], [0.0, 0.0], [10.0, 50.0], [2.0, 0.0], [20.0, 13.0]])
WEIGHTS = np.array([2, 1, 1, 3, 1])


def fit(points, weights=None, *, n_clusters=3, k_range=(2, 4), seed=42):
    weights = np.ones(len(points)) if weights is None else weights
    return fit_segmentation(points, weights, n_clusters=n_clusters, k_range=k_range, seed=seed)


def labels_of(points, model):
    return assign(points, means=model.means, scales=model.scales, centroids_scaled=model.centroids_scaled).nearest


def centroids(model):
    """In the units of the points."""
    return model.means + model.scales * model.centroids_scaled


def four_blobs(n_rows=80, spread=1.0):
    """Groups of different sizes at the corners of a square of 20, in weighted rows."""
    rng = np.random.default_rng(7)
    group = rng.choice(4, size=n_rows, p=[0.4, 0.3, 0.2, 0.1])
    corners = np.array([[0, 0], [20, 0], [0, 20], [20, 20]])
    return corners[group] + rng.normal(scale=spread, size=(n_rows, 2)), rng.integers(1, 6, size=n_rows)


def one_cloud(seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(70, 3)) * [1, 30, 0.1], rng.integers(1, 9, size=70)


def skewed(seed):
    rng = np.random.default_rng(seed)
    return rng.lognormal(sigma=1.0, size=(70, 2)), rng.integers(1, 9, size=70)


def lattice(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 9, size=(70, 2)).astype(float), rng.integers(1, 9, size=70)


def assert_same_model(one, other, rel=None):
    """Equal to the last bit, or up to `rel`."""
    for name in ("means", "scales", "centroids_scaled", "sizes"):
        expected = getattr(one, name)
        assert getattr(other, name).shape == expected.shape
        if rel is None:
            np.testing.assert_array_equal(getattr(other, name), expected)
        else:
            np.testing.assert_allclose(getattr(other, name), expected, rtol=rel, atol=rel)


def test_three_obvious_groups_by_hand():
    model = fit(POINTS, WEIGHTS)

    # Sums over eight customers: x = 3 * 2 + 3 * 20 + 10, x^2 = 3 * 4 + 3 * 400 + 100; y = 2 * 10 + 13 + 50,
    # y^2 = 2 * 100 + 169 + 2500. Variance = mean of the squares - square of the mean.
    assert model.means == pytest.approx([76 / 8, 83 / 8])
    assert model.scales**2 == pytest.approx([1312 / 8 - (76 / 8) ** 2, 2869 / 8 - (83 / 8) ** 2])
    # The largest first: four, three and one customers. (0 + 3 * 2) / 4 and (2 * 10 + 13) / 3
    assert model.sizes.tolist() == [4, 3, 1]
    assert centroids(model) == pytest.approx(np.array([[1.5, 0], [20, 11], [10, 50]]))
    assert (model.n_clusters, model.n_rows, model.silhouette_rows) == (3, 5, 5)
    # Squared distances to those centroids: x 1 * 1.5^2 + 3 * 0.5^2 = 3, y 2 * 1 + 2^2 = 6, each over its variance.
    assert model.scores[1].wcss == pytest.approx(3 / (1312 / 8 - (76 / 8) ** 2) + 6 / (2869 / 8 - (83 / 8) ** 2))


def test_segments_of_one_size_stand_in_the_order_of_their_centroids():
    model = fit(np.array([[10.0, 8.0], [0.0, 4.0], [10.0, 0.0]]), k_range=(2, 3))
    assert centroids(model) == pytest.approx(np.array([[0, 4], [10, 0], [10, 8]]))


def test_size_counts_customers_and_not_rows():
    # three rows of one customer each stand behind one row of four
    model = fit(np.array([[0.0], [1.0], [2.0], [50.0]]), [1, 1, 1, 4], n_clusters=2, k_range=(2, 3))
    assert model.sizes.tolist() == [4, 3]
    assert centroids(model) == pytest.approx(np.array([[50], [1]]))


@pytest.mark.parametrize("n_clusters", [2, 3, 4])
def test_partition_is_scikit_learns_on_the_repeated_rows(n_clusters):
    points, weights = four_blobs(spread=2.0)
    repeated = np.repeat(points, weights, axis=0)
    scaler = StandardScaler().fit(repeated)
    theirs = KMeans(n_clusters, n_init=50, random_state=0).fit(scaler.transform(repeated))

    model = fit(points, weights, n_clusters=n_clusters)

    assert model.means == pytest.approx(scaler.mean_)
    assert model.scales == pytest.approx(scaler.scale_)
    assert metrics.adjusted_rand_score(theirs.labels_, labels_of(repeated, model)) == 1
    assert model.sizes.tolist() == sorted(np.bincount(theirs.labels_), reverse=True)
    assert model.scores[n_clusters - 2].wcss == pytest.approx(theirs.inertia_)


def test_scores_are_scikit_learns_on_the_repeated_rows():
    points, weights = four_blobs(spread=4.0)
    model = fit(points, weights, n_clusters=4)
    repeated = (np.repeat(points, weights, axis=0) - model.means) / model.scales
    labels = np.repeat(labels_of(points, model), weights)

    score = model.scores[2]
    assert score.k == 4
    assert score.silhouette == pytest.approx(metrics.silhouette_score(repeated, labels))
    assert score.davies_bouldin == pytest.approx(metrics.davies_bouldin_score(repeated, labels))
    assert score.calinski_harabasz == pytest.approx(metrics.calinski_harabasz_score(repeated, labels))


@pytest.mark.parametrize("data", [one_cloud, skewed, lattice])
@pytest.mark.parametrize("seed", [0, 1])
def test_wcss_is_at_most_that_of_fifty_starts_in_scikit_learn(data, seed):
    points, weights = data(seed)
    repeated = StandardScaler().fit_transform(np.repeat(points, weights, axis=0))
    for score in fit(points, weights, n_clusters=2, k_range=(2, 8)).scores:
        theirs = KMeans(score.k, n_init=50, random_state=1).fit(repeated).inertia_
        assert score.wcss <= theirs * (1 + 1e-9)


def test_wcss_is_the_least_of_all_partitions_of_a_line():
    # On a line the best clusters are intervals, so that trying every pair of cuts finds the least WCSS there is.
    rng = np.random.default_rng(3)
    points, weights = np.sort(rng.lognormal(size=30)), rng.integers(1, 9, size=30)
    model = fit(points[:, None], weights, n_clusters=3, k_range=(3, 3))

    def within(part):
        return weights[part] @ (points[part] - np.average(points[part], weights=weights[part])) ** 2

    least = min(
        within(slice(0, low)) + within(slice(low, high)) + within(slice(high, 30))
        for high in range(2, 30)
        for low in range(1, high)
    )
    assert model.scores[0].wcss == pytest.approx(least / model.scales[0] ** 2)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 5)), min_size=5, max_size=30))
@settings(max_examples=8)
def test_invariants_of_any_fit(rows):
    *columns, weights = np.array(rows, dtype=float).T
    points = np.column_stack(columns)
    n_rows = len(np.unique(points, axis=0))
    assume(n_rows >= 3 and (np.ptp(points, axis=0) > 0).all())

    model = fit(points, weights, n_clusters=3, k_range=(1, 5))

    assert [score.k for score in model.scores] == list(range(1, min(5, n_rows) + 1))
    curve = [score.wcss for score in model.scores]
    # all variances are 1: one cluster has the weight of all times the number of features
    assert curve[0] == pytest.approx(2 * weights.sum())
    assert all(after <= before for before, after in pairwise(curve))
    assert model.sizes.sum() == weights.sum()
    assert model.sizes.tolist() == sorted(model.sizes, reverse=True)
    # the standardised points have mean 0, so their centroids too
    assert model.sizes @ model.centroids_scaled == pytest.approx(np.zeros(2), abs=1e-9)
    # every customer is in the segment of the nearest centroid
    distances = np.linalg.norm(((points - model.means) / model.scales)[:, None] - model.centroids_scaled, axis=2)
    assert weights @ distances.min(axis=1) ** 2 == pytest.approx(curve[2], abs=1e-9)


@pytest.mark.parametrize("data", [one_cloud, lattice])
def test_order_of_rows_does_not_matter(data):
    points, weights = data(0)
    model = fit(points, weights, n_clusters=5, k_range=(2, 6))
    for order in (slice(None, None, -1), np.random.default_rng(0).permutation(len(points))):
        other = fit(points[order], weights[order], n_clusters=5, k_range=(2, 6))
        assert_same_model(model, other)
        assert other.scores == model.scores


def test_a_row_of_weight_five_is_five_rows_or_two_and_three():
    points, weights = one_cloud(1)
    model = fit(points, weights, n_clusters=4)

    repeated = np.repeat(points, weights, axis=0)
    parts = np.append(weights // 2, weights - weights // 2)
    halves = np.vstack([points, points])[parts > 0], parts[parts > 0]
    for other in (fit(repeated, n_clusters=4), fit(*halves, n_clusters=4)):
        assert_same_model(model, other)
        assert (other.scores, other.n_rows) == (model.scores, len(points))


def test_a_fit_repeats_itself_and_leaves_its_input_alone():
    points, weights = one_cloud(2)
    given_points, given_weights = points.copy(), weights.copy()
    model = fit(points, weights, n_clusters=4)
    np.random.seed(0)  # nobody else's random numbers may matter
    other = fit(points, weights, n_clusters=4)
    assert_same_model(model, other)
    assert other.scores == model.scores
    assert (points == given_points).all()
    assert (weights == given_weights).all()


def test_another_seed_finds_the_same_obvious_groups():
    points, weights = four_blobs()
    model = fit(points, weights, n_clusters=4, seed=42)
    for seed in (0, 1, 2):
        assert_same_model(model, fit(points, weights, n_clusters=4, seed=seed))


def test_units_and_origin_of_a_feature_do_not_matter():
    points, weights = four_blobs(spread=3.0)
    units, origin = np.array([1000.0, 0.3]), np.array([-50.0, 12.0])
    model = fit(points, weights, n_clusters=4)
    other = fit(points * units + origin, weights, n_clusters=4)

    assert (labels_of(points * units + origin, other) == labels_of(points, model)).all()
    assert other.sizes.tolist() == model.sizes.tolist()
    assert other.centroids_scaled == pytest.approx(model.centroids_scaled)
    assert centroids(other) == pytest.approx(centroids(model) * units + origin)
    assert [score.wcss for score in other.scores] == pytest.approx([score.wcss for score in model.scores])


THREADED_FIT = """
import numpy as np
from segmentation import fitting
from segmentation.fitting import fit_segmentation

fitting.THREADED_ROWS = 0
rng = np.random.default_rng(0)
points = rng.normal(size=(1500, 3)) + 3 * rng.integers(0, 3, size=(1500, 1))
model = fit_segmentation(points, rng.integers(1, 9, size=1500), n_clusters=4, k_range=(3, 4), seed=42)
print([x.hex() for x in [*model.means, *model.scales, *model.centroids_scaled.ravel(), *model.sizes]])
print([round(score.wcss, 6) for score in model.scores])
"""


def test_the_number_of_threads_does_not_matter():
    # Threads share the work in parts of 256 rows. Passive: they do not burn the time of a busy machine while they wait.
    environment = os.environ | {
        "PYTHONPATH": str(Path(segmentation.__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_WAIT_POLICY": "passive",
    }
    command = [sys.executable, "-c", THREADED_FIT]
    one, four = (
        subprocess.run(
            command,
            env=environment | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for threads in ("1", "4")
    )
    assert one.startswith("['")
    assert one == four


def test_elbow_scores_are_those_of_the_wcss_curve():
    scores = fit(*four_blobs(), k_range=(2, 6)).scores
    wcss = np.array([score.wcss for score in scores])
    expected = 1 - np.arange(5) / 4 - (wcss - wcss[-1]) / (wcss[0] - wcss[-1])
    assert [score.elbow_score for score in scores] == pytest.approx(expected)


@pytest.mark.parametrize("n_clusters", [2, 5])
def test_a_given_number_of_clusters_is_obeyed_and_all_others_are_still_scored(n_clusters):
    points, weights = four_blobs()
    model = fit(points, weights, n_clusters=n_clusters, k_range=(2, 6))
    assert model.n_clusters == n_clusters
    assert model.scores == fit(points, weights, n_clusters="auto", k_range=(2, 6)).scores


def test_one_cluster_is_the_mean_and_has_no_criterion():
    model = fit(POINTS, WEIGHTS, n_clusters=1, k_range=(1, 2))
    assert model.centroids_scaled == pytest.approx(np.zeros((1, 2)))
    assert model.sizes.tolist() == [8]
    one = model.scores[0]
    # two features of variance 1, eight customers
    assert one.wcss == pytest.approx(16)
    assert np.isnan([one.silhouette, one.davies_bouldin, one.calinski_harabasz]).all()


def test_k_ends_at_the_number_of_distinct_rows():
    points = np.vstack([POINTS, POINTS])  # ten rows, five of them distinct
    model = fit(points, np.append(WEIGHTS, WEIGHTS), k_range=(2, 9))
    assert [score.k for score in model.scores] == [2, 3, 4, 5]
    assert model.n_rows == 5
    assert model.scores[-1].wcss == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("origin", [0.0, 0.1, 0.2, 0.3])
def test_calinski_harabasz_is_not_defined_where_every_distinct_row_is_a_cluster(origin):
    points = origin + np.array([[0.1], [0.7], [1.3], [2.9], [4.4]])
    assert np.isnan(fit(points, [3, 7, 5, 11, 2], k_range=(2, 5)).scores[-1].calinski_harabasz)


@pytest.mark.parametrize("points", [[0.1, 0.3, 0.1 + 0.2, 1.0], [0.3, 0.1 + 0.2, 1.0, 2.0]])
def test_rows_that_differ_in_the_last_digit_do_not_break_the_fit(points):
    model = fit(np.array(points)[:, None], n_clusters="elbow", k_range=(2, 4))
    assert np.isfinite(model.centroids_scaled).all()


def test_as_many_clusters_as_distinct_rows_can_be_formed():
    model = fit(POINTS, WEIGHTS, n_clusters=5, k_range=(2, 9))
    assert model.sizes.tolist() == [3, 2, 1, 1, 1]
    # by size, then by centroid: (0, 0), (10, 50), (20, 13)
    assert centroids(model) == pytest.approx(np.array([[2, 0], [20, 10], [0, 0], [10, 50], [20, 13]]), abs=1e-9)


def test_too_few_distinct_rows_are_refused():
    points = np.repeat([[0.0, 1.0], [5.0, 2.0]], 10, axis=0)
    with pytest.raises(ValueError, match="2 distinct rows cannot form 3 clusters"):
        fit(points, n_clusters=3)
    with pytest.raises(ValueError, match="2 distinct rows cannot form 4 clusters"):
        fit(points, n_clusters="auto", k_range=(4, 8))


def test_auto_is_not_refused_for_the_end_of_its_range():
    assert fit(np.array([[0.0], [1.0]]), n_clusters="auto", k_range=(2, 10)).n_clusters == 2


def test_constant_features_are_refused_by_position():
    points = np.column_stack([np.full(6, 0.1), np.arange(6.0), np.full(6, 1e9)])
    with pytest.raises(ValueError, match=r"features \[0, 2\] have one value"):
        fit(points)


def test_silhouette_of_many_rows_is_taken_on_a_seeded_sample(monkeypatch):
    points, weights = four_blobs(spread=3.0)
    whole = fit(points, weights, n_clusters=4)
    monkeypatch.setattr(fitting, "SILHOUETTE_SAMPLE", 40)
    sampled = fit(points, weights, n_clusters=4)

    assert (whole.silhouette_rows, sampled.silhouette_rows) == (80, 40)
    assert sampled.n_rows == 80
    assert fit(points[::-1], weights[::-1], n_clusters=4).scores == sampled.scores
    assert fit(points, weights, n_clusters=4, seed=1).scores[2].silhouette != sampled.scores[2].silhouette

    for one, other in zip(whole.scores, sampled.scores, strict=True):
        assert other.silhouette != one.silhouette
        assert other.silhouette == pytest.approx(one.silhouette, abs=0.1)
        assert (other.wcss, other.davies_bouldin) == (one.wcss, one.davies_bouldin)
        assert other.calinski_harabasz == one.calinski_harabasz


def test_a_sample_as_large_as_the_table_is_the_table(monkeypatch):
    points, weights = four_blobs()
    whole = fit(points, weights, n_clusters=4)
    monkeypatch.setattr(fitting, "SILHOUETTE_SAMPLE", 80)
    assert fit(points, weights, n_clusters=4).scores == whole.scores


def test_a_sample_that_misses_a_cluster_is_measured_on_the_others(monkeypatch):
    # A cluster of one row among 41: most samples of ten do not hold it.
    points = np.vstack([np.random.default_rng(0).normal(size=(40, 2)) + [[0, 0], [30, 0]] * 20, [[0, 900]]])
    monkeypatch.setattr(fitting, "SILHOUETTE_SAMPLE", 10)
    for seed in (0, 1, 2):
        silhouette = fit(points, n_clusters=3, k_range=(3, 3), seed=seed).scores[0].silhouette
        assert 0.5 < silhouette < 1
