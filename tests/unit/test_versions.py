from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segmentation import stability, versions
from segmentation.scoring import can_label
from segmentation.versions import assign_version, fit_version, number_segments
from segmentation.yeo_johnson import transformed


@pytest.fixture(scope="module", autouse=True)
def few_resamples():
    """Stability, which has tests of its own, would take most of the time of a fit."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(versions, "bootstrap_stability", partial(stability.bootstrap_stability, n_resamples=3))
        patched.setattr(stability, "N_COMPARED_RESAMPLES", 2)
        yield


AGE_AND_INCOME = {"age": "none", "income": "log1p"}


def groups(centres, n=40, seed=0):
    generator = np.random.default_rng(seed)
    return np.vstack([generator.normal(centre, 0.5, (n + 10 * position, len(centre))) for position, centre in enumerate(centres)])


def preparation(transforms, lambdas=None):
    n_features = len(transforms)
    return {
        "features": list(transforms),
        "fill_values": [None] * n_features,
        "transforms": list(transforms.values()),
        "lambdas": lambdas or [None] * n_features,
        "feature_weights": [1] * n_features,
    }


def version(points, transforms, *earlier, n_clusters=3, seed=1):
    """The version that follows on the `earlier` ones, of which the last was in use."""
    previous = earlier[-1] if earlier else None
    is_comparable = previous and can_label(previous, transforms)
    return fit_version(
        points,
        np.ones(len(points)),
        preparation=preparation(transforms),
        earlier=list(earlier),
        previous=previous,
        points_before=points[:, [list(transforms).index(feature) for feature in previous["features"]]] if is_comparable else None,
        n_clusters=n_clusters,
        k_range=[1, 5],
        seed=seed,
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


def test_a_retired_segment_comes_back_where_it_was():
    first = version(groups(CENTRES), AGE_AND_INCOME)
    second = version(groups(CENTRES[1:]), AGE_AND_INCOME, first, n_clusters=2)
    assert second["segment_ids"] == [1, 2]
    assert second["retired"] == [3]
    third = version(groups(CENTRES), AGE_AND_INCOME, first, second)
    assert third["segment_ids"] == [1, 2, 3]
    assert (third["kept"], third["new"], third["returned"], third["last_segment_id"]) == ([1, 2], [], [3], 3)


def stored(centroids, *earlier, transforms=AGE_AND_INCOME, lambdas=None, previous=None):
    """What is stored of a version with these centroids, numbered after the `earlier` ones; the last was in use, or `previous`."""
    centroids = np.array(centroids, dtype=float)
    previous = previous or (earlier[-1] if earlier else None)
    prepared = preparation(transforms, lambdas)
    ids, last_id = number_segments(centroids, preparation=prepared, earlier=list(earlier), previous=previous)
    order, means, scales = np.argsort(ids), centroids.mean(axis=0), np.maximum(centroids.std(axis=0), 1)
    return {
        **prepared,
        "means": means.tolist(),
        "scales": scales.tolist(),
        "segment_ids": sorted(ids),
        "last_segment_id": last_id,
        "centroids_scaled": ((centroids - means) / scales)[order].tolist(),
        "ids": ids,
    }


def test_a_retired_number_is_given_to_nobody_else():
    first = stored(CENTRES)
    second = stored(CENTRES[:2], first)
    assert stored([*CENTRES[:2], (-20, -20)], first, second)["ids"] == [1, 2, 4]


def test_no_number_is_given_again_by_who_went_back_to_an_earlier_model():
    first = stored(CENTRES)
    left_behind = stored([*CENTRES, (20, 20)], first)
    assert left_behind["ids"] == [1, 2, 3, 4]
    assert stored([*CENTRES, (-20, 0)], first, left_behind, previous=first)["ids"] == [1, 2, 3, 5]
    assert stored([*CENTRES, (20, 20)], first, left_behind, previous=first)["ids"] == [1, 2, 3, 4]


def test_a_segment_that_the_night_before_put_elsewhere_comes_back_to_where_it_was():
    """Segment 3 was kept on the night with few customers, but at a place that today's is not near to."""
    first = stored([(0, 0), (10, 0), (0, 10)])
    second = stored([(0, 7), (0, 7.5), (0, 8)], first)
    assert 3 in second["ids"]
    assert stored([(0, 0), (10, 0), (0, 10)], first, second)["ids"] == [1, 2, 3]


def test_places_in_other_features_or_transforms_say_nothing():
    first = stored(CENTRES)
    for transforms in ({"age": "none", "income": "none"}, {"visits": "none", "income": "log1p"}):
        second = stored([(50, 90), (60, 90), (50, 99)], first, transforms=transforms)
        assert second["ids"] == [4, 5, 6]
        assert stored(CENTRES, first, second, transforms={"age": "none", "visits": "none"})["ids"] == [7, 8, 9]
        # In another order of the columns they are the same features.
        turned = [centre[::-1] for centre in CENTRES]
        assert stored(turned, first, second, transforms={"income": "log1p", "age": "none"})["ids"] == [1, 2, 3]


