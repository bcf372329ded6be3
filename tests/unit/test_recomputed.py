"""The figures of a fit, computed again by scikit-learn from the points alone, on its own data sets and on noise."""

from types import SimpleNamespace

import numpy as np
import pytest
from segmentation.versions import fit_version
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, pairwise_distances, silhouette_score
from sklearn.preprocessing import StandardScaler

DATA = {
    "iris": datasets.load_iris().data,
    "wine": datasets.load_wine().data,
    "diabetes": datasets.load_diabetes().data,
    "moons": datasets.make_moons(300, noise=0.08, random_state=1)[0],
    "blobs": datasets.make_blobs(300, centers=4, random_state=3)[0],
    "noise": np.random.default_rng(1).uniform(size=(300, 2)),
}


@pytest.fixture(scope="module", params=list(DATA))
def fitted(request):
    """A version fitted on one data set, its points, scaled by scikit-learn, and their labels by its centroids."""
    points = DATA[request.param]
    preparation = {"features": [f"f{place}" for place in range(points.shape[1])]}
    preparation |= {name: [None] * points.shape[1] for name in ("fill_values", "lambdas")}
    preparation |= {"transforms": ["none"] * points.shape[1], "feature_weights": [1] * points.shape[1]}
    version = fit_version(
        points,
        np.ones(len(points)),
        preparation=preparation,
        earlier=[],
        previous=None,
        n_clusters="auto",
        k_range=(1, 6),
        seed=42,
    )
    scaler = StandardScaler().fit(points)
    scaled = scaler.transform(points)
    labels = pairwise_distances(scaled, np.array(version["centroids_scaled"])).argmin(axis=1)
    scores = {score["k"]: score for score in version["k_scores"]}
    return SimpleNamespace(version=version, scaler=scaler, scaled=scaled, labels=labels, scores=scores)


def test_points_are_scaled_as_by_scikit_learn(fitted):
    assert fitted.version["means"] == pytest.approx(fitted.scaler.mean_.tolist())
    assert fitted.version["scales"] == pytest.approx(fitted.scaler.scale_.tolist())


def test_the_model_is_where_k_means_rests(fitted):
    centroids = np.array(fitted.version["centroids_scaled"])
    again = KMeans(len(centroids), init=centroids, n_init=1, tol=0).fit(fitted.scaled)
    assert (again.labels_ == fitted.labels).all()
    assert again.cluster_centers_ == pytest.approx(centroids)
    assert fitted.version["wcss"] == pytest.approx(again.inertia_)
    assert fitted.version["sizes"] == np.bincount(fitted.labels).tolist()
    # More starts find nothing better for any k.
    for k, score in fitted.scores.items():
        assert score["wcss"] <= KMeans(k, n_init=20, random_state=0).fit(fitted.scaled).inertia_ * (1 + 1e-9)


def test_measures_are_those_of_scikit_learn(fitted):
    score = fitted.scores[fitted.version["n_clusters"]]
    assert score["wcss"] == pytest.approx(fitted.version["wcss"])
    assert score["silhouette"] == pytest.approx(silhouette_score(fitted.scaled, fitted.labels))
    assert score["davies_bouldin"] == pytest.approx(davies_bouldin_score(fitted.scaled, fitted.labels))
    assert score["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(fitted.scaled, fitted.labels))


def test_distances_and_confidences_are_means_by_segment(fitted):
    distances = np.sort(pairwise_distances(fitted.scaled, np.array(fitted.version["centroids_scaled"])), axis=1)
    members = [fitted.labels == label for label in range(fitted.version["n_clusters"])]
    assert fitted.version["mean_distances"] == pytest.approx([distances[member, 0].mean() for member in members])
    confidences = 1 - distances[:, 0] / distances[:, 1]
    assert fitted.version["mean_confidences"] == pytest.approx([confidences[member].mean() for member in members])


def test_the_elbow_score_is_the_height_of_the_chord_above_the_curve(fitted):
    curve = [fitted.scores[k]["wcss"] for k in range(1, 7)]
    heights = [(curve[0] - curve[k]) / (curve[0] - curve[-1]) - k / 5 for k in range(6)]
    assert [fitted.scores[k]["elbow_score"] for k in range(1, 7)] == pytest.approx(heights, abs=1e-9)


def test_stability_is_that_of_another_bootstrap(fitted):
    """Of fpc's definition, with resamples of our own: both means lie within their errors of each other."""
    generator = np.random.default_rng(7)
    n, k = len(fitted.scaled), fitted.version["n_clusters"]
    similarities = np.zeros((50, k))
    for resample in similarities:
        drawn = np.unique(generator.integers(n, size=n))
        found = KMeans(k, n_init=3, random_state=int(generator.integers(1000))).fit_predict(fitted.scaled[drawn])
        for label in range(k):
            mine = fitted.labels[drawn] == label
            resample[label] = max((mine & (found == other)).sum() / (mine | (found == other)).sum() for other in range(k))
    errors = np.hypot(fitted.version["stability_errors"], similarities.std(axis=0, ddof=1) / np.sqrt(50))
    assert (np.abs(similarities.mean(axis=0) - fitted.version["stabilities"]) <= 4 * errors + 1e-3).all()
