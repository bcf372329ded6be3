import numpy as np
import pytest
from segmentation.versions import assign_version, fit_version

AGE_AND_INCOME = {"age": "none", "income": "log1p"}


def groups(centres, n=40, seed=0):
    generator = np.random.default_rng(seed)
    return np.vstack([generator.normal(centre, 0.5, (n + 10 * position, len(centre))) for position, centre in enumerate(centres)])


def version(points, transforms, previous=None, n_clusters=3, seed=1):
    return fit_version(
        points, np.ones(len(points)), transforms=transforms, previous=previous, n_clusters=n_clusters, k_range=[1, 5], seed=seed
    )


CENTRES = [(0, 0), (10, 0), (0, 10)]


def test_the_first_version_numbers_by_size():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    assert first["segment_ids"] == [1, 2, 3]
    assert first["sizes"] == [60, 50, 40]
    assert first["last_segment_id"] == 3
    assert (first["kept"], first["new"], first["retired"]) == ([], [1, 2, 3], [])
    assert np.isnan(first["agreement"])


def test_a_refit_keeps_numbers_although_the_sizes_are_turned_around():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    again = version(groups(CENTRES[::-1], seed=2), AGE_AND_INCOME, first, seed=9)
    assert again["segment_ids"] == [1, 2, 3]
    assert again["sizes"] == [40, 50, 60]
    assert again["agreement"] == 1
    assert (again["kept"], again["new"], again["retired"], again["split"], again["merged"]) == ([1, 2, 3], [], [], [], [])


def test_retired_numbers_are_never_used_again():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    second = version(groups(CENTRES[1:]), AGE_AND_INCOME, first, n_clusters=2)
    assert second["segment_ids"] == [1, 2]
    assert second["retired"] == [3]
    third = version(groups(CENTRES), AGE_AND_INCOME, second)
    assert third["segment_ids"] == [1, 2, 4]
    assert third["last_segment_id"] == 4


def test_more_clusters_split_one_segment_and_keep_the_others():
    points = groups([(0, 0), (10, 0), (-1.5, 10), (1.5, 10)])
    first = version(points, AGE_AND_INCOME)
    second = version(points, AGE_AND_INCOME, first, n_clusters=4)
    twin = first["segment_ids"][np.argmax(first["sizes"])]
    assert second["split"] == [twin]
    assert set(second["kept"]) >= {1, 2, 3} - {twin}
    assert max(second["segment_ids"]) >= 4
    back = version(points, AGE_AND_INCOME, second, n_clusters=3)
    assert len(back["merged"]) == 1


def test_a_feature_that_is_added_changes_no_number():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    with_visits = groups([(*centre, position) for position, centre in enumerate(CENTRES)], seed=3)
    second = version(with_visits, {"visits": "none", **AGE_AND_INCOME}, first)
    assert second["features"] == ["visits", "age", "income"]
    third = version(with_visits[:, [2, 0, 1]], {"visits": "none", **AGE_AND_INCOME}, first)
    assert third["kept"] == [1, 2, 3]
    assert third["agreement"] == 1


def test_with_a_feature_gone_there_is_no_agreement_but_numbers_still_follow():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    ages = groups([(0,), (10,), (20,)])
    second = version(ages, {"age": "none"}, first)
    assert np.isnan(second["agreement"])
    assert set(second["kept"]) | set(second["new"]) == set(second["segment_ids"])


def test_with_no_feature_in_common_all_numbers_are_new():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    second = version(groups(CENTRES), {"age": "log1p", "visits": "none"}, first)
    assert second["segment_ids"] == [4, 5, 6]
    assert second["retired"] == [1, 2, 3]


def test_a_stored_version_labels_as_it_did_when_it_was_fitted():
    points = groups(CENTRES)
    first = version(points, AGE_AND_INCOME)
    labels = assign_version(points, AGE_AND_INCOME, first).nearest
    assert np.bincount(labels).tolist() == first["sizes"]
    reordered = assign_version(points[:, ::-1], {"income": "log1p", "age": "none"}, first).nearest
    np.testing.assert_array_equal(labels, reordered)
    assert assign_version(points, {"age": "none", "income": "none"}, first) is None
    assert assign_version(points[:, :1], {"age": "none"}, first) is None


def test_lists_per_segment_stand_in_the_order_of_the_numbers():
    points = groups(CENTRES)
    first = version(points, AGE_AND_INCOME)
    again = version(groups(CENTRES[::-1], seed=2), AGE_AND_INCOME, first)
    centroids = np.array(again["means"]) + np.array(again["scales"]) * np.array(again["centroids_scaled"])
    # Number 1 is the largest of the first fit, (0, 10).
    assert centroids == pytest.approx(np.array([(0, 10), (10, 0), (0, 0)]), abs=0.3)
    assert {rule["segment_id"] for rule in again["rules"]} == {1, 2, 3}
    assert len(again["stabilities"]) == len(again["mean_distances"]) == 3
