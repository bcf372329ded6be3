"""The diagnosis of the features: its figures against their definitions, and its advice where it is needed and where it is not.

The SQL of the model is rendered for the features at hand and run in memory, which takes a tenth of a second instead of a build.
"""

from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import datasets
from staging import ROOT, Staging, shipped_settings

CASES = ROOT.parent / "shared" / "cases"
MODELS = ROOT / "dbt_project" / "models"
GATE = ROOT / "dbt_project" / "tests" / "segment_profiles__gate_smallest_share.sql"
LOG1P = {"transform": "log1p", "range": [0, None]}


class Diagnosis(Staging):
    """feature_diagnostics of a frame with a column per feature; `settings` are those of features, by their names."""

    def __init__(self, frame, prefix="", **settings):
        block = f"{prefix}segmentation"
        self.variables = shipped_settings() | {
            block: shipped_settings()[block]
            | {"features": [{"name": name} | settings.get(name, {}) for name in frame.columns], "attributes": []}
        }
        self.connection, self.warnings = duckdb.connect(config={"threads": 1}), []
        self.context = self.dbt_context()
        if prefix:
            self.context["model"] = SimpleNamespace(config=SimpleNamespace(meta={"segmentation": prefix[:-1]}))
        customers, counts = frame.assign(customer_id=range(len(frame))), pd.DataFrame({"n_customers": [len(frame)]})
        self.connection.register("stg_customers", customers)
        self.connection.register("int_feature_medians", counts)
        # The lambda of yeo-johnson is that of the model; 1 leaves a value as it is.
        powers = pd.DataFrame({"feature": frame.columns, "transform_lambda": 1.0, "is_current": True})
        self.connection.register("segment_centroids", powers)
        for model in ("intermediate/int_feature_sample", "intermediate/int_feature_bounds", "marts/feature_diagnostics"):
            path = MODELS / f"{model}.sql"
            self.connection.execute(f"create table {path.stem} as {self.rendered(path.read_text(encoding='utf-8'))}")
        self.table = self.connection.sql("from feature_diagnostics").df().replace({np.nan: None}).set_index("feature")


@pytest.fixture
def diagnosed():
    """A function: feature_diagnostics of columns, by feature."""

    def table(columns, prefix="", **settings):
        with Diagnosis(pd.DataFrame(columns), prefix, **settings) as diagnosis:
            return diagnosis.table

    return table


@pytest.fixture
def advice(diagnosed):
    """A function: {feature: advice} where there is any."""
    return lambda columns, prefix="", **settings: diagnosed(columns, prefix, **settings)["advice"].dropna().to_dict()


def case(name):
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the small inputs are absent: {name} is not in {CASES}")
    return pd.read_csv(path).iloc[:, 1:]


def random(seed=1):
    return np.random.default_rng(seed)


def far_out(values, quartiles):
    first, third = quartiles
    return np.mean((values < first - 3 * (third - first)) | (values > third + 3 * (third - first)))


# The figures.


def test_with_yeo_johnson_the_power_is_that_of_the_model(diagnosed):
    """With the power 1 the transform is none."""
    table = diagnosed({"balance": random().normal(0, 50, 300)}, balance={"transform": "yeo-johnson"})
    assert table["skewness_transformed"].tolist() == pytest.approx(table["skewness"].tolist())
    assert table["far_out_share_transformed"].tolist() == table["far_out_share"].tolist()


