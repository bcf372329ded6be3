"""One version of a model: fitted, measured, and tied to the version before it."""

import numpy as np

from segmentation.assignment import assign
from segmentation.fitting import fit_segmentation
from segmentation.identity import adjusted_rand_index, match_segments, segment_changes
from segmentation.rules import segment_rules
from segmentation.scoring import can_label
from segmentation.stability import bootstrap_stability


def fit_version(points, weights, *, transforms, previous, n_clusters, k_range, seed, customers=None):
    """Fit weighted points and number the segments after those of the previous version; returns {column: plain value}.

    `points` (n, d), `weights` (n,) and `customers` as in `fit_segmentation`; `transforms` {feature: transform} in the order of
    the columns; `previous` a mapping with the columns of the version before, or None. Lists per segment stand in the order of
    the segment numbers. NaN stands for a number that there is not, so that a column has the same type in every version: among
    others for the `agreement` with a previous version that is not there or used a feature which is gone.
    """
    fit = fit_segmentation(points, weights, n_clusters=n_clusters, k_range=k_range, seed=seed, customers=customers)
    segment_ids, last_id = _numbered(fit, transforms, previous)
    order = np.argsort(segment_ids)
    segment_ids, centroids = np.asarray(segment_ids)[order].tolist(), fit.centroids_scaled[order]

    assignment = assign(points, means=fit.means, scales=fit.scales, centroids_scaled=centroids)
    labels = assignment.nearest
    stabilities, stability = bootstrap_stability((points - fit.means) / fit.scales, weights, labels, seed=seed)
    mean_distances = np.bincount(labels, weights * assignment.distance) / np.bincount(labels, weights)
    rules = segment_rules(points, weights, labels, seed=seed)
    features = list(transforms)
    return {
        "n_clusters": fit.n_clusters,
        "n_customers": int(fit.sizes.sum()),
        "n_distinct_rows": fit.n_rows,
        "is_sampled": customers is not None,
        "wcss": fit.wcss,
        "silhouette_rows": fit.silhouette_rows,
        "features": features,
        "transforms": list(transforms.values()),
        "means": fit.means.tolist(),
        "scales": fit.scales.tolist(),
        "segment_ids": segment_ids,
        "last_segment_id": last_id,
        "centroids_scaled": centroids.tolist(),
        "sizes": fit.sizes[order].astype(int).tolist(),
        "mean_distances": mean_distances.tolist(),
        "stabilities": stabilities.tolist(),
        "stability": stability,
        "k_scores": [vars(score) for score in fit.scores],
        "rules": [
            {
                "segment_id": segment_id,
                "feature": features[bound.feature],
                "lower": _or_nan(bound.lower),
                "upper": _or_nan(bound.upper),
            }
            for segment_id, bounds in zip(segment_ids, rules, strict=True)
            for bound in bounds
        ],
        **_compared(points, weights, labels, segment_ids, transforms, previous),
    }


def assign_version(points, transforms, version):
    """`Assignment` of points (n, d) under a stored version, or None where a feature of that version is not among theirs."""
    if not can_label(version, transforms):
        return None
    features = list(transforms)
    columns = [features.index(feature) for feature in version["features"]]
    return assign(
        np.asarray(points)[:, columns],
        means=np.array(version["means"]),
        scales=np.array(version["scales"]),
        centroids_scaled=np.vstack(version["centroids_scaled"]),
    )


def _numbered(fit, transforms, previous):
    """The segment numbers of the fit, and the highest number ever given."""
    if previous is None:
        return list(range(1, fit.n_clusters + 1)), fit.n_clusters
    last_id = int(previous["last_segment_id"])
    used = dict(zip(previous["features"], previous["transforms"], strict=True))
    shared = [feature for feature, transform in transforms.items() if used.get(feature) == transform]
    if not shared:
        return list(range(last_id + 1, last_id + fit.n_clusters + 1)), last_id + fit.n_clusters
    here = [list(transforms).index(feature) for feature in shared]
    there = [list(previous["features"]).index(feature) for feature in shared]
    scales = np.array(previous["scales"])[there]
    ids = match_segments(
        (fit.means + fit.scales * fit.centroids_scaled)[:, here],
        np.array(previous["means"])[there] + scales * np.vstack(previous["centroids_scaled"])[:, there],
        list(previous["segment_ids"]),
        previous_scales=scales,
        next_id=last_id + 1,
    )
    return ids, max(last_id, *ids)


def _compared(points, weights, labels, segment_ids, transforms, previous):
    """Agreement with the previous version on today's customers, and what became of its segments."""
    before = None if previous is None else assign_version(points, transforms, previous)
    previous_ids = [] if previous is None else [int(segment_id) for segment_id in previous["segment_ids"]]
    comparison = {
        "agreement": np.nan,
        "kept": sorted(set(segment_ids) & set(previous_ids)),
        "new": sorted(set(segment_ids) - set(previous_ids)),
        "retired": sorted(set(previous_ids) - set(segment_ids)),
        "split": [],
        "merged": [],
    }
    if before is not None:
        comparison["agreement"] = adjusted_rand_index(labels, before.nearest, weights)
        comparison["split"], comparison["merged"] = segment_changes(
            labels, before.nearest, weights, ids=segment_ids, previous_ids=previous_ids
        )
    return comparison


def _or_nan(number):
    return np.nan if number is None else number
