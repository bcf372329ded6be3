"""What a fit on a sample asks of all customers: of their rows, a block in memory at a time, or of a query where they are.

Both classes answer the same two questions, equally up to rounding; in points (n, d) of the fit.
"""

import numpy as np
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.preprocessing import StandardScaler

from segmentation.scoring import double, least


class Blocks:
    """Customers that `blocks`, a function, returns an iterator over, as arrays (m, d)."""

    def __init__(self, blocks):
        self.blocks = blocks

    def moments(self, origins, units):
        """How many they are, and mean and standard deviation (d,) of the points less `origins` (d,), divided by `units` (d,)."""
        scaler = StandardScaler()
        for block in self.blocks():
            scaler.partial_fit((block - origins) / units)
        return scaler.n_samples_seen_, scaler.mean_, scaler.scale_

    def nearest(self, means, scales, centroids):
        """Of the customers nearest to each of the `centroids` (k, d): the sums (k, d) of their points, standardised by `means`
        and `scales` (d,), and how many they are (k,); and the WCSS of all.
        """
        sums, sizes, wcss = np.zeros_like(centroids), np.zeros(len(centroids)), 0.0
        for block in self.blocks():
            scaled = (block - means) / scales
            labels, distances = pairwise_distances_argmin_min(scaled, centroids, metric="sqeuclidean")
            sizes += np.bincount(labels, minlength=len(centroids))
            sums += np.column_stack([np.bincount(labels, column, len(centroids)) for column in scaled.T])
            wcss += distances.sum()
        return sums, sizes, float(wcss)


class Aggregates:
    """Customers in a table that `ask`, a function, returns the rows of a query over; the query calls the table {customers}.

    `expressions` are the SQL for the d columns of the points. Every question is one pass over the table.
    """

    def __init__(self, ask, expressions):
        self.ask = ask
        self.expressions = expressions

    def moments(self, origins, units):
        names, points = self._standardised(origins, units)
        aggregates = ", ".join(f"{function}({name})" for function in ("avg", "var_pop") for name in names)
        ((n_customers, *moments),) = self.ask(
            f"select count(*), {aggregates} from (select {points} from {{customers}}) as points"
        )
        means, variances = np.reshape(moments, (2, -1))
        return n_customers, means, np.sqrt(variances)

    def nearest(self, means, scales, centroids):
        names, points = self._standardised(means, scales)
        # Squared distances, less the squared length of the point, which is the same for all centroids.
        distances = {
            f"distance_{number}": double(centroid @ centroid)
            + "".join(f" - {double(2 * value)} * {name}" for value, name in zip(centroid, names, strict=True))
            for number, centroid in enumerate(centroids)
        }
        nearest = " ".join(f"when {name} = least then {number}" for number, name in enumerate(distances))
        rows = self.ask(f"""
            with points as (select {points} from {{customers}}),
            distances as (select *, {", ".join(f"{distance} as {name}" for name, distance in distances.items())} from points),
            smallest as (select *, {least(distances)} as least from distances),
            labels as (select *, case {nearest} end as label from smallest)
            select label, count(*), sum(least + {" + ".join(f"{name} * {name}" for name in names)}), sum({"), sum(".join(names)})
            from labels
            group by label
            order by label
        """)
        sums, sizes, wcss = np.zeros_like(centroids), np.zeros(len(centroids)), 0.0
        for label, n_customers, squared_distances, *point in rows:
            sums[label], sizes[label] = point, n_customers
            wcss += squared_distances
        return sums, sizes, wcss

    def _standardised(self, origins, units):
        """Names of the columns of points, and a select list of them, less `origins` (d,) and divided by `units` (d,)."""
        names = [f"point_{place}" for place in range(len(self.expressions))]
        columns = zip(self.expressions, origins, units, names, strict=True)
        return names, ", ".join(
            f"({column} - {double(origin)}) / {double(unit)} as {name}" for column, origin, unit, name in columns
        )
