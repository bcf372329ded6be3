"""One version of a model: fitted, measured, and tied to the versions before it."""

import numpy as np

from segmentation.assignment import assign
from segmentation.categories import blocks
from segmentation.drift import confidences, expectations
from segmentation.fitting import fit_segmentation
from segmentation.identity import adjusted_rand_index, match_retired, match_segments, segment_changes
from segmentation.rules import segment_rules
from segmentation.scoring import features_of
from segmentation.stability import bootstrap_stability, weakest, weakest_stability
from segmentation.yeo_johnson import in_own_unit, transformed

# Beyond any value that is accepted.
FARTHEST = 1e100


def fit_version(
    points, weights, *, preparation, earlier, previous, n_clusters, k_range, seed, points_before=None, customers=None
):  # fmt: skip
    """Fit weighted points and number the segments after those of the versions so far; returns {column: plain value}.

    `points` (n, d), `weights` (n,) and `customers` as in `fit_segmentation`; `preparation` says how they came from raw values, in
    lists of d: features, fill_values, transforms, lambdas and feature_weights, None where there is no number; `earlier` is a list
    of mappings with the columns of all versions so far, the oldest first; `previous` the one that was in use, or None;
    `points_before` (n, e) the same customers as that one prepares its e columns, or None where it cannot. Lists per segment stand
    in the order of the segment numbers. NaN stands for a number that there is not, so that a column has the same type in every
    version: among others for the `agreement` with a previous version that is not there or used a feature which is gone.
    """
    fit = fit_segmentation(
        points, weights, n_clusters=n_clusters, k_range=k_range, seed=seed, customers=customers,
        categories=blocks(preparation), feature_weights=np.array(preparation["feature_weights"], dtype=float),
    )  # fmt: skip
    centroids = fit.means + fit.scales * fit.centroids_scaled
    segment_ids, last_id = number_segments(centroids, preparation=preparation, earlier=earlier, previous=previous)
    order = np.argsort(segment_ids)
    segment_ids, centroids = np.asarray(segment_ids)[order].tolist(), fit.centroids_scaled[order]

    assignment = assign(points, means=fit.means, scales=fit.scales, centroids_scaled=centroids)
    labels = assignment.nearest
    stabilities, stability_errors, stability = bootstrap_stability((points - fit.means) / fit.scales, weights, labels, seed=seed)
    sizes = np.bincount(labels, weights)
    mean_distances = np.bincount(labels, weights * assignment.distance) / sizes
    mean_confidences = np.bincount(labels, weights * confidences(assignment)) / sizes
    rules = segment_rules(points, weights, labels, seed=seed)
    features = preparation["features"]
    return {
        "n_clusters": fit.n_clusters,
        "n_customers": int(fit.sizes.sum()),
        "n_distinct_rows": fit.n_rows,
        "is_sampled": customers is not None,
        "wcss": fit.wcss,
        "silhouette_rows": fit.silhouette_rows,
        **preparation,
        "means": fit.means.tolist(),
        "scales": fit.scales.tolist(),
        "segment_ids": segment_ids,
        "last_segment_id": last_id,
        "centroids_scaled": centroids.tolist(),
        "sizes": fit.sizes[order].astype(int).tolist(),
        "mean_distances": mean_distances.tolist(),
        "mean_confidences": mean_confidences.tolist(),
        **expectations(assignment, weights, fit.sizes[order]),
        "stabilities": stabilities.tolist(),
        "stability_errors": stability_errors.tolist(),
        "stability": stability,
        "k_scores": [vars(score) for score in fit.scores],
        "structure": fit.structure.kind,
        "box_p_value": fit.structure.box_p_value,
        "margins_p_value": fit.structure.margins_p_value,
        "compared_silhouettes": fit.structure.silhouettes.tolist(),
        "crowd_silhouettes": fit.structure.crowd_silhouettes.tolist(),
        "crowd_bounds": fit.structure.crowd_bounds.tolist(),
        "gaps": fit.structure.gaps.tolist(),
        "gap_errors": fit.structure.gap_errors.tolist(),
        "k_stabilities": [
            weakest(stabilities) if k == fit.n_clusters else weakest_stability(fit.rows, fit.row_weights, partition, seed=seed)
            for k, partition in fit.partitions.items()
        ],
        "chosen_by": fit.choice.rule,
        "prediction_strengths": list(fit.choice.prediction_strengths),
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
        **_compared(points_before, weights, labels, segment_ids, earlier, previous),
    }


