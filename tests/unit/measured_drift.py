"""How often drift is seen, in data sets with and without it: the table in docs/segments.md.

Printed anew by

    PYTHONPATH=python_models python tests/unit/measured_drift.py [more.csv]

where the features are the last three columns of the file.

Each data set is divided at random into halves, of at most 200 customers. A model is fitted on the one half, and the other one is
today's: as it is; with every value of the first feature greater by half a standard deviation; with its columns permuted, so
that each feature is as before and nothing goes together. Samples of 50 are drawn from crowds instead of divided.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from segmentation.assignment import assign
from segmentation.drift import confidences, expectations
from segmentation.fitting import fit_segmentation
from sklearn.datasets import load_diabetes, load_iris, load_wine, make_blobs, make_moons

BOUND = 0.5
SAMPLE = Path(__file__).parents[2] / "dbt_project" / "sample" / "customers.csv"
N_DRAWS = 40
LARGEST = 200


def joint_drifts(fitted, days, *, k, seed=0):
    """As int_joint_drift has it, and what it stays below by chance: of the customers of some days (m, d) against a fit (n, d)."""
    weights = np.ones(len(fitted))
    fit = fit_segmentation(fitted, weights, n_clusters=k, k_range=(k, k), seed=seed)
    model = {"means": fit.means, "scales": fit.scales, "centroids_scaled": fit.centroids_scaled}
    expected = expectations(assign(fitted, **model), weights, fit.sizes)
    for today in days:
        labels = assign(today, **model)
        confidence = confidences(labels)
        further = (labels.distance.mean() - expected["expected_distance"]) / pooled(
            expected["distance_deviation"], labels.distance
        )
        less_clear = (expected["expected_confidence"] - confidence.mean()) / pooled(expected["confidence_deviation"], confidence)
        yield (further + less_clear) / 2, 1.645 * np.sqrt(k * (1 / len(fitted) + 1 / len(today)))


def pooled(deviation, values):
    return np.sqrt((deviation**2 + values.var()) / 2)


def permuted(points, generator):
    return np.column_stack([generator.permutation(column) for column in points.T])


def shifted(points, generator):
    return points + np.append(points[:, 0].std() / 2, np.zeros(points.shape[1] - 1))


def unchanged(points, generator):
    return points


def halves(points):
    def draw(generator):
        order = generator.permutation(len(points))[: 2 * LARGEST]
        return points[order[::2]], points[order[1::2]]

    return draw


def samples(crowd, n=50):
    return lambda generator: (crowd(generator, n), crowd(generator, n))


def five_groups(generator, n):
    centres = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4], [4, 4, 4]])
    return generator.normal(centres[generator.integers(0, 5, n)])


def customers_of(path):
    """The last three columns of the rows in which they are numbers."""
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row[-3:] for row in csv.reader(file, quoting=csv.QUOTE_NONE) if len(row) == 5]
    points = np.array([row for row in rows if all(value.isdigit() for value in row)], dtype=float)
    return points[points[:, 0] <= 120]


def data_sets(paths=()):
    """{name: a function of a generator that returns the customers of a fit and those of another day}"""
    return {
        "the sample": halves(customers_of(SAMPLE)),
        **{Path(path).stem: halves(customers_of(path)) for path in paths},
        "iris": halves(load_iris().data),
        "wine": halves(load_wine().data),
        "diabetes": halves(load_diabetes().data),
        "blobs": halves(make_blobs(1000, centers=5, n_features=3, random_state=0)[0]),
        "moons": halves(make_moons(1000, noise=0.1, random_state=0)[0]),
        "50 of five groups": samples(five_groups),
        "50 uniform": samples(lambda generator, n: generator.random((n, 3))),
        "50 normal": samples(lambda generator, n: generator.normal(size=(n, 3))),
        "50 exponential": samples(lambda generator, n: generator.exponential(size=(n, 3))),
    }


def main():
    changes = {"anew": unchanged, "shifted": shifted, "permuted": permuted}
    print("| data | customers | k |" + "".join(f" {name} | called drift |" for name in changes))
    print("|---|---|---|" + "---|---|" * len(changes))
    for name, draw in data_sets(sys.argv[1:]).items():
        for k in (3, 5, 8):
            generator = np.random.default_rng(0)
            found = []
            for _ in range(N_DRAWS):
                fitted, today = draw(generator)
                found.append(list(joint_drifts(fitted, [change(today, generator) for change in changes.values()], k=k)))
            cells = []
            for drift, by_chance in np.transpose(found, (1, 2, 0)):
                share = np.mean((drift >= BOUND) & (drift > by_chance))
                cells.append(f" {np.quantile(drift, 0.1):.2f} to {np.quantile(drift, 0.9):.2f} | {share:.0%} |")
            print(f"| {name} | {len(fitted)} | {k} |" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
