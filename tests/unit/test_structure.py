"""The test for structure: crowds without groups are not called groups, groups are, and what it compares is what it says."""

import numpy as np
import pytest
from scipy.stats import norm, spearmanr
from segmentation import structure
from segmentation.structure import find_structure
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris, load_wine, make_blobs, make_circles, make_moons
from sklearn.preprocessing import StandardScaler

TRIED = range(1, 11)


def found(points, weights=None, cluster_counts=TRIED, seed=42):
    scaled = StandardScaler().fit_transform(points)
    return find_structure(scaled, np.ones(len(points)) if weights is None else weights, cluster_counts, seed=seed)


@pytest.mark.parametrize(
    "points",
    [
        load_iris().data,
        load_wine().data,
        make_moons(400, noise=0.08, random_state=1)[0],
        make_circles(400, noise=0.05, factor=0.4, random_state=1)[0],
        make_blobs(400, centers=5, random_state=3)[0],
    ],
    ids=["iris", "wine", "moons", "circles", "blobs"],
)
def test_groups_are_found(points):
    structure = found(points)
    assert structure.kind == "groups"
    assert structure.box_p_value == structure.margins_p_value == 1 / 33
    assert (structure.silhouettes > structure.crowd_bounds).any()


def test_noise_is_called_noise():
    """Of five draws each, as the error rate of the whole table needs thousands: scripts/structure_errors.py."""
    generator = np.random.default_rng(5)
    draws = [generator.uniform(size=(500, 2)) for _ in range(5)] + [generator.normal(size=(500, 3)) for _ in range(5)]
    kinds = [found(points).kind for points in draws]
    assert kinds.count("groups") <= 2
    assert kinds.count("none") >= 7


def test_the_distribution_of_a_feature_is_no_group():
    generator = np.random.default_rng(6)
    yes_no = np.column_stack([generator.uniform(size=(500, 2)), generator.random(500) < 0.4])
    two_heaps = np.concatenate([generator.normal(size=200), generator.normal(9, 1, 200)])[:, None]
    for points in (yes_no, two_heaps, generator.lognormal(size=(500, 2))):
        assert found(points).kind == "ranges"
    # One feature is its own distribution, so no crowd of the second kind is any less clear.
    assert found(two_heaps).margins_p_value == 1


def test_the_bound_is_where_the_verdict_changes():
    for seed in range(5):
        result = found(np.random.default_rng(seed).uniform(size=(300, 2)), seed=seed)
        assert (result.kind == "none") == (not (result.silhouettes > result.crowd_bounds).any())
        assert (result.kind == "none") == (result.box_p_value > 1 / 33)


def test_customers_are_drawn_by_weight():
    """Five clear blobs of a million whole-number customers: most rows are thin air between blobs that most customers are in."""
    points = np.random.default_rng(0).normal(size=(1_000_000, 2)) * 4
    points += 25 * np.array([[1, 1], [1, 3], [2, 2], [3, 1], [3, 3]])[np.arange(1_000_000) % 5]
    rows, counts = np.unique(points.round(), axis=0, return_counts=True)
    scaled = (rows - np.average(rows, axis=0, weights=counts)) / 20
    assert find_structure(scaled, counts, TRIED, seed=1).silhouettes[4] > 0.6
    assert find_structure(scaled, counts, TRIED, seed=1).kind == "groups"


def test_few_customers_are_all_compared():
    points = np.arange(12.0).reshape(6, 2)
    drawn = structure._drawn(points, np.array([1, 2, 3, 1, 1, 1]), np.random.default_rng(0))
    assert drawn.tolist() == points[[0, 1, 1, 2, 2, 2, 3, 4, 5]].tolist()


def test_crowds_are_what_they_are_called():
    generator = np.random.default_rng(3)
    points = generator.multivariate_normal([1, 2], [[1, 0.8], [0.8, 1]], 2000)
    points[:, 1] = np.exp(points[:, 1])
    copula = structure._copula_crowd(points, generator)
    assert (np.sort(copula, axis=0) == np.sort(points, axis=0)).all()
    assert abs(spearmanr(copula).statistic - spearmanr(points).statistic) < 0.05
    assert not (copula == points).all()

    even = structure._even_crowd(points, generator)
    axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2]
    along, around = (points - points.mean(axis=0)) @ axes.T, even @ axes.T
    assert (around.min(axis=0) >= along.min(axis=0)).all()
    assert (around.max(axis=0) <= along.max(axis=0)).all()
    # Even: the deviation of a uniform draw is its range by the square root of 12.
    assert np.allclose(around.std(axis=0), np.ptp(along, axis=0) / np.sqrt(12), rtol=0.05)


def within(points, labels):
    return sum(((points[labels == label] - points[labels == label].mean(axis=0)) ** 2).sum() for label in set(labels))


def test_the_gap_is_that_of_its_definition():
    """On the corners of a square, far from each other, four clusters leave only the noise: the gap is largest there."""
    corners = np.array([[0, 0], [0, 10], [10, 0], [10, 10]]).repeat(50, axis=0)
    points = corners + norm.rvs(size=(200, 2), random_state=1)
    result = found(points)
    assert np.argmax(result.gaps) + 1 == 4
    scaled, generator = StandardScaler().fit_transform(points), np.random.default_rng(2)
    crowds = [structure._even_crowd(scaled, generator) for _ in range(20)]
    logs = [np.log(within(draw, AgglomerativeClustering(4).fit_predict(draw))) for draw in [scaled, *crowds]]
    assert abs(result.gaps[3] - (np.mean(logs[1:]) - logs[0])) < 0.1


def test_where_nothing_can_be_compared_nothing_is_said():
    result = found(np.random.default_rng(1).normal(size=(50, 2)), cluster_counts=range(1, 2))
    assert result.kind == "untested"
    assert np.isnan([result.box_p_value, result.margins_p_value, *result.crowd_bounds]).all()


def test_equal_seeds_give_equal_results():
    points = make_blobs(900, centers=3, random_state=2)[0]
    first, second = found(points), found(points)
    assert all(np.array_equal(value, vars(second)[name], equal_nan=name != "kind") for name, value in vars(first).items())
