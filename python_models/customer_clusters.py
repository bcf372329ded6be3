import numpy as np
import pandas as pd
from segmentation import assign


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    key = settings["key"]["name"]
    fit = dbt.ref("segmentation_fits").df().iloc[-1]
    customers = dbt.ref("int_customer_features").fetchnumpy()

    assignment = assign(
        np.column_stack([customers[feature] for feature in fit["features"]]),
        means=np.array(fit["means"]),
        scales=np.array(fit["scales"]),
        centroids_scaled=np.vstack(fit["centroids_scaled"]),
    )
    segment_ids = np.append(fit["segment_ids"], 0)  # the runner-up -1 of a single segment is 0 here, and NULL in the mart
    return pd.DataFrame(
        {
            key: customers[key],
            "segment_id": segment_ids[assignment.nearest],
            "distance": assignment.distance,
            "runner_up_segment_id": segment_ids[assignment.runner_up],
            "runner_up_distance": assignment.runner_up_distance,
            "model_version": fit["model_version"],
        }
    )
