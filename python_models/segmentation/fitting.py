"""Scaling, k-means for every number of clusters, and the choice among them."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from segmentation import quality
from segmentation.choosing import Choice, choose
from segmentation.stability import weakest_stability
from segmentation.structure import Structure, find_structure

# Fifty random starts are what users compare with; what they find is improved until so many swaps in a row have not helped.
N_STARTS = 50
N_FAILED_SWAPS = 100

# A swap that is going to help shows it within a few steps of k-means.
SWAP_STEPS = 4

# More distinct rows than this are represented by a sample of the customers while partitions are searched for. What is found
# there is refined on all rows, which brings it to the nearest optimum of all of them.
SEARCHED_ROWS = 10_000
SEARCH_SAMPLE = 5_000

# Which of two optima is the better one, a sample of that size says only to a per cent or two. So fewer starts will do, and so
# many of those that come close to the best are compared on all rows.
N_SAMPLE_STARTS = 10
CLOSE_CALL = 1.02
N_CANDIDATES = 5

# Refining stops where the centroids move less than this, in squared standard deviations; on few rows where nothing moves. The
# last is scikit-learn's own default: block by block every step reads all customers, and further ones change WCSS by millionths.
TOLERANCE = 1e-6
BLOCK_TOLERANCE = 1e-4

# Below this many distinct rows, threads wait for each other longer than they work.
THREADED_ROWS = 20_000

# The silhouette needs all pairs of points: above this many distinct rows it is taken on a seeded sample of them.
SILHOUETTE_SAMPLE = 5_000


@dataclass(frozen=True)
class ClusterCountScore:
    """The measures of the best partition found for one number of clusters. NaN where a measure is not defined."""

    k: int
    wcss: float
    elbow_score: float
    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float


@dataclass(frozen=True)
class Segmentation:
    """A fitted model: all that scoring needs, and why it has the number of clusters that it has.

    `means` and `scales` (d,) standardise a point; `centroids_scaled` (k, d) and `sizes` (k,) are in the order of the segment
    numbers 1..k, the largest segment first; `wcss` is that of the model over all customers; `scores` holds one entry for every k
    tried, `k_stabilities` the stability of the weakest segment of each, NaN for k = 1 and for the k of the model; `choice` says which
    rule took that k; `n_rows` counts the distinct rows that k was chosen on, `silhouette_rows` those that the silhouette was
    measured on; `structure` says whether there are groups at all.
    """

    means: np.ndarray
    scales: np.ndarray
    centroids_scaled: np.ndarray
    sizes: np.ndarray
    wcss: float
    scores: tuple[ClusterCountScore, ...]
    k_stabilities: tuple[float, ...]
    choice: Choice
    n_rows: int
    silhouette_rows: int
    structure: Structure

    @property
    def n_clusters(self):
        return len(self.centroids_scaled)


def fit_segmentation(points, weights, *, n_clusters, k_range, seed, customers=None):
    """Standardise weighted points, run k-means for every k of `k_range`, and keep the model with `n_clusters`.

    `points` (n, d), finite and in any order; `weights` (n,), how many customers share a row; `n_clusters` a number within
    `k_range`, or the rule that chooses one, as in `choose`; `k_range` (first, last). Every k has 50 starts of greedy k-means++ (Arthur and Vassilvitskii 2007), and one more that adds the
    worst-placed point to the best centroids for k - 1, so that WCSS never rises with k. The best of them is improved by
    random swaps (Fränti 2018). Of more than ten thousand distinct rows a sample is searched, with ten starts and without swaps,
    and what is found is refined on all of them.

    Points are sorted and equal ones merged before anything random happens: the order of the rows does not matter. Points that
    differ by less than a billionth of a standard deviation count as equal: that is rounding.

    Where the points are only a sample, `customers` is a function that returns an iterator over the rows of all customers, as
    arrays (m, d): all of them are scaled by, and the chosen model is refined on all of them, a block in memory at a time. The
    WCSS of every k is then that of the sample, scaled up.

    Raises ValueError where a feature is constant or fewer distinct rows than clusters are given.
    """
    rows, counts = _distinct(np.asarray(points, dtype=float), np.asarray(weights, dtype=float))
    if (np.ptp(rows, axis=0) == 0).any():
        constant = np.flatnonzero(np.ptp(rows, axis=0) == 0).tolist()
        raise ValueError(f"features {constant} have one value in every row and tell nothing apart; remove them")
    scaler = StandardScaler()
    if customers:
        for block in customers():
            scaler.partial_fit(block)
    else:
        scaler.fit(rows, sample_weight=counts)
    scaled, counts = _distinct(scaler.transform(rows), counts, decimals=9)
    fewest = k_range[0] if isinstance(n_clusters, str) else n_clusters
    if len(scaled) < fewest:
        raise ValueError(f"{len(scaled)} distinct rows cannot form {fewest} clusters; lower the number of clusters")

    tried = range(k_range[0], min(k_range[1], len(scaled)) + 1)
    structure = find_structure(scaled, counts, tried, seed=seed)
    sampled_counts = counts
    if customers:
        counts = counts * (scaler.n_samples_seen_ / counts.sum())
    partitions = _best_partitions(scaled, counts, tried, seed)
    sample = _silhouette_sample(len(scaled), seed)
    scores = _scores(scaled, counts, partitions, sample)
    choice = choose(n_clusters, scores, structure.gaps, structure.gap_errors, scaled=scaled, weights=sampled_counts, seed=seed)
    k_stabilities = [
        np.nan if k == choice.k else weakest_stability(scaled, sampled_counts, labels, seed=seed) for k, labels in partitions.items()
    ]

    centroids, sizes = _centroids(scaled, counts, partitions[choice.k])
    wcss = next(score.wcss for score in scores if score.k == choice.k)
    if customers:
        centroids, sizes, wcss = _refined_in_blocks(lambda: map(scaler.transform, customers()), centroids)
    order = _first_numbering(centroids, sizes)
    return Segmentation(
        means=scaler.mean_, scales=scaler.scale_, centroids_scaled=centroids[order], sizes=sizes[order],
        wcss=wcss, scores=scores, k_stabilities=tuple(k_stabilities), choice=choice, n_rows=len(scaled), silhouette_rows=len(sample),
        structure=structure,
    )  # fmt: skip


def _distinct(points, weights, decimals=None):
    """The distinct rows in ascending order, told apart by so many decimals, and their summed weights."""
    compared = points if decimals is None else points.round(decimals)
    _, first, positions = np.unique(compared, axis=0, return_index=True, return_inverse=True)
    return points[first], np.bincount(positions.ravel(), weights, minlength=len(first))


def _best_partitions(points, weights, cluster_counts, seed):
    """{k: labels (n,)}, for each k the partition with the lowest WCSS found."""
    searched, searched_weights = _search_sample(points, weights, seed)
    is_all = searched is points
    partitions, fit, found = {}, None, None
    for k in cluster_counts:
        with threadpool_limits(1):
            if is_all:
                fit = found = _swapped(points, weights, _searched(points, weights, k, found, seed), seed)
            else:
                candidates = _candidates(searched, searched_weights, k, found, seed)
        if not is_all:
            with threadpool_limits(1 if len(points) < THREADED_ROWS else None):
                found = max(candidates, key=lambda fit: fit.score(points, sample_weight=weights))
                fit = _refined_below(points, weights, found.cluster_centers_, fit)
        partitions[k] = fit.labels_
    return partitions


def _search_sample(points, weights, seed):
    """The points and weights themselves, or where they are many, those of a sample of the customers."""
    if len(points) <= SEARCHED_ROWS:
        return points, weights
    counts = np.random.default_rng(seed).multinomial(SEARCH_SAMPLE, weights / weights.sum())
    return points[counts > 0], counts[counts > 0].astype(float)


def _searched(points, weights, k, previous, seed):
    """The best fit with k clusters of many starts and of one that adds a centroid to `previous`, the fit with k - 1, or None."""
    fit = KMeans(k, init="k-means++", n_init=N_STARTS, random_state=seed, tol=0).fit(points, sample_weight=weights)
    if previous is None:
        return fit
    return min(fit, _refined(points, weights, _one_more(points, weights, previous)), key=lambda fit: fit.inertia_)


def _candidates(points, weights, k, previous, seed):
    """As `_searched`, the different optima of a sample that come close to the best of them, that one first."""
    seeds = np.random.default_rng(seed).integers(2**31, size=N_SAMPLE_STARTS).tolist()
    fits = [KMeans(k, init="k-means++", n_init=1, random_state=one, tol=0).fit(points, sample_weight=weights) for one in seeds]
    if previous is not None:
        fits.append(_refined(points, weights, _one_more(points, weights, previous)))
    candidates = []
    for fit in sorted(fits, key=lambda fit: fit.inertia_):
        # Equal but for some customers on a border are starts that met in one optimum.
        if not candidates or candidates[-1].inertia_ * 1.0005 < fit.inertia_ <= candidates[0].inertia_ * CLOSE_CALL:
            candidates.append(fit)
    return candidates[:N_CANDIDATES]


def _swapped(points, weights, best, seed):
    """Random swap: a random centroid moves to a point drawn as in k-means++, and what k-means makes of it is kept if better."""
    generator = np.random.default_rng(seed)
    n_failed = 0
    while n_failed < N_FAILED_SWAPS and best.n_clusters > 1:
        centroids, _ = _centroids(points, weights, best.labels_)
        gaps = _gaps(points, weights, centroids, best.labels_)
        if gaps.sum() == 0:
            break
        centroids[generator.integers(len(centroids))] = points[generator.choice(len(points), p=gaps / gaps.sum())]
        swapped = _refined(points, weights, centroids, max_iter=SWAP_STEPS)
        # A difference in the last digits is rounding, which depends on the number of threads.
        if swapped.inertia_ < best.inertia_ * (1 - 1e-9):
            best, n_failed = _refined(points, weights, swapped.cluster_centers_), 0
        else:
            n_failed += 1
    return best


def _one_more(points, weights, fit):
    """The centroids of a fit, and the point that is worst placed among them."""
    centroids, _ = _centroids(points, weights, fit.labels_)
    return np.vstack([centroids, points[_gaps(points, weights, centroids, fit.labels_).argmax()]])


def _refined_below(points, weights, centroids, previous):
    """The fit that centroids found on a sample lead to; one worse than `previous`, with one cluster less, goes on from there."""
    fit = _refined(points, weights, centroids)
    if previous is not None and fit.inertia_ > previous.inertia_:
        fit = _refined(points, weights, _one_more(points, weights, previous))
    return fit


def _refined(points, weights, centroids, max_iter=300):
    tolerance = 0 if len(points) <= SEARCHED_ROWS else TOLERANCE
    return KMeans(len(centroids), init=centroids, n_init=1, tol=tolerance, max_iter=max_iter).fit(points, sample_weight=weights)


def _refined_in_blocks(blocks, centroids):
    """K-means (Lloyd 1982) from given centroids over blocks (m, d) of scaled points: centroids, sizes and WCSS when they rest."""
    shift = np.inf
    while shift > BLOCK_TOLERANCE:
        sums, sizes, wcss = np.zeros_like(centroids), np.zeros(len(centroids)), 0.0
        for block in blocks():
            labels, distances = pairwise_distances_argmin_min(block, centroids, metric="sqeuclidean")
            sizes += np.bincount(labels, minlength=len(centroids))
            sums += np.column_stack([np.bincount(labels, column, len(centroids)) for column in block.T])
            wcss += distances.sum()
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centroids)
        shift, centroids = ((moved - centroids) ** 2).sum(), moved
    return centroids, sizes, float(wcss)


def _gaps(points, weights, centroids, labels):
    """What each point (n,) contributes to the WCSS."""
    return weights * quality.squared_lengths(points - centroids[labels])


def _centroids(points, weights, labels):
    """Weighted means (k, d) and summed weights (k,) of the clusters, summed in row order: the same on any number of threads."""
    sizes = np.bincount(labels, weights)
    sums = [np.bincount(labels, weights * column) for column in points.T]
    return np.column_stack(sums) / sizes[:, None], sizes


def _first_numbering(centroids, sizes):
    """The order that gives a first fit its segment numbers: the largest first, equal ones by their centroids, ascending."""
    return np.lexsort((*centroids.T[::-1], -sizes))


def _silhouette_sample(n_rows, seed):
    if n_rows <= SILHOUETTE_SAMPLE:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, SILHOUETTE_SAMPLE, replace=False))


def _scores(points, weights, partitions, sample):
    measures = [(points, weights, labels, _centroids(points, weights, labels)[0]) for labels in partitions.values()]
    curve = [quality.wcss(*measure) for measure in measures]
    elbows = quality.elbow_scores(list(partitions), curve)
    sampled = [np.unique(labels[sample], return_inverse=True)[1] for labels in partitions.values()]
    silhouettes = quality.silhouettes(points[sample], weights[sample], sampled)
    return tuple(
        ClusterCountScore(
            k=k,
            wcss=curve[position],
            elbow_score=float(elbows[position]),
            silhouette=silhouettes[position],
            davies_bouldin=quality.davies_bouldin(*measures[position]),
            calinski_harabasz=quality.calinski_harabasz(*measures[position]),
        )
        for position, k in enumerate(partitions)
    )
