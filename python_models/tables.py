"""Between the tables that the Python models name and the library: rows in, a query or a frame out.

What only a fit needs is imported there: most builds score with the model that there is, and start a second sooner without it.
"""

import datetime

from frames import engine_of
from segmentation.categories import CATEGORY, MISSING, MOST_LEVELS, OTHER, columns_of_levels
from segmentation.scoring import can_label, completed, label_query, prepared, text

# The table of models: a row is what a fit found. Both engines keep the types that a table was first written with.
REGISTRY = {
    "model_version": "bigint",
    "fitted_at": "timestamp",
    "reason": "string",
    "configuration": "string",
    "n_clusters_setting": "string",
    "seed": "bigint",
    "data_fingerprint": "string",
    "bins": [{"feature": "string", "lowest": "double", "highest": "double", "upper_edges": ["double"], "shares": ["double"]}],
    "library_versions": "string",
    "n_clusters": "bigint",
    "n_customers": "bigint",
    "n_distinct_rows": "bigint",
    "is_sampled": "boolean",
    "wcss": "double",
    "silhouette_rows": "bigint",
    "features": ["string"],
    "fill_values": ["double"],
    "transforms": ["string"],
    "lambdas": ["double"],
    "means": ["double"],
    "scales": ["double"],
    # Only where a feature counts otherwise than as its standard deviations.
    "feature_weights": ["double"],
    "segment_ids": ["integer"],
    "last_segment_id": "bigint",
    "centroids_scaled": [["double"]],
    "sizes": ["integer"],
    "mean_distances": ["double"],
    "mean_confidences": ["double"],
    "expected_distance": "double",
    "distance_deviation": "double",
    "expected_confidence": "double",
    "confidence_deviation": "double",
    "stabilities": ["double"],
    "stability_errors": ["double"],
    "stability": "double",
    "k_scores": [
        {
            "k": "integer",
            "wcss": "double",
            "elbow_score": "double",
            "silhouette": "double",
            "davies_bouldin": "double",
            "calinski_harabasz": "double",
        }
    ],
    "structure": "string",
    "box_p_value": "double",
    "margins_p_value": "double",
    "compared_silhouettes": ["double"],
    "crowd_silhouettes": ["double"],
    "crowd_bounds": ["double"],
    "gaps": ["double"],
    "gap_errors": ["double"],
    "k_stabilities": ["double"],
    "chosen_by": "string",
    "prediction_strengths": ["double"],
    "rules": [{"segment_id": "integer", "feature": "string", "lower": "double", "upper": "double"}],
    "agreement": "double",
    "kept": ["integer"],
    "new": ["integer"],
    "returned": ["integer"],
    "retired": ["integer"],
    "split": ["integer"],
    "merged": ["integer"],
    "build_id": "string",
}
LIBRARIES = ("scikit-learn", "numpy")
# What stands beside the columns of a customer.
LABEL_COLUMNS = {
    "segment_id": "integer",
    "distance": "double",
    "runner_up_segment_id": "integer",
    "runner_up_distance": "double",
    "model_version": "integer",
    "previous_model_segment_id": "integer",
    "previous_segment_id": "integer",
    "changed_at": "timestamp",
    "name_at_change": "string",
    "model_version_at_change": "integer",
}
# No configured name begins with an underscore.
BEFORE, LAST = "_before_", "_last_"


def transforms_of(settings):
    return {
        feature["name"]: CATEGORY if is_category(feature) else feature.get("transform", "none")
        for feature in settings["features"]
    }


def is_category(feature):
    return feature.get("data_type") in ("category", "boolean")


def weight_of(feature):
    return feature.get("weight", 2 if is_category(feature) else 1)


def of_customers(settings, customers):
    """The settings without features that the table of customers does not have, such as values of orders without amounts."""
    return settings | {"features": [feature for feature in settings["features"] if feature["name"] in customers.columns]}


