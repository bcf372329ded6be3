"""Labels of customers in the database's own words: the same formula as `assign`, as one query that no customer leaves."""

import re

from segmentation.categories import CATEGORY, MISSING, OTHER, feature_of, level_of


def label_query(relation, *, columns, version, previous=None):
    """SQL that labels every row of `relation` under a stored version, and under a `previous` one where it is given.

    The features are columns of the relation, in their own units and NULL where missing; `columns` are kept as they are;
    `version` and `previous` are mappings with the columns of a row of the registry. The query adds segment_id, distance,
    model_version, runner_up_segment_id (0 for none), runner_up_distance (NaN for none) and previous_model_segment_id (0 for
    none). Ties go to the segment that stands first.
    """
    steps = [f"relation as (select * from {relation})"]
    steps += _labels("relation", "now", version)
    label_before = "0"
    if previous is not None:
        steps += _labels("now", "before", previous)
        label_before = "_before_segment_id"
    source = "now" if previous is None else "before"
    return f"""
        with {", ".join(steps)}
        select
            {", ".join(columns)},
            _now_segment_id as segment_id,
            _now_distance as distance,
            _now_runner_up_segment_id as runner_up_segment_id,
            _now_runner_up_distance as runner_up_distance,
            {int(version["model_version"])} as model_version,
            {label_before} as previous_model_segment_id
        from {source}
    """


def can_label(version, transforms):
    """Whether every feature of a stored version is among {feature: transform}."""
    return all(transforms.get(feature) == transform for feature, transform in features_of(version).items())


def features_of(version):
    """{feature: transform} of a stored version; of a category the levels do not matter."""
    return {feature_of(column): transform for column, transform in zip(version["features"], version["transforms"], strict=True)}


def completed(version, other):
    """`version`, which fills in what `other` does where it has nothing of its own to fill in for a missing value."""
    others = dict(zip(other["features"], other["fill_values"], strict=True))
    fill_values = [
        others.get(feature) if value is None else value
        for feature, value in zip(version["features"], version["fill_values"], strict=True)
    ]
    return version | {"fill_values": fill_values}


def prepared(version):
    """{column: SQL for what a stored version standardises}: missing values filled in, then transformed; of a level, 1 or 0.

    The macros `transformed` and `is_of_level` say the same.
    """
    levels = {}
    for column, transform in zip(version["features"], version["transforms"], strict=True):
        if transform == CATEGORY:
            levels.setdefault(feature_of(column), []).append(level_of(column))
    steps = (version[name] for name in ("features", "fill_values", "transforms", "lambdas"))
    return {
        column: is_of_level(feature_of(column), level_of(column), levels[feature_of(column)])
        if transform == CATEGORY
        else _transformed(_filled_in(column, value), transform, power)
        for column, value, transform, power in zip(*steps, strict=True)
    }


def is_of_level(feature, level, levels):
    """SQL for 1 where a customer is of a level, and 0 where not; `levels` are all that the version has a column for.

    NULL where the value is missing and that is no level.
    """
    value = f"cast({feature} as string)"
    if MISSING in levels:
        value = f"coalesce({value}, {text(MISSING)})"
    condition = f"{value} = {text(level)}"
    if level == OTHER:
        condition = f"{value} not in ({', '.join(text(one) for one in levels if one != OTHER)})"
    return f"case when {condition} then {double(1)} when {value} is not null then {double(0)} end"


def text(value):
    """A text as SQL that every engine reads alike, and no template either.

    What one of them reads in a way of its own stands there by its number: quotes, backslashes and curly brackets.
    """
    pieces = [piece for piece in re.split(r"(['\\{}])", value) if piece] or [""]
    literals = [f"chr({ord(piece)})" if piece in list("'\\{}") else f"'{piece}'" for piece in pieces]
    return literals[0] if len(literals) == 1 else f"concat({', '.join(literals)})"


def _filled_in(feature, value):
    number = f"cast({feature} as double)"
    return number if value is None else f"coalesce({number}, {double(value)})"


def _transformed(value, transform, power):
    if transform == "log1p":
        return f"ln(1 + {value})"
    if transform == "yeo-johnson":
        return _yeo_johnson(value, power)
    return value


def _yeo_johnson(value, power):
    """(exp(p ln(1 + |x|)) - 1) / p with the sign of x, where p is the power, or 2 less it where x is negative.

    The sine keeps the digits that exp(y) - 1 loses where y is small.
    """

    def of_size(power):
        logarithm = f"ln(1 + abs({value}))"
        if power == 0:
            return logarithm
        half = f"{double(power / 2)} * {logarithm}"
        return f"exp({half}) * sinh({half}) / {double(power / 2)}"

    return f"case when {value} >= 0 then {of_size(power)} else -({of_size(2 - power)}) end"


def double(value):
    """A double as SQL that every engine reads back to the last bit."""
    return f"cast('{float(value)!r}' as double)"


def _labels(relation, name, version):
    """CTEs, one layer upon the other, so that every distance is computed once."""
    segment_ids = [int(segment_id) for segment_id in version["segment_ids"]]
    prefix = f"_{name}"
    scaled = [
        f"({value} - {double(mean)}) / {double(scale)} as {prefix}_scaled_{position}"
        for position, (value, mean, scale) in enumerate(
            zip(prepared(version).values(), version["means"], version["scales"], strict=True)
        )
    ]
    distances = []
    for segment_id, centroid in zip(segment_ids, version["centroids_scaled"], strict=True):
        differences = [f"({prefix}_scaled_{position} - {double(value)})" for position, value in enumerate(centroid)]
        squares = " + ".join(f"{difference} * {difference}" for difference in differences)
        distances.append(f"sqrt({squares}) as {prefix}_distance_{segment_id}")
    names = {segment_id: f"{prefix}_distance_{segment_id}" for segment_id in segment_ids}
    others = {
        segment_id: f"case when {prefix}_segment_id = {segment_id} then cast('infinity' as double) else {column} end"
        for segment_id, column in names.items()
    }
    has_runner_up = len(segment_ids) > 1
    return [
        f"{name}_scaled as (select *, {', '.join(scaled)} from {relation})",
        f"{name}_distances as (select *, {', '.join(distances)} from {name}_scaled)",
        f"{name}_least as (select *, {least(names.values())} as {prefix}_distance from {name}_distances)",
        f"{name}_nearest as (select *, {_whose(names, f'{prefix}_distance')} as {prefix}_segment_id from {name}_least)",
        f"{name}_second as (select *, {least(others.values()) if has_runner_up else 'cast(null as double)'} "
        f"as {prefix}_second from {name}_nearest)",
        f"{name} as (select *, coalesce({_whose(others, f'{prefix}_second')}, 0) as {prefix}_runner_up_segment_id, "
        f"coalesce({prefix}_second, cast('nan' as double)) as {prefix}_runner_up_distance from {name}_second)",
    ]


def least(values):
    values = list(values)
    return f"least({', '.join(values)})" if len(values) > 1 else values[0]


def _whose(values, least):
    """The segment whose value is the least."""
    return "case " + " ".join(f"when {value} = {least} then {segment_id}" for segment_id, value in values.items()) + " end"