def test_the_figures_are_those_of_their_definitions(diagnosed):
    amounts, ages = np.round(random().lognormal(3, 1, 500), 2), random(2).normal(40, 9, 500)
    amounts[:50] = 0
    ages[-20:] = np.nan
    table = diagnosed({"amount": amounts, "age": ages}, amount=LOG1P, age={"missing": "median"})
    logs, known = np.log1p(amounts), ages[:-20]
    first, third = np.percentile(amounts, [25, 75])
    values, counts = np.unique(amounts, return_counts=True)
    expected = {
        "lowest": 0,
        "highest": amounts.max(),
        "skewness": stats.skew(amounts),
        "excess_kurtosis": stats.kurtosis(amounts),
        "far_out_share": far_out(amounts, (first, third)),
        "skewness_transformed": stats.skew(logs),
        "excess_kurtosis_transformed": stats.kurtosis(logs),
        "far_out_share_transformed": far_out(logs, np.log1p([first, third])),
        "commonest_value": values[counts.argmax()],
        "commonest_share": counts.max() / 500,
        "zero_share": 0.1,
        "missing_share": 0,
    }
    assert expected["far_out_share"] > 0
    assert table.loc["amount", list(expected)].astype(float).to_dict() == pytest.approx(expected)
    assert table.loc["age", ["skewness", "skewness_transformed"]].tolist() == pytest.approx([stats.skew(known)] * 2)
    assert table.loc["age", "excess_kurtosis"] == pytest.approx(stats.kurtosis(known))
    assert table.loc["age", "missing_share"] == pytest.approx(0.04)
    # None of the values lies beyond the far fences of its scale, so that this is the plain correlation.
    assert far_out(known, np.percentile(known, [25, 75])) == expected["far_out_share_transformed"] == 0
    assert table["correlation"].tolist() == pytest.approx([np.corrcoef(logs[:-20], known)[0, 1]] * 2)
    assert table["correlated_feature"].tolist() == ["age", "amount"]


def test_the_largest_correlation_is_found_whatever_its_sign(diagnosed):
    a, b, c = random().normal(size=(3, 400))
    frame = pd.DataFrame({"a": a, "b": b + 0.3 * a, "c": c - 0.9 * a})
    table, expected = diagnosed(frame), frame.corr()
    assert table["correlated_feature"].to_dict() == {"a": "c", "b": "a", "c": "a"}
    assert table["correlation"].tolist() == pytest.approx(
        [expected.loc["a", "c"], expected.loc["a", "b"], expected.loc["a", "c"]]
    )


@pytest.mark.parametrize("offset", [1e15, -1e15])
def test_an_offset_changes_no_shape(diagnosed, offset):
    digits, other = random().integers(0, 10, 400).astype(float), random(2).normal(size=400)
    table = diagnosed({"a": offset + digits, "b": other})
    assert table.loc["a", "skewness"] == pytest.approx(stats.skew(digits))
    assert table.loc["a", "excess_kurtosis"] == pytest.approx(stats.kurtosis(digits))
    assert table.loc["a", "correlation"] == pytest.approx(np.corrcoef(digits, other)[0, 1])
    assert table["advice"].isna().all()


def test_large_values_have_finite_figures(diagnosed):
    values = np.r_[random().normal(0, 1, 299), 1e140]
    table = diagnosed({"a": values, "b": random(2).normal(0, 1, 300)})
    # Of n values one that is alone far out has this skewness and kurtosis.
    assert table.loc["a", "skewness"] == pytest.approx(298 / np.sqrt(299))
    assert table.loc["a", "excess_kurtosis"] == pytest.approx(299 + 1 / 299 - 1 - 3)


def test_a_feature_alone_or_the_same_for_all(diagnosed):
    table = diagnosed({"a": random().normal(0, 1, 50)})
    assert table.loc["a", ["correlated_feature", "correlation"]].tolist() == [None, None]
    table = diagnosed({"a": random().normal(0, 1, 50), "same": 7.0, "none": np.full(50, np.nan)})
    assert table.loc["same", ["skewness", "correlation", "commonest_share"]].tolist() == [None, None, 1]
    assert table.loc["none", ["lowest", "skewness", "zero_share", "missing_share"]].tolist() == [None, None, None, 1]


# Where an expert would say nothing, nothing is said.


def one_in_ten_far_away():
    return np.c_[np.r_[random().normal(10, 1, 900), random().normal(99, 1, 100)], random().random(1000)]


QUIET = {
    "uniform noise": lambda: random().uniform(0, 100, (2000, 2)),
    "bell curves": lambda: random().normal(0, 1, (20_000, 3)),
    "whole numbers": lambda: random().integers(0, 6, (2000, 3)),
    "Poisson": lambda: random().poisson([1, 3, 10], (2000, 3)),
    "yes and no": lambda: random().random((2000, 3)) < [0.5, 0.2, 0.04],
    "blobs": lambda: datasets.make_blobs(500, centers=5, random_state=0)[0],
    "moons": lambda: datasets.make_moons(500, noise=0.05, random_state=0)[0],
    "wine": lambda: datasets.load_wine().data,
    "diabetes": lambda: datasets.load_diabetes().data,
    "iris without petal width": lambda: datasets.load_iris().data[:, :3],
    "a group of one in ten far away": one_in_ten_far_away,
    "three quarters without orders": lambda: random().poisson([0.25, 0.3], (2000, 2)),
    "offset": lambda: case("extremes/offset.csv").to_numpy(),
    "noise": lambda: case("noise/noise2.csv").to_numpy(),
    "twelve groups": lambda: case("many-groups/blobs12.csv")[["x", "y"]].to_numpy(),
    "centred": lambda: case("centred-features/diabetes.csv").to_numpy(),
}  # fmt: skip