def preparation_of(engine, settings, medians, training_rows):
    """How raw values become what is standardised, as lists in the order of the columns; None where there is nothing to do.

    A number is a column, and so is each level of a category.
    """
    columns = []
    for feature in settings["features"]:
        name, transform = feature["name"], transforms_of(settings)[feature["name"]]
        fill_value, power = medians.get(name), None
        if transform == "yeo-johnson":
            power = fitted_power(engine, name, fill_value, training_rows)
        names = levels_of(engine, feature, training_rows) if transform == CATEGORY else [name]
        columns += [(column, fill_value, transform, power, weight_of(feature)) for column in names]
    lists = ("features", "fill_values", "transforms", "lambdas", "feature_weights")
    return {name: list(values) for name, values in zip(lists, zip(*columns, strict=True), strict=True)}


def fitted_power(engine, name, fill_value, training_rows):
    """The power of yeo-johnson for a feature."""
    from segmentation.yeo_johnson import fitted_lambda

    as_it_is = {"features": [name], "fill_values": [fill_value], "transforms": ["none"], "lambdas": [None]}
    (value,) = prepared(as_it_is).values()
    rows = engine.arrays(
        engine.query(f"select {value} as value, n_customers from {{training_rows}}", training_rows=training_rows)
    )
    return fitted_lambda(rows["value"], rows["n_customers"])


def levels_of(engine, feature, training_rows):
    """The columns of a category: of its commonest levels, and of what has no level of its own."""
    has_missing = feature.get("missing") == "level"
    if feature["data_type"] == "boolean":
        return columns_of_levels(feature["name"], ["false", "true"], has_missing=has_missing, has_other=False)
    rows = engine.records(
        engine.query(
            f"""
            select {feature["name"]} as level, sum(n_customers) as n_customers
            from {{training_rows}}
            where {feature["name"]} not in ({text(MISSING)}, {text(OTHER)})
            group by {feature["name"]}
            order by n_customers desc, level
            limit {MOST_LEVELS}
            """,
            training_rows=training_rows,
        )
    )
    return columns_of_levels(feature["name"], [row["level"] for row in rows], has_missing=has_missing, has_other=True)


def numbered(expressions, prefix="point_"):
    """The expressions under names that every engine takes: those of levels are any text."""
    return {f"{prefix}{place}": expression for place, expression in enumerate(expressions.values())}


def select_list(expressions):
    return ", ".join(f"{expression} as {name}" for name, expression in expressions.items())


def new_fits(session, registry, settings, *, decision, medians, training_rows, customers):
    """The row of a new model version for the table `registry`, or none where `decision` gives no reason for one.

    `registry` is None before the first model.
    """
    engine = engine_of(session)
    settings = of_customers(settings, customers)
    (decision,) = engine.records(decision)
    has_weights = any(weight_of(feature) != 1 for feature in settings["features"])
    types = {name: data_type for name, data_type in REGISTRY.items() if has_weights or name != "feature_weights"}
    if decision["reason"] is None:
        return engine.frame(types)

    from importlib.metadata import version

    import numpy as np
    from segmentation.drift import bins
    from segmentation.versions import fit_version

    earlier = []
    if decision["fitting_builds"]:
        builds = ", ".join(f"'{build_id}'" for build_id in decision["fitting_builds"].split(", "))
        earlier = engine.records(engine.query(f"select * from {registry} where build_id in ({builds}) order by model_version"))
    by_version = {fit["model_version"]: fit for fit in earlier}
    previous = by_version.get(decision["last_build_version"])
    (medians,) = engine.records(medians)
    preparation = preparation_of(engine, settings, medians, training_rows)

    now, before = prepared(preparation), {}
    if previous and can_label(previous, transforms_of(settings)):
        before = prepared(completed(previous, preparation))
    columns, columns_before = numbered(now), numbered(before, BEFORE)
    merged_rows = f"""
        select
            {select_list(columns | columns_before)},
            cast(sum(n_customers) as bigint) as n_customers
        from {{training_rows}}
        group by all
        order by all
    """
    rows = engine.arrays(engine.query(merged_rows, training_rows=training_rows))
    points = np.column_stack([rows[name] for name in columns])

    fitted = fit_version(
        points,
        rows["n_customers"],
        preparation=preparation,
        earlier=earlier,
        previous=previous,
        points_before=np.column_stack([rows[name] for name in columns_before]) if before else None,
        n_clusters=settings["n_clusters"],
        k_range=settings["k_range"],
        seed=settings["seed"],
        customers=engine.all_customers(customers, columns) if decision["n_customers"] > rows["n_customers"].sum() else None,
    )
    row = {
        "model_version": decision["model_version"],
        "fitted_at": datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0),
        "reason": decision["reason"],
        "configuration": decision["configuration"],
        "n_clusters_setting": str(settings["n_clusters"]),
        "seed": settings["seed"],
        "data_fingerprint": decision["fingerprint"],
        "bins": bins(points, rows["n_customers"], preparation),
        "library_versions": ", ".join(f"{name} {version(name)}" for name in (*LIBRARIES, *engine.packages)),
        **fitted,
        "build_id": decision["build_id"],
    }
    return engine.frame(types, {name: row[name] for name in types})


