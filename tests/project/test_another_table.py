"""A wholesaler's purchases per category: another key and six skewed features, by editing the configuration block alone."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

CATEGORIES = ["fresh", "milk", "grocery", "frozen", "detergents_paper", "delicatessen"]

# Median yearly spending by category of three kinds of clients: restaurants, shops and cafes. Spending is log-normal about them.
KINDS = {
    "restaurant": [22000, 2500, 3000, 6000, 400, 1500],
    "shop": [4500, 12000, 18000, 1000, 8000, 1200],
    "cafe": [1500, 900, 1100, 400, 120, 250],
}


@pytest.fixture(scope="module")
def wholesale(new_project):
    """The built project, with `kinds` {account: kind} beside it."""
    generator = np.random.default_rng(11)
    lines, kinds = ["Account No;Region;" + ";".join(category.title() for category in CATEGORIES)], {}
    for number in range(900):
        kind = generator.choice(list(KINDS), p=[0.3, 0.2, 0.5])
        spending = np.array(KINDS[kind]) * generator.lognormal(sigma=0.35, size=6)
        account = f"K-{number:04d}"
        kinds[account] = kind
        fields = [f"{amount:.2f}".replace(".", ",") for amount in spending]
        if number % 300 == 7:
            fields[1] = ""
        if number % 300 == 8:
            fields[0] = "-1,50"
        lines.append(";".join([account, generator.choice(["Lisbon", "Porto"]), *fields]))
    project = new_project(whole=True)
    path = project.folder / "wholesale.csv"
    path.write_text("\n".join(lines) + "\n", encoding="latin-1")
    project.configure(
        source={"file": "wholesale.csv", "encoding": "latin-1", "decimal_separator": ","},
        key={"name": "account", "headers": ["Account No"], "data_type": "varchar"},
        attributes=[{"name": "region"}],
        features=[
            {"name": category, "range": [0, None], "transform": "log1p", "missing": "median", "unit": "EUR per year"}
            for category in CATEGORIES
        ],
        n_clusters=3,
        k_range=[1, 8],
    )
    project.build()
    project.kinds = kinds
    return project


def test_the_kinds_of_clients_are_recovered(wholesale):
    labels = dict(wholesale.query("select account, segment_id from customer_segments"))
    truth = [wholesale.kinds[account] for account in labels]
    assert adjusted_rand_score(truth, list(labels.values())) >= 0.98


def test_negative_amounts_are_refused_and_missing_ones_filled_in_and_flagged(wholesale):
    assert wholesale.query("select distinct reasons, count(*) from rejected_customers group by all") == [("fresh is below 0", 3)]
    flagged = wholesale.query("select account, milk from customer_segments where has_imputed_features order by account")
    assert flagged == [("K-0007", None), ("K-0307", None), ("K-0607", None)]
    filled = wholesale.value("select distinct fill_value from segment_centroids where feature = 'milk'")
    assert filled == wholesale.value("select median(milk) from stg_customers")


def test_the_tables_carry_the_new_columns(wholesale):
    columns = [row[0] for row in wholesale.query("describe customer_segments")]
    assert columns[:2] == ["account", "segment_id"]
    assert columns[-7:] == ["region", *CATEGORIES]
    profiles = [row[0] for row in wholesale.query("describe segment_profiles")]
    statistics = ["mean", "median", "p10", "p90", "index", "index_scaled"]
    assert profiles[-36:] == [f"{category}_{statistic}" for category in CATEGORIES for statistic in statistics]


def test_profiles_and_rules_are_in_euros_and_not_in_logarithms(wholesale):
    mean = wholesale.value("select avg(grocery) from stg_customers")
    logarithms = wholesale.frame("select segment_id, ln(1 + grocery) as grocery from customer_segments")
    scaled = logarithms.groupby("segment_id")["grocery"].mean().sub(logarithms["grocery"].mean()) / logarithms["grocery"].std(
        ddof=0
    )
    profiles = wholesale.query(
        "select segment_id, rule, rule_coverage, grocery_mean, grocery_index, grocery_index_scaled from segment_profiles"
    )
    for segment_id, rule, coverage, grocery_mean, grocery_index, grocery_index_scaled in profiles:
        of_segment = f"from customer_segments where segment_id = {segment_id}"
        assert grocery_mean == pytest.approx(wholesale.value(f"select avg(grocery) {of_segment}"))
        assert grocery_index == pytest.approx(100 * grocery_mean / mean)
        assert grocery_index_scaled == pytest.approx(100 + 50 * scaled[segment_id])
        assert coverage == pytest.approx(wholesale.value(f"select avg(({rule})::int) {of_segment}"), abs=0.01)


def test_fit_is_that_of_standardised_logarithms(wholesale):
    fitted = wholesale.frame("select distinct feature, transform, mean, scale from segment_centroids").set_index("feature")
    features = np.log1p(wholesale.frame(f"select {', '.join(CATEGORIES)} from stg_customers"))
    features = features.fillna(features.median())
    assert set(fitted["transform"]) == {"log1p"}
    assert fitted.loc[CATEGORIES, "mean"].to_numpy() == pytest.approx(features.mean().to_numpy())
    assert fitted.loc[CATEGORIES, "scale"].to_numpy() == pytest.approx(features.std(ddof=0).to_numpy())


def test_the_unit_tests_of_the_sql_hold_with_another_configuration(wholesale):
    code, output = wholesale.dbt("test", "--select", "test_type:unit")
    assert code == 0, output[-3000:]
