import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation import rules
from segmentation.rules import Bound, segment_rules
from sklearn.tree import DecisionTreeClassifier


def rules_of(points, labels, weights=None, *, seed=42):
    points = np.asarray(points, dtype=float)
    return segment_rules(points, np.ones(len(points)) if weights is None else weights, np.asarray(labels), seed=seed)


def members(points, rule):
    """The WHERE clause: above the lower bound, up to the upper one."""
    inside = np.ones(len(points), dtype=bool)
    for bound in rule:
        if bound.lower is not None:
            inside &= points[:, bound.feature] > bound.lower
        if bound.upper is not None:
            inside &= points[:, bound.feature] <= bound.upper
    return inside


def f1(points, weights, is_member, rule):
    inside = members(points, rule)
    both = weights[inside & is_member].sum()
    coverage, precision = both / weights[is_member].sum(), both / weights[inside].sum()
    return 2 * coverage * precision / (coverage + precision)


def n_comparisons(rule):
    return sum(limit is not None for bound in rule for limit in (bound.lower, bound.upper))


def random_segments(n_rows=300, n_clusters=4, seed=0):
    """Points labelled by the nearest of a few centroids."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_rows, 3)) * [1, 100, 0.01]
    centroids = points[:n_clusters]
    scaled_distances = (((points[:, None] - centroids) / [1, 100, 0.01]) ** 2).sum(axis=2)
    return points, rng.integers(1, 9, size=n_rows), scaled_distances.argmin(axis=1)


def grid_with_a_box():
    """The 100 points of a grid, label 0 for the 9 with both coordinates in 4..6."""
    points = np.array([(x, y) for x in range(10) for y in range(10)], dtype=float)
    return points, np.where(((points >= 4) & (points <= 6)).all(axis=1), 0, 1)


def test_one_threshold_separates_two_segments():
    # halfway between 2 and 10
    assert rules_of([[0], [1], [2], [10], [11]], [0, 0, 0, 1, 1]) == (
        (Bound(feature=0, lower=None, upper=6.0),),
        (Bound(feature=0, lower=6.0, upper=None),),
    )


def test_a_segment_between_two_others_is_bounded_from_both_sides():
    # halfway between 1 and 4, and between 5 and 11
    first, middle, last = rules_of([[0], [1], [4], [5], [11], [12]], [0, 0, 1, 1, 2, 2])
    assert first == (Bound(0, None, 2.5),)
    assert middle == (Bound(0, 2.5, 8.0),)
    assert last == (Bound(0, 8.0, None),)


def test_a_feature_that_tells_nothing_stays_unbounded():
    points = [[0, 5, 1], [0, 5, 2], [0, 5, 8], [0, 5, 9]]
    assert rules_of(points, [1, 1, 0, 0]) == (
        (Bound(0, None, None), Bound(1, None, None), Bound(2, 5.0, None)),
        (Bound(0, None, None), Bound(1, None, None), Bound(2, None, 5.0)),
    )


def test_a_box_in_two_features_takes_four_comparisons():
    points, labels = grid_with_a_box()
    box = rules_of(points, labels)[0]
    assert box == (Bound(0, 3.5, 6.5), Bound(1, 3.5, 6.5))
    assert (members(points, box) == (labels == 0)).all()


def test_the_upper_bound_is_inclusive_and_the_lower_one_exclusive():
    # A threshold halfway between 1 and 3 lies on no point of the fit; a new customer at 2 is below it.
    below, above = rules_of([[1], [3]], [0, 1])
    new = np.array([[2.0]])
    assert members(new, below).tolist() == [True]
    assert members(new, above).tolist() == [False]


# Segment 1 is x = 9, 98 customers; so many intruders stand at x = 9 too, but with y = 9 instead of 0.
INTRUDED = np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]]), np.array([0, 1, 0])


@pytest.mark.parametrize(
    ("intruders", "upper"),
    [
        (3, None),  # x > 4.5 alone: F1 = 2 * 98 / (98 + 101) = 0.985, at most 0.02 below the 1 of both comparisons
        (4, None),  # 2 * 98 / (98 + 102) = 0.98
        (5, 4.5),  # 2 * 98 / (98 + 103) = 0.975: the second comparison is worth it
    ],
)
def test_a_shorter_rule_is_taken_where_f1_is_at_most_two_hundredths_less(intruders, upper):
    points, labels = INTRUDED
    rule = rules_of(points, labels, np.array([100, 98, intruders]))[1]
    assert rule == (Bound(0, 4.5, None), Bound(1, None, upper))


def test_among_rules_of_one_length_the_better_one_is_taken():
    # x > 0.5 holds all 98 and one of the others: F1 = 196 / (98 + 99) = 0.995. The node below it, x > 1.5, holds 96 and
    # no other: 192 / (98 + 96) = 0.990, which is good enough too, and also one comparison.
    rule = rules_of([[0], [1], [1], [2]], [0, 1, 0, 1], np.array([100, 2, 1, 96]))[1]
    assert rule == (Bound(0, 0.5, None),)


def test_a_single_segment_bounds_nothing():
    assert rules_of([[0, 1], [5, 2], [9, 9]], [0, 0, 0]) == ((Bound(0, None, None), Bound(1, None, None)),)


def test_segments_that_nothing_tells_apart_are_bounded_by_nothing():
    assert rules_of([[3], [3]], [0, 1]) == ((Bound(0, None, None),), (Bound(0, None, None),))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rules_are_as_good_as_the_best_node_of_scikit_learns_tree(seed):
    points, weights, labels = random_segments(seed=seed)
    for label, rule in enumerate(rules_of(points, labels, weights)):
        is_member = labels == label
        tree = DecisionTreeClassifier(max_depth=4, random_state=42).fit(points, is_member, sample_weight=weights)
        nodes = tree.decision_path(points).toarray().T.astype(bool)
        both = np.array([weights[inside & is_member].sum() for inside in nodes])
        best = max(2 * both / (weights[is_member].sum() + [weights[inside].sum() for inside in nodes]))
        assert best - 0.02 - 1e-9 <= f1(points, weights, is_member, rule) <= best + 1e-9


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=25)
def test_invariants_of_any_rules(seed, n_clusters):
    points, weights, labels = random_segments(60, n_clusters, seed)
    found = rules_of(points, labels, weights)

    assert len(found) == n_clusters
    for label, rule in enumerate(found):
        assert [bound.feature for bound in rule] == [0, 1, 2]
        assert n_comparisons(rule) <= 4
        assert all(b.lower is None or b.upper is None or b.lower < b.upper for b in rule)
        everybody = tuple(Bound(feature, None, None) for feature in range(3))
        is_member = labels == label
        assert f1(points, weights, is_member, rule) >= f1(points, weights, is_member, everybody) - 0.02 - 1e-9


def test_a_weighted_row_is_so_many_rows():
    points, weights, labels = random_segments(seed=4)
    repeated = rules_of(np.repeat(points, weights, axis=0), np.repeat(labels, weights))
    assert rules_of(points, labels, weights) == repeated
    assert rules_of(points, labels) != repeated


def test_rules_repeat_themselves_in_any_order_of_rows():
    points, weights, labels = random_segments(seed=5)
    order = np.random.default_rng(0).permutation(len(points))
    found = rules_of(points, labels, weights)
    assert rules_of(points, labels, weights) == found
    assert rules_of(points[order], labels[order], weights[order]) == found


def test_of_two_features_that_tell_the_same_the_seed_chooses_one_for_good():
    points = np.repeat(np.arange(10.0)[:, None], 2, axis=1)
    found = rules_of(points, np.arange(10) // 5, seed=3)
    assert [n_comparisons(rule) for rule in found] == [1, 1]
    assert all(rules_of(points, np.arange(10) // 5, seed=3) == found for _ in range(5))


def test_bounds_are_plain_numbers():
    # they go into a table as they are
    first, _ = rules_of([[0], [10]], [0, 1])
    assert type(first[0].feature) is int
    assert type(first[0].upper) is float


def test_a_large_table_is_sampled(monkeypatch):
    rng = np.random.default_rng(0)
    points, labels = (
        np.vstack([rng.uniform(0, 4, size=(200, 1)), rng.uniform(6, 10, size=(200, 1))]),
        np.arange(400) // 200,
    )
    whole = rules_of(points, labels)
    monkeypatch.setattr(rules, "SEGMENT_SAMPLE", 25)
    sampled = rules_of(points, labels)

    # Fewer points leave a wider gap between the segments, and another threshold halfway.
    assert sampled != whole
    assert sampled == rules_of(points, labels)
    assert sampled != rules_of(points, labels, seed=0)
    for label, rule in enumerate(sampled):
        assert f1(points, np.ones(400), labels == label, rule) > 0.95


def test_a_table_as_large_as_the_sample_is_not_sampled(monkeypatch):
    points, weights, labels = random_segments(seed=6)
    whole = rules_of(points, labels, weights)
    monkeypatch.setattr(rules, "SEGMENT_SAMPLE", len(points))
    assert rules_of(points, labels, weights) == whole


@pytest.mark.parametrize("rare", [0, 1, 2])
def test_a_segment_too_small_for_the_sample_still_has_its_rule(monkeypatch, rare):
    # 200 rows, one of them a segment of its own: most samples of 20 of all rows would not hold it.
    monkeypatch.setattr(rules, "SEGMENT_SAMPLE", 20)
    others = [label for label in range(3) if label != rare]
    points = np.append(np.arange(199.0), 900)[:, None]
    labels = np.append(np.repeat(others, [100, 99]), rare)

    found = rules_of(points, labels)

    assert len(found) == 3
    assert members(points, found[rare]).nonzero()[0].tolist() == [199]