def clusters(session, settings, *, decision, models, names, last_labels, customers):
    """Every row of `customers` with its label under the current one of the `models`, and under that of the last build.

    Beside the label stands the period that it belongs to: since when, and under which name and model, the customer is in the
    segment, and which one was before. It is that of the last build where the segment is the same. Where `decision` names no
    model, there are no rows.
    """
    engine = engine_of(session)
    settings = of_customers(settings, customers)
    (decision,) = engine.records(decision)
    versions = {version["model_version"]: version for version in engine.records(models)}
    if decision["model_version"] is None:
        return no_clusters(engine, customers)
    current = versions[decision["model_version"]]
    # Where the model is another one, what that of the last build would have said of the customers of today.
    is_another = decision["model_version"] != decision["last_build_version"]
    previous = versions.get(decision["last_build_version"]) if is_another else None
    is_comparable = previous and can_label(previous, transforms_of(settings))

    labels = label_query(
        "{customers}",
        columns=customers.columns,
        version=current,
        previous=completed(previous, current) if is_comparable else None,
    )
    described = [column for column in customers.columns if not column.startswith(LAST)]
    known_names = engine.query(
        """
        select segment_name from {names}
        union
        select name_at_change as segment_name from {last_labels} where name_at_change is not null
        order by segment_name
        """,
        names=names,
        last_labels=last_labels,
    )
    name_type = engine.type_of_few(known_names)
    # Every segment has a name. An inner join has a condition on the segment, for which Spark computes all distances once more.
    sql = f"""
        with labels as ({labels}),
        names as (select segment_id, cast(segment_name as {name_type}) as segment_name from {{names}})
        select
            labels.{", labels.".join(described)},
            labels.segment_id,
            labels.distance,
            labels.runner_up_segment_id,
            labels.runner_up_distance,
            labels.model_version,
            labels.previous_model_segment_id,
            {since("_last_previous_segment_id", "labels.last_segment_id", "integer")} as previous_segment_id,
            {since("_last_changed_at", f"'{decision['built_at']}'", "timestamp")} as changed_at,
            {since("_last_name_at_change", "names.segment_name", name_type)} as name_at_change,
            {since("_last_model_version_at_change", "labels.model_version", "integer")} as model_version_at_change
        from labels
        left join names on labels.segment_id = names.segment_id
    """
    return engine.query(sql, customers=customers, names=names)


def no_clusters(engine, customers):
    """The table of `clusters` without rows."""
    described = [column for column in customers.columns if not column.startswith(LAST)]
    empty = select_list({name: f"cast(null as {data_type})" for name, data_type in LABEL_COLUMNS.items()})
    return engine.query(f"select {', '.join(described)}, {empty} from {{customers}} where false", customers=customers)


def since(column, value, data_type):
    """What a period that goes on keeps, and what one that begins gets."""
    kept_on = "labels.last_segment_id = labels.segment_id"
    return f"case when {kept_on} then cast(labels.{column} as {data_type}) else cast({value} as {data_type}) end"
