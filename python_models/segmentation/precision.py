"""Where numbers of limited precision still tell values apart."""

import numpy as np


def frame(points):
    """An origin and a unit (d,) for each feature of `points` (n, d): less the one, divided by the other, values are near 0 and 1.

    Squares of such values neither vanish nor become infinite, and sums of them lose nothing to a large mean. No digit of a value
    changes: the units are powers of two, and the origins whole multiples of them, 0 unless the values lie hundreds of times
    their span away from it.
    """
    spans = np.ptp(points, axis=0)
    units = np.exp2(np.floor(np.log2(np.where(spans > 0, spans, 1))))
    steps = 1024 * units
    return np.round(points.mean(axis=0) / steps) * steps, units
