"""The Mall Customers table, in both copies that are in circulation."""

import numpy as np
import pytest
from segmentation.versions import fit_version
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

# Published reference: scikit-learn 1.9.1, n_init=50, on standardised age, income and score; k = 1..10.
WCSS_OF_FIFTY_STARTS = [
    600.0000, 389.3862, 295.2122, 205.2251, 168.2476, 133.8683, 117.0116, 103.8286, 92.2665, 81.5458,
]  # fmt: skip


@pytest.fixture(scope="module")
def builds(new_project, shared_data):
    """{file name: the project built on it}"""
    built = {}
    for name in ("Mall_Customers.csv", "Mall_Customers_genre_crlf.csv"):
        built[name] = new_project()
        built[name].build(file=shared_data(name))
    return built


@pytest.fixture(scope="module", params=["Mall_Customers.csv", "Mall_Customers_genre_crlf.csv"])
def mall(request, builds):
    return builds[request.param]


def test_every_customer_is_accepted(mall):
    assert mall.value("select count(*) from customer_segments") == 200
    assert mall.value("select count(*) from rejected_customers") == 0


def test_wcss_is_never_above_that_of_fifty_starts(mall):
    wcss = [value for (value,) in mall.query("select wcss from k_scores order by k")]
    assert all(ours <= reference + 1e-3 for ours, reference in zip(wcss, WCSS_OF_FIFTY_STARTS, strict=True))
    # Up to k = 6 every long search ends at the same value, so there the reference is a floor too.
    assert wcss[:6] == pytest.approx(WCSS_OF_FIFTY_STARTS[:6], abs=1e-3)


def test_wcss_is_not_above_that_of_five_hundred_starts(builds):
    """From seven segments on, fifty starts miss the best partition more often than not."""
    project = builds["Mall_Customers.csv"]
    features = project.frame("select age, annual_income_k, spending_score from customer_segments")
    scaled = StandardScaler().fit_transform(features)
    for k, wcss in project.query("select k, wcss from k_scores where k >= 7 order by k"):
        assert wcss <= KMeans(k, n_init=500, random_state=0, tol=0).fit(scaled).inertia_ * (1 + 1e-9)


def test_five_segments_are_less_firm_than_four_and_six(builds):
    project = builds["Mall_Customers.csv"]
    stability = dict(project.query("select k, stability from k_scores order by k"))
    assert stability[1] is None
    assert stability[5] < 0.7 < min(stability[4], stability[6])
    assert stability[5] == project.value("select min(stability) from segment_profiles")


def test_labels_equal_those_of_scikit_learn(mall):
    customers = mall.frame("select age, annual_income_k, spending_score, segment_id from customer_segments order by customer_id")
    scaled = StandardScaler().fit_transform(customers.drop(columns="segment_id"))
    labels = KMeans(5, init="k-means++", n_init=50, random_state=42).fit_predict(scaled)
    assert adjusted_rand_score(labels, customers["segment_id"]) == 1.0


def test_quality_equals_that_of_scikit_learn(mall):
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

    customers = mall.frame("select age, annual_income_k, spending_score, segment_id from customer_segments")
    scaled = StandardScaler().fit_transform(customers.drop(columns="segment_id"))
    quality = mall.query("select silhouette, davies_bouldin, calinski_harabasz from segmentation_models")[0]
    measures = (silhouette_score, davies_bouldin_score, calinski_harabasz_score)
    assert quality == pytest.approx([measure(scaled, customers["segment_id"]) for measure in measures])


def test_both_copies_give_the_same_segments(builds):
    customers = "select customer_id, gender, segment_id, segment_name, distance from customer_segments order by customer_id"
    first, second = (project.query(customers) for project in builds.values())
    assert first == second
    profiles = "select * from segment_profiles order by segment_id"
    first, second = (project.frame(profiles) for project in builds.values())
    assert first.equals(second)


def test_scaling_is_recorded(mall):
    centroids = mall.frame("select distinct feature, mean, scale from segment_centroids").set_index("feature")
    customers = mall.frame("select age, annual_income_k, spending_score from stg_customers")
    assert np.allclose(centroids.loc[customers.columns, "mean"], customers.mean())
    assert np.allclose(centroids.loc[customers.columns, "scale"], customers.std(ddof=0))


