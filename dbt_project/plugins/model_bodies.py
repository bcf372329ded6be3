"""What the Python models of every segmentation do with the tables that their files name."""

from importlib.metadata import version

import numpy as np
import pandas as pd
from segmentation import can_label, fit_version, label_query

# Of 2,048 rows each: some megabytes are in memory at a time.
VECTORS = 50
LIBRARIES = ["scikit-learn", "numpy", "duckdb", "dbt-core", "dbt-duckdb"]


def transforms_of(settings):
    return {feature["name"]: feature.get("transform", "none") for feature in settings["features"]}


def new_fits(session, registry, settings, *, decision, rows, bins, customers):
    """The row of a new model version for the table `registry`, or none where `decision` gives no reason for one."""
    decision = decision.df().iloc[0]
    newest = f"select * from {registry} order by model_version desc limit 1"
    previous = session.sql(newest).df().iloc[0] if decision["latest_version"] else None
    if pd.isna(decision["reason"]):
        return session.sql(f"select * from {registry} where false")

    transforms = transforms_of(settings)
    rows = rows.fetchnumpy()

    def blocks():
        everybody = customers.project(", ".join(transforms))
        while len(block := everybody.fetch_df_chunk(VECTORS)):
            yield block.to_numpy()

    fitted = fit_version(
        np.column_stack([rows[feature] for feature in transforms]),
        rows["n_customers"],
        transforms=transforms,
        previous=previous,
        n_clusters=settings["n_clusters"],
        k_range=settings["k_range"],
        seed=settings["seed"],
        customers=blocks if decision["n_customers"] > rows["n_customers"].sum() else None,
    )
    tenths = bins.df().to_dict("records")
    row = {
        "model_version": int(decision["latest_version"]) + 1,
        "fitted_at": pd.Timestamp.now("UTC").tz_localize(None).floor("s"),
        "reason": decision["reason"],
        "configuration": decision["configuration"],
        "n_clusters_setting": str(settings["n_clusters"]),
        "seed": settings["seed"],
        "data_fingerprint": decision["fingerprint"],
        "bins": [one | {"upper_edges": list(one["upper_edges"]), "shares": list(one["shares"])} for one in tenths],
        "library_versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        **fitted,
    }
    return pd.DataFrame({name: [value] for name, value in row.items()})


def clusters(session, settings, *, decision, fits, customers):
    """Every row of `customers` with the label of the newest of the `fits`, and of the one before where that can be compared."""
    last_version = decision.df()["last_build_version"].iloc[0]
    versions = fits.order("model_version desc").df().to_dict("records")

    prefix = "_finished_"
    finished = {column.removeprefix(prefix): column for column in customers.columns if column.startswith(prefix)}
    # Where the model is new, what the one of the last build would have said of the customers of today.
    previous = [version for version in versions[1:] if version["model_version"] == last_version]
    is_comparable = previous and can_label(previous[0], transforms_of(settings))
    return session.sql(
        label_query(
            "customers",
            columns=[column for column in customers.columns if column not in finished.values()],
            finished=finished,
            version=versions[0],
            previous=previous[0] if is_comparable else None,
        )
    )