PLACES = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda place: (10 * place[0], 10 * place[1]))
NIGHTS = st.lists(st.lists(PLACES, min_size=1, max_size=6, unique=True), max_size=6)


@given(NIGHTS, st.data())
def test_whatever_the_nights_numbers_are_unique_and_new_ones_were_never_given(nights, data):
    versions = []
    for centroids in nights:
        previous = data.draw(st.sampled_from(versions)) if versions else None
        version = stored(centroids, *versions, previous=previous)
        known = {segment_id for earlier in versions for segment_id in earlier["ids"]}
        fresh = sorted(set(version["ids"]) - known)
        assert len(set(version["ids"])) == len(centroids)
        assert fresh == list(range(len(known) + 1, len(known) + 1 + len(fresh)))
        assert version["last_segment_id"] == len(known) + len(fresh)
        versions.append(version)


@given(NIGHTS, st.lists(PLACES, min_size=2, max_size=6, unique=True), st.data())
def test_after_a_night_on_other_customers_everybody_is_who_they_were(nights, centroids, data):
    versions = []
    for night in [*nights, centroids, [(1000, 1000), (1010, 1000)]]:
        versions.append(stored(night, *versions))
    numbers = dict(zip(centroids, versions[-2]["ids"], strict=True))
    again = data.draw(st.permutations(centroids))
    assert stored(again, *versions)["ids"] == [numbers[place] for place in again]


def test_more_clusters_split_one_segment_and_keep_the_others():
    points = groups([(0, 0), (10, 0), (-1.5, 10), (1.5, 10)])
    first = version(points, AGE_AND_INCOME)
    second = version(points, AGE_AND_INCOME, first, n_clusters=4)
    twin = first["segment_ids"][np.argmax(first["sizes"])]
    assert second["split"] == [twin]
    assert set(second["kept"]) >= {1, 2, 3} - {twin}
    assert max(second["segment_ids"]) >= 4
    back = version(points, AGE_AND_INCOME, first, second, n_clusters=3)
    assert len(back["merged"]) == 1
    assert back["segment_ids"] == [1, 2, 3]


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
    assert np.bincount(assign_version(points, first).nearest).tolist() == first["sizes"]


def test_a_version_labels_whoever_has_its_features_with_its_transforms():
    first = stored(CENTRES)
    assert can_label(first, {"income": "log1p", "visits": "none", "age": "none"})
    assert not can_label(first, {"age": "none", "income": "none"})
    assert not can_label(first, {"age": "none"})


def test_segments_are_the_same_ones_under_another_power():
    """The same three places in their own unit, transformed by another power each night; the third is retired for a night."""
    places, spend = np.array([[2.0], [40.0], [900.0]]), {"spend": "yeo-johnson"}
    first = stored(transformed(places, 0.5), transforms=spend, lambdas=[0.5])
    second = stored(transformed(places[1::-1], -0.4), first, transforms=spend, lambdas=[-0.4])
    assert second["ids"] == [2, 1]
    third = stored(transformed(places[::-1], 0.1), first, second, transforms=spend, lambdas=[0.1])
    assert third["ids"] == [3, 2, 1]
    # As numbers they are far apart.
    assert stored(transformed(places, -0.4), first, transforms=spend, lambdas=[0.5])["ids"] != [1, 2, 3]


def test_a_place_beyond_all_numbers_is_near_to_nothing():
    first = stored(transformed(np.array([[1.0], [9.0]]), 5.0), transforms={"spend": "yeo-johnson"}, lambdas=[5.0])
    second = stored(transformed(np.array([[1.0], [1e90]]), 0.1), first, transforms={"spend": "yeo-johnson"}, lambdas=[0.1])
    assert second["ids"] == [1, 3]


def test_lists_per_segment_stand_in_the_order_of_the_numbers():
    points = groups(CENTRES)
    first = version(points, AGE_AND_INCOME)
    again = version(groups(CENTRES[::-1], seed=2), AGE_AND_INCOME, first)
    centroids = np.array(again["means"]) + np.array(again["scales"]) * np.array(again["centroids_scaled"])
    # Number 1 is the largest of the first fit, (0, 10).
    assert centroids == pytest.approx(np.array([(0, 10), (10, 0), (0, 0)]), abs=0.3)
    assert {rule["segment_id"] for rule in again["rules"]} == {1, 2, 3}
    assert len(again["stabilities"]) == len(again["mean_distances"]) == 3
