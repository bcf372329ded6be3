"""Customers of three kinds who differ in a plan, an app and what they spend, beside a region that says nothing: three nights."""

import csv

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

# Plan, share with the app, spend.
KINDS = {"saver": ("basic", 0.1, 20), "regular": ("plus", 0.9, 60), "fan": ("premium", 0.9, 120)}
# A level with all that a literal or a template could stumble over.
WEST = "o'West {x} \\n and 100 %"
REGIONS = ["north", "south", WEST]
LATER = pytest.mark.nights
NIGHTS = ["first", pytest.param("second", marks=LATER), pytest.param("third", marks=LATER)]
FEATURES = [
    {"name": "region", "data_type": "category", "missing": "level", "weight": 0.5},
    {"name": "plan", "data_type": "category"},
    {"name": "has_app", "data_type": "boolean", "low": "without app", "high": "with app"},
    {"name": "spend", "label": "spend"},
    {"name": "visits", "data_type": "integer", "weight": 0.5},
]


def first_customers():
    generator = np.random.default_rng(8)
    kinds = generator.choice(list(KINDS), size=600, p=[0.5, 0.3, 0.2])
    plans, apps, spends = zip(*(KINDS[kind] for kind in kinds), strict=True)
    return pd.DataFrame(
        {
            "customer_id": range(1, 601),
            "region": [REGIONS[number] if row % 50 else "" for row, number in enumerate(generator.integers(3, size=600))],
            "plan": plans,
            "has_app": np.where(generator.random(600) < apps, "yes", "no"),
            "spend": np.round(generator.normal(spends, 6), 1),
            "visits": generator.integers(1, 20, size=600),
            "kind": kinds,
        }
    )


