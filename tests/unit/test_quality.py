import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from segmentation import quality
from sklearn import config_context, metrics

# Four points on a line, the third one twice: clusters {0, 2} and {10, 10, 13}, with centroids 1 and 11.
POINTS = np.array([[0.0], [2.0], [10.0], [13.0]])
WEIGHTS = np.array([1.0, 1.0, 2.0, 1.0])
LABELS = np.array([0, 0, 1, 1])
CENTROIDS = np.array([[1.0], [11.0]])


def centroids_of(points, weights, labels):
    clusters = [labels == k for k in range(labels.max() + 1)]
    return np.array([np.average(points[cluster], axis=0, weights=weights[cluster]) for cluster in clusters])


def random_partition(n_clusters, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(80, 3)) * [1, 5, 0.1]
    weights = rng.integers(1, 9, size=80)
    labels = np.append(np.arange(n_clusters), rng.integers(n_clusters, size=80 - n_clusters))
    return points, weights, labels


@st.composite
def partitions(draw):
    """Points on a small grid, so that equal points, points alone in a cluster and empty distances do occur."""
    point = st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(1, 4), st.integers(0, 3))
    drawn = np.array(draw(st.lists(point, min_size=3, max_size=15)))
    labels = np.unique(drawn[:, 3], return_inverse=True)[1]
    assume(2 <= labels.max() + 1 < drawn[:, 2].sum())
    return drawn[:, :2].astype(float), drawn[:, 2].astype(float), labels


def test_wcss_by_hand():
    # 1 * 1^2 + 1 * 1^2 + 2 * 1^2 + 1 * 2^2
    assert quality.wcss(POINTS, WEIGHTS, LABELS, CENTROIDS) == 8


def test_wcss_adds_up_the_features():
    # one point (3, 4) off its centroid (0, 0), twice: 2 * (9 + 16)
    assert quality.wcss(np.array([[3.0, 4.0]]), np.array([2.0]), np.array([0]), np.zeros((1, 2))) == 50


def test_calinski_harabasz_by_hand():
    # The mean of all five is 35 / 5 = 7, the total 49 + 25 + 2 * 9 + 36 = 128, within 8, between 128 - 8 = 120:
    # (120 / (2 - 1)) / (8 / (5 - 2))
    assert quality.calinski_harabasz(POINTS, WEIGHTS, LABELS, CENTROIDS) == pytest.approx(45)


def test_davies_bouldin_by_hand():
    # mean distances to the centroid: (1 + 1) / 2 = 1 and (2 * 1 + 2) / 3 = 4/3; the centroids lie 10 apart
    assert quality.davies_bouldin(POINTS, WEIGHTS, LABELS, CENTROIDS) == pytest.approx((1 + 4 / 3) / 10)


def test_davies_bouldin_takes_the_worst_neighbour_of_each_cluster():
    # Spreads 1, 1, 2; separations 10 (0-1), 20 (1-2), 30 (0-2). Ratios: 2/10, 3/20, 3/30. Worst: 2/10, 2/10, 3/20.
    points = np.array([[-1.0], [1.0], [9.0], [11.0], [28.0], [32.0]])
    labels = np.array([0, 0, 1, 1, 2, 2])
    centroids = np.array([[0.0], [10.0], [30.0]])
    assert quality.davies_bouldin(points, np.ones(6), labels, centroids) == pytest.approx((0.2 + 0.2 + 0.15) / 3)


def test_silhouette_by_hand():
    # 0:  within 2,               nearest (10 + 10 + 13) / 3 = 11, width 9/11
    # 2:  within 2,               nearest (8 + 8 + 11) / 3 = 9,    width 7/9
    # 10: within (0 + 3) / 2,     nearest (10 + 8) / 2 = 9,        width 7.5/9, twice
    # 13: within (3 + 3) / 2 = 3, nearest (13 + 11) / 2 = 12,      width 9/12
    expected = (9 / 11 + 7 / 9 + 2 * 7.5 / 9 + 9 / 12) / 5
    assert quality.silhouettes(POINTS, WEIGHTS, [LABELS]) == [pytest.approx(expected)]


