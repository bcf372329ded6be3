"""How surely the segments would be found again in other customers of the same kind."""

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from segmentation.identity import adjusted_rand_index, contingency

# Hennig (2007) works with 50 and more; twenty tell stable from dissolved, and cost a second.
N_RESAMPLES = 20

# Each resample is fitted anew, from few starts: what needs many to be found is not stable.
N_STARTS = 5

# More distinct rows than this are represented by a seeded sample of them.
SAMPLE = 5_000


def bootstrap_stability(scaled, weights, labels, *, seed):
    """Mean Jaccard similarity (k,) of each segment to its likest one in bootstrap resamples, and the mean ARI over them.

    `scaled` (n, d) points in the space of k-means, `weights` (n,) whole numbers of customers, `labels` (n,) in 0..k-1. Method:
    Hennig (2007), "Cluster-wise assessment of cluster stability"; below 0.6 a segment should not be trusted, from 0.85
    on it is highly stable. Similarity is counted over the customers of each resample. A segment that the sample of a large
    table misses has NaN.
    """
    generator = np.random.default_rng(seed)
    n_clusters = labels.max() + 1
    if len(scaled) > SAMPLE:
        rows = np.sort(generator.choice(len(scaled), SAMPLE, replace=False, p=weights / weights.sum()))
        scaled, weights, labels = scaled[rows], np.ones(SAMPLE), labels[rows]
    similarities, agreements = [], []
    with threadpool_limits(1):
        for _ in range(N_RESAMPLES):
            counts = generator.multinomial(int(weights.sum()), weights / weights.sum())
            drawn = counts > 0
            fit = KMeans(min(n_clusters, int(drawn.sum())), n_init=N_STARTS, random_state=int(generator.integers(2**31)))
            found = fit.fit_predict(scaled[drawn], sample_weight=counts[drawn])
            similarities.append(_likest(labels[drawn], found, counts[drawn], n_clusters))
            agreements.append(adjusted_rand_index(labels[drawn], found, counts[drawn]))
    is_present = ~np.isnan(similarities).all(axis=0)
    means = np.full(n_clusters, np.nan)
    means[is_present] = np.nanmean(np.asarray(similarities)[:, is_present], axis=0)
    return means, float(np.mean(agreements))


def _likest(labels, found, counts, n_clusters):
    """For each label the highest Jaccard similarity to a found cluster; NaN for a label that was not drawn."""
    both = contingency(labels, found, counts, n_clusters, found.max() + 1)
    sizes = both.sum(axis=1)
    either = sizes[:, None] + both.sum(axis=0)[None] - both
    return np.where(sizes > 0, (both / np.maximum(either, 1)).max(axis=1), np.nan)