@pytest.fixture(scope="module")
def customers(shared_data):
    """Age, income and score of the 200 customers, in the order of the file."""
    return np.loadtxt(shared_data("Mall_Customers.csv"), delimiter=",", skiprows=1, usecols=(2, 3, 4))


def night(customers, *earlier, k=5):
    """The version that is fitted on these customers after the `earlier` ones, of which the last is in use."""
    points, weights = np.unique(customers, axis=0, return_counts=True)
    return fit_version(
        points,
        weights,
        preparation={
            "features": ["age", "annual_income_k", "spending_score"],
            "fill_values": [None] * 3,
            "transforms": ["none"] * 3,
            "lambdas": [None] * 3,
            "feature_weights": [1] * 3,
        },
        earlier=list(earlier),
        previous=earlier[-1] if earlier else None,
        n_clusters=k,
        k_range=[k, k],
        seed=42,
    )


@pytest.fixture(scope="module")
def first_night(customers):
    return night(customers)


def test_after_a_night_on_the_first_forty_rows_every_segment_is_back(customers, first_night):
    wrong = night(customers[:40], first_night)
    assert wrong["retired"] == [2, 3, 4]
    again = night(customers, first_night, wrong)
    assert (again["segment_ids"], again["sizes"]) == (first_night["segment_ids"], first_night["sizes"])
    assert (again["returned"], again["new"]) == ([2, 3, 4], [])

    # The newest place alone does not say so: the forty have carried off segment 1, which was not retired.
    newest = first_night | {column: first_night[column][1:4] for column in ("segment_ids", "centroids_scaled")}
    assert newest["segment_ids"] == wrong["retired"]
    assert night(customers, newest, wrong)["new"] == [9]


def test_after_a_night_with_four_segments_all_five_are_back(customers, first_night):
    four = night(customers, first_night, k=4)
    assert len(four["retired"]) == 1
    again = night(customers, first_night, four)
    assert (again["segment_ids"], again["sizes"]) == (first_night["segment_ids"], first_night["sizes"])
    assert (again["returned"], again["new"]) == (four["retired"], [])


@pytest.mark.nights
def test_a_name_that_no_longer_holds_is_flagged_until_the_business_decides(new_project, shared_data):
    """Later customers in six segments: segment 1 keeps its name "Young, low annual income", and is not poor any more."""
    project = new_project()
    project.build(file=shared_data("Mall_Customers.csv"))
    assert project.value("select bool_and(is_name_current and current_name = segment_name) from segment_profiles")
    later = shared_data("../cases/nightly/mall_day3.csv")
    output = project.build("--vars", "{refit: true, n_clusters: 6}", file=later)
    names = project.frame("select * from segment_profiles").set_index("segment_id")

    customers = project.frame("select segment_id, age, annual_income_k, spending_score from customer_segments").set_index(
        "segment_id"
    )
    centres = ((customers - customers.mean()) / customers.std(ddof=0)).groupby("segment_id").mean()
    words = {
        "age": ("young", "senior"),
        "annual_income_k": ("low annual income", "high annual income"),
        "spending_score": ("low spending score", "high spending score"),
    }
    for number, name in names.iterrows():
        true = {words[feature][int(centre > 0)] for feature, centre in centres.loc[number].items() if abs(centre) >= 0.5}
        assert set(name["current_name"].lower().split(", ")) == true
        assert name["is_name_current"] == (set(name["segment_name"].lower().split(", ")) <= true)
    assert tuple(names.loc[1, ["segment_name", "is_name_current", "current_name"]]) == (
        "Young, low annual income",
        False,
        "Young",
    )

    flagged = names[~names["is_name_current"]]
    lines = [f'{number},"{name}"' for number, name in flagged["current_name"].items()]
    for line, (number, name) in zip(lines, flagged["segment_name"].items(), strict=True):
        assert f'Segment {number} is called "{name}", which no longer holds' in output
        assert f"add a line such as {line} to dbt_project/seeds/segment_names.csv" in output
    seed = project.folder / "dbt_project" / "seeds" / "segment_names.csv"
    seed.write_text("\n".join(["segment_id,segment_name", *lines]) + "\n", encoding="utf-8")
    assert "no longer holds" not in project.build("--vars", "{n_clusters: 6}", file=later)
    assert project.value("select segment_name from segment_profiles where segment_id = 1") == "Young"
