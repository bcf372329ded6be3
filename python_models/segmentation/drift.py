"""What later builds measure their drift against: where the customers of a fit lie, feature by feature and among the centroids."""

import numpy as np

from segmentation.categories import CATEGORY, OTHER, blocks, feature_of, level_of


def bins(points, weights, preparation):
    """The bins of each feature of a fit, those of numbers first: of a number the `tenths`, of a category the levels.

    `points` (n, d) and `weights` (n,), how many customers share a row; `preparation` has the lists features and transforms. The
    value of a level is the place of its column, from 1; `lowest` and `highest` are those that anybody has. What has no column of
    its own is in no bin, so that a new level by itself is no drift.
    """
    columns, transforms = preparation["features"], preparation["transforms"]
    numbers = [place for place, transform in enumerate(transforms) if transform != CATEGORY]
    levels = [_levels(columns, points, weights, block) for block in blocks(preparation)]
    return tenths(points[:, numbers], weights, [columns[place] for place in numbers]) + levels


def _levels(columns, points, weights, block):
    known = np.array([place for place in block if level_of(columns[place]) != OTHER])
    present = block[weights @ points[:, block] > 0]
    counts = weights @ points[:, known]
    return {
        "feature": feature_of(columns[block[0]]),
        "lowest": float(present[0] + 1),
        "highest": float(present[-1] + 1),
        "upper_edges": (known + 1.0).tolist(),
        "shares": (counts / counts.sum()).tolist(),
    }


def tenths(points, weights, features):
    """The bins of each of the d `features`: [{feature, lowest, highest, upper_edges, shares}].

    `points` (n, d) and `weights` (n,), how many customers share a row. A value that a tenth of the customers or more have is a
    bin of its own: most often zero, beside which the others would share one. All other customers are divided into tenths.
    Equal values are never parted: all of them fall into the tenth that the first of them belongs to, so that there may be
    fewer than ten. `lowest` and `highest` are values; an edge belongs to the bin below it, and the last one is infinity.
    """
    return [
        {"feature": feature} | _tenths(np.asarray(values, dtype=float), np.asarray(weights))
        for feature, values in zip(features, np.transpose(points), strict=True)
    ]


def expectations(assignment, weights, sizes):
    """What a later build may expect of customers like those of the fit, as {column: number}.

    `assignment` of the n training rows to the k centroids that were fitted on them, `weights` (n,), `sizes` (k,) of the
    segments. The mean distance to the nearest centroid, the mean confidence (the simplified silhouette: 1 - distance / distance
    to the runner-up; NaN where there is one segment), and the standard deviations of both over the customers.

    A centroid lies nearer to the s customers that it is the mean of than to others of their kind: their mean squared distances
    are in proportion of s - 1 to s + 1. The expected means are those of others. A segment of one customer counts as one of two.
    """
    distance, confidence = assignment.distance, confidences(assignment)
    sizes = np.maximum(sizes, 2)
    growth = np.sqrt((sizes + 1) / (sizes - 1))[assignment.nearest]
    return {
        "expected_distance": float(np.average(distance * growth, weights=weights)),
        "distance_deviation": _deviation(distance, weights),
        "expected_confidence": float(np.average(1 - (1 - confidence) * growth, weights=weights)),
        "confidence_deviation": _deviation(confidence, weights),
    }


def confidences(assignment):
    """1 - distance / distance to the runner-up, for each of n points: from 0, on the border of two segments, to 1."""
    with np.errstate(invalid="ignore"):
        return 1 - assignment.distance / assignment.runner_up_distance


def _deviation(values, weights):
    return float(np.sqrt(np.average((values - np.average(values, weights=weights)) ** 2, weights=weights)))


def _tenths(values, weights):
    distinct, positions = np.unique(values, return_inverse=True)
    counts = np.bincount(positions.ravel(), weights)
    is_alone = 10 * counts >= counts.sum()
    others = np.where(is_alone, 0, counts)
    # Where each value stands among the others; there are none where every value is alone.
    tenth = np.floor(10 * (np.cumsum(others) - others) / max(others.sum(), 1)).astype(int)
    is_first = np.append(True, is_alone[1:] | is_alone[:-1] | (tenth[1:] != tenth[:-1]))
    sizes = np.bincount(np.cumsum(is_first) - 1, counts)
    return {
        "lowest": float(distinct[0]),
        "highest": float(distinct[-1]),
        "upper_edges": [*distinct[np.append(is_first[1:], True)][:-1].tolist(), np.inf],
        "shares": (sizes / counts.sum()).tolist(),
    }
