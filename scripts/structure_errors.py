"""How often the test for structure finds groups where there are none, and how often it finds those that there are.

Each crowd without groups, and each with some, is drawn anew so many times, 500 customers at a time. The table says which share
of the draws was called what, and between which limits the share called groups lies (Clopper and Pearson 1934, 95 %).

    python scripts/structure_errors.py --draws 1000
"""

import argparse
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from scipy.stats import binomtest
from sklearn.datasets import make_blobs, make_circles, make_moons
from sklearn.preprocessing import StandardScaler

sys.path.insert(0, str(Path(__file__).parents[1] / "python_models"))

from segmentation.structure import find_structure

N = 500
RELATED = [[1, 0.5, 0], [0.5, 1, 0.3], [0, 0.3, 1]]

WITHOUT_GROUPS = {
    "uniform, two features": lambda draw: draw.uniform(size=(N, 2)),
    "uniform, three features": lambda draw: draw.uniform(size=(N, 3)),
    "one Gaussian, three related features": lambda draw: draw.multivariate_normal(np.zeros(3), RELATED, N),
    "lognormal, two features": lambda draw: draw.lognormal(size=(N, 2)),
    "exponential, two features": lambda draw: draw.exponential(size=(N, 2)),
    "whole numbers 0 to 5, three features": lambda draw: draw.integers(0, 6, size=(N, 3)).astype(float),
    "Poisson with mean 2, two features": lambda draw: draw.poisson(2, size=(N, 2)).astype(float),
    "uniform, two features, and a yes/no one": lambda draw: np.column_stack([draw.uniform(size=(N, 2)), draw.random(N) < 0.4]),
}


def _blobs(distance):
    def drawn(draw):
        return make_blobs(N, centers=distance * np.array([[0, 0], [1, 0], [0.5, 0.866]]), random_state=_seed(draw))[0]

    return drawn


def _seed(draw):
    return int(draw.integers(2**31))


WITH_GROUPS = {
    "three Gaussians, 5 standard deviations apart": _blobs(5),
    "three Gaussians, 4 standard deviations apart": _blobs(4),
    "three Gaussians, 3 standard deviations apart": _blobs(3),
    "two half moons": lambda draw: make_moons(N, noise=0.08, random_state=_seed(draw))[0],
    "two circles, one in the other": lambda draw: make_circles(N, factor=0.4, noise=0.05, random_state=_seed(draw))[0],
}
KINDS = ["groups", "ranges", "none"]


def kind_of(name, number):
    """What the test says of one draw of a crowd."""
    points = (WITHOUT_GROUPS | WITH_GROUPS)[name](np.random.default_rng([number, len(name)]))
    scaled = StandardScaler().fit_transform(points)
    return find_structure(scaled, np.ones(N), range(1, 11), seed=number).kind


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--draws", type=int, default=1000, help="of each crowd without groups; of each with groups a fifth (1000)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (2)")
    arguments = parser.parse_args()
    print("| crowd | draws | groups | ranges | none | groups, 95 % limits |")
    print("|---|---|---|---|---|---|")
    with ProcessPoolExecutor(arguments.workers) as pool:
        for name in WITHOUT_GROUPS | WITH_GROUPS:
            # The table is about the first kind of error; of the second, a rough figure will do.
            draws = arguments.draws if name in WITHOUT_GROUPS else arguments.draws // 5
            found = Counter(pool.map(kind_of, [name] * draws, range(draws), chunksize=10))
            limits = binomtest(found["groups"], draws).proportion_ci(0.95, "exact")
            shares = " | ".join(f"{found[kind] / draws:.1%}" for kind in KINDS)
            print(f"| {name} | {draws} | {shares} | {limits.low:.1%} to {limits.high:.1%} |", flush=True)


if __name__ == "__main__":
    main()