def build(project, customers, *arguments):
    rows = customers.drop(columns="kind")
    bad = [[9001, "north", "", "yes", 10, 1], [9002, "north", "plus", "maybe", 10, 1]]
    with (project.folder / "customers.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(rows.columns), *rows.to_numpy().tolist(), *bad])
    project.output = project.build(*arguments)


@pytest.fixture(scope="module")
def first(new_project):
    project = new_project()
    project.configure(
        source={"file": "customers.csv"},
        key={"name": "customer_id"},
        attributes=[],
        features=FEATURES,
        n_clusters=3,
        k_range=[1, 5],
    )
    project.customers = first_customers()
    build(project, project.customers)
    return project


@pytest.fixture(scope="module")
def second(first, copy_of):
    """A night later a twelfth of the customers are in a region that nobody has heard of."""
    project = copy_of(first)
    project.customers = first.customers.assign(region=first.customers["region"].where(first.customers.index % 12 > 0, "centre"))
    build(project, project.customers)
    return project


@pytest.fixture(scope="module")
def third(second, copy_of):
    """And one later the plan of half of them has another name."""
    project = copy_of(second)
    project.customers = second.customers.replace({"plan": {"basic": "start"}})
    build(project, project.customers)
    return project


def segments(project):
    """{customer_id: segment_id}"""
    return dict(project.published("select customer_id, segment_id from customer_segments"))


def test_the_kinds_are_found(first):
    found = segments(first)
    kinds = dict(zip(first.customers["customer_id"], first.customers["kind"], strict=True))
    assert adjusted_rand_score([kinds[key] for key in found], list(found.values())) >= 0.95


def test_rows_without_a_level_are_refused_with_a_reason(first):
    assert first.published("select reasons from rejected_customers order by all") == [
        ("has_app is neither yes nor no",),
        ("plan is missing",),
    ]
    assert first.published("select count(*) from customer_segments where region is null") == [(12,)]


def columns_of(customers, model):
    """The columns of a model from the raw values: an independent account of what SQL makes of them."""
    columns = {}
    for column in model["feature"]:
        feature, _, level = column.partition("=")
        if not level:
            columns[column] = customers[feature].astype(float)
            continue
        known = {other.partition("=")[2] for other in model["feature"] if other.startswith(f"{feature}=")}
        values = customers[feature].replace({"yes": "true", "no": "false", "": "(missing)"})
        columns[column] = (values.where(values.isin(known), "(other)") == level).astype(float)
    return pd.DataFrame(columns)


@pytest.mark.parametrize("night", NIGHTS)
def test_labels_and_distances_are_those_of_the_raw_values_and_of_the_published_function(night, request):
    project = request.getfixturevalue(night)
    with project.reader("warehouse.duckdb") as reader:
        model = reader.sql("from segment_centroids where is_current order by segment_id, feature_order").df()
        labels = reader.sql("select customer_id, segment_id, distance from customer_segments order by customer_id").df()
        asked = reader.sql("""
            select count(*) filter (where nearest_segment(region, plan, has_app, spend, visits) = segment_id),
                max(abs(distance_to_nearest_segment(region, plan, has_app, spend, visits) - distance))
            from customer_segments
        """).fetchone()
    one = model[model["segment_id"] == model["segment_id"].min()]
    scaled = (columns_of(project.customers, one) - one["mean"].to_numpy()) / one["scale"].to_numpy()
    centroids = model.pivot(index="segment_id", columns="feature_order", values="centroid_scaled")
    distances = np.linalg.norm(scaled.to_numpy()[:, None] - centroids.to_numpy()[None], axis=2)
    assert labels["segment_id"].tolist() == centroids.index[distances.argmin(axis=1)].tolist()
    assert labels["distance"].to_numpy() == pytest.approx(distances.min(axis=1), abs=1e-9)
    assert asked == (len(labels), pytest.approx(0, abs=1e-9))


def test_a_mismatch_lies_as_many_standard_deviations_apart_as_the_weight_says(first):
    scales = dict(first.published("select distinct split_part(feature, '=', 1), scale from segment_centroids"))
    assert scales["plan"] == scales["has_app"] == pytest.approx(np.sqrt(2) / 2)
    assert scales["region"] == pytest.approx(np.sqrt(2) / 0.5)
    assert scales["visits"] == pytest.approx(first.customers["visits"].std(ddof=0) / 0.5)
    assert scales["spend"] == pytest.approx(first.customers["spend"].std(ddof=0))


def test_the_profile_of_a_level_is_its_share_beside_that_of_all(first):
    shares = {
        (segment_id, feature): shown
        for segment_id, feature, *shown in first.published(
            "select segment_id, feature, feature_mean, population_mean, feature_index, feature_median "
            "from segment_feature_profiles"
        )
    }
    found = first.customers["customer_id"].map(segments(first))
    for segment_id in found.unique():
        of_segment = first.customers[found == segment_id]
        for level in [*REGIONS, "(missing)"]:
            value = "" if level == "(missing)" else level
            share, of_all = (of_segment["region"] == value).mean(), (first.customers["region"] == value).mean()
            expected = [pytest.approx(share), pytest.approx(of_all), pytest.approx(100 * share / of_all), None]
            assert shares[segment_id, f"region={level}"] == expected
        assert shares[segment_id, "region=(other)"] == [0, 0, None, None]
        assert shares[segment_id, "has_app=true"][0] == pytest.approx((of_segment["has_app"] == "yes").mean())
    for segment_id, mode, share in first.published("select segment_id, plan_mode, plan_mode_share from segment_profiles"):
        counts = first.customers["plan"][found == segment_id].value_counts(normalize=True)
        assert (mode, share) == (counts.index[0], pytest.approx(counts.iloc[0]))


def test_segments_are_named_after_the_levels_that_most_of_them_have(first):
    found = first.customers["customer_id"].map(segments(first))
    names = dict(first.published("select segment_id, lower(segment_name) from segment_profiles"))
    for kind, (plan, app_share, _) in KINDS.items():
        name = names[found[first.customers["kind"] == kind].mode()[0]]
        assert f"mostly {plan}" in name
        assert ("with app" if app_share > 0.5 else "without app") in name
        assert not any(region.lower() in name for region in REGIONS)


@pytest.mark.parametrize("night", NIGHTS)
def test_a_rule_finds_the_customers_that_it_says_it_finds(night, request):
    project = request.getfixturevalue(night)
    rules = project.published("select segment_id, rule, rule_coverage, rule_precision from segment_profiles")
    assert any("plan" in rule for _, rule, *_ in rules)
    for segment_id, rule, coverage, precision in rules:
        (found,) = project.published(
            f"""
            select count(*) filter (where segment_id = {segment_id}), count(*),
                (select count(*) from customer_segments where segment_id = {segment_id})
            from customer_segments where {rule}
            """
        )
        assert (coverage, precision) == (pytest.approx(found[0] / found[2]), pytest.approx(found[0] / found[1]))
        assert coverage > 0.9


def drift_of(project, feature):
    return project.published(
        f"select psi, unseen_share, is_refitted from feature_drift where feature = '{feature}' order by built_at desc limit 1"
    )[0]


def stability_index(at_fit, today, levels):
    """The population stability index over levels, half a customer added to each."""
    shares = [
        (np.array([(values == level).sum() for level in levels]) + 0.5) / (values.isin(levels).sum() + 0.5 * len(levels))
        for values in (at_fit, today)
    ]
    return ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()


@LATER
def test_a_new_level_alone_is_said_and_refits_nobody(first, second):
    psi, unseen_share, is_refitted = drift_of(second, "region")
    assert psi == pytest.approx(stability_index(first.customers["region"], second.customers["region"], [*REGIONS, ""]))
    assert unseen_share == pytest.approx((second.customers["region"] == "centre").mean())
    assert not is_refitted
    assert second.published("select count(*) from segmentation_models") == [(1,)]
    said = "The model has no column for 1 of the 4 levels of region, which 8.3 % of the customers have: they count together as"
    assert said in second.output
    assert second.published("select distinct region_mode from segment_profiles where region_mode = '(other)'") == []
    (shown,) = second.published("select distinct population_mean from segment_feature_profiles where feature = 'region=(other)'")
    assert shown[0] == pytest.approx((second.customers["region"] == "centre").mean())


@LATER
def test_a_level_under_another_name_fits_a_new_model_whose_segments_keep_their_numbers(second, third):
    psi, _, is_refitted = drift_of(third, "plan")
    assert psi == pytest.approx(
        stability_index(second.customers["plan"], third.customers["plan"], ["basic", "plus", "premium"]), rel=1e-6
    )
    assert is_refitted
    model = third.published(
        "select reason, features, kept_segments, new_segments from segmentation_models order by model_version"
    )[-1]
    assert model[0].startswith("plan drifted")
    assert model[1:] == ("region, plan, has_app, spend, visits", "1, 2, 3", "")
    assert segments(third) == segments(second)
    levels = {feature for (feature,) in third.published("select distinct feature from segment_centroids where is_current")}
    assert {"plan=start", "region=centre"} < levels
    assert "plan=basic" not in levels


@LATER
def test_levels_that_say_little_are_advised_against(first, copy_of):
    project = copy_of(first)
    customers = first.customers.assign(
        plan=np.where(first.customers.index % 3, "plus", "Plus"), region=np.where(first.customers.index % 30, "here", "there")
    )
    build(project, customers, "--vars", "{refit: true, accept_customers: true}")
    assert "96.7 % of the customers have the same level in region, here, so that it hardly tells them apart." in project.output
    assert "plan has levels that differ in capitals alone, such as Plus and plus" in project.output


@LATER
def test_only_the_commonest_levels_have_a_column(first, copy_of):
    project = copy_of(first)
    numbers = np.sqrt(np.arange(600)).astype(int)  # 25 levels, the later ones of more customers
    build(project, first.customers.assign(region=[f"r{number:02d}" for number in numbers]), "--vars", "{refit: true}")
    model = "from segment_centroids select feature where is_current and segment_id = 1"
    levels = [feature for (feature,) in project.published(f"{model} and feature like 'region=%' order by feature_order")]
    assert levels == [*(f"region=r{number:02d}" for number in range(5, 25)), "region=(missing)", "region=(other)"]
    share = (numbers < 5).mean()
    assert f"no column for 5 of the 25 levels of region, which {100 * share:.1f} % of the customers have" in project.output


@LATER
def test_a_category_that_weighs_one_standard_deviation_needs_no_weights(new_project):
    project = new_project()
    features = [{"name": "plan", "data_type": "category", "weight": 1}, {"name": "spend"}]
    project.configure(
        source={"file": "customers.csv"},
        key={"name": "customer_id"},
        attributes=[],
        features=features,
        n_clusters=3,
        k_range=[1, 5],
    )
    build(project, first_customers())
    scales = dict(project.published("select feature, any_value(scale) from segment_centroids where is_current group by feature"))
    assert scales["plan=basic"] == pytest.approx(np.sqrt(2))
    assert "weight" not in [name for name, *_ in project.published("describe segment_centroids")]
