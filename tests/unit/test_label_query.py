"""Labels by a query agree with labels by numpy, under one model and under two."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from segmentation.scoring import label_query
from segmentation.versions import assign_version

TRANSFORMS = {"age": "none", "income": "none"}


def version(number, segment_ids, centroids):
    return {
        "model_version": number,
        "features": ["age", "income"],
        "transforms": ["none", "none"],
        "means": [40.0, 60.0],
        "scales": [10.0, 20.0],
        "segment_ids": segment_ids,
        "centroids_scaled": centroids,
    }


NOW = version(2, [1, 3, 4], [[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
BEFORE = version(1, [1, 2], [[0.0, -1.0], [0.0, 1.0]])
ONE = version(1, [7], [[0.1, 0.2]])


def labelled(points, current, previous=None):
    customers = pd.DataFrame({"id": range(len(points)), "_age": points[:, 0], "_income": points[:, 1]})
    assert len(customers)
    finished = {"age": "_age", "income": "_income"}
    return duckdb.sql(label_query("customers", columns=["id"], finished=finished, version=current, previous=previous)).df()


@pytest.fixture
def points():
    generator = np.random.default_rng(0)
    on_the_borders = np.array([[40.0, 40.0], [40.0, 60.0], [50.0, 60.0]])
    return np.vstack([generator.normal([40, 60], [10, 20], (5_000, 2)), on_the_borders])


def test_labels_by_hand():
    """The first customer stands on the first centroid, two scaled units from the third and the root of eight from the second."""
    row = labelled(np.array([[30.0, 40.0]]), NOW, BEFORE).iloc[0]
    assert row.drop("id").to_dict() == {
        "segment_id": 1,
        "distance": 0,
        "runner_up_segment_id": 4,
        "runner_up_distance": 2,
        "model_version": 2,
        "previous_model_segment_id": 1,
    }


def test_labels_agree_with_numpy(points):
    labels = labelled(points, NOW, BEFORE)
    expected = assign_version(points, TRANSFORMS, NOW)
    assert (labels["segment_id"] == np.array(NOW["segment_ids"])[expected.nearest]).all()
    assert (labels["runner_up_segment_id"] == np.array(NOW["segment_ids"])[expected.runner_up]).all()
    assert np.allclose(labels["distance"], expected.distance, atol=1e-12)
    assert np.allclose(labels["runner_up_distance"], expected.runner_up_distance, atol=1e-12)
    before = assign_version(points, TRANSFORMS, BEFORE)
    assert (labels["previous_model_segment_id"] == np.array(BEFORE["segment_ids"])[before.nearest]).all()


def test_one_segment_has_no_runner_up(points):
    labels = labelled(points, ONE)
    assert set(labels["segment_id"]) == {7}
    assert set(labels["runner_up_segment_id"]) == {0}
    assert labels["runner_up_distance"].isna().all()
    assert set(labels["previous_model_segment_id"]) == {0}
