"""Who is who across two model versions: segments are matched by their centroids, and their changes told from the customers."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def match_segments(centroids, previous_centroids, previous_ids, *, previous_scales):
    """The previous segments that new centroids continue, as {row of the centroid: segment number}.

    `centroids` (k, d) and `previous_centroids` (m, d) in the units of the fit, over the features that both versions have;
    `previous_scales` (d,) make them comparable in the previous scaled space. A centroid continues a previous segment only within
    half the distance from that to its nearest neighbour: so near, no other previous segment is nearer. The assignment is optimal
    (Kuhn 1955, Crouse 2016, as in scipy): most matches first, then the least total distance.
    """
    distances, half_gaps = _measured(centroids, previous_centroids, previous_scales)
    is_near = distances < half_gaps
    # So dear that no sum of near pairs outweighs one more match.
    too_far = 1 + distances.sum()
    rows, columns = linear_sum_assignment(np.where(is_near, distances, too_far))
    return {int(row): int(previous_ids[column]) for row, column in zip(rows, columns, strict=True) if is_near[row, column]}


def match_retired(positions, *, taken):
    """The segments of earlier versions that are back where they were, as {row of the centroid: segment number}.

    `positions` lists (new centroids (k, d), centroids (m, d), segment numbers (m,), scales (d,)) of earlier versions with the
    same features, the oldest first: the new centroids are those that continue no segment of the version before, in the units of
    the version that they stand beside; `taken` are the numbers that other centroids have. A centroid is near to a position as
    in `match_segments`, by the scales and the gaps of that version alone.

    How near is counted from 0 at half the gap to 1 at the position itself: a distance in the standard deviations of one version
    says nothing beside that in another's, but a share of the half gap does. Each segment counts where it was nearest, of all its
    positions; of equally near ones the newest counts a trifle more. The assignment with the greatest sum gives every number once.
    Segments of different versions can overlap, so that a centroid may be near to several; the sum keeps one that is exactly where
    it was from giving way for the sake of one more match. A version of one segment has no gap to measure by: nothing comes back
    to it.
    """
    nearness = {}
    for n_newer, (centroids, old_centroids, ids, scales) in enumerate(reversed(positions)):
        if len(ids) == 1:
            continue
        distances, half_gaps = _measured(centroids, old_centroids, scales)
        near_to_each = np.maximum(1 - distances / half_gaps, 0) * (1 - 1e-9 * n_newer)
        for segment_id, near in zip(ids, near_to_each.T, strict=True):
            if segment_id not in taken:
                nearness[int(segment_id)] = np.maximum(nearness.get(int(segment_id), 0), near)
    if not nearness:
        return {}
    ids = sorted(nearness)
    table = np.column_stack([nearness[segment_id] for segment_id in ids])
    rows, columns = linear_sum_assignment(table, maximize=True)
    return {int(row): ids[column] for row, column in zip(rows, columns, strict=True) if table[row, column] > 0}


def segment_changes(labels, previous_labels, weights, *, ids, previous_ids):
    """Which previous segments were split and which new ones were merged, as two sorted lists of segment numbers.

    `labels` and `previous_labels` (n,) label the same points, `weights` (n,), by positions in `ids` (k,) and `previous_ids` (m,).
    A previous segment is split where its customers are the majority of two or more segments; a segment is merged where
    two or more previous segments sent it the majority of their customers.
    """
    flows = contingency(labels, previous_labels, weights, len(ids), len(previous_ids))
    n_descendants = (flows > flows.sum(axis=1, keepdims=True) / 2).sum(axis=0)
    n_ancestors = (flows > flows.sum(axis=0, keepdims=True) / 2).sum(axis=1)
    split = [segment_id for segment_id, n in zip(previous_ids, n_descendants, strict=True) if n > 1]
    merged = [segment_id for segment_id, n in zip(ids, n_ancestors, strict=True) if n > 1]
    return sorted(split), sorted(merged)


def adjusted_rand_index(labels, other_labels, weights):
    """Agreement of two partitions of weighted points, corrected for chance (Hubert and Arabie 1985): 1 equal, 0 as by chance.

    `labels` and `other_labels` (n,) in 0..k-1, `weights` (n,) whole numbers of equal points. scikit-learn's takes no weights.
    """
    table = contingency(labels, other_labels, weights, labels.max() + 1, other_labels.max() + 1)
    pairs, row_pairs, column_pairs, all_pairs = (
        float((counts * (counts - 1) / 2).sum()) for counts in (table, table.sum(axis=1), table.sum(axis=0), table.sum())
    )
    expected = row_pairs * column_pairs / all_pairs if all_pairs else 0.0
    highest = (row_pairs + column_pairs) / 2
    return 1.0 if highest == expected else (pairs - expected) / (highest - expected)


def contingency(labels, other_labels, weights, n_labels, n_other_labels):
    """Summed weights (n_labels, n_other_labels) of the points (n,) that carry each pair of labels."""
    cells = np.bincount(labels * n_other_labels + other_labels, weights, n_labels * n_other_labels)
    return cells.reshape(n_labels, n_other_labels)


def _measured(centroids, old_centroids, old_scales):
    """Distances (k, m) of centroids to old ones in their scaled space, and half the gap (m,) from each of these to the next."""
    scaled, old = np.asarray(centroids) / old_scales, np.asarray(old_centroids) / old_scales
    gaps = _distances(old, old)
    np.fill_diagonal(gaps, np.inf)
    return _distances(scaled, old), gaps.min(axis=1) / 2


def _distances(points, others):
    return np.linalg.norm(points[:, None] - others[None], axis=2)
