"""Whether there are groups at all: how clearly the customers part, beside crowds that are known to have no groups."""

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.special import ndtri
from scipy.stats import rankdata
from threadpoolctl import threadpool_limits

from segmentation import quality

# Five hundred customers show groups that are worth acting on, in half a second; time grows with their square.
N_CUSTOMERS = 500

# Groups are found where none of so many crowds is as clear. Of 33 draws of one kind each has the same chance to be the clearest:
# that is an error rate of 3 %.
N_CROWDS = 32


@dataclass(frozen=True)
class Structure:
    """What the comparison with crowds found.

    `kind` is "groups"; "ranges", where the features' own distributions, each by itself, part customers as clearly; "none", where
    an even crowd is as clear; or "untested", where no k above 1 was tried. The p-values are the shares of draws, the customers
    among them, that are at least as clear: `box_p_value` among even crowds, `margins_p_value` among crowds with the features' own
    distributions. They are NaN where that was not tested; the second is only where even crowds are beaten.

    For each k tried (n_k,), NaN where there is nothing to measure: the silhouette of the customers that were compared, the mean
    of the crowds that were harder to beat, and the bound that these stay below at every k; the gap statistic, and its standard
    error.
    """

    kind: str
    box_p_value: float
    margins_p_value: float
    silhouettes: np.ndarray
    crowd_silhouettes: np.ndarray
    crowd_bounds: np.ndarray
    gaps: np.ndarray
    gap_errors: np.ndarray


def find_structure(scaled, weights, cluster_counts, *, seed, categories=()):
    """Compare customers with crowds without groups.

    `scaled` (n, d) are points in the space of k-means, `weights` (n,) whole numbers of customers; `cluster_counts` lists every k
    tried, ascending; `categories` has arrays of the positions of columns that are levels of one feature. Five hundred customers
    are drawn, each as likely as the next. They and every crowd are partitioned in the same way, by Ward's method (1963), which
    goes after the same sum of squares as k-means and has all k in one tree.

    The statistic of a draw is the largest, over k, of its silhouette's distance from the mean of all draws, in their standard
    deviations: one test, whatever number of k is tried. Its rank gives the p-value, as in the parametric test of Hennig and Lin
    (2015). Two kinds of crowds must be beaten: spread evenly over the box of the principal components (Tibshirani, Walther and
    Hastie 2001); and drawn from a normal copula, which has the features' own distributions and their rank correlations, and
    nothing else. The levels of a crowd go with nothing; all are equally common in crowds of the first kind, and as common as they
    are in those of the second. So levels are no groups by themselves; what goes together with numbers or with other levels is.
    The gap statistic, of the same article as the box, is the mean logarithm of the even crowds' WCSS less that of the customers,
    all partitioned so.
    """
    generator = np.random.default_rng(seed)
    points = _drawn(scaled, weights, generator)
    with threadpool_limits(1):
        customers = _measured(points, cluster_counts)
        even = [
            _measured(_crowd(points, categories, generator, _even_crowd, _even_levels), cluster_counts) for _ in range(N_CROWDS)
        ]
        hardest = box = _compared(customers, even)
        kind, margins_p_value = "none" if max(cluster_counts) > 1 else "untested", np.nan
        if box.is_beaten:
            copula = [
                _measured(_crowd(points, categories, generator, _copula_crowd, _same_levels), cluster_counts)
                for _ in range(N_CROWDS)
            ]
            margins = _compared(customers, copula)
            kind, margins_p_value = "groups" if margins.is_beaten else "ranges", margins.p_value
            hardest = min(box, margins, key=lambda comparison: comparison.margin)
    log_wcss = np.array([logarithms for _, logarithms in even])
    return Structure(
        kind=kind,
        box_p_value=box.p_value if kind != "untested" else np.nan,
        margins_p_value=margins_p_value,
        silhouettes=customers[0],
        crowd_silhouettes=hardest.means,
        crowd_bounds=hardest.bounds,
        gaps=log_wcss.mean(axis=0) - customers[1],
        gap_errors=log_wcss.std(axis=0) * np.sqrt(1 + 1 / N_CROWDS),
    )


