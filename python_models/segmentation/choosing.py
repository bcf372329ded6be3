"""The number of clusters: given, or chosen by a rule."""

from dataclasses import dataclass

import numpy as np

from segmentation.prediction import prediction_strengths

# Which of the rules plain `auto` takes is decided by a comparison: docs/choosing-k.md.
AUTO = "silhouette"

# From 0.8 on, one half of the customers predicts the clusters of the other (Tibshirani and Walther 2005).
PREDICTED = 0.8


@dataclass(frozen=True)
class Choice:
    """A number of clusters, and what decided: a rule, or "number" where the number was given.

    `prediction_strengths` has one value for every k tried, NaN where another rule decided.
    """

    k: int
    rule: str
    prediction_strengths: tuple[float, ...]


def choose(n_clusters, scores, structure, *, scaled, weights, seed):
    """Take the number of clusters that was given, or that a rule prefers among those tried.

    `n_clusters` is a number, one of the rules "elbow", "silhouette", "gap" and "prediction_strength", or "auto" for the one that
    leads to the best segments; `scores` has the measures of every k tried, ascending, and `structure` their gap statistic;
    `scaled` (n, d) and `weights` (n,) are the customers, for prediction strength alone.

    Where the curve of WCSS has no knee, prediction strength decides in place of the elbow. The gap statistic can stop too soon
    (Tibshirani, Walther and Hastie 2001), so it is asked about one cluster only where there is no structure. One cluster is
    chosen only where nothing else was tried.
    """
    ks = np.array([score.k for score in scores])
    strengths = np.full(len(ks), np.nan)
    if not isinstance(n_clusters, str):
        return Choice(n_clusters, "number", tuple(strengths))
    rule = AUTO if n_clusters == "auto" else n_clusters
    if rule == "elbow" and not has_knee([score.elbow_score for score in scores]):
        rule = "prediction_strength"
    if rule == "elbow":
        k = ks[np.argmax([score.elbow_score for score in scores])]
    elif rule == "silhouette":
        k = ks[np.argmax(np.nan_to_num([score.silhouette for score in scores], nan=-np.inf))]
    elif rule == "gap":
        is_asked = (ks > 1) | (structure.kind == "none")
        k = ks[is_asked][_first_that_is_enough(structure.gaps[is_asked], structure.gap_errors[is_asked])] if is_asked.any() else 1
    else:
        strengths = prediction_strengths(scaled, weights, ks, seed=seed)
        k = ks[np.flatnonzero(strengths >= PREDICTED).max(initial=0)]
    several = ks[ks > 1]
    return Choice(int(max(k, several.min(initial=ks[-1]))), rule, tuple(strengths))


def has_knee(elbow_scores):
    """Whether the curve has a knee: Kneedle with the sensitivity 1 (Satopää et al. 2011).

    A knee counts where the score falls by more than the mean step from one k to the next, both axes scaled to 0..1. The last
    score is 0, so that the highest one falls by all of itself.
    """
    return len(elbow_scores) > 2 and max(elbow_scores) > 1 / (len(elbow_scores) - 1)


def _first_that_is_enough(gaps, errors):
    """The place of the first k whose gap is not clearly below that of the next; the last one where there is none."""
    is_enough = np.append(gaps[:-1] >= gaps[1:] - errors[1:], True)
    return int(np.argmax(is_enough))