def assign_version(points, version):
    """`Assignment` of points (n, d) under a stored version, which they are prepared for, its features in their order."""
    return assign(
        points,
        means=np.array(version["means"]),
        scales=np.array(version["scales"]),
        centroids_scaled=np.vstack(version["centroids_scaled"]),
    )


def number_segments(centroids, *, preparation, earlier, previous):
    """The segment numbers of centroids (k, d) in the units of a fit, a list in their order; and the highest number ever given.

    The other arguments are those of `fit_version`. Segments of the previous version are continued first; then retired ones come
    back to where they were in any earlier version with the same features; what is left gets numbers never used. Of a category
    that has got or lost levels, those count that both versions have.
    """
    numbers = {}
    if previous is not None:
        shared = _shared(preparation, previous)
        if shared:
            there = _in_units_of(previous, centroids, preparation, shared)
            previous_centroids, ids, scales = _positions(previous, shared)
            numbers = match_segments(there, previous_centroids, ids, previous_scales=scales)

    left = [row for row in range(len(centroids)) if row not in numbers]
    positions = [
        (_in_units_of(version, centroids[left], preparation, shared), *_positions(version, shared))
        for version in earlier
        if features_of(version) == features_of(preparation) and (shared := _shared(preparation, version))
    ]
    returned = match_retired(positions, taken=set(numbers.values()))
    numbers |= {left[place]: segment_id for place, segment_id in returned.items()}

    last_id = max((int(version["last_segment_id"]) for version in earlier), default=0)
    for row in left:
        if row not in numbers:
            last_id += 1
            numbers[row] = last_id
    return [numbers[row] for row in range(len(centroids))], last_id


def _in_units_of(version, centroids, preparation, features):
    """Centroids (k, d) over `features`, transformed as `version` does it: the power of a transform may be another one there."""
    columns = []
    for feature in features:
        place, place_there = (list(one["features"]).index(feature) for one in (preparation, version))
        column, power, power_there = centroids[:, place], preparation["lambdas"][place], version["lambdas"][place_there]
        if preparation["transforms"][place] == "yeo-johnson" and power != power_there:
            # What is infinite there is near to nothing.
            column = np.clip(transformed(in_own_unit(column, power), power_there), -FARTHEST, FARTHEST)
        columns.append(column)
    return np.column_stack(columns)


def _shared(version, other):
    """The columns that both versions have, transformed alike."""
    used = dict(zip(other["features"], other["transforms"], strict=True))
    return [
        column
        for column, transform in zip(version["features"], version["transforms"], strict=True)
        if used.get(column) == transform
    ]


def _positions(version, features):
    """Of a stored version: the centroids (m, d) over `features` in the units of the fit, the segment numbers, the scales (d,)."""
    places = [list(version["features"]).index(feature) for feature in features]
    means, scales = np.array(version["means"])[places], np.array(version["scales"])[places]
    return means + scales * np.vstack(version["centroids_scaled"])[:, places], list(version["segment_ids"]), scales


def _compared(points_before, weights, labels, segment_ids, earlier, previous):
    """Agreement with the previous version on today's customers, what became of its segments, and which of older ones are back."""
    previous_ids = [] if previous is None else [int(segment_id) for segment_id in previous["segment_ids"]]
    known_ids = {int(segment_id) for version in earlier for segment_id in version["segment_ids"]}
    comparison = {
        "agreement": np.nan,
        "kept": sorted(set(segment_ids) & set(previous_ids)),
        "new": sorted(set(segment_ids) - known_ids),
        "returned": sorted((set(segment_ids) & known_ids) - set(previous_ids)),
        "retired": sorted(set(previous_ids) - set(segment_ids)),
        "split": [],
        "merged": [],
    }
    if points_before is not None:
        before = assign_version(points_before, previous)
        comparison["agreement"] = adjusted_rand_index(labels, before.nearest, weights)
        comparison["split"], comparison["merged"] = segment_changes(
            labels, before.nearest, weights, ids=segment_ids, previous_ids=previous_ids
        )
    return comparison


def _or_nan(number):
    return np.nan if number is None else number
