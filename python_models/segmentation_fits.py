from importlib.metadata import version

import numpy as np
import pandas as pd
from segmentation import assign, fit_segmentation, segment_rules

LIBRARIES = ["scikit-learn", "numpy", "duckdb", "dbt-core", "dbt-duckdb"]


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    features = [feature["name"] for feature in settings["features"]]
    columns = dbt.ref("int_customer_feature_counts").fetchnumpy()
    points = np.column_stack([columns[feature] for feature in features])
    weights = columns["n_customers"]

    fit = fit_segmentation(points, weights, n_clusters=settings["n_clusters"], k_range=settings["k_range"], seed=settings["seed"])
    nearest = assign(points, means=fit.means, scales=fit.scales, centroids_scaled=fit.centroids_scaled).nearest
    rules = segment_rules(points, weights, nearest, seed=settings["seed"])

    return pd.DataFrame(
        {
            "model_version": [1],
            "fitted_at": [pd.Timestamp.now("UTC").tz_localize(None).floor("s")],
            "reason": ["every build fits anew"],
            "n_clusters": [fit.n_clusters],
            "n_clusters_setting": [str(settings["n_clusters"])],
            "seed": [settings["seed"]],
            "n_customers": [int(weights.sum())],
            "n_distinct_rows": [fit.n_rows],
            "silhouette_rows": [fit.silhouette_rows],
            "features": [features],
            "means": [fit.means.tolist()],
            "scales": [fit.scales.tolist()],
            "segment_ids": [list(range(1, fit.n_clusters + 1))],
            "centroids_scaled": [fit.centroids_scaled.tolist()],
            "k_scores": [[vars(score) for score in fit.scores]],
            "sizes": [fit.sizes.astype(int).tolist()],
            "rules": [
                [
                    {"segment_id": segment_id, "feature": features[bound.feature], "lower": bound.lower, "upper": bound.upper}
                    for segment_id, bounds in enumerate(rules, start=1)
                    for bound in bounds
                ]
            ],
            "library_versions": [", ".join(f"{name} {version(name)}" for name in LIBRARIES)],
        }
    )
