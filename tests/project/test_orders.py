"""From orders to features, scores and classes, on the sample that the project ships."""

import random
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

SCORES = ["--select", "+rfm_class_profiles", "--indirect-selection", "buildable", "--exclude", "test_type:unit"]
SAMPLE = "dbt_project/sample/orders.csv"
CASES = Path(__file__).parents[3] / "shared" / "cases"
MEASURES = {"recency_days": "recency_score", "frequency": "frequency_score", "monetary_value": "monetary_score"}


@pytest.fixture(scope="module")
def usable_lines(built_sample):
    """The lines that make_orders_sample.py has not spoilt: the spoilt ones have order numbers from 900001 on."""
    header, *lines = (built_sample.folder / SAMPLE).read_text(encoding="utf-8").splitlines()
    usable = [line for line in lines if line and not line.startswith("9000")]
    return pd.read_csv(StringIO("\n".join([header, *usable])), parse_dates=["order_date"])


def test_all_usable_lines_are_taken_and_the_spoilt_ones_are_not(built_sample, usable_lines):
    n_lines, total = built_sample.query("select count(*), sum(amount::decimal(18, 2)) from stg_orders")[0]
    assert n_lines == len(usable_lines)
    assert float(total) == pytest.approx(usable_lines["amount"].sum())


def test_the_features_are_those_that_pandas_computes_from_the_file(built_sample, usable_lines):
    bought = usable_lines[usable_lines["amount"] > 0]
    last_day = usable_lines["order_date"].max()
    by_customer = bought.groupby("customer_id")
    expected = pd.DataFrame(
        {
            "recency_days": (last_day - by_customer["order_date"].max()).dt.days,
            "frequency": by_customer["order_id"].nunique(),
            "monetary_value": usable_lines.groupby("customer_id")["amount"].sum().clip(lower=0).round(4),
            "repeat_frequency": by_customer["order_date"].nunique() - 1,
            "tenure_days": (last_day - by_customer["order_date"].min()).dt.days,
            "average_order_value": by_customer["amount"].sum() / by_customer["order_id"].nunique(),
            "average_gap_days": by_customer["order_date"].apply(
                lambda days: days.drop_duplicates().sort_values().diff().dt.days.mean()
            ),
        }
    ).dropna(subset="frequency")
    columns = ", ".join(expected.columns)
    found = built_sample.frame(f"select customer_id, {columns} from customer_order_features where frequency > 0").set_index(
        "customer_id"
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)


def test_who_only_returns_is_kept(built_sample, usable_lines):
    n_only_returns = (usable_lines.groupby("customer_id")["amount"].max() < 0).sum()
    assert n_only_returns > 0
    query = "select count(*) from rfm_scores where frequency = 0 and monetary_value = 0 and frequency_score = 1"
    assert built_sample.value(query) == n_only_returns


