"""Who is who across two model versions: segments are matched by their centroids, and their changes told from the customers."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def match_segments(centroids, previous_centroids, previous_ids, *, previous_scales, next_id):
    """The segment numbers (k,) of new centroids: those of the previous segments that they continue, and unused ones.

    `centroids` (k, d) and `previous_centroids` (m, d) in the units of the fit, over the features that both versions have;
    `previous_scales` (d,) make them comparable in the previous scaled space; `next_id` is the first number never used. The
    assignment is optimal (Kuhn 1955, Crouse 2016, as in scipy): most matches first, then the least total distance. A centroid
    continues a previous segment only within half the distance from that to its nearest neighbour: so near, no other previous
    segment is nearer. New numbers are given in the order of the centroids.
    """
    scaled, previous = np.asarray(centroids) / previous_scales, np.asarray(previous_centroids) / previous_scales
    distances = _distances(scaled, previous)
    gaps = _distances(previous, previous)
    np.fill_diagonal(gaps, np.inf)
    is_near = distances < gaps.min(axis=1) / 2
    # So dear that no sum of near pairs outweighs one more match.
    too_far = 1 + distances.sum()
    rows, columns = linear_sum_assignment(np.where(is_near, distances, too_far))
    matched = {row: previous_ids[column] for row, column in zip(rows, columns, strict=True) if is_near[row, column]}
    ids = []
    for row in range(len(scaled)):
        if row not in matched:
            matched[row], next_id = next_id, next_id + 1
        ids.append(int(matched[row]))
    return ids


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


def _distances(points, others):
    return np.linalg.norm(points[:, None] - others[None], axis=2)
