"""What a fit asks of all customers: by hand, and the same of blocks of rows as of aggregates of a query."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from segmentation.all_customers import Aggregates, Blocks

FEATURES = ["age", "income"]
FOUR = np.array([[0, 0], [2, 0], [10, 0], [12, 4]], dtype=float)


def in_blocks(points):
    return Blocks(lambda: iter(np.array_split(points, 2)))


def in_a_table(points):
    def ask(sql):
        customers = pd.DataFrame(points, columns=FEATURES)
        assert len(customers)
        return duckdb.sql(sql.format(customers="customers")).fetchall()

    return Aggregates(ask, FEATURES)


@pytest.fixture(params=[in_blocks, in_a_table])
def of(request):
    return request.param


def test_moments_by_hand(of):
    n_customers, means, deviations = of(FOUR).moments(np.array([2, 0]), np.array([1, 2]))
    assert n_customers == 4
    assert means.tolist() == [4, 0.5]
    assert deviations == pytest.approx([26**0.5, 3**0.5 / 2])


def test_the_nearest_customers_by_hand(of):
    """In scaled points 0, 0 and 1, 0 go to the first centroid, 5, 0 and 6, 4 to the second one, and nobody to the third."""
    centroids = np.array([[0, 0], [5, 2], [100, 100]], dtype=float)
    sums, sizes, wcss = of(FOUR).nearest(np.array([0, 0]), np.array([2, 1]), centroids)
    assert sums.tolist() == [[1, 0], [11, 4], [0, 0]]
    assert sizes.tolist() == [2, 2, 0]
    assert wcss == 0 + 1 + 4 + 5


def test_a_tie_goes_to_the_centroid_that_stands_first(of):
    _, sizes, _ = of(FOUR[:2]).nearest(np.zeros(2), np.ones(2), np.array([[1, 1], [1, -1]], dtype=float))
    assert sizes.tolist() == [2, 0]


def test_one_centroid_has_all_customers(of):
    sums, sizes, wcss = of(FOUR).nearest(np.zeros(2), np.ones(2), np.array([[6, 1]], dtype=float))
    assert sums.tolist() == [[24, 4]]
    assert sizes.tolist() == [4]
    assert wcss == 4 * (26 + 3)


def test_blocks_and_a_table_agree_far_from_zero():
    """Seconds since 1970 within an hour, and amounts with a long tail."""
    generator = np.random.default_rng(3)
    points = np.column_stack([1.7e9 + generator.uniform(0, 3600, 5_000), np.exp(generator.normal(3, 2, 5_000))])
    origins, units = np.array([1.7e9, 0]), np.array([2048.0, 16.0])
    blocks, table = in_blocks(points), in_a_table(points)
    _, means, deviations = blocks.moments(origins, units)
    for found, expected in zip(table.moments(origins, units), (5_000, means, deviations), strict=True):
        assert found == pytest.approx(expected, rel=1e-12)
    means, scales = origins + units * means, units * deviations
    centroids = generator.normal(0, 1, (4, 2))
    for found, expected in zip(table.nearest(means, scales, centroids), blocks.nearest(means, scales, centroids), strict=True):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
