"""Many distinct rows: searched on a sample, refined on all, and no worse than scikit-learn on all of them."""

import numpy as np
import pytest
from segmentation.all_customers import Blocks
from segmentation.fitting import SEARCHED_ROWS, _candidates, fit_segmentation
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

N_CUSTOMERS = 60_000


@pytest.fixture(scope="module")
def customers():
    """Eight skewed features of six overlapping kinds of customers, all distinct."""
    generator = np.random.default_rng(5)
    kinds = generator.normal(0, 1.5, (6, 8))
    return np.exp((kinds[generator.integers(6, size=N_CUSTOMERS)] + generator.normal(0, 1, (N_CUSTOMERS, 8))) / 3)


@pytest.fixture(scope="module")
def scikit_learn(customers):
    """{k: WCSS} of one start on all rows, which is what a notebook has."""
    scaled = StandardScaler().fit_transform(customers)
    return {k: KMeans(k, random_state=42).fit(scaled).inertia_ for k in range(1, 8)}


def test_more_rows_than_are_searched_are_refined_on_all_of_them(customers, scikit_learn):
    assert len(customers) > SEARCHED_ROWS
    fit = fit_segmentation(customers, np.ones(N_CUSTOMERS), n_clusters=6, k_range=(1, 7), seed=42)
    for score in fit.scores:
        assert score.wcss <= scikit_learn[score.k] * 1.001
    assert [score.wcss for score in fit.scores] == sorted((score.wcss for score in fit.scores), reverse=True)


def test_a_sample_is_scaled_by_and_refined_on_all_customers(customers, scikit_learn):
    """k is chosen on every tenth customer; the model that comes out is one of all, block by block."""

    def blocks():
        yield from np.array_split(customers, 7)

    fit = fit_segmentation(customers[::10], np.ones(6_000), n_clusters=6, k_range=(1, 7), seed=42, customers=Blocks(blocks))
    assert np.allclose(fit.means, customers.mean(axis=0))
    assert np.allclose(fit.scales, customers.std(axis=0))
    assert fit.sizes.sum() == N_CUSTOMERS
    assert fit.wcss <= scikit_learn[6] * 1.001
    # The curve is that of the sample, scaled up: the mean squared distances of 6,000 customers are those of all within 3 %.
    whole = fit_segmentation(customers, np.ones(N_CUSTOMERS), n_clusters=6, k_range=(1, 7), seed=42)
    assert [score.wcss for score in fit.scores] == pytest.approx([score.wcss for score in whole.scores], rel=0.03)
    labels = ((((customers - fit.means) / fit.scales)[:, None] - fit.centroids_scaled) ** 2).sum(axis=2)
    # That of the last step, behind which the centroids moved by less than PASS_TOLERANCE.
    assert fit.wcss * (1 - 1e-4) <= labels.min(axis=1).sum() <= fit.wcss


def test_the_order_of_the_rows_does_not_matter(customers):
    generator = np.random.default_rng(1)
    shuffled = customers[generator.permutation(N_CUSTOMERS)]
    one, other = (
        fit_segmentation(points, np.ones(N_CUSTOMERS), n_clusters=3, k_range=(3, 3), seed=42) for points in (customers, shuffled)
    )
    assert np.allclose(one.centroids_scaled, other.centroids_scaled)
    assert (one.sizes == other.sizes).all()


def test_optima_that_a_sample_can_hardly_tell_apart_are_both_candidates():
    """Four groups on the corners of a rectangle that is nearly a square are two pairs in two ways; on one that is not, in one."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    assert [round(fit.inertia_, 6) for fit in _candidates(corners * [1.003, 1], np.ones(4), 2, None, seed=42)] == [1, 1.006009]
    assert [round(fit.inertia_, 6) for fit in _candidates(corners * [1.1, 1], np.ones(4), 2, None, seed=42)] == [1]
