"""How well one half of the customers predicts the segments of the other: prediction strength."""

import numpy as np
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from segmentation.identity import contingency

# So many times the customers are halved, and each half is fitted from so many starts.
N_SPLITS = 10
N_STARTS = 3

# More customers than this are represented by a seeded sample of them.
SAMPLE = 1_000


def prediction_strengths(scaled, weights, cluster_counts, *, seed):
    """The prediction strength of each number of clusters (Tibshirani and Walther 2005), 0 to 1 (n_k,).

    `scaled` (n, d) points in the space of k-means, `weights` (n,) customers. The customers are halved at random. Of each
    cluster of one half, the share of pairs of its customers is taken that share a cluster of the other half's fit, too; the
    strength is that of the weakest cluster, on average over both halves of all splits. It is 1 for one cluster, and NaN where
    a half has fewer distinct rows than clusters. Numbers with 0.8 and more count as predicted.
    """
    generator = np.random.default_rng(seed)
    n_customers = min(int(weights.sum()), SAMPLE)
    rows = np.repeat(np.arange(len(weights)), _drawn(weights, n_customers, generator))
    strengths = []
    with threadpool_limits(1):
        for _ in range(N_SPLITS):
            mixed = scaled[generator.permutation(rows)]
            halves = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
            n_distinct = min(len(np.unique(half, axis=0)) for half in halves)
            random_state = int(generator.integers(2**31))
            strengths.append([_strength(halves, k, random_state) if k <= n_distinct else np.nan for k in cluster_counts])
    return np.mean(strengths, axis=0)


def _drawn(weights, n_customers, generator):
    """How many customers of each row (n,) are among `n_customers`."""
    if n_customers == int(weights.sum()):
        return weights.astype(int)
    return generator.multinomial(n_customers, weights / weights.sum())


def _strength(halves, k, random_state):
    if k == 1:
        return 1.0
    fits = [KMeans(k, n_init=N_STARTS, random_state=random_state).fit(half) for half in halves]
    weakest = []
    for half, own, other in zip(halves, fits, fits[::-1], strict=True):
        both = contingency(own.labels_, other.predict(half), np.ones(len(half)), k, k)
        sizes = both.sum(axis=1)
        # One customer alone makes no pair, and predicts nothing.
        together = (both * (both - 1)).sum(axis=1) / np.maximum(sizes * (sizes - 1), 1)
        weakest.append(together.min())
    return float(np.mean(weakest))
