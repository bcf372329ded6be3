"""How surely the segments would be found again in other customers of the same kind."""

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from segmentation.identity import adjusted_rand_index, contingency

# With a hundred, as Hennig (2007) advises, the mean of a segment that comes and goes is known to about 0.04.
N_RESAMPLES = 100

# The other numbers of clusters only need to be told from that in use, so that fewer resamples of fewer customers will do.
N_COMPARED_RESAMPLES = 30
COMPARED_CUSTOMERS = 500

# Each resample is fitted anew, from few starts: what needs many to be found is not stable.
N_STARTS = 3

# More customers than this are represented by a seeded sample of them.
SAMPLE = 5_000


def bootstrap_stability(scaled, weights, labels, *, seed, n_resamples=N_RESAMPLES, n_customers=SAMPLE):
    """Mean Jaccard similarity (k,) of each segment to its likest one in bootstrap resamples, and its standard error (k,).

    The third value is the mean adjusted Rand index over the resamples. `scaled` (n, d) points in the space of k-means, `weights`
    (n,) whole numbers of customers, `labels` (n,) in 0..k-1; of more than `n_customers` customers a sample of so many is taken.

    Method: Hennig (2007), "Cluster-wise assessment of cluster stability", as in the R package fpc: a customer who is drawn
    several times counts once, in the fit and in the similarity, and a segment of which nobody is drawn has the similarity 0.
    Below 0.6 a segment should not be trusted, from 0.85 on it is highly stable. To be stable is necessary for a segment to be
    real, and not sufficient. A segment that the sample of a large table misses has NaN.
    """
    generator = np.random.default_rng(seed)
    n_clusters = labels.max() + 1
    customers = _customers(weights, n_customers, generator)
    is_present = np.bincount(labels[customers], minlength=n_clusters) > 0
    similarities, agreements = [], []
    with threadpool_limits(1):
        for _ in range(n_resamples):
            drawn = np.unique(generator.integers(len(customers), size=len(customers)))
            rows, counts = np.unique(customers[drawn], return_counts=True)
            fit = KMeans(min(n_clusters, len(rows)), n_init=N_STARTS, random_state=int(generator.integers(2**31)))
            found = fit.fit_predict(scaled[rows], sample_weight=counts)
            similarities.append(_likest(labels[rows], found, counts, n_clusters))
            agreements.append(adjusted_rand_index(labels[rows], found, counts))
    means = np.where(is_present, np.mean(similarities, axis=0), np.nan)
    errors = np.where(is_present, np.std(similarities, axis=0, ddof=1) / np.sqrt(n_resamples), np.nan)
    return means, errors, float(np.mean(agreements))


def weakest_stability(scaled, weights, labels, *, seed):
    """The stability of the weakest segment of a partition that is only compared with others."""
    if labels.max() == 0:
        return np.nan
    means, _, _ = bootstrap_stability(
        scaled, weights, labels, seed=seed, n_resamples=N_COMPARED_RESAMPLES, n_customers=COMPARED_CUSTOMERS
    )
    return weakest(means)


def weakest(stabilities):
    """The least of the stabilities (k,) of segments; NaN for one segment, which cannot but be found again."""
    return float(np.nanmin(stabilities)) if len(stabilities) > 1 else np.nan


def _customers(weights, n_customers, generator):
    """The row of every customer, or of as many customers drawn by weight."""
    total = int(weights.sum())
    if total <= n_customers:
        return np.repeat(np.arange(len(weights)), weights.astype(int))
    return np.sort(generator.choice(len(weights), n_customers, p=weights / weights.sum()))


def _likest(labels, found, counts, n_clusters):
    """For each label the highest Jaccard similarity to a found cluster; 0 for a label that was not drawn."""
    both = contingency(labels, found, counts, n_clusters, found.max() + 1)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None] - both
    return (both / np.maximum(either, 1)).max(axis=1)
