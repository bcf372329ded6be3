"""Features whose values are levels, such as a region, as columns of a model: one for each level, 1 where a customer has it.

A column is called region=north, as in scikit-learn's DictVectorizer. Customers of different levels differ by 1 in two columns:
they lie `weight` apart where each column is divided by sqrt(2) / weight (docs/categories.md).
"""

import math

# The transform of a feature that is divided into levels.
CATEGORY = "category"

# Every level that the model has no column for: too rare at the fit, or not seen then.
OTHER = "(other)"
# No value, where that is a level.
MISSING = "(missing)"

# Each is a column of every distance, and nobody tells more of them apart in a picture.
MOST_LEVELS = 20

# The distance of two customers of different levels before it is scaled.
MISMATCH = math.sqrt(2)


def columns_of_levels(name, levels, *, has_missing, has_other):
    """The columns of the feature `name` for a list of levels, in the order of the alphabet; then no value, and the others.

    The others stand last, so that levels which nobody had at the fit lie beyond all that anybody had.
    """
    ends = [MISSING] * has_missing + [OTHER] * has_other
    return [f"{name}={level}" for level in (*sorted(levels), *ends)]


def feature_of(column):
    """The name of the feature that a column of a model is of. Names have no equals sign."""
    return column.split("=", 1)[0]


def level_of(column):
    return column.split("=", 1)[1]


def blocks(preparation):
    """The positions of the columns of each category, as lists; `preparation` has the lists features and transforms."""
    places = {}
    for place, (column, transform) in enumerate(zip(preparation["features"], preparation["transforms"], strict=True)):
        if transform == CATEGORY:
            places.setdefault(feature_of(column), []).append(place)
    return list(places.values())
