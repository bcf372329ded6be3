from importlib.metadata import version

import numpy as np
import pandas as pd
from segmentation import fit_version

# Of 2,048 rows each: some megabytes are in memory at a time.
VECTORS = 50
LIBRARIES = ["scikit-learn", "numpy", "duckdb", "dbt-core", "dbt-duckdb"]


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    decision = dbt.ref("int_refit_decision").df().iloc[0]
    rows = dbt.ref("int_training_rows").fetchnumpy()
    bins = dbt.ref("int_feature_bins").df().to_dict("records")
    registry = f"select * from {dbt.this} order by model_version desc limit 1"
    previous = session.sql(registry).df().iloc[0] if decision["latest_version"] else None
    if pd.isna(decision["reason"]):
        return session.sql(f"select * from {dbt.this} where false")

    transforms = {feature["name"]: feature.get("transform", "none") for feature in settings["features"]}

    def customers():
        everybody = dbt.ref("int_customer_features").project(", ".join(transforms))
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
        customers=customers if decision["n_customers"] > rows["n_customers"].sum() else None,
    )
    row = {
        "model_version": int(decision["latest_version"]) + 1,
        "fitted_at": pd.Timestamp.now("UTC").tz_localize(None).floor("s"),
        "reason": decision["reason"],
        "configuration": decision["configuration"],
        "n_clusters_setting": str(settings["n_clusters"]),
        "seed": settings["seed"],
        "data_fingerprint": decision["fingerprint"],
        "bins": [{**one, "upper_edges": list(one["upper_edges"]), "shares": list(one["shares"])} for one in bins],
        "library_versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        **fitted,
    }
    return pd.DataFrame({name: [value] for name, value in row.items()})