@pytest.mark.parametrize("data", QUIET)
def test_nothing_is_said_of_good_features(advice, data):
    assert advice(pd.DataFrame(QUIET[data]().astype(float)).add_prefix("f")) == {}


def test_nothing_is_said_of_mall_customers(advice, shared_data):
    mall = pd.read_csv(shared_data("Mall_Customers.csv")).iloc[:, 2:]
    assert advice(mall.set_axis(["age", "income", "score"], axis=1)) == {}


def test_nothing_is_said_of_the_sample(built_sample):
    for table in ("feature_diagnostics", "rfm_feature_diagnostics"):
        assert built_sample.query(f"select count(*), count(advice) from {table}") == [(3, 0)]


def test_what_is_transformed_is_not_to_be_transformed(advice):
    """Lognormal amounts, some of them 0, behind log1p."""
    amounts = np.where(random().random(3000) < 0.03, 0, random(2).lognormal(5, 1, 3000))
    assert "log1p" in advice({"amount": amounts, "age": random(3).normal(40, 9, 3000)})["amount"]
    assert advice({"amount": amounts, "age": random(3).normal(40, 9, 3000)}, amount=LOG1P) == {}


# What is said.


def other(n):
    return random(9).normal(0, 1, n)


def with_outliers(*outliers, n=500):
    return np.r_[random().normal(10, 1, n - len(outliers)), outliers]


OUTLIERS = {
    # values, settings, what is said of them
    "one of 1e6": ([1e6], {}, "1 of 500 customers lies far from all others in a (up to 1000000)", ["range: [null, "]),
    "one of 1e12": ([1e12], {}, "1 of 500 customers lies far from all others in a (up to 1000000000000)", ["range: [null, "]),
    "a code for missing": ([9999] * 9, {}, "9 of 500 customers lie far from all others in a (up to 9999)", ["range: [null, "]),
    "a low code": ([-999], {}, "(down to -999)", ["range: [", ", null]"]),
    "on both sides": ([-1e6, 1e6], {}, "2 of 500 customers lie far from all others in a (down to -1000000, up to 1000000)", []),
    "within a range": ([5000], {"range": [0, 9999]}, "(up to 5000)", ["range: [0, "]),
    "behind log1p": ([1e6], LOG1P, "1 of 500 customers lies far from all others in a (up to 1000000)", ["range: [0, "]),
}


@pytest.mark.parametrize("name", OUTLIERS)
def test_outliers_ask_for_a_range(advice, name):
    outliers, settings, sentence, parts = OUTLIERS[name]
    values = with_outliers(*outliers)
    said = advice({"a": values, "b": other(500)}, a=settings)
    assert set(said) == {"a"}
    assert sentence in said["a"]
    assert all(part in said["a"] for part in parts)
    assert not {"log1p", "yeo-johnson"} & set(said["a"].split())


def test_the_range_refuses_the_outliers_and_nobody_else(advice):
    """Also where the others are skewed themselves: then their tail is no outlier."""
    for usual in (random().normal(10, 1, 999), random().lognormal(3, 1, 999)):
        said = advice({"a": np.r_[usual, 1e9], "b": other(1000)})["a"]
        assert "1 of 1000 customers lies far" in said
        upper = float(said.split("range: [null, ")[1].split("]")[0])
        assert usual.max() < upper < 1e9


LONG_TAILS = {
    "wholesale": (lambda: random().lognormal(8, 1.2, 440), "log1p"),
    "many zeros": (lambda: np.where(random().random(1000) < 0.6, 0, random(2).lognormal(4, 1, 1000)), "log1p"),
    "four in five zeros": (lambda: np.where(random().random(1000) < 0.8, 0, random(2).lognormal(4, 1, 1000)), "log1p"),
    "Pareto": (lambda: random(0).pareto(1.5, 1000) * 100, "log1p"),
    "profits and losses": (lambda: random().lognormal(3, 1, 1000) - 20, "yeo-johnson"),
    "rates": (lambda: random().beta(0.3, 8, 1000), "yeo-johnson"),
    "a low tail": (lambda: 100 - random().lognormal(2, 1, 1000), "yeo-johnson"),
}


