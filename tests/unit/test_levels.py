"""Levels as columns of a model: what becomes of a value, what it weighs, and which groups are found."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from frames import DuckDB
from segmentation.categories import CATEGORY, blocks, columns_of_levels, feature_of, level_of
from segmentation.drift import bins
from segmentation.fitting import fit_segmentation
from segmentation.scoring import can_label, label_query, prepared, text
from segmentation.structure import find_structure
from segmentation.versions import number_segments
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin

REGION = ["region=north", "region=south", "region=(other)"]


def preparation(columns, **others):
    """What a model of these columns does to values: levels where the name says so, and numbers as they are."""
    n = len(columns)
    transforms = [CATEGORY if "=" in column else "none" for column in columns]
    lists = {"fill_values": [None] * n, "lambdas": [None] * n, "feature_weights": [1.0] * n}
    return {"features": columns, "transforms": transforms, **lists, **others}


def indicators(columns, values):
    customers = pd.DataFrame({feature_of(columns[0]): pd.Series(values, dtype=object)})
    assert len(customers)
    expressions = ", ".join(f"{sql} as point_{place}" for place, sql in enumerate(prepared(preparation(columns)).values()))
    return duckdb.sql(f"select {expressions} from customers").fetchall()


def test_levels_stand_in_the_order_of_the_alphabet_and_the_others_last():
    columns = columns_of_levels("region", ["south", "north", "a=b"], has_missing=True, has_other=True)
    assert columns == ["region=a=b", "region=north", "region=south", "region=(missing)", "region=(other)"]
    assert (feature_of(columns[0]), level_of(columns[0])) == ("region", "a=b")
    assert [block.tolist() for block in blocks(preparation(["age", *columns, "app=false", "app=true"]))] == [
        [1, 2, 3, 4, 5],
        [6, 7],
    ]


def test_a_customer_has_one_level():
    assert indicators(REGION, ["north", "south", "east", "(other)"]) == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 1)]


def test_no_value_is_a_level_where_the_model_has_one_and_otherwise_nothing_is_known():
    assert indicators(REGION, [None, "north"])[0] == (None, None, None)
    with_missing = ["region=north", "region=(missing)", "region=(other)"]
    assert indicators(with_missing, [None, "north", "east"]) == [(0, 1, 0), (1, 0, 0), (0, 0, 1)]


def test_a_yes_or_no_has_two_levels():
    assert indicators(["app=false", "app=true"], [True, False]) == [(0, 1), (1, 0)]


@pytest.mark.parametrize("value", ["", "o'clock", "a\\n", "{x}", "{{x}}", "$name :name ?", '"', "é 🙂", "--", "/*", "\n"])
def test_any_text_is_read_back(value):
    engine = DuckDB(duckdb.connect())
    assert engine.records(engine.query(f"select {text(value)} as value")) == [{"value": value}]


def test_two_levels_lie_as_many_standard_deviations_apart_as_the_weight_says():
    """Four customers in the corners of a square: two levels, and a number whose standard deviation is 1."""
    points = np.array([[1, 0, -1], [1, 0, 1], [0, 1, -1], [0, 1, 1]], dtype=float)
    weights = np.array([3.0, 3.0, 0.5])
    fit = fit_segmentation(
        points, np.ones(4), n_clusters=2, k_range=(2, 2), seed=0, categories=[np.array([0, 1])], feature_weights=weights
    )
    scaled = (points - fit.means) / fit.scales
    assert np.linalg.norm(scaled[0] - scaled[2]) == pytest.approx(3)
    assert np.linalg.norm(scaled[0] - scaled[1]) == pytest.approx(2 * 0.5)
    # Each segment has one level; its customers lie one standard deviation, which counts half, to both sides.
    assert fit.wcss == pytest.approx(4 * 0.5**2)
    assert fit.means.tolist() == [0.5, 0.5, 0]


def test_distances_by_hand():
    """With the weight 2 the scale is 1 / sqrt(2): a segment that is half north and half south is sqrt(0.5 + 0.5) from north."""
    scale = np.sqrt(2) / 2
    means = np.array([0.25, 0.75, 0])
    centroids = (np.array([[1, 0, 0], [0.5, 0.5, 0]]) - means) / scale
    version = preparation(REGION) | {
        "model_version": 1, "means": means, "scales": [scale] * 3, "segment_ids": [1, 2], "centroids_scaled": centroids
    }  # fmt: skip
    customers = pd.DataFrame({"region": ["north", "south", "west"]})
    assert len(customers)
    labels = duckdb.sql(label_query("customers", columns=["region"], version=version)).df()
    # South is 2 from all north, and a level that the model does not know is 2 from any.
    assert labels["segment_id"].tolist() == [1, 2, 2]
    assert labels["distance"].tolist() == pytest.approx([0, 1, np.sqrt(0.5 + 0.5 + 2)])
    assert labels["runner_up_distance"].tolist() == pytest.approx([1, 2, 2])


# Which groups are found


def table(groups, levels, n_levels, numbers):
    """Points with a column for each level before the numbers."""
    return np.column_stack([np.eye(n_levels)[levels], numbers]), groups


def index(points, groups, n_levels, weight=2.0, seed=42):
    """The adjusted Rand index between known groups and the segments."""
    k = groups.max() + 1
    n_numbers = points.shape[1] - n_levels
    fit = fit_segmentation(
        points, np.ones(len(points)), n_clusters=k, k_range=(k, k), seed=seed,
        categories=[np.arange(n_levels)], feature_weights=np.array([weight] * n_levels + [1.0] * n_numbers),
    )  # fmt: skip
    return adjusted_rand_score(groups, pairwise_distances_argmin((points - fit.means) / fit.scales, fit.centroids_scaled))


@pytest.mark.parametrize("n_groups", [2, 3, 4])
def test_groups_that_differ_in_a_category_alone_are_found(n_groups):
    generator = np.random.default_rng(1)
    groups = generator.integers(n_groups, size=600)
    assert index(*table(groups, groups, n_groups, generator.normal(size=(600, 2))), n_groups) >= 0.95


@pytest.mark.parametrize("n_levels", [2, 3, 10])
def test_a_category_of_noise_disturbs_no_groups_of_numbers(n_levels):
    generator = np.random.default_rng(2)
    # More than two standard deviations of all customers from each other: a level weighs more than what lies nearer.
    centres = np.array([[0, 0], [6, 0], [3, 6 * np.sqrt(0.75)]])
    groups = generator.integers(3, size=600)
    points, _ = table(groups, generator.integers(n_levels, size=600), n_levels, generator.normal(centres[groups]))
    alone = points[:, n_levels:]
    assert index(points, groups, n_levels) >= 0.95
    assert index(points, groups, n_levels) == pytest.approx(index(alone, groups, 0), abs=0.02)


def test_the_order_of_rows_and_of_levels_changes_nothing():
    generator = np.random.default_rng(3)
    groups = generator.integers(3, size=300)
    points, _ = table(groups, groups, 3, generator.normal(size=(300, 2)) + groups[:, None])
    order = generator.permutation(300)

    def wcss(points):
        return fit_segmentation(
            points, np.ones(300), n_clusters=3, k_range=(1, 5), seed=42,
            categories=[np.arange(3)], feature_weights=np.array([2.0] * 3 + [1.0] * 2),
        ).wcss  # fmt: skip

    assert wcss(points[order]) == wcss(points)
    assert wcss(points[:, [2, 0, 1, 3, 4]]) == pytest.approx(wcss(points), rel=1e-12)


def test_levels_by_themselves_are_no_groups_and_levels_that_go_with_a_number_are():
    generator = np.random.default_rng(4)
    levels, other_levels = generator.integers(3, size=(2, 400))
    noise = np.column_stack([2 / np.sqrt(2) * np.eye(3)[levels], generator.uniform(-1.7, 1.7, (400, 2))])
    together = np.column_stack([2 / np.sqrt(2) * np.eye(3)[levels], generator.normal(3 * levels, 0.5)])
    two = np.column_stack([2 / np.sqrt(2) * np.eye(3)[levels], 2 / np.sqrt(2) * np.eye(3)[other_levels]])
    block = [np.arange(3)]
    assert find_structure(noise, np.ones(400), range(1, 6), seed=1, categories=block).kind == "none"
    assert find_structure(together, np.ones(400), range(1, 6), seed=1, categories=block).kind == "groups"
    assert find_structure(two, np.ones(400), range(1, 10), seed=1, categories=[*block, np.arange(3, 6)]).kind != "groups"


# From one model to the next


def test_the_bins_of_a_category_are_the_levels_that_have_a_column():
    points = np.array([[5.0, 1, 0, 0], [6.0, 1, 0, 0], [7.0, 0, 1, 0], [8.0, 0, 0, 1]])
    of_age, of_region = bins(points, np.array([1, 2, 1, 4]), preparation(["age", *REGION]))
    assert of_age["feature"] == "age"
    # Three of the four customers whose level has a column are from the north; what has none is seen, and in no bin.
    assert of_region == {"feature": "region", "lowest": 2, "highest": 4, "upper_edges": [2, 3], "shares": [0.75, 0.25]}
    (nobody_else,) = bins(points[:3, 1:], np.ones(3), preparation(REGION))
    assert (nobody_else["lowest"], nobody_else["highest"]) == (1, 2)


def test_segments_keep_their_numbers_when_levels_come_and_go():
    means, scales = [0.4, 0.4, 0.2, 50.0], [np.sqrt(0.5)] * 3 + [10.0]
    centroids = np.array([[1, 0, 0, 40], [0, 1, 0, 60], [0, 0, 1, 80]])
    previous = preparation([*REGION, "age"]) | {
        "means": means, "scales": scales, "segment_ids": [3, 1, 2], "last_segment_id": 3,
        "centroids_scaled": ((centroids - means) / scales).tolist(),
    }  # fmt: skip
    now = preparation(["region=east", "region=north", "region=(other)", "age"])
    found = np.array([[0, 0, 1, 79], [0.1, 0.9, 0, 42], [0.1, 0, 0.1, 59]])
    ids, last_id = number_segments(found, preparation=now, earlier=[previous], previous=previous)
    assert (ids, last_id) == ([2, 3, 1], 3)
    # And they come back after a model in between that had other features.
    between = preparation(["visits"]) | {
        "means": [50.0], "scales": [10.0], "segment_ids": [4], "last_segment_id": 4, "centroids_scaled": [[0.0]]
    }  # fmt: skip
    ids, _ = number_segments(found, preparation=now, earlier=[previous, between], previous=between)
    assert ids == [2, 3, 1]


def test_a_model_labels_customers_whatever_levels_there_are():
    version = preparation([*REGION, "age"])
    assert can_label(version, {"region": CATEGORY, "age": "none", "visits": "none"})
    assert not can_label(version, {"region": "none", "age": "none"})
    assert not can_label(version, {"age": "none"})
