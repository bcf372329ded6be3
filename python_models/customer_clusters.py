import numpy as np
import pandas as pd
from segmentation import assign_version


def model(dbt, session):
    settings = dbt.config.get("meta")["segmentation"]
    key = settings["key"]["name"]
    transforms = {feature["name"]: feature.get("transform", "none") for feature in settings["features"]}
    versions = dbt.ref("segmentation_fits").order("model_version desc").limit(2).df()
    customers = dbt.ref("int_customer_features").fetchnumpy()
    points = np.column_stack([customers[feature] for feature in transforms])

    version = versions.iloc[0]
    now = assign_version(points, transforms, version)
    before = assign_version(points, transforms, versions.iloc[1]) if len(versions) > 1 else None
    segment_ids = np.append(version["segment_ids"], 0)  # the runner-up -1 of a single segment is 0 here, and NULL in the mart
    return pd.DataFrame(
        {
            key: customers[key],
            "segment_id": segment_ids[now.nearest],
            "distance": now.distance,
            "runner_up_segment_id": segment_ids[now.runner_up],
            "runner_up_distance": now.runner_up_distance,
            "model_version": version["model_version"],
            # 0 where there is no previous model, or it used a feature that is gone
            "previous_model_segment_id": versions.iloc[1]["segment_ids"][before.nearest] if before else 0,
        }
    )