@pytest.mark.parametrize("name", LONG_TAILS)
def test_long_tails_ask_for_a_transform(advice, name):
    make, transform = LONG_TAILS[name]
    values = make()
    said = advice({"a": values, "b": other(len(values))}, a={"range": [0, None]} if values.min() >= 0 else {})
    assert said == {
        "a": f"A few {'low' if transform == 'yeo-johnson' and name == 'a low tail' else 'high'} values outweigh all others in a "
        f"(skewness {stats.skew(values):.1f}). Set transform: {transform} for a in dbt_project.yml, vars, segmentation."
    }


def test_log1p_comes_with_the_range_that_it_needs(advice):
    said = advice({"a": random().lognormal(8, 1.2, 440), "b": other(440)}, a={"range": [None, 1e9]})
    assert "Set transform: log1p and range: [0, 1000000000.0] for a" in said["a"]


@pytest.mark.parametrize("share", [0.9, 0.945, 0.98])
def test_an_amount_that_most_lack_asks_for_a_yes_or_no_feature_beside_it(advice, share):
    spend = np.where(random().random(2000) < share, 0, random(2).lognormal(4, 1, 2000))
    said = advice({"spend": spend, "age": other(2000)})
    assert set(said) == {"spend"}
    assert f"{round(100 * np.mean(spend == 0), 1):g} % of the customers have the same value in spend, 0, " in said["spend"]
    assert "a yes/no column that is 0 where spend is 0 and 1 where it is not" in said["spend"]
    assert "set transform: log1p for spend" in said["spend"]
    # Who has followed it is left in peace.
    assert advice({"spend": spend, "age": other(2000), "has_spent": spend > 0}, spend=LOG1P) == {}


def test_a_count_that_is_one_for_most_asks_for_the_same_without_a_logarithm(advice):
    said = advice({"orders": 1 + random().poisson(0.06, 2000), "age": other(2000)})["orders"]
    assert "have the same value in orders, 1, " in said
    assert "yes/no column" in said
    assert "log1p" not in said


def test_what_nearly_all_share_is_no_feature(advice):
    said = advice({"vip": random().random(2000) < 0.005, "age": other(2000)})
    assert "Take vip out of features" in said["vip"]
    assert "list it under attributes" in said["vip"]


def test_what_most_lack_is_no_feature(advice):
    said = advice(
        {"a": np.where(random().random(500) < 0.6, np.nan, other(500)), "b": random(3).random(500)}, a={"missing": "median"}
    )
    assert "of the customers have no value in a, and one and the same is filled in for them." in said["a"]
    assert "Take a out of features in dbt_project.yml, vars, segmentation." in said["a"]


@pytest.mark.parametrize("make", [lambda a: 2.1 * a, lambda a: 50 - a, lambda a: a + random(5).normal(0, 0.3, len(a))])
def test_one_of_two_that_say_the_same_is_to_be_dropped(advice, make):
    a, b = random().normal(0, 1, 600), random(2).random(600)
    said = advice({"b": b, "a": a, "a2": make(a)})
    assert set(said) == {"a", "a2"}
    assert said["a"] == said["a2"]
    assert said["a"].startswith("a and a2 say nearly the same (correlation ")
    assert "drop one of the two from features in dbt_project.yml" in said["a"]


def test_one_customer_neither_makes_nor_hides_a_correlation(advice):
    a, b = random().normal(10, 1, 600), random(2).normal(10, 1, 600)
    a[0] = b[0] = 1e6
    said = advice({"a": a, "b": b})
    assert set(said) == {"a", "b"}
    assert not any("say nearly the same" in text for text in said.values())
    double = 2 * a
    double[0] = 20
    assert "a and double say nearly the same (correlation 0.9" in advice({"a": a, "double": double, "c": other(600)})["double"]


def test_petals_say_nearly_the_same(advice):
    """Whoever looks at irises for the first time is told so: r = 0.96."""
    iris = pd.DataFrame(datasets.load_iris().data, columns=["sepal_length", "sepal_width", "petal_length", "petal_width"])
    assert set(advice(iris)) == {"petal_length", "petal_width"}


