"""What segments are worth, why customers are in them, and who moves, on the sample; cases counted by hand are dbt unit tests."""

import statistics

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


def test_a_list_is_compared_with_a_segment_as_another_segment_is(built_sample, tmp_path):
    """The keys of segment 3, one of them twice, a header and a key that nobody has."""
    keys = [str(key) for (key,) in built_sample.published("select customer_id from customer_segments where segment_id = 3")]
    path = tmp_path / "list.csv"
    path.write_text("\n".join(["customer", *keys, keys[0], "987654321"]), encoding="utf-8")
    columns = (
        "feature_label, first_n_customers, second_n_customers, first_mean, second_mean, effect_size, effect_size_upper, overlap"
    )
    compared = built_sample.published(
        f"select {columns} from segment_comparison where first_segment_id = 2 and second_segment_id = 3 order by effect_rank"
    )
    columns = (
        "feature_label, segment_n_customers, list_n_customers, segment_mean, list_mean, effect_size, effect_size_upper, overlap"
    )
    listed = built_sample.published(f"select {columns} from compare_with_list(2, '{path}') order by effect_rank")
    assert [row[:3] for row in listed] == [row[:3] for row in compared]
    for one, other in zip(listed, compared, strict=True):
        assert one[3:] == pytest.approx(other[3:])
    assert built_sample.published(f"select distinct n_in_both from compare_with_list(2, '{path}')") == [(0,)]
    assert built_sample.published(f"select distinct n_in_both from compare_with_list(3, '{path}')") == [(len(keys),)]
    assert built_sample.published(f"select count(*) from rfm_compare_with_list(1, '{path}')") == [(3,)]


def test_the_effect_sizes_are_those_of_another_formula(built_sample):
    """Hedges' g from the labels themselves: the ages of segments 1 and 2."""
    ages = {
        segment: [age for (age,) in built_sample.published(f"select age from customer_segments where segment_id = {segment}")]
        for segment in (1, 2)
    }
    means = {segment: statistics.fmean(values) for segment, values in ages.items()}
    n = sum(map(len, ages.values()))
    pooled = sum((age - means[segment]) ** 2 for segment, values in ages.items() for age in values) / (n - 2)
    g = (1 - 3 / (4 * n - 9)) * (means[1] - means[2]) / pooled**0.5
    query = """
        select effect_size from segment_comparison
        where first_segment_id = 1 and second_segment_id = 2 and feature_label like 'Age%'
    """
    assert built_sample.published(query)[0][0] == pytest.approx(g)
