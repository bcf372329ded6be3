"""What segments are worth, why customers are in them, and who moves, on the sample; cases counted by hand are dbt unit tests."""

import pytest


@pytest.mark.parametrize(
    ("prefix", "features"),
    [("", ["age", "annual_income_k", "spending_score"]), ("rfm_", ["recency_days", "frequency", "monetary_value"])],
)
def test_the_margin_to_the_runner_up_splits_by_feature_without_a_remainder(built_sample, prefix, features):
    parts = " + ".join(f"{feature}_margin" for feature in features)
    n_customers, difference, smallest = built_sample.published(
        f"select count(*), max(abs(margin - ({parts}))), min(margin) from {prefix}customer_segment_reasons"
    )[0]
    assert n_customers == built_sample.value(f"select count(*) from {prefix}customer_segments")
    assert difference < 1e-12
    assert smallest >= 0


@pytest.mark.parametrize("prefix", ["", "rfm_"])
def test_what_segments_are_worth_adds_up_to_the_orders(built_sample, prefix):
    revenue, n_orders = built_sample.published(
        """
        select
            cast(sum(cast(amount as decimal(38, 2)) - coalesce(cast(refunded_amount as decimal(38, 2)), 0)) as decimal(38, 2)),
            count(distinct order_id) filter (where not is_return)
        from stg_orders
        """
    )[0]
    sums = built_sample.published(
        f"select basis, cast(sum(revenue) as decimal(38, 2)), sum(n_orders) from {prefix}segment_values group by basis order by 1"
    )
    assert sums == [("then", revenue, n_orders), ("today", revenue, n_orders)]
    # All that a first build has is older than it.
    names = f"select distinct segment_name from {prefix}segment_values where basis = 'then'"
    assert built_sample.published(names) == [("(before the first build)",)]
    named = (
        f"select distinct segment_name from {prefix}segment_values where basis = 'today' and segment_id is not null order by 1"
    )
    assert built_sample.published(named) == built_sample.published(
        f"select segment_name from {prefix}segment_profiles order by 1"
    )