@dataclass(frozen=True)
class _Comparison:
    """The customers beside crowds of one kind; `margin` is how far their statistic lies above the highest of the crowds."""

    p_value: float
    margin: float
    means: np.ndarray
    bounds: np.ndarray

    @property
    def is_beaten(self):
        return self.margin > 0


def _drawn(scaled, weights, generator):
    """At most so many customers (m, d), drawn one by one, so that a row is drawn as often as customers share it."""
    ends = np.cumsum(weights.astype(np.int64))
    everybody = int(ends[-1])
    chosen = np.arange(everybody)
    if everybody > N_CUSTOMERS:
        chosen = np.sort(generator.choice(everybody, N_CUSTOMERS, replace=False))
    return scaled[np.searchsorted(ends, chosen, side="right")]


def _measured(points, cluster_counts):
    """Silhouettes (n_k,) and logarithms of WCSS (n_k,) of the points' partitions by Ward's method."""
    tree = linkage(points, "ward")
    # By the order of the merges in place of their heights, a tree can be cut into k clusters also where heights are equal.
    tree[:, 2] = np.arange(1, len(points))
    labelings = [fcluster(tree, len(points) - k + 0.5, "distance") - 1 for k in cluster_counts]
    ones = np.ones(len(points))
    within = [quality.wcss(points, ones, labels, quality.centroids(points, ones, labels)[0]) for labels in labelings]
    # What is left within clusters of equal points is rounding; its logarithm would say something all the same.
    tiny = 1e-12 * len(points)
    return np.array(quality.silhouettes(points, ones, labelings)), np.log(np.maximum(within, tiny))


def _compared(customers, crowds):
    draws = np.array([silhouettes for silhouettes, _ in [customers, *crowds]])
    means, deviations = draws.mean(axis=0), draws.std(axis=0)
    # Draws that do not differ but for rounding, or have nothing to measure for a k, say nothing there.
    tells = deviations > 1e-9
    distances = np.zeros_like(draws)
    distances[:, tells] = (draws[:, tells] - means[tells]) / deviations[tells]
    statistics = distances.max(axis=1, where=tells, initial=-np.inf) if tells.any() else np.zeros(len(draws))
    bound = statistics[1:].max()
    return _Comparison(
        p_value=float(np.mean(statistics >= statistics[0])),
        margin=float(statistics[0] - bound),
        means=means,
        bounds=means + bound * deviations,
    )


def _crowd(points, categories, generator, of_numbers, of_levels):
    """As many points, whose numbers and levels are drawn apart; columns of levels stand behind the others.

    The numbers have the standard deviations of the others: over a box they would be further apart, so that levels meant less.
    """
    if not categories:
        return of_numbers(points, generator)
    numbers = np.delete(points, np.concatenate(categories), axis=1)
    drawn = [of_levels(points[:, block], generator) for block in categories]
    if numbers.shape[1]:
        crowd = of_numbers(numbers, generator)
        spread = crowd.std(axis=0)
        drawn.insert(0, crowd * (numbers.std(axis=0) / np.where(spread > 0, spread, 1)))
    return np.column_stack(drawn)


def _even_levels(levels, generator):
    """Each level that there is as likely as the next."""
    distinct = np.unique(levels, axis=0)
    return distinct[generator.integers(len(distinct), size=len(levels))]


def _same_levels(levels, generator):
    return generator.permutation(levels)


def _even_crowd(points, generator):
    """As many points, spread evenly over the box of the principal components of the others."""
    centred = points - points.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    along = centred @ axes.T
    return generator.uniform(along.min(axis=0), along.max(axis=0), along.shape) @ axes


def _copula_crowd(points, generator):
    """The same values of each feature, put together anew: as normal ones would be that have the same rank correlations."""
    n_points, n_features = points.shape
    scores = ndtri((rankdata(points, axis=0) - 0.5) / n_points)
    scores -= scores.mean(axis=0)
    lengths = np.linalg.norm(scores, axis=0)
    # A feature with one value among the drawn customers goes with none of the others.
    directions = scores / np.where(lengths > 0, lengths, 1)
    correlations = directions.T @ directions
    drawn = generator.multivariate_normal(np.zeros(n_features), correlations, n_points, check_valid="ignore", method="eigh")
    ranks = drawn.argsort(axis=0).argsort(axis=0)
    return np.take_along_axis(np.sort(points, axis=0), ranks, axis=0)
