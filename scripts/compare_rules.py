"""Which rule for the number of clusters leads to the groups that there are.

On data sets whose groups are known: some of scikit-learn's, and some that are drawn anew several times. The table has the
adjusted Rand index between the known groups and the clusters that each rule leads to, the mean over the draws, and in brackets
the numbers that it took. The number alone can be right by accident: k-means cuts two half moons in two by a straight line.

    python scripts/compare_rules.py --draws 10
"""

import argparse
import random
import sys
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin

sys.path.insert(0, str(Path(__file__).parents[1] / "python_models"))

from make_sample import KINDS, draw
from segmentation.choosing import choose
from segmentation.fitting import fit_segmentation

RULES = ["elbow", "silhouette", "gap", "prediction_strength"]


def normal_groups(generator, sizes, distance, *, n_features=2, spreads=1.0):
    """Normal groups of so many customers, whose centres are at least so many standard deviations apart: points and groups."""
    centres = []
    while len(centres) < len(sizes):
        centre = generator.uniform(0, 2 * distance * len(sizes) ** (1 / n_features), n_features)
        if all(np.linalg.norm(centre - other) >= distance for other in centres):
            centres.append(centre)
    spreads = np.broadcast_to(spreads, len(sizes))
    groups = [
        generator.normal(centre, spread, (size, n_features)) for centre, spread, size in zip(centres, spreads, sizes, strict=True)
    ]
    return np.vstack(groups), np.repeat(range(len(sizes)), sizes)


def sample_customers(generator):
    """As scripts/make_sample.py draws them, 600 of them: points and groups."""
    dice = random.Random(int(generator.integers(2**31)))
    groups = dice.choices(range(len(KINDS)), weights=[kind[0] for kind in KINDS], k=600)
    points = [[draw(dice, *feature, 0, 250) for feature in KINDS[group][1:]] for group in groups]
    return np.array(points, dtype=float), np.array(groups)


def rounded(points, groups):
    return np.round(points), groups


def seed_of(generator):
    return int(generator.integers(2**31))


FIXED = {
    "iris": datasets.load_iris(return_X_y=True),
    "wine": datasets.load_wine(return_X_y=True),
    "breast cancer": datasets.load_breast_cancer(return_X_y=True),
    "digits": datasets.load_digits(return_X_y=True),
}

DRAWN = {
    "two half moons": lambda g: datasets.make_moons(400, noise=0.08, random_state=seed_of(g)),
    "two, 4 apart": lambda g: normal_groups(g, [150] * 2, 4, n_features=3),
    "three, 4 apart": lambda g: normal_groups(g, [120] * 3, 4),
    "three, of different spread": lambda g: normal_groups(g, [120] * 3, 9, spreads=[2, 1, 0.5]),
    "four, of different sizes": lambda g: normal_groups(g, [300, 100, 60, 30], 7),
    "four in six features": lambda g: normal_groups(g, [100] * 4, 5, n_features=6),
    "five, in whole numbers": lambda g: rounded(*normal_groups(g, [100] * 5, 6)),
    "five, as in the sample": sample_customers,
    "six, 6 apart": lambda g: normal_groups(g, [80] * 6, 6),
    "eight in four features": lambda g: normal_groups(g, [60] * 8, 6, n_features=4),
    "twelve, 8 apart; k from 1 to 20": lambda g: normal_groups(g, [50] * 12, 8),
}


def outcomes(points, groups):
    """What each rule takes, and the adjusted Rand index of that: two lists."""
    points = points[:, np.ptp(points, axis=0) > 0]
    weights = np.ones(len(points))
    fit = fit_segmentation(points, weights, n_clusters="elbow", k_range=(1, 20 if groups.max() >= 10 else 10), seed=42)
    scaled = (points - fit.means) / fit.scales
    taken = [choose(rule, fit.scores, fit.structure, scaled=scaled, weights=weights, seed=42).k for rule in RULES]
    indices = []
    for k in taken:
        members = [fit.partitions[k] == label for label in range(k)]
        centroids = [np.average(fit.rows[member], axis=0, weights=fit.row_weights[member]) for member in members]
        indices.append(adjusted_rand_score(groups, pairwise_distances_argmin(scaled, centroids)))
    return taken, indices


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    arguments = parser.parse_args()
    means = []
    print("| data | groups |", *(f"{rule.replace('_', ' ')} |" for rule in RULES))
    print("|---" * (2 + len(RULES)) + "|")
    for name, drawn in (FIXED | DRAWN).items():
        generator = np.random.default_rng(42)
        draws = [drawn] if name in FIXED else [drawn(generator) for _ in range(arguments.draws)]
        taken, indices = np.swapaxes([outcomes(*draw) for draw in draws], 0, 1)
        means.append(indices.mean(axis=0))
        numbers = (", ".join(str(int(k)) for k in sorted(set(ks))) for ks in taken.T)
        cells = (f"{index:.2f} ({ks}) |" for index, ks in zip(means[-1], numbers, strict=True))
        print(f"| {name} | {draws[0][1].max() + 1} |", *cells, flush=True)
    print("| mean | |", *(f"{mean:.3f} |" for mean in np.mean(means, axis=0)))


if __name__ == "__main__":
    main()