def test_silhouette_of_a_point_alone_in_its_cluster_is_0():
    # 0: within 1, nearest 10, width 9/10; 1: within 1, nearest 9, width 8/9; 10 is alone
    points = np.array([[0.0], [1.0], [10.0]])
    assert quality.silhouettes(points, np.ones(3), [np.array([0, 0, 1])]) == [pytest.approx((9 / 10 + 8 / 9 + 0) / 3)]


def test_silhouette_of_one_weighted_row_per_cluster_is_1():
    # Two equal customers each: nothing within, so the width is 1. Only a customer alone in a cluster counts as 0.
    assert quality.silhouettes(np.array([[0.0], [7.0]]), np.array([2.0, 2.0]), [np.array([0, 1])]) == [1]


def test_silhouette_is_0_where_both_clusters_lie_on_one_spot():
    assert quality.silhouettes(np.zeros((2, 1)), np.array([2.0, 2.0]), [np.array([0, 1])]) == [0]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("n_clusters", [2, 3, 5, 8])
def test_measures_equal_scikit_learns_on_repeated_rows(n_clusters, seed):
    points, weights, labels = random_partition(n_clusters, seed)
    partition = points, weights, labels, centroids_of(points, weights, labels)
    repeated = np.repeat(points, weights, axis=0), np.repeat(labels, weights)

    assert quality.calinski_harabasz(*partition) == pytest.approx(metrics.calinski_harabasz_score(*repeated))
    assert quality.davies_bouldin(*partition) == pytest.approx(metrics.davies_bouldin_score(*repeated))
    assert quality.silhouettes(points, weights, [labels]) == [pytest.approx(metrics.silhouette_score(*repeated))]


@given(partitions())
def test_measures_equal_scikit_learns_on_any_repeated_rows(partition):
    points, weights, labels = partition
    centroids = centroids_of(*partition)
    repeated = np.repeat(points, weights.astype(int), axis=0), np.repeat(labels, weights.astype(int))

    silhouette = metrics.silhouette_score(*repeated)
    assert quality.silhouettes(points, weights, [labels]) == [pytest.approx(silhouette, abs=1e-6)]
    # scikit-learn has 1 here and skips two centroids on one spot; neither can come out of k-means.
    if quality.wcss(*partition, centroids) > 1e-9:
        expected = metrics.calinski_harabasz_score(*repeated)
        assert quality.calinski_harabasz(*partition, centroids) == pytest.approx(expected, abs=1e-9)
    if len(np.unique(centroids.round(9), axis=0)) == len(centroids):
        expected = metrics.davies_bouldin_score(*repeated)
        assert quality.davies_bouldin(*partition, centroids) == pytest.approx(expected, abs=1e-9)


@given(partitions(), st.randoms(use_true_random=False))
def test_no_measure_depends_on_the_order_of_rows(partition, random):
    points, weights, labels = partition
    order = list(range(len(points)))
    random.shuffle(order)
    centroids = centroids_of(*partition)
    assume(len(np.unique(centroids.round(9), axis=0)) == len(centroids))
    assume(quality.wcss(*partition, centroids) > 1e-9)

    before = measures(points, weights, labels, centroids)
    assert measures(points[order], weights[order], labels[order], centroids) == pytest.approx(before)


def measures(points, weights, labels, centroids):
    return [
        quality.wcss(points, weights, labels, centroids),
        quality.calinski_harabasz(points, weights, labels, centroids),
        quality.davies_bouldin(points, weights, labels, centroids),
        *quality.silhouettes(points, weights, [labels]),
    ]


def test_silhouettes_of_several_partitions_are_those_of_each_alone():
    points, weights, _ = random_partition(2, seed=3)
    labelings = [random_partition(n_clusters, seed=n_clusters)[2] for n_clusters in (4, 2, 6)]
    one_cluster = np.zeros(len(points), dtype=int)

    together = quality.silhouettes(points, weights, [labelings[0], one_cluster, *labelings[1:]])

    repeated = np.repeat(points, weights, axis=0)
    expected = [metrics.silhouette_score(repeated, np.repeat(labels, weights)) for labels in labelings]
    assert [together[0], *together[2:]] == pytest.approx(expected)
    assert np.isnan(together[1])


