import numpy as np
import pytest
from scipy.stats import yeojohnson
from segmentation.yeo_johnson import fitted_lambda, in_own_unit, transformed
from sklearn.preprocessing import PowerTransformer

POWERS = [-1.5, 0.0, 1e-10, 0.4, 1.0, 2.0, 3.0]


def skewed(n=5_000, seed=0):
    return np.random.default_rng(seed).lognormal(2, 1, n) - 3


def test_by_hand():
    """Of 3 the power 0.5 is 2 * (4 ** 0.5 - 1); of -3 it is the mirror image with the power 1.5."""
    assert transformed(np.array([3.0, -3.0, 0.0]), 0.5) == pytest.approx([2, -(4**1.5 - 1) / 1.5, 0])
    assert transformed(np.array([3.0, -3.0]), 1) == pytest.approx([3, -3])


@pytest.mark.parametrize("power", POWERS)
def test_transform_is_that_of_scipy(power):
    values = skewed(500)
    assert transformed(values, power) == pytest.approx(yeojohnson(values, power), rel=1e-12)


@pytest.mark.parametrize("power", POWERS)
def test_there_and_back(power):
    values = skewed(500)
    assert in_own_unit(transformed(values, power), power) == pytest.approx(values, rel=1e-9, abs=1e-9)


def test_what_no_value_is_transformed_to_lies_at_infinity():
    """With the power -1, transforms stay below 1; with the power 3, those of negative values above -1."""
    assert in_own_unit(np.array([0.5, 1.0, 7.0]), -1.0).tolist() == [1, np.inf, np.inf]
    assert in_own_unit(np.array([-0.5, -1.0, -7.0]), 3.0).tolist() == [-1, -np.inf, -np.inf]


def test_lambda_is_scikit_learns():
    values = skewed()
    expected = PowerTransformer(standardize=False).fit(values[:, None]).lambdas_[0]
    assert fitted_lambda(values, np.ones(len(values))) == pytest.approx(expected, rel=1e-6)


def test_a_row_of_weight_three_is_three_rows():
    values = skewed(200)
    weights = np.random.default_rng(1).integers(1, 6, len(values))
    repeated = np.repeat(values, weights)
    assert fitted_lambda(values, weights) == pytest.approx(fitted_lambda(repeated, np.ones(len(repeated))), rel=1e-9)


def test_of_many_customers_some_are_enough():
    values = skewed(300_000)
    expected = PowerTransformer(standardize=False).fit(values[:, None]).lambdas_[0]
    assert fitted_lambda(values, np.ones(len(values))) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("values", [np.arange(10) + 1e15, np.arange(400) * 1e-300, np.append(np.arange(400.0), 1e12)])
def test_values_at_the_ends_of_precision_have_a_lambda(values):
    power = fitted_lambda(values, np.ones(len(values)))
    assert np.isfinite(transformed(values, power)).all()
