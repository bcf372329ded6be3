"""Labels and distances of points under a fitted model. Nothing is refitted: the model's own scaler is applied."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Assignment:
    """For each of n points: position (n,) of the nearest centroid and of the runner-up, and the distances to both.

    Distances are Euclidean in the scaled space. With a single centroid the runner-up is -1 and its distance NaN.
    """

    nearest: np.ndarray
    distance: np.ndarray
    runner_up: np.ndarray
    runner_up_distance: np.ndarray


def assign(points, *, means, scales, centroids_scaled):
    """Find the nearest and the second nearest centroid of every point; ties go to the centroid that stands first.

    `points` (n, d) in the units of the fit, `means` and `scales` (d,), `centroids_scaled` (k, d). Each distance is the
    root of the summed squared differences, without the usual shortcut over dot products, whose rounding would break ties at
    random and differ from the same formula in SQL.
    """
    scaled = (np.asarray(points, dtype=float) - means) / scales
    distances = np.empty((len(scaled), len(centroids_scaled)))
    for position, centroid in enumerate(centroids_scaled):
        distances[:, position] = np.sqrt(((scaled - centroid) ** 2).sum(axis=1))
    rows = np.arange(len(scaled))
    nearest = distances.argmin(axis=1)
    distance = distances[rows, nearest]
    if len(centroids_scaled) == 1:
        return Assignment(nearest, distance, np.full(len(scaled), -1), np.full(len(scaled), np.nan))
    distances[rows, nearest] = np.inf
    runner_up = distances.argmin(axis=1)
    return Assignment(nearest, distance, runner_up, distances[rows, runner_up])
