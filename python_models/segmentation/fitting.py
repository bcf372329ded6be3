"""Scaling, k-means for every number of clusters, and the choice among them."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from segmentation import quality
from segmentation.categories import MISMATCH
from segmentation.choosing import Choice, choose
from segmentation.precision import frame
from segmentation.structure import Structure, find_structure

# The best of many random starts is improved until none of so many swaps helps, the most promising ones with so many points. That
# finds better partitions than the same time spent on more starts: scripts/compare_partitions.py.
N_STARTS = 30
N_SWAPS = 100
N_SWAP_POINTS = 100

# A swap that is going to help shows it within a few steps of k-means.
SWAP_STEPS = 12

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
# last is scikit-learn's own default: every step is a pass over all customers, and further ones change WCSS by millionths.
TOLERANCE = 1e-6
PASS_TOLERANCE = 1e-4

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
    tried, `choice` says what took that of the model; `silhouette_rows` counts the rows that the silhouette was measured on;
    `structure` says whether there are groups at all. `rows` (n, d) are the distinct rows, scaled, that k was chosen on,
    `row_weights` (n,) the customers who share them, and `partitions` {k: labels (n,)} what was found for every k tried.
    """

    means: np.ndarray
    scales: np.ndarray
    centroids_scaled: np.ndarray
    sizes: np.ndarray
    wcss: float
    scores: tuple[ClusterCountScore, ...]
    choice: Choice
    silhouette_rows: int
    structure: Structure
    rows: np.ndarray
    row_weights: np.ndarray
    partitions: dict[int, np.ndarray]

    @property
    def n_clusters(self):
        return len(self.centroids_scaled)

    @property
    def n_rows(self):
        return len(self.rows)


def fit_segmentation(points, weights, *, n_clusters, k_range, seed, customers=None, categories=(), feature_weights=1.0):
    """Standardise weighted points, run k-means for every k of `k_range`, and keep the model with `n_clusters`.

    `points` (n, d), finite and in any order; `weights` (n,), how many customers share a row; `n_clusters` a number within
    `k_range`, or the rule that chooses one, as in `choose`; `k_range` (first, last). Every k has thirty starts of greedy
    k-means++ (Arthur and Vassilvitskii 2007), one that adds the worst-placed point to the best centroids for k - 1, so that
    WCSS never rises with k, and those that leave one out of the best centroids for k + 1. The best of them is improved by
    swaps (Fränti 2018), those first that save most before k-means goes on. Of more than ten thousand distinct rows a sample
    is searched, with ten starts and without swaps, and what is found is refined on all of them.

    Points are sorted and equal ones merged before anything random happens: the order of the rows does not matter. Points that
    differ by less than a billionth of a standard deviation count as equal: that is rounding.

    Where the points are only a sample, `customers` answers for all of them, as in `all_customers`: the points are scaled by all,
    and the chosen model is refined on all. The WCSS of every k is then that of the sample, scaled up.

    `categories` has lists of the positions of columns that are levels of one feature: 1 where a customer has it and 0 elsewhere.
    One standard deviation of a number counts as `feature_weights` (d,) of them; customers of different levels lie so many apart.

    Raises ValueError where a number is constant or fewer distinct rows than clusters are given.
    """
    rows, counts = _distinct(np.asarray(points, dtype=float), np.asarray(weights, dtype=float))
    is_level = np.isin(np.arange(rows.shape[1]), np.concatenate([[], *categories]))
    constant = np.flatnonzero((np.ptp(rows, axis=0) == 0) & ~is_level).tolist()
    if constant:
        raise ValueError(f"features {constant} have one value in every row and tell nothing apart; remove them")
    means, deviations, n_customers = _mean_and_deviation(rows, counts, customers)
    scales = np.where(is_level, MISMATCH, deviations) / feature_weights
    scaled, counts = _distinct((rows - means) / scales, counts, decimals=9)
    fewest = k_range[0] if isinstance(n_clusters, str) else n_clusters
    if len(scaled) < fewest:
        raise ValueError(f"{len(scaled)} distinct rows cannot form {fewest} clusters; lower the number of clusters")

    tried = range(k_range[0], min(k_range[1], len(scaled)) + 1)
    structure = find_structure(scaled, counts, tried, seed=seed, categories=categories)
    sampled_counts = counts
    counts = counts * (n_customers / counts.sum())
    partitions = best_partitions(scaled, counts, tried, seed=seed)
    sample = _silhouette_sample(len(scaled), seed)
    scores = _scores(scaled, counts, partitions, sample)
    choice = choose(n_clusters, scores, structure, scaled=scaled, weights=sampled_counts, seed=seed)

    centroids, sizes = quality.centroids(scaled, counts, partitions[choice.k])
    wcss = next(score.wcss for score in scores if score.k == choice.k)
    if customers:
        centroids, sizes, wcss = _refined_on_all(customers, means, scales, centroids)
    order = _first_numbering(centroids, sizes)
    return Segmentation(
        means=means, scales=scales, centroids_scaled=centroids[order], sizes=sizes[order],
        wcss=wcss, scores=scores, choice=choice, silhouette_rows=len(sample), structure=structure,
        rows=scaled, row_weights=sampled_counts, partitions=partitions,
    )  # fmt: skip


