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


@pytest.mark.nights
def test_the_gate_of_valuable_movers_fires_when_they_stop_buying(built_sample, copy_of):
    """Half of the customers have no orders from July 2025 on; by the scores of today many of them would not be valuable."""
    valuable = "select customer_id, monetary_value from rfm_scores where monetary_score = 5"
    before = dict(built_sample.published(valuable))
    project = copy_of(built_sample)
    assert project.published("select count(*) from rfm_segment_movers") == [(0,)]
    path = project.folder / "dbt_project" / "sample" / "orders.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    fields = [(line, *f"{line},,".split(",")[1:3]) for line in lines]
    kept = [line for line, customer, day in fields if not (customer.endswith(tuple("02468")) and day >= "2025-07")]
    path.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    output = project.build("--vars", "{refit: never}")
    assert "valuable customers have moved to segments that are worth less, or left, since the last build" in output
    assert "rfm_segment_movers lists them all" in output
    gates = project.published("select max_by(gates, build_number) from builds")[0][0].split(", ")
    assert "rfm_valuable_movers warn" in gates
    # Segments of customers by what they are do not depend on what they order.
    assert "valuable_movers ok" in gates
    assert project.published("select count(*) from segment_movers") == [(0,)]

    movers = project.published("select customer_id, from_monetary_value, change from rfm_segment_movers where customer_changed")
    assert {customer: value for customer, value, _ in movers} == {customer: before[customer] for customer, *_ in movers}
    after = {customer for customer, _ in project.published(valuable)}
    assert any(customer not in after for customer, *_ in movers)
    labels = "select customer_id, segment_id from rfm_customer_segments"
    was, now = dict(built_sample.published(labels)), dict(project.published(labels))
    values = dict(project.published("select segment_id, avg(monetary_value) from rfm_customer_segments group by all"))
    expected = {
        customer
        for customer in before
        if customer not in now or (was[customer] != now[customer] and values[now[customer]] < values[was[customer]])
    }
    assert {customer for customer, *_ in movers} == expected
    assert len(expected) > 0.05 * len(before)
