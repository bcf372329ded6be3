"""How good the partitions are that a fit finds, beside the best of 500 starts of scikit-learn's k-means++.

For each data set and each number of clusters from 1 to 10: the difference in WCSS, in millionths, of the worst of three seeds.
Below zero, each of them is better than 500 starts. The last columns are the CPU seconds of one fit of all ten, and of 500 starts.

    python scripts/compare_partitions.py [CSV files, of whose columns the last ones that hold numbers alone are taken]
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1] / "python_models"))

from segmentation.fitting import best_partitions

SEEDS = range(42, 45)
CLUSTER_COUNTS = range(1, 11)

PUBLIC = {
    "iris": datasets.load_iris().data,
    "wine": datasets.load_wine().data,
    "diabetes": datasets.load_diabetes().data,
    "moons": datasets.make_moons(500, noise=0.08, random_state=0)[0],
    "blobs": datasets.make_blobs(500, centers=6, random_state=0)[0],
}


def wcss_of(points, labels):
    return sum(((points[labels == label] - points[labels == label].mean(axis=0)) ** 2).sum() for label in set(labels.tolist()))


def timed(work):
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def compared(points):
    """The worst excess for each number of clusters, and the CPU seconds of a fit and of 500 starts."""
    ones = np.ones(len(points))
    theirs, their_seconds = timed(
        lambda: [KMeans(k, n_init=500, random_state=0, tol=0).fit(points).inertia_ for k in CLUSTER_COUNTS]
    )
    fits, seconds = timed(lambda: [best_partitions(points, ones, CLUSTER_COUNTS, seed=seed) for seed in SEEDS])
    worst = np.max([[wcss_of(points, labels) for labels in fit.values()] for fit in fits], axis=0)
    return worst / theirs - 1, seconds / len(SEEDS), their_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    files = parser.parse_args().files
    own = {path.stem: pd.read_csv(path).iloc[:, 1:].select_dtypes("number").to_numpy(dtype=float) for path in files}
    print("| data |", *(f"{k} |" for k in CLUSTER_COUNTS), "seconds | of 500 starts |")
    print("|---" * (3 + len(CLUSTER_COUNTS)) + "|")
    for name, points in (own | PUBLIC).items():
        with threadpool_limits(1):
            excesses, seconds, their_seconds = compared(StandardScaler().fit_transform(points))
        cells = [f"{excess * 1e6:.0f} |" for excess in excesses.round(9) + 0.0]
        print(f"| {name} |", *cells, f"{seconds:.1f} | {their_seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
