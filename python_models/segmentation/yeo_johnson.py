"""The power transform of Yeo and Johnson (2000), which brings skewed values of either sign near to a bell curve, and back."""

import numpy as np
from scipy.special import boxcox1p, inv_boxcox1p
from sklearn.preprocessing import PowerTransformer

# The power of so many customers differs from that of all by some thousandths.
MOST_CUSTOMERS = 10_000


def fitted_lambda(values, weights):
    """The most likely power, as of scikit-learn's PowerTransformer, of finite `values` (n,) that `weights` (n,) customers share.

    PowerTransformer takes no weights. So it gets every customer, or of more than ten thousand as many, evenly spaced in the order
    of the values.
    """
    order = np.argsort(values)
    last_customers = np.cumsum(np.asarray(weights, dtype=float)[order])
    n_drawn = min(int(last_customers[-1]), MOST_CUSTOMERS)
    drawn = np.searchsorted(last_customers, (np.arange(n_drawn) + 0.5) * (last_customers[-1] / n_drawn))
    transformer = PowerTransformer(method="yeo-johnson", standardize=False)
    return float(transformer.fit(np.asarray(values, dtype=float)[order][drawn, None]).lambdas_[0])


def transformed(values, power):
    """The transform of `values` (n,); of negative ones it is the mirror image, with the power 2 - `power`."""
    return np.sign(values) * boxcox1p(np.abs(values), _powers(values, power))


def in_own_unit(values, power):
    """Back from the transformed `values` (n,); infinite where nothing has such a transform."""
    sizes, powers = np.abs(values), _powers(values, power)
    # With a negative power, no transform is larger than this.
    with np.errstate(divide="ignore"):
        largest = np.where(powers < 0, -1 / powers, np.inf)
    return np.sign(values) * inv_boxcox1p(np.minimum(sizes, largest), powers)


def _powers(values, power):
    return np.where(np.asarray(values) >= 0, power, 2 - power)