@pytest.mark.parametrize(("measure", "score"), MEASURES.items())
def test_equal_customers_score_the_same_and_no_worse_customer_scores_better(built_sample, measure, score):
    customers = built_sample.frame(f"select {measure}, {score} from rfm_scores order by {measure}, {score}")
    assert (customers.groupby(measure)[score].nunique() == 1).all()
    assert customers[score].is_monotonic_decreasing if measure == "recency_days" else customers[score].is_monotonic_increasing
    merit = -customers[measure] if measure == "recency_days" else customers[measure]
    worst, best = (1 + 5 * (merit.rank(method=place) - 1) // len(merit) for place in ("min", "max"))
    is_in_the_better_half = merit.rank(method="average") >= (len(merit) + 1) / 2
    assert (customers[score] == best.where(is_in_the_better_half, worst)).all()


def test_the_published_bounds_are_those_of_the_scores(built_sample):
    for measure, score in MEASURES.items():
        found = built_sample.query(
            f"select {score}, min({measure}), max({measure}), count(*) from rfm_scores group by all order by all"
        )
        published = built_sample.query(
            "select score, lowest_value, highest_value, n_customers from rfm_score_thresholds "
            f"where measure = '{measure}' and n_customers > 0 order by score"
        )
        assert found == published


def test_who_paid_on_the_last_day_like_most_others_is_not_lost(built_sample, copy_of):
    """Subscribers are charged on the first of the month. How often they have paid is scored by bounds of the shop's own."""
    path = CASES / "subscription-orders" / "orders_subscription.csv"
    if not path.exists():
        pytest.skip(f"the case is absent: {path.name} is not in {path.parent}")
    project = copy_of(built_sample)
    output = project.build(*SCORES, "--vars", "{accept_orders: true, rfm_scores: {frequency: [1, 2, 4, 9]}}", orders=path)
    payments = pd.read_csv(path).groupby("customer_id")["order_date"].agg(["max", "size"])
    has_paid_last = (payments["max"] == payments["max"].max()).to_numpy()
    assert has_paid_last.sum() == 850

    found = project.frame("from rfm_scores order by customer_id")
    assert (found.loc[has_paid_last, "recency_score"] == 5).all()
    assert not found.loc[has_paid_last, "rfm_class"].isin(["At risk", "Lost", "Cannot lose them", "Hibernating"]).any()
    assert (found.loc[~has_paid_last, "recency_score"] == 1).all()
    assert found["frequency_score"].tolist() == (1 + sum(payments["size"] > bound for bound in [1, 2, 4, 9])).tolist()
    assert "recency_days is 0 for 85 % of the customers, who therefore all score 5" in output
    assert "frequency is" not in output
    assert "monetary_value is" not in output


def test_the_order_of_the_lines_changes_nothing(built_sample, copy_of):
    project = copy_of(built_sample)
    path = project.folder / SAMPLE
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    random.Random(3).shuffle(lines)
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    project.build(*SCORES)
    for table in ["customer_order_features", "rfm_score_thresholds", "rfm_scores"]:
        assert project.query(f"from {table}") == built_sample.query(f"from {table}")


def test_as_of_an_earlier_day_later_orders_do_not_count(built_sample, copy_of, usable_lines):
    project = copy_of(built_sample)
    project.build(*SCORES, "--vars", "{reference_date: 2025-06-30}")
    seen = usable_lines[usable_lines["order_date"] <= "2025-06-30"]
    n_customers, bought, day = project.query(
        "select count(*), sum(bought_value), max(reference_date)::text from customer_order_features"
    )[0]
    assert (n_customers, day) == (seen["customer_id"].nunique(), "2025-06-30")
    assert bought == pytest.approx(seen.loc[seen["amount"] > 0, "amount"].sum())


def test_a_reference_date_that_is_none_or_before_all_orders_is_one_sentence(built_sample, copy_of):
    project = copy_of(built_sample)
    for date, sentence in {
        "soon": "reference_date: soon is not a date; give it as year-month-day, such as 2025-12-31.",
        "2020-01-01": "The first order is of 2024-01-01, after the reference date; give a later reference_date, or none.",
    }.items():
        code, output = project.dbt("build", *SCORES, "--vars", f"{{reference_date: {date}}}")
        assert code != 0
        assert sentence in output


def test_everybody_is_on_one_line_with_a_record_with_orders_or_with_both(built_sample):
    everybody = built_sample.frame("select * from customers_360").set_index("customer_id")
    with_record = {key for (key,) in built_sample.query("select customer_id from stg_customers")}
    with_orders = {key for (key,) in built_sample.query("select distinct customer_id from stg_orders")}
    assert with_record - with_orders
    assert with_orders - with_record
    assert everybody.index.is_unique
    assert set(everybody.index) == with_record | with_orders
    assert set(everybody.index[everybody["has_customer_record"]]) == with_record
    assert set(everybody.index[everybody["has_orders"]]) == with_orders
    of_orders = ["rfm_segment_id", "rfm_segment_name", "rfm_confidence", "rfm_class", "rfm_code", *MEASURES]
    of_record = ["segment_id", "segment_name", "confidence", "age", "annual_income_k", "spending_score"]
    assert set(everybody.columns) == {"has_customer_record", "has_orders", "gender", *of_orders, *of_record}
    for columns, flag in ((of_orders, "has_orders"), (of_record, "has_customer_record")):
        assert everybody[columns].notna().eq(everybody[flag], axis="index").all(axis=None)
    for table, prefix in (("customer_segments", ""), ("rfm_customer_segments", "rfm_")):
        segments = built_sample.frame(f"select customer_id, segment_id from {table}").set_index("customer_id")["segment_id"]
        found = everybody[f"{prefix}segment_id"].dropna().astype(int)
        assert found.sort_index().tolist() == segments.sort_index().tolist()
