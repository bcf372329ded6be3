"""Which rule for the number of clusters finds the number of groups that there is.

On data sets whose groups are known: some of scikit-learn's, and some that are drawn anew several times. The table counts the
draws in which each rule was right, and shows in brackets what it took where it was wrong.

    python scripts/compare_rules.py --draws 10
"""

import argparse
import random
import sys
from pathlib import Path

import numpy as np
from sklearn import datasets

sys.path.insert(0, str(Path(__file__).parents[1] / "python_models"))

from make_sample import KINDS, draw
from segmentation.choosing import choose
from segmentation.fitting import fit_segmentation

RULES = ["elbow", "silhouette", "gap", "prediction_strength"]


def normal_groups(generator, sizes, distance, *, n_features=2, spreads=1.0):
    """Normal groups of so many customers, whose centres are at least so many standard deviations apart."""
    centres = []
    while len(centres) < len(sizes):
        centre = generator.uniform(0, 2 * distance * len(sizes) ** (1 / n_features), n_features)
        if all(np.linalg.norm(centre - other) >= distance for other in centres):
            centres.append(centre)
    spreads = np.broadcast_to(spreads, len(sizes))
    groups = [
        generator.normal(centre, spread, (size, n_features)) for centre, spread, size in zip(centres, spreads, sizes, strict=True)
    ]
    return np.vstack(groups)


def sample_customers(generator):
    """As scripts/make_sample.py draws them, 600 of them."""
    dice = random.Random(int(generator.integers(2**31)))
    kinds = dice.choices(KINDS, weights=[kind[0] for kind in KINDS], k=600)
    return np.array([[draw(dice, *kind, 0, 250) for kind in kinds_of] for _, *kinds_of in kinds], dtype=float)


def seed_of(generator):
    return int(generator.integers(2**31))


FIXED = {
    "iris": (datasets.load_iris().data, 3),
    "wine": (datasets.load_wine().data, 3),
    "breast cancer": (datasets.load_breast_cancer().data, 2),
    "digits": (datasets.load_digits().data, 10),
}

# name: (number of groups, how they are drawn)
DRAWN = {
    "two half moons": (2, lambda g: datasets.make_moons(400, noise=0.08, random_state=seed_of(g))[0]),
    "two, 4 apart": (2, lambda g: normal_groups(g, [150] * 2, 4, n_features=3)),
    "three, 4 apart": (3, lambda g: normal_groups(g, [120] * 3, 4)),
    "three, of different spread": (3, lambda g: normal_groups(g, [120] * 3, 9, spreads=[2, 1, 0.5])),
    "four, of different sizes": (4, lambda g: normal_groups(g, [300, 100, 60, 30], 7)),
    "four in six features": (4, lambda g: normal_groups(g, [100] * 4, 5, n_features=6)),
    "five, in whole numbers": (5, lambda g: np.round(normal_groups(g, [100] * 5, 6))),
    "five, as in the sample": (5, sample_customers),
    "six, 6 apart": (6, lambda g: normal_groups(g, [80] * 6, 6)),
    "eight in four features": (8, lambda g: normal_groups(g, [60] * 8, 6, n_features=4)),
    "twelve, 8 apart; k from 1 to 20": (12, lambda g: normal_groups(g, [50] * 12, 8)),
}


def numbers(points, n_groups):
    """What each rule takes."""
    points = points[:, np.ptp(points, axis=0) > 0]
    weights = np.ones(len(points))
    fit = fit_segmentation(points, weights, n_clusters="elbow", k_range=(1, 20 if n_groups > 10 else 10), seed=42)
    scaled = (points - fit.means) / fit.scales
    return [choose(rule, fit.scores, fit.structure, scaled=scaled, weights=weights, seed=42).k for rule in RULES]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    arguments = parser.parse_args()
    n_right = np.zeros(len(RULES))
    print("| data | groups |", *(f"{rule.replace('_', ' ')} |" for rule in RULES))
    print("|---" * (2 + len(RULES)) + "|")
    for name, (points, n_groups) in FIXED.items():
        taken = numbers(points, n_groups)
        n_right += np.equal(taken, n_groups)
        print(f"| {name} | {n_groups} |", *(f"{k} |" for k in taken), flush=True)
    for name, (n_groups, drawn) in DRAWN.items():
        generator = np.random.default_rng(42)
        by_draw = np.array([numbers(drawn(generator), n_groups) for _ in range(arguments.draws)])
        n_right += (by_draw == n_groups).mean(axis=0)
        cells = []
        for taken in by_draw.T:
            wrong = ", ".join(str(k) for k in sorted(set(taken[taken != n_groups].tolist())))
            cells.append(f"{(taken == n_groups).sum()} of {len(taken)}{f' ({wrong})' if wrong else ''} |")
        print(f"| {name} | {n_groups} |", *cells, flush=True)
    print(f"| right, of {len(FIXED) + len(DRAWN)} | |", *(f"{right:.1f} |" for right in n_right))


if __name__ == "__main__":
    main()
