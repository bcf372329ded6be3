import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segmentation.identity import adjusted_rand_index, match_retired, match_segments, segment_changes
from sklearn.metrics import adjusted_rand_score

# Three segments; the nearest neighbours are 10, 10 and 20 apart, so a match may lie less than 5, 5 and 10 away.
PREVIOUS = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 20.0]])


def match(centroids, previous=PREVIOUS, ids=(1, 2, 3), scales=(1.0, 1.0)):
    """The number that each centroid continues, or None."""
    numbers = match_segments(np.array(centroids), previous, list(ids), previous_scales=np.array(scales))
    return [numbers.get(row) for row in range(len(centroids))]


def test_numbers_follow_the_centroids_and_not_their_order():
    assert match([[10, 21], [0.5, 0], [10, -1]]) == [3, 1, 2]


def test_a_new_group_continues_nobody():
    assert match([[0, 0], [10, 0], [10, 20], [50, 50], [-50, 0]]) == [1, 2, 3, None, None]


def test_a_group_that_is_gone_gives_its_number_to_nobody():
    assert match([[10, 0], [10, 20]]) == [2, 3]


def test_the_bound_is_half_the_distance_to_the_nearest_neighbour():
    assert match([[-4.99, 0], [10, 0], [10, 20]]) == [1, 2, 3]
    assert match([[-5.0, 0], [10, 0], [10, 20]]) == [None, 2, 3]
    assert match([[0, 0], [10, 0], [10, 29.9]]) == [1, 2, 3]
    assert match([[0, 0], [10, 0], [10, 30.0]]) == [1, 2, None]


def test_distances_are_those_of_the_previous_scaled_space():
    # In the second feature one unit counts ten times as much: 2 there is 20, as far as the neighbour.
    previous = PREVIOUS * [1, 0.1]
    assert match([[0, 0.49], [10, 0], [10, 2]], previous, scales=(1.0, 0.1)) == [1, 2, 3]
    assert match([[0, 0.51], [10, 0], [10, 2]], previous, scales=(1.0, 0.1)) == [None, 2, 3]


def test_of_two_heirs_the_nearer_one_continues():
    assert match([[1, 0], [-2, 0]]) == [1, None]


def test_a_single_previous_segment_continues_however_far():
    assert match([[100, 100]], PREVIOUS[:1], ids=(7,)) == [7]


def test_of_a_single_previous_segment_the_nearest_heir_continues():
    assert match([[3, 0], [1, 0], [2, 0]], PREVIOUS[:1], ids=(7,)) == [None, 7, None]


@given(st.permutations(range(6)), st.integers(0, 2**31))
def test_small_moves_and_any_order_keep_every_number(order, seed):
    generator = np.random.default_rng(seed)
    previous = np.stack(np.meshgrid([0, 4, 8], [0, 4]), axis=-1).reshape(-1, 2).astype(float)
    moved = previous + generator.uniform(-1, 1, previous.shape)
    assert match(moved[list(order)], previous, ids=range(11, 17)) == [11 + position for position in order]


def back(centroids, *positions, taken=()):
    """The number that each centroid comes back to, or None; positions are (centroids, numbers), or with scales as the third."""
    positions = [(np.array(places, dtype=float), list(ids), np.array([*scales, [1, 1]][0])) for places, ids, *scales in positions]
    centroids = np.array(centroids, dtype=float).reshape(-1, 2)
    numbers = match_retired([(centroids, *position) for position in positions], taken=set(taken))
    return [numbers.get(row) for row in range(len(centroids))]


def test_a_segment_comes_back_to_any_place_that_it_had():
    first, second = ([[0, 0], [10, 0]], [1, 2]), ([[0, 50], [10, 50]], [1, 3])
    assert back([[0, 1]], first, second) == back([[0, 49]], first, second) == [1]
    assert back([[0, 25]], first, second) == [None]


def test_the_bound_of_each_place_is_that_of_its_own_version():
    # The half gap is 5 in version 1; in version 2, where one unit counts ten times as much, it is 5 too, and half a unit.
    first, second = ([[0, 0], [10, 0]], [1, 2]), ([[50, 0], [51, 0]], [3, 4], [0.1, 0.1])
    assert back([[-4.9, 0], [49.6, 0]], first, second) == [1, 3]
    assert back([[-5, 0], [49.5, 0]], first, second) == [None, None]


def test_near_is_a_share_of_the_half_gap():
    # 2 of 5 in version 1 is nearer than 1 of 2 in version 2, though 1 is less than 2.
    assert back([[2, 0]], ([[0, 0], [10, 0]], [1, 2]), ([[3, 0], [7, 0]], [3, 4])) == [1]


def test_of_equally_near_places_the_newest_counts():
    # Before segments came back, what was found again got new numbers: those that were in use last are expected.
    places = [[0, 0], [10, 0]]
    assert back(places, (places, [1, 2]), (places, [8, 3])) == [8, 3]
    assert back(places, (places, [8, 3]), (places, [1, 2])) == [1, 2]


def test_numbers_that_others_have_are_not_given():
    assert back([[0, 0], [10, 0]], ([[0, 0], [10, 0]], [1, 2]), taken=[1]) == [None, 2]


def test_who_is_exactly_where_it_was_does_not_give_way():
    # The second centroid could have segment 1 if the first took segment 2, to which it is barely near.
    positions = ([[0, 0], [10, 0]], [1, 3]), ([[4.9, 0], [14.9, 0]], [2, 4])
    assert back([[0, 0], [0, 4.9]], *positions) == [1, None]
    assert back([[3, 0], [0, 1]], *positions) == [2, 1]


def test_nothing_comes_back_to_a_version_of_one_segment():
    assert back([[0, 0]], ([[0, 0]], [1])) == [None]


def test_with_nothing_left_over_or_nothing_retired_nothing_comes_back():
    assert back([], ([[0, 0], [10, 0]], [1, 2])) == []
    assert back([[0, 0]]) == [None]


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