def _mean_and_deviation(rows, counts, customers):
    """Mean and standard deviation (d,) of all customers, and how many they are."""
    origins, units = frame(rows)
    if customers:
        n_customers, means, deviations = customers.moments(origins, units)
    else:
        scaler = StandardScaler().fit((rows - origins) / units, sample_weight=counts)
        n_customers, means, deviations = counts.sum(), scaler.mean_, scaler.scale_
    return origins + units * means, units * deviations, n_customers


def _distinct(points, weights, decimals=None):
    """The distinct rows in ascending order, told apart by so many decimals, and their summed weights."""
    compared = points if decimals is None else points.round(decimals)
    _, first, positions = np.unique(compared, axis=0, return_index=True, return_inverse=True)
    return points[first], np.bincount(positions.ravel(), weights, minlength=len(first))


def best_partitions(points, weights, cluster_counts, *, seed):
    """{k: labels (n,)} of distinct weighted points (n, d), for each k the partition with the lowest WCSS found."""
    if len(points) <= SEARCHED_ROWS:
        with threadpool_limits(1):
            fits = _searched(points, weights, cluster_counts, seed)
    else:
        fits = _searched_on_a_sample(points, weights, cluster_counts, seed)
    return {k: fits[k].labels_ for k in cluster_counts}


def _searched(points, weights, cluster_counts, seed):
    """{k: the best fit found}: from the smallest k up to one more than the largest, and down again."""
    generator = np.random.default_rng(seed)
    searched = range(cluster_counts[0], min(cluster_counts[-1] + 1, len(points)) + 1)
    fits = {}
    for k in searched:
        found = KMeans(k, init="k-means++", n_init=N_STARTS, random_state=seed, tol=0).fit(points, sample_weight=weights)
        if k - 1 in fits:
            found = _better(found, _refined(points, weights, _one_more(points, weights, fits[k - 1])))
        fits[k] = _swapped(points, weights, found, generator)
    for k in reversed(searched[:-1]):
        centroids, _ = quality.centroids(points, weights, fits[k + 1].labels_)
        for left_out in range(k + 1):
            fits[k] = _better(fits[k], _refined(points, weights, np.delete(centroids, left_out, axis=0)))
    return fits


def _better(fit, other):
    """The other fit where it is better; a difference in the last digits is rounding, which depends on the number of threads."""
    return other if other.inertia_ < fit.inertia_ * (1 - 1e-9) else fit


