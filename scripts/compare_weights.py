"""What the weight of a category does, on tables whose groups are known.

There are two numbers and a category. In the first tables groups differ in the category alone, and the numbers are noise; in the
next ones they differ in the numbers alone, and the category is noise; in the last ones both tell something of them. It prints the
adjusted Rand index between the known groups and the segments for each weight, the mean over the draws.

    python scripts/compare_weights.py --draws 10
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin

sys.path.insert(0, str(Path(__file__).parents[1] / "python_models"))

from segmentation.fitting import fit_segmentation

# A mismatch adds the square to a squared distance: 1 where Huang (1998) is followed, who takes the mean standard deviation of the
# numbers, and half of that by default in the package kmodes. Gower (1971) compares a mismatch with a whole range, which is about
# four standard deviations.
WEIGHTS = [0.71, 1, 1.5, 1.75, 2, 2.5, 3, 4]
N_CUSTOMERS = 600


def numbers_of(generator, groups, n_groups, distance):
    """Two numbers (n, 2): each group has its centre on a circle, so many standard deviations from the next ones."""
    angles = 2 * np.pi * groups / n_groups + np.pi / 4
    centres = distance / (2 * np.sin(np.pi / n_groups)) * np.column_stack([np.cos(angles), np.sin(angles)])
    return generator.normal(centres, 1)


def levels_of(generator, groups, n_levels, share):
    """The level of the group for so large a share of the customers, and any level, that one included, for the others."""
    return np.where(generator.random(len(groups)) < share, groups % n_levels, generator.integers(n_levels, size=len(groups)))


# Groups, levels, standard deviations between the groups in the numbers, and the share of customers who surely have the level.
TABLES = {
    "two groups, in the category alone": (2, 2, 0, 1),
    "three groups, in the category alone": (3, 3, 0, 1),
    "five groups, in the category alone": (5, 5, 0, 1),
    "two groups 6 apart, and two levels of noise": (2, 2, 6, 0),
    "three groups 6 apart, and three levels of noise": (3, 3, 6, 0),
    "five groups 6 apart, and ten levels of noise": (5, 10, 6, 0),
    "three groups 2 apart, and levels that most share": (3, 3, 2, 0.7),
    "three groups 4 apart, and levels that most share": (3, 3, 4, 0.7),
}


def agreement(generator, n_groups, n_levels, distance, share):
    """The adjusted Rand index for each of the weights, on one draw of a table."""
    groups = generator.integers(n_groups, size=N_CUSTOMERS)
    levels = levels_of(generator, groups, n_levels, share)
    points = np.column_stack([np.eye(n_levels)[levels], numbers_of(generator, groups, n_groups, distance)])
    indices = []
    for weight in WEIGHTS:
        fit = fit_segmentation(
            points, np.ones(N_CUSTOMERS), n_clusters=n_groups, k_range=(n_groups, n_groups), seed=42,
            categories=[np.arange(n_levels)], feature_weights=np.array([weight] * n_levels + [1, 1], dtype=float),
        )  # fmt: skip
        labels = pairwise_distances_argmin((points - fit.means) / fit.scales, fit.centroids_scaled)
        indices.append(adjusted_rand_score(groups, labels))
    return indices


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10)
    arguments = parser.parse_args()
    print("| table |", *(f"{weight} |" for weight in WEIGHTS))
    print("|---" * (1 + len(WEIGHTS)) + "|")
    for name, table in TABLES.items():
        generator = np.random.default_rng(42)
        means = np.mean([agreement(generator, *table) for _ in range(arguments.draws)], axis=0)
        print(f"| {name} |", *(f"{round(mean, 2) + 0:.2f} |" for mean in means), flush=True)


if __name__ == "__main__":
    main()
