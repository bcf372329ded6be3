import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segmentation.assignment import assign

UNSCALED = {"means": np.zeros(2), "scales": np.ones(2)}


def random_model(n_clusters, n_features, seed):
    rng = np.random.default_rng(seed)
    return {
        "means": rng.normal(scale=10, size=n_features),
        "scales": rng.uniform(0.1, 50, size=n_features),
        "centroids_scaled": rng.normal(size=(n_clusters, n_features)),
    }


def test_assignment_by_hand():
    # (16, 22) is ((16 - 10) / 2, (22 - 2) / 5) = (3, 4) scaled: 5 from (0, 0), 3 from (3, 1), 10 from (3, 14).
    # (10, 52) is (0, 10) scaled: 10 from (0, 0), 5 = |(3, -4)| from (3, 14), sqrt(9 + 81) from (3, 1).
    result = assign(
        np.array([[16.0, 22.0], [10.0, 52.0]]),
        means=np.array([10.0, 2.0]),
        scales=np.array([2.0, 5.0]),
        centroids_scaled=np.array([[0.0, 0.0], [3.0, 1.0], [3.0, 14.0]]),
    )
    assert result.nearest.tolist() == [1, 2]
    assert result.distance.tolist() == [3, 5]
    assert result.runner_up.tolist() == [0, 1]
    assert result.runner_up_distance == pytest.approx([5, np.sqrt(90)])


def test_a_tie_goes_to_the_centroid_that_stands_first():
    # (0, 0) is 1 away from all three.
    centroids = np.array([[0.0, 1.0], [-1.0, 0.0], [1.0, 0.0]])
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        result = assign(np.zeros((1, 2)), centroids_scaled=centroids[order], **UNSCALED)
        assert (result.nearest[0], result.runner_up[0]) == (0, 1)
        assert (result.distance[0], result.runner_up_distance[0]) == (1, 1)


def test_a_tie_for_the_runner_up_goes_to_the_one_that_stands_first():
    # (0, 0) is 0.5 from the last centroid and 1 from both others.
    centroids = np.array([[0.0, 1.0], [-1.0, 0.0], [0.5, 0.0]])
    result = assign(np.zeros((1, 2)), centroids_scaled=centroids, **UNSCALED)
    assert (result.nearest[0], result.runner_up[0]) == (2, 0)


def test_ties_on_a_grid_are_exact():
    # Far from the origin the shortcut over dot products would lose the tie; differences of whole numbers are exact.
    centroids = np.array([[1e8 + 1, 1e8], [1e8 - 1, 1e8]])
    points = np.column_stack([np.full(50, 1e8), 1e8 + np.arange(50)])
    result = assign(points, centroids_scaled=centroids, **UNSCALED)
    assert result.nearest.tolist() == [0] * 50
    assert (result.distance == result.runner_up_distance).all()


def test_a_point_on_a_centroid_has_distance_0():
    model = random_model(4, 3, seed=0)
    result = assign(model["centroids_scaled"], **{**model, "means": np.zeros(3), "scales": np.ones(3)})
    assert result.nearest.tolist() == [0, 1, 2, 3]
    assert result.distance.tolist() == [0, 0, 0, 0]


def test_a_single_centroid_has_no_runner_up():
    result = assign(np.array([[3.0, 4.0], [0.0, 0.0]]), centroids_scaled=np.zeros((1, 2)), **UNSCALED)
    assert result.nearest.tolist() == [0, 0]
    assert result.distance.tolist() == [5, 0]
    assert result.runner_up.tolist() == [-1, -1]
    assert np.isnan(result.runner_up_distance).all()


@pytest.mark.parametrize("n_clusters", [1, 2, 5])
def test_no_points_give_no_labels(n_clusters):
    result = assign(np.empty((0, 3)), **random_model(n_clusters, 3, seed=0))
    assert [len(column) for column in vars(result).values()] == [0, 0, 0, 0]


@pytest.mark.parametrize(("n_clusters", "n_features"), [(2, 1), (3, 2), (10, 5)])
def test_agrees_with_a_loop_over_points_and_centroids(n_clusters, n_features):
    model = random_model(n_clusters, n_features, seed=n_clusters)
    points = np.random.default_rng(0).normal(scale=20, size=(300, n_features))
    result = assign(points, **model)

    for row, point in enumerate(points):
        scaled = [(x - m) / s for x, m, s in zip(point, model["means"], model["scales"], strict=True)]
        ranked = sorted((np.linalg.norm(scaled - c), position) for position, c in enumerate(model["centroids_scaled"]))
        assert (result.nearest[row], result.runner_up[row]) == (ranked[0][1], ranked[1][1])
        assert result.distance[row] == pytest.approx(ranked[0][0])
        assert result.runner_up_distance[row] == pytest.approx(ranked[1][0])


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 10))
def test_a_batch_gets_what_its_rows_get_within_the_whole(seed, n_clusters, n_features):
    model = random_model(n_clusters, n_features, seed)
    points = np.random.default_rng(seed).normal(scale=20, size=(40, n_features))
    whole = assign(points, **model)
    for batch in (slice(0, 1), slice(7, 12), slice(None, None, -3)):
        part = assign(points[batch].copy(), **model)
        for field in vars(whole):
            np.testing.assert_array_equal(getattr(part, field), getattr(whole, field)[batch])


def test_nothing_given_is_changed():
    model = random_model(3, 2, seed=1)
    points = np.random.default_rng(1).normal(size=(20, 2))
    given_points, given_model = points.copy(), {name: value.copy() for name, value in model.items()}
    assign(points, **model)
    assert (points == given_points).all()
    assert all((model[name] == given_model[name]).all() for name in model)


def test_whole_numbers_are_taken_as_they_are():
    whole = assign(np.array([[3, 4]]), centroids_scaled=np.array([[0, 0], [3, 4]]), **UNSCALED)
    assert whole.nearest.tolist() == [1]
    assert whole.runner_up_distance.tolist() == [5]