def _searched_on_a_sample(points, weights, cluster_counts, seed):
    """The same for more rows: what is found on a sample of the customers is refined on all rows."""
    counts = np.random.default_rng(seed).multinomial(SEARCH_SAMPLE, weights / weights.sum())
    searched, searched_weights = points[counts > 0], counts[counts > 0].astype(float)
    fits, found = {}, None
    for k in cluster_counts:
        with threadpool_limits(1):
            candidates = _candidates(searched, searched_weights, k, found, seed)
        with threadpool_limits(1 if len(points) < THREADED_ROWS else None):
            found = max(candidates, key=lambda fit: fit.score(points, sample_weight=weights))
            fits[k] = _refined_below(points, weights, found.cluster_centers_, fits.get(k - 1))
    return fits


def _candidates(points, weights, k, previous, seed):
    """The different optima of a sample that come close to the best of them, that one first.

    Their starts are random ones, and one that adds a centroid to `previous`, the fit with k - 1, or None.
    """
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


def _swapped(points, weights, best, generator):
    """Swap centroids for points, as long as what k-means makes of it is better."""
    for centroids in _swaps(points, weights, best, generator):
        swapped = _refined(points, weights, centroids, max_iter=SWAP_STEPS)
        if _better(best, swapped) is swapped:
            return _swapped(points, weights, _refined(points, weights, swapped.cluster_centers_), generator)
    return best


def _swaps(points, weights, fit, generator):
    """Centroids (k, d), one of them replaced by a point: first those swaps after which the WCSS is lowest at once.

    The points are drawn as in k-means++. Where the centroid of a point is taken away, its second nearest one is left.
    """
    centroids, _ = quality.centroids(points, weights, fit.labels_)
    gaps = _gaps(points, weights, centroids, fit.labels_)
    n_drawn = min(N_SWAP_POINTS, np.count_nonzero(gaps))
    if len(centroids) == 1 or n_drawn == 0:
        return
    drawn = points[generator.choice(len(points), n_drawn, replace=False, p=gaps / gaps.sum())]
    nearest, second = np.sort(pairwise_distances(points, centroids, metric="sqeuclidean"), axis=1)[:, :2, None].transpose(1, 0, 2)
    to_drawn = pairwise_distances(points, drawn, metric="sqeuclidean")
    kept = weights[:, None] * np.minimum(nearest, to_drawn)
    lost = weights[:, None] * np.minimum(second, to_drawn) - kept
    after = kept.sum(axis=0) + np.eye(len(centroids))[fit.labels_].T @ lost
    for place in np.argsort(after, axis=None, kind="stable")[:N_SWAPS]:
        taken_away, put = np.unravel_index(place, after.shape)
        swapped = centroids.copy()
        swapped[taken_away] = drawn[put]
        yield swapped


def _one_more(points, weights, fit):
    """The centroids of a fit, and the point that is worst placed among them."""
    centroids, _ = quality.centroids(points, weights, fit.labels_)
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


def _refined_on_all(customers, means, scales, centroids):
    """K-means (Lloyd 1982) from given centroids (k, d), scaled, over all customers: centroids, sizes and WCSS when they rest."""
    shift = np.inf
    while shift > PASS_TOLERANCE:
        sums, sizes, wcss = customers.nearest(means, scales, centroids)
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centroids)
        shift, centroids = ((moved - centroids) ** 2).sum(), moved
    return centroids, sizes, wcss


def _gaps(points, weights, centroids, labels):
    """What each point (n,) contributes to the WCSS."""
    return weights * quality.squared_lengths(points - centroids[labels])


def _first_numbering(centroids, sizes):
    """The order that gives a first fit its segment numbers: the largest first, equal ones by their centroids, ascending."""
    return np.lexsort((*centroids.T[::-1], -sizes))


def _silhouette_sample(n_rows, seed):
    if n_rows <= SILHOUETTE_SAMPLE:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(seed).choice(n_rows, SILHOUETTE_SAMPLE, replace=False))


def _scores(points, weights, partitions, sample):
    measures = [(points, weights, labels, quality.centroids(points, weights, labels)[0]) for labels in partitions.values()]
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
