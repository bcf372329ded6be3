"""Measures of a partition of weighted points.

scikit-learn has the three criteria, but without weights. A point of weight w counts here as w equal points, so that
merging equal rows changes no figure; the tests compare each measure with scikit-learn's on the repeated rows.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_chunked

# All pairs of thousands of points are too many to be in memory at once.
CHUNK_MEGABYTES = 64


def squared_lengths(vectors):
    """Squared Euclidean lengths (n,) of vectors (n, d)."""
    return np.einsum("ij,ij->i", vectors, vectors)


def centroids(points, weights, labels):
    """Weighted means (k, d) and summed weights (k,) of the clusters, summed in row order: the same on any number of threads.

    `points` (n, d), `weights` (n,), `labels` (n,) in 0..k-1.
    """
    sizes = np.bincount(labels, weights)
    sums = [np.bincount(labels, weights * column) for column in points.T]
    return np.column_stack(sums) / sizes[:, None], sizes


def wcss(points, weights, labels, centroids):
    """Within-cluster sum of squared distances to the centroid (scikit-learn's inertia).

    `points` (n, d), `weights` (n,), `labels` (n,) in 0..k-1, `centroids` (k, d); the result is in squared units of the points.
    """
    return float(weights @ squared_lengths(points - centroids[labels]))


def calinski_harabasz(points, weights, labels, centroids):
    """Ratio of the dispersion between to the dispersion within clusters (Calinski and Harabasz 1974); higher is better.

    NaN for one cluster and where nothing is left within or no degree of freedom remains.
    """
    n_clusters, n_points = len(centroids), weights.sum()
    within = wcss(points, weights, labels, centroids)
    total = float(weights @ squared_lengths(points - np.average(points, axis=0, weights=weights)))
    # What is left within clusters of equal points is rounding.
    if n_clusters == 1 or n_points <= n_clusters or within <= 1e-12 * total:
        return np.nan
    return float(total - within) / (n_clusters - 1) / (within / (n_points - n_clusters))


def davies_bouldin(points, weights, labels, centroids):
    """Mean over clusters of the worst ratio of spread to separation (Davies and Bouldin 1979); lower is better.

    NaN for one cluster.
    """
    n_clusters = len(centroids)
    if n_clusters == 1:
        return np.nan
    distances = np.sqrt(squared_lengths(points - centroids[labels]))
    spread = np.bincount(labels, weights * distances, n_clusters) / np.bincount(labels, weights, n_clusters)
    separation = np.linalg.norm(centroids[:, None] - centroids[None], axis=2)
    np.fill_diagonal(separation, np.inf)
    return float(np.mean(np.max((spread[:, None] + spread[None]) / separation, axis=1)))


def silhouettes(points, weights, labelings):
    """Mean silhouette (Rousseeuw 1987) of several partitions of the same points, in one pass over their distances.

    `labelings` is a sequence of (n,) label arrays. Returns one value from -1 to 1 for each, NaN for one cluster and where
    every point is a cluster of its own. Time grows with n squared, memory with n. A point alone in its cluster counts
    as 0, as in scikit-learn.
    """
    counts = [labels.max() + 1 for labels in labelings]
    member_weights = np.hstack([np.eye(k)[labels] * weights[:, None] for k, labels in zip(counts, labelings, strict=True)])
    # Every row: the summed distance to the members of each cluster of each partition.
    chunks = pairwise_distances_chunked(
        points, reduce_func=lambda chunk, start: chunk @ member_weights, metric="euclidean", working_memory=CHUNK_MEGABYTES
    )
    distance_sums = np.vstack(list(chunks))
    rows = np.arange(len(points))
    means, start = [], 0
    for n_clusters, labels in zip(counts, labelings, strict=True):
        sums = distance_sums[:, start : start + n_clusters]
        start += n_clusters
        sizes = np.bincount(labels, weights, n_clusters)
        if n_clusters == 1 or n_clusters >= weights.sum():
            means.append(np.nan)
            continue
        others = sizes[labels] - 1
        within = sums[rows, labels] / np.maximum(others, 1)
        between = sums / sizes
        between[rows, labels] = np.inf
        nearest = between.min(axis=1)
        largest = np.maximum(within, nearest)
        width = np.where((others > 0) & (largest > 0), (nearest - within) / np.where(largest > 0, largest, 1), 0)
        means.append(float(np.average(width, weights=weights)))
    return means


def elbow_scores(cluster_counts, wcss_values):
    """How far the elbow curve hangs below the straight line between its ends, for each k (Kneedle: Satopää et al. 2011).

    k and WCSS are both scaled to 0..1 over the range tried; the elbow is the k with the highest score. The scores depend
    on that range. All are 0 where the range has fewer than three k or the curve is straight.
    """
    k = np.asarray(cluster_counts, dtype=float)
    curve = np.asarray(wcss_values, dtype=float)
    if len(k) < 2 or curve.max() == curve.min():
        return np.zeros(len(k))
    across = (k - k[0]) / (k[-1] - k[0])
    down = (curve - curve.min()) / (curve.max() - curve.min())
    # Rounded, because a tie is to be a tie.
    return np.round(1 - across - down, 12)