def test_the_small_inputs(advice):
    assert "range: [null, " in advice(case("skew/outlier.csv"))["a"]
    assert "yes/no column" in advice(case("skew/zeros95.csv"))["spend"]
    assert set(advice(case("correlated/corr.csv"))) == {"a", "a2"}


def test_in_a_further_segmentation_its_own_model_and_block_are_named(advice):
    customers = shipped_settings()["rfm_segmentation"]["customers"]
    said = advice({"a": with_outliers(1e6), "b": random().lognormal(8, 2, 500)}, prefix="rfm_")
    assert said["a"].endswith(f"or leave such customers out of {customers}.")
    assert said["b"].endswith("in dbt_project.yml, vars, rfm_segmentation.")


# The gate on the smallest segment names the cause.


def gate_says(frame, segments):
    """What the gate says of segments, of which one is too small: (segment_id, n_customers, {feature: mean_scaled})."""
    with Diagnosis(pd.DataFrame(frame)) as diagnosis:
        n_customers = sum(n for _, n, _ in segments)
        profiles = [(segment_id, f"Segment {segment_id}", n, n / n_customers) for segment_id, n, _ in segments]
        means = [(segment_id, feature, mean) for segment_id, _, scaled in segments for feature, mean in scaled.items()]
        diagnosis.connection.execute(
            "create table segment_profiles (segment_id int, segment_name text, n_customers bigint, share double)"
        )
        diagnosis.connection.executemany("insert into segment_profiles values (?, ?, ?, ?)", profiles)
        diagnosis.connection.execute("create table segment_feature_profiles (segment_id int, feature text, mean_scaled double)")
        diagnosis.connection.executemany("insert into segment_feature_profiles values (?, ?, ?)", means)
        with pytest.raises(duckdb.InvalidInputException) as stopped:
            diagnosis.connection.execute(diagnosis.rendered(GATE.read_text(encoding="utf-8"))).fetchall()
        return str(stopped.value).removeprefix("Invalid Input Error: ")


def test_the_gate_names_the_feature_and_its_advice():
    frame = {"a": with_outliers(1e6), "b": other(500)}
    sentence = gate_says(frame, [(1, 499, {"a": -0.04, "b": 0}), (2, 1, {"a": 22.3, "b": 2.4})])
    assert sentence.startswith(
        "Segment 2 (Segment 2) has 1 customer, a share of 0.002, below the gate of 0.01. "
        "It lies 22.3 standard deviations above the average in a. 1 of 500 customers lies far from all others in a (up"
    )
    assert sentence.endswith("Otherwise lower n_clusters, or the bound under gates: smallest_share: in dbt_project.yml.")


def test_the_gate_says_as_before_where_no_feature_is_the_cause():
    """Features that say the same make no segment small; nor does a tail in which it does not lie."""
    a = random().normal(0, 1, 500)
    for frame in ({"a": a, "a2": 2 * a}, {"a": with_outliers(1e6), "a2": a}):
        sentence = gate_says(frame, [(1, 496, {"a": 0, "a2": 0}), (2, 4, {"a": 0.1, "a2": 2.5})])
        assert sentence == (
            "Segment 2 (Segment 2) has 4 customers, a share of 0.008, below the gate of 0.01: "
            "lower n_clusters, or the bound under gates: smallest_share: in dbt_project.yml."
        )


@pytest.mark.nights
def test_a_build_prints_the_advice_once(new_project):
    project = new_project()
    a = random().normal(0, 1, 100)
    path = project.folder / "customers.csv"
    pd.DataFrame({"customer_id": range(100), "age": a, "annual_income_k": 2 * a, "spending_score": other(100)}).to_csv(
        path, index=False
    )
    project.configure(features=[{"name": name} for name in ("age", "annual_income_k", "spending_score")], attributes=[])
    code, output = project.dbt("build", "--select", "+feature_diagnostics", file=path)
    assert code == 0, output
    sentence = "age and annual_income_k say nearly the same (correlation 1), so that it counts twice."
    assert output.count(sentence) == 1
    assert project.query("select feature from feature_diagnostics where starts_with(advice, 'age and annual') order by 1") == [
        ("age",),
        ("annual_income_k",),
    ]
