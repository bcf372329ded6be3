"""What later builds measure their drift against: where the customers of a fit lie, feature by feature."""

import numpy as np


def tenths(points, weights, features):
    """The bins of each of the d `features`: [{feature, lowest, highest, upper_edges, shares}].

    `points` (n, d) and `weights` (n,), how many customers share a row. The bins are tenths of the customers. Equal values are
    never parted: all of them fall into the tenth that the first of them belongs to, so that there may be fewer than ten.
    `lowest` and `highest` are values; an edge belongs to the bin below it, and the last one is infinity.
    """
    return [
        {"feature": feature} | _tenths(np.asarray(values, dtype=float), np.asarray(weights))
        for feature, values in zip(features, np.transpose(points), strict=True)
    ]


def _tenths(values, weights):
    distinct, positions = np.unique(values, return_inverse=True)
    counts = np.bincount(positions.ravel(), weights)
    before = np.cumsum(counts) - counts
    tenth = np.floor(10 * before / counts.sum()).astype(int)
    is_last = np.append(tenth[1:] != tenth[:-1], True)
    sizes = np.bincount(tenth, counts)
    return {
        "lowest": float(distinct[0]),
        "highest": float(distinct[-1]),
        "upper_edges": [*distinct[is_last][:-1].tolist(), np.inf],
        "shares": (sizes[sizes > 0] / counts.sum()).tolist(),
    }
