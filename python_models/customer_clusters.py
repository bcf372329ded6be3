from segmentation import can_label, label_query


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    customers = dbt.ref("int_customers_to_label")
    last_version = dbt.ref("int_refit_decision").df()["last_build_version"].iloc[0]
    versions = dbt.ref("segmentation_fits").order("model_version desc").df().to_dict("records")

    prefix = "_finished_"
    finished = {column.removeprefix(prefix): column for column in customers.columns if column.startswith(prefix)}
    transforms = {feature["name"]: feature.get("transform", "none") for feature in settings["features"]}
    # Where the model is new, what the one of the last build would have said of the customers of today.
    previous = [version for version in versions[1:] if version["model_version"] == last_version]
    is_comparable = previous and can_label(previous[0], transforms)
    return session.sql(
        label_query(
            "customers",
            columns=[column for column in customers.columns if column not in finished.values()],
            finished=finished,
            version=versions[0],
            previous=previous[0] if is_comparable else None,
        )
    )