def test_silhouettes_are_the_same_in_many_chunks():
    points, weights, labels = random_partition(4, seed=5)
    in_one = quality.silhouettes(points, weights, [labels])
    with config_context(working_memory=0.01):  # MiB: 80 distances of 8 bytes a row make 16 rows a chunk
        assert quality.silhouettes(points, weights, [labels]) == pytest.approx(in_one)


def test_one_cluster_has_no_criterion():
    labels, centroid = np.zeros(4, dtype=int), np.array([[7.0]])
    assert np.isnan(quality.calinski_harabasz(POINTS, WEIGHTS, labels, centroid))
    assert np.isnan(quality.davies_bouldin(POINTS, WEIGHTS, labels, centroid))
    assert np.isnan(quality.silhouettes(POINTS, WEIGHTS, [labels])).all()


def test_every_point_a_cluster_of_its_own_has_no_silhouette_and_no_calinski_harabasz():
    labels = np.arange(4)
    assert np.isnan(quality.silhouettes(POINTS, np.ones(4), [labels])).all()
    assert np.isnan(quality.calinski_harabasz(POINTS, np.ones(4), labels, POINTS))


def test_calinski_harabasz_is_not_defined_where_nothing_is_left_within():
    assert np.isnan(quality.calinski_harabasz(POINTS, WEIGHTS, np.arange(4), POINTS))


def test_calinski_harabasz_is_not_defined_where_only_rounding_is_left_within():
    # Rows of weight 3, each a cluster of its own: (3 * 0.1) / 3 is not 0.1 in floating point, but nothing lies within.
    points, weights = np.array([[0.1], [0.7], [1.9]]), np.full(3, 3.0)
    centroids = points * 3 / 3
    assert (centroids != points).any()
    assert np.isnan(quality.calinski_harabasz(points, weights, np.arange(3), centroids))


def test_elbow_scores_by_hand():
    # across: 0, 1/4, 2/4, 1; down: 1, 0.4, 0.2, 0; score: 1 - across - down
    assert quality.elbow_scores([2, 3, 4, 6], [100, 40, 20, 0]) == pytest.approx([0, 0.35, 0.3, 0])


def test_elbow_scores_do_not_depend_on_the_units_of_the_curve():
    assert quality.elbow_scores([2, 3, 4, 6], [1070, 470, 270, 70]) == pytest.approx([0, 0.35, 0.3, 0])


def test_a_curve_above_its_chord_scores_below_0():
    # across 0, 1/2, 1; down 1, 0.9, 0
    assert quality.elbow_scores([2, 3, 4], [10, 9, 0]) == pytest.approx([0, -0.4, 0])


def test_two_elbows_can_score_the_same():
    # 1 - 1/3 - 3/6 and 1 - 2/3 - 1/6
    assert quality.elbow_scores([1, 2, 3, 4], [6, 3, 1, 0]) == pytest.approx([0, 1 / 6, 1 / 6, 0])


def test_a_straight_curve_has_no_elbow():
    assert quality.elbow_scores([1, 2, 3, 4], [3, 2, 1, 0]) == pytest.approx([0, 0, 0, 0], abs=1e-12)


def test_elbow_scores_are_0_without_a_curve():
    assert quality.elbow_scores([2, 3], [5, 1]).tolist() == [0, 0]
    assert quality.elbow_scores([2], [5]).tolist() == [0]


def test_elbow_scores_of_a_flat_curve_are_0():
    assert quality.elbow_scores([2, 3, 4], [5, 5, 5]).tolist() == [0, 0, 0]


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=12, unique=True), st.integers(1, 5))
def test_elbow_scores_are_0_at_both_ends_and_never_1(falling, first):
    curve = sorted(falling, reverse=True)
    scores = quality.elbow_scores(range(first, first + len(curve)), curve)
    assert scores[[0, -1]].tolist() == [0, 0]
    assert (np.abs(scores) < 1).all()
