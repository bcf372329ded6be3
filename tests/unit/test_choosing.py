"""Which number of clusters each rule takes, from measures that are given; and from customers for prediction strength."""

from types import SimpleNamespace

import numpy as np
import pytest
from segmentation import choosing
from segmentation.choosing import choose, has_knee
from segmentation.fitting import ClusterCountScore, fit_segmentation
from segmentation.prediction import prediction_strengths

NAN = float("nan")


def blobs(*centres, n_each=60, spread=1.0):
    generator = np.random.default_rng(0)
    return np.vstack([generator.normal(centre, spread, (n_each, len(centre))) for centre in centres])


THREE = blobs((0, 0), (20, 0), (0, 20))
CLOUD = blobs((0, 0, 0), n_each=180)


def scores_of(*, first=1, elbow=None, silhouette=None):
    n_tried = len(elbow or silhouette)
    columns = zip(range(first, first + n_tried), elbow or [0] * n_tried, silhouette or [NAN] * n_tried, strict=True)
    return [ClusterCountScore(k, NAN, bend, separation, NAN, NAN) for k, bend, separation in columns]


def chosen(rule, scores, gaps=(), errors=(), points=THREE, kind="groups"):
    structure = SimpleNamespace(kind=kind, gaps=np.array(gaps), gap_errors=np.array(errors))
    choice = choose(rule, scores, structure, scaled=points, weights=np.ones(len(points)), seed=1)
    return choice.k, choice.rule


def test_a_given_number_is_taken():
    assert chosen(4, scores_of(silhouette=[NAN, 0.9, 0.1, 0.1])) == (4, "number")


def test_the_elbow_is_where_its_score_is_highest_and_the_smaller_of_two():
    assert chosen("elbow", scores_of(elbow=[0, 0.3, 0.45, 0.45, 0])) == (3, "elbow")


@pytest.mark.parametrize(
    ("elbow_scores", "is_knee"),
    [
        ([0, 0.34, 0.2, 0], True),  # with four k the mean step is a third of the axis
        ([0, 0.33, 0.2, 0], False),
        ([0, 0, 0], False),
        ([0, 0], False),
        ([0], False),
    ],
)
def test_a_knee_falls_by_more_than_the_mean_step(elbow_scores, is_knee):
    assert has_knee(elbow_scores) == is_knee


def test_where_the_curve_has_no_knee_prediction_strength_decides():
    assert chosen("elbow", scores_of(elbow=[0, 0.1, 0.2, 0])) == (3, "prediction_strength")


def test_the_highest_silhouette_and_the_smaller_of_two():
    assert chosen("silhouette", scores_of(silhouette=[NAN, 0.3, 0.5, 0.5])) == (3, "silhouette")


def test_where_nothing_has_a_silhouette_the_smallest_number_of_several_is_taken():
    assert chosen("silhouette", scores_of(silhouette=[NAN])) == (1, "silhouette")
    assert chosen("silhouette", scores_of(silhouette=[NAN, NAN])) == (2, "silhouette")
    assert chosen("silhouette", scores_of(first=4, silhouette=[NAN, NAN])) == (4, "silhouette")


def test_the_gap_statistic_takes_the_first_number_that_is_as_good_as_the_next():
    # 0.5 is below 0.9 - 0.1, and 0.9 is not below 0.95 - 0.1.
    assert chosen("gap", scores_of(elbow=[0, 0, 0, 0]), [0.2, 0.5, 0.9, 0.95], [0.1] * 4) == (3, "gap")


def test_the_gap_statistic_takes_the_last_number_where_each_is_worse_than_the_next():
    assert chosen("gap", scores_of(elbow=[0, 0, 0]), [0.2, 0.5, 0.9], [0.1] * 3) == (3, "gap")


def test_where_the_gap_statistic_says_one_group_two_are_built():
    assert chosen("gap", scores_of(elbow=[0, 0, 0]), [0.2, 0.25, 0.9], [0.1] * 3, kind="none") == (2, "gap")


def test_the_gap_statistic_is_not_asked_about_one_group_where_there_is_structure():
    assert chosen("gap", scores_of(elbow=[0, 0, 0]), [0.2, 0.25, 0.9], [0.1] * 3, kind="groups") == (3, "gap")
    assert chosen("gap", scores_of(elbow=[0]), [0.2], [0.1]) == (1, "gap")


def test_prediction_strength_finds_the_groups_and_of_a_cloud_makes_two():
    assert chosen("prediction_strength", scores_of(elbow=[0] * 5)) == (3, "prediction_strength")
    assert chosen("prediction_strength", scores_of(elbow=[0] * 5), points=CLOUD) == (2, "prediction_strength")


def test_auto_is_one_of_the_rules():
    scores = scores_of(elbow=[0, 0.5, 0.2, 0], silhouette=[NAN, 0.3, 0.8, 0.4])
    assert chosen("auto", scores, [0, 0, 0, 0], [0] * 4) == chosen(choosing.AUTO, scores, [0, 0, 0, 0], [0] * 4)


@pytest.mark.parametrize("rule", ["auto", "elbow", "silhouette", "gap", "prediction_strength"])
def test_a_fit_obeys_every_rule(rule):
    model = fit_segmentation(THREE, np.ones(len(THREE)), n_clusters=rule, k_range=(1, 6), seed=42)
    assert model.n_clusters == model.choice.k == 3


def test_many_groups_are_found_where_the_range_holds_them_and_missed_where_it_ends_before():
    """Twelve groups, well apart, on a grid with gaps of different widths."""
    twelve = blobs(*[(10 * across + 3 * (across > 1), 9 * up) for across in range(4) for up in range(3)], n_each=25)
    fit = fit_segmentation(twelve, np.ones(len(twelve)), n_clusters="auto", k_range=(1, 20), seed=42)
    assert fit.n_clusters == 12
    assert fit.structure.gaps.argmax() == 11
    # So the verdict says that a range up to ten ends before the curve does.
    assert fit.structure.gaps[9] - fit.structure.gap_errors[9] > fit.structure.gaps[8]


def test_strength_by_hand():
    """Two places, far apart, with many customers each: always found again as two, and cut anywhere as three."""
    strengths = prediction_strengths(np.array([[0.0], [1.0]]), np.array([30, 30]), [1, 2, 3], seed=0)
    assert strengths[:2].tolist() == [1, 1]
    assert np.isnan(strengths[2])


def test_strength_is_high_up_to_the_number_of_groups():
    strengths = prediction_strengths(THREE, np.ones(len(THREE)), [1, 2, 3, 4, 5], seed=1)
    assert strengths[0] == 1
    assert strengths[2] == pytest.approx(1)
    assert (strengths[3:] < 0.8).all()


def test_a_cluster_of_one_customer_predicts_nothing():
    assert prediction_strengths(np.eye(6), np.ones(6), [3], seed=0).tolist() == [0]


def test_strength_of_many_customers_is_that_of_a_sample_drawn_by_weight():
    strengths = prediction_strengths(THREE, np.full(len(THREE), 1e5), [3, 4], seed=1)
    assert strengths[0] == pytest.approx(1)
    assert strengths[1] < 0.8
