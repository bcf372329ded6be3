"""Labels by a query agree with labels by numpy, under one model and under two."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from segmentation.scoring import completed, label_query, prepared
from segmentation.versions import assign_version
from segmentation.yeo_johnson import transformed


def version(number, segment_ids, centroids):
    return {
        "model_version": number,
        "features": ["age", "income"],
        "fill_values": [None, None],
        "transforms": ["none", "none"],
        "lambdas": [None, None],
        "means": [40.0, 60.0],
        "scales": [10.0, 20.0],
        "segment_ids": segment_ids,
        "centroids_scaled": centroids,
    }


NOW = version(2, [1, 3, 4], [[-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
BEFORE = version(1, [1, 2], [[0.0, -1.0], [0.0, 1.0]])
ONE = version(1, [7], [[0.1, 0.2]])


def labelled(points, current, previous=None):
    customers = pd.DataFrame({"id": range(len(points)), "age": points[:, 0], "income": points[:, 1]})
    assert len(customers)
    return duckdb.sql(label_query("customers", columns=["id"], version=current, previous=previous)).df()


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
    expected = assign_version(points, NOW)
    assert (labels["segment_id"] == np.array(NOW["segment_ids"])[expected.nearest]).all()
    assert (labels["runner_up_segment_id"] == np.array(NOW["segment_ids"])[expected.runner_up]).all()
    assert np.allclose(labels["distance"], expected.distance, atol=1e-12)
    assert np.allclose(labels["runner_up_distance"], expected.runner_up_distance, atol=1e-12)
    before = assign_version(points, BEFORE)
    assert (labels["previous_model_segment_id"] == np.array(BEFORE["segment_ids"])[before.nearest]).all()


def test_one_segment_has_no_runner_up(points):
    labels = labelled(points, ONE)
    assert set(labels["segment_id"]) == {7}
    assert set(labels["runner_up_segment_id"]) == {0}
    assert labels["runner_up_distance"].isna().all()
    assert set(labels["previous_model_segment_id"]) == {0}


def values_of(preparation, **columns):
    """What a preparation makes of columns."""
    customers = pd.DataFrame(columns)
    assert len(customers)
    expressions = ", ".join(f"{expression} as {feature}" for feature, expression in prepared(preparation).items())
    return duckdb.sql(f"select {expressions} from customers").df()


def test_a_missing_value_is_filled_in_and_then_transformed():
    preparation = {"features": ["spend"], "fill_values": [19.0], "transforms": ["log1p"], "lambdas": [None]}
    assert values_of(preparation, spend=[0.0, None, 99.0])["spend"].tolist() == pytest.approx([0, np.log(20), np.log(100)])
    assert values_of(preparation | {"fill_values": [None]}, spend=[0.0, None])["spend"].isna().tolist() == [False, True]


@pytest.mark.parametrize("power", [-1.7, -1e-9, 0.0, 1e-12, 0.3, 1.0, 2.0, 2 - 1e-12, 3.4])
def test_yeo_johnson_in_sql_is_that_of_scipy(power):
    values = np.concatenate([-np.geomspace(1e6, 1e-3, 200), [0.0], np.geomspace(1e-3, 1e6, 200)])
    preparation = {"features": ["spend"], "fill_values": [None], "transforms": ["yeo-johnson"], "lambdas": [power]}
    by_sql = values_of(preparation, spend=values)["spend"].to_numpy()
    assert by_sql == pytest.approx(transformed(values, power), rel=1e-12)


def test_the_label_of_a_missing_value_is_that_of_what_each_version_fills_in():
    now, before = NOW | {"fill_values": [None, 100.0]}, BEFORE | {"fill_values": [None, 20.0]}
    row = labelled(np.array([[50.0, np.nan]]), now, before).iloc[0]
    assert row["segment_id"] == labelled(np.array([[50.0, 100.0]]), now).iloc[0]["segment_id"] == 3
    assert row["previous_model_segment_id"] == labelled(np.array([[50.0, 20.0]]), BEFORE).iloc[0]["segment_id"] == 1
    assert completed(BEFORE, now)["fill_values"] == [None, 100.0]
    assert completed(before, now)["fill_values"] == [None, 20.0]
