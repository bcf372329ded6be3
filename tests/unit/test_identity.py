import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segmentation.identity import adjusted_rand_index, match_segments, segment_changes
from sklearn.metrics import adjusted_rand_score

# Three segments; the nearest neighbours are 10, 10 and 20 apart, so a match may lie less than 5, 5 and 10 away.
PREVIOUS = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 20.0]])


def match(centroids, previous=PREVIOUS, ids=(1, 2, 3), scales=(1.0, 1.0), next_id=4):
    return match_segments(np.array(centroids), previous, list(ids), previous_scales=np.array(scales), next_id=next_id)


def test_numbers_follow_the_centroids_and_not_their_order():
    assert match([[10, 21], [0.5, 0], [10, -1]]) == [3, 1, 2]


def test_a_new_group_gets_a_number_never_used():
    assert match([[0, 0], [10, 0], [10, 20], [50, 50], [-50, 0]], next_id=9) == [1, 2, 3, 9, 10]


def test_a_group_that_is_gone_gives_its_number_to_nobody():
    assert match([[10, 0], [10, 20]]) == [2, 3]


def test_the_bound_is_half_the_distance_to_the_nearest_neighbour():
    assert match([[-4.99, 0], [10, 0], [10, 20]]) == [1, 2, 3]
    assert match([[-5.0, 0], [10, 0], [10, 20]]) == [4, 2, 3]
    assert match([[0, 0], [10, 0], [10, 29.9]]) == [1, 2, 3]
    assert match([[0, 0], [10, 0], [10, 30.0]]) == [1, 2, 4]


def test_distances_are_those_of_the_previous_scaled_space():
    # In the second feature one unit counts ten times as much: 2 there is 20, as far as the neighbour.
    previous = PREVIOUS * [1, 0.1]
    assert match([[0, 0.49], [10, 0], [10, 2]], previous, scales=(1.0, 0.1)) == [1, 2, 3]
    assert match([[0, 0.51], [10, 0], [10, 2]], previous, scales=(1.0, 0.1)) == [4, 2, 3]


def test_of_two_heirs_the_nearer_one_continues():
    assert match([[1, 0], [-2, 0]]) == [1, 4]


def test_a_single_previous_segment_continues_however_far():
    assert match([[100, 100]], PREVIOUS[:1], ids=(7,), next_id=8) == [7]


def test_of_a_single_previous_segment_the_nearest_heir_continues():
    assert match([[3, 0], [1, 0], [2, 0]], PREVIOUS[:1], ids=(7,), next_id=8) == [8, 7, 9]


@given(st.permutations(range(6)), st.integers(0, 2**31))
def test_small_moves_and_any_order_keep_every_number(order, seed):
    generator = np.random.default_rng(seed)
    previous = np.stack(np.meshgrid([0, 4, 8], [0, 4]), axis=-1).reshape(-1, 2).astype(float)
    moved = previous + generator.uniform(-1, 1, previous.shape)
    assert match(moved[list(order)], previous, ids=range(11, 17), next_id=17) == [11 + position for position in order]


def test_split_and_merged_by_hand():
    # Customers of the previous segments 1, 2, 3: 1 fell apart into 4 and 5; 2 and 3 went together into 6.
    previous = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    now = np.array([0, 0, 1, 1, 2, 2, 2, 2])
    assert segment_changes(now, previous, np.ones(8), ids=[4, 5, 6], previous_ids=[1, 2, 3]) == ([1], [6])


def test_exchanging_less_than_half_is_neither_split_nor_merged():
    previous = np.array([0, 0, 0, 1, 1, 1])
    now = np.array([0, 0, 1, 1, 1, 0])
    assert segment_changes(now, previous, np.ones(6), ids=[1, 2], previous_ids=[1, 2]) == ([], [])


def test_changes_count_customers_and_not_rows():
    # By rows, new segment 1 comes from both halves of the previous 0; by customers it is nearly all from previous 1.
    previous, now = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert segment_changes(now, previous, np.array([5, 4, 1]), ids=[1, 2], previous_ids=[1, 2])[0] == [1]
    assert segment_changes(now, previous, np.array([5, 1, 4]), ids=[1, 2], previous_ids=[1, 2])[0] == []


def test_adjusted_rand_index_by_hand():
    # Pairs together in both: 2; in each of the two: 3 + 3 = 6, of 15 pairs; by chance 6 * 6 / 15 = 2.4; highest (6 + 6) / 2 = 6.
    one, other = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 0, 1, 1])
    assert adjusted_rand_index(one, other, np.ones(6)) == pytest.approx((2 - 2.4) / (6 - 2.4))


@pytest.mark.parametrize("seed", range(5))
def test_adjusted_rand_index_equals_that_of_scikit_learn_on_repeated_rows(seed):
    generator = np.random.default_rng(seed)
    one, other, weights = generator.integers(0, 4, 60), generator.integers(0, 3, 60), generator.integers(1, 6, 60)
    expected = adjusted_rand_score(np.repeat(one, weights), np.repeat(other, weights))
    assert adjusted_rand_index(one, other, weights) == pytest.approx(expected)


def test_agreement_of_a_partition_with_itself_under_other_names_is_one():
    labels = np.array([0, 1, 2, 2, 1])
    assert adjusted_rand_index(labels, 2 - labels, np.array([1, 2, 3, 1, 1])) == 1
    assert adjusted_rand_index(np.zeros(3, int), np.zeros(3, int), np.ones(3)) == 1
