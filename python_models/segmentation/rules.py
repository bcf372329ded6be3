"""A short rule in the features for every segment, so that a segment can be described and found again by a WHERE clause."""

from dataclasses import dataclass

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from segmentation.precision import frame

# Four comparisons still read as one sentence, and enclose a segment in two features from both sides.
MAX_COMPARISONS = 4

# A shorter rule is taken where its F1 is at most this much below the best one's.
WORTH_ANOTHER_COMPARISON = 0.02

# To a tree, values closer than 1e-7 are one, and the largest is 2 ** 128: in so many units of a span, neither matters.
TREE_UNITS = 2.0**100

# A tree over all of a large segment is no better than one over this many of its rows.
SEGMENT_SAMPLE = 20_000


@dataclass(frozen=True)
class Bound:
    """One comparison of a rule: the feature at position `feature` lies above `lower` (exclusive) and up to `upper` (inclusive).

    None means no bound; values are in the units of the points.
    """

    feature: int
    lower: float | None
    upper: float | None


def segment_rules(points, weights, labels, *, seed):
    """For every label 0..k-1 the rule that describes it best: a tuple of k rules, each a tuple of d `Bound`, one a feature.

    One shallow decision tree (CART: Breiman et al. 1984) is grown for each segment against the rest, and the node whose members
    have the highest F1 (the harmonic mean of coverage and precision) is turned into bounds. `points` (n, d), `weights` and
    `labels` (n,). The rule of a single segment bounds nothing. Bounds have the 24 bits of scikit-learn's trees, counted from an
    origin near the values.
    """
    origins, units = frame(points)
    n_labels = labels.max() + 1
    rows, weights = _sample(np.asarray(weights, dtype=float), labels, n_labels, seed)
    points, labels = points[rows], labels[rows]
    points = TREE_UNITS * ((points - origins) / units)
    rules = (_limits(points, weights, labels == label, seed) for label in range(n_labels))
    return tuple(
        tuple(_bound(feature, origins[feature], units[feature], limits) for feature in range(points.shape[1])) for limits in rules
    )


def _bound(feature, origin, unit, limits):
    pair = limits.get(feature, (None, None))
    return Bound(feature, *(None if limit is None else float(origin + unit * (limit / TREE_UNITS)) for limit in pair))


def _sample(weights, labels, n_labels, seed):
    """Row numbers and weights of a sample with rows of every label, in which each label weighs what it does in the whole."""
    generator = np.random.default_rng(seed)
    samples, sample_weights = [], []
    for label in range(n_labels):
        members = np.flatnonzero(labels == label)
        sample = members
        if len(members) > SEGMENT_SAMPLE:
            sample = np.sort(generator.choice(members, SEGMENT_SAMPLE, replace=False))
        samples.append(sample)
        sample_weights.append(weights[sample] * (weights[members].sum() / weights[sample].sum()))
    return np.concatenate(samples), np.concatenate(sample_weights)


def _limits(points, weights, is_member, seed):
    """{feature: (lower, upper)} of the best node."""
    classifier = DecisionTreeClassifier(max_depth=MAX_COMPARISONS, random_state=seed)
    tree = classifier.fit(points, is_member, sample_weight=weights).tree_
    if tree.node_count == 1:
        return {}
    node_weights = tree.weighted_n_node_samples
    members = tree.value[:, 0, 1] * node_weights
    f1 = 2 * members / (members[0] + node_weights)
    paths = _paths(tree)
    good_enough = [node for node in paths if f1[node] >= f1.max() - WORTH_ANOTHER_COMPARISON]
    return paths[min(good_enough, key=lambda node: (_n_comparisons(paths[node]), -f1[node], node))]


def _n_comparisons(limits):
    return sum(limit is not None for pair in limits.values() for limit in pair)


def _paths(tree):
    """{node: its limits}, those of one feature merged into one pair."""
    paths, pending = {}, [(0, {})]
    while pending:
        node, limits = pending.pop()
        paths[node] = limits
        if tree.children_left[node] == -1:
            continue
        feature, threshold = int(tree.feature[node]), float(tree.threshold[node])
        lower, upper = limits.get(feature, (None, None))
        pending.append((tree.children_left[node], {**limits, feature: (lower, threshold)}))
        pending.append((tree.children_right[node], {**limits, feature: (threshold, upper)}))
    return paths
