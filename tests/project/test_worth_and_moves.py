"""What segments are worth, why customers are in them, and who moves, on the sample; the hand-computed cases are dbt's unit tests."""

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
