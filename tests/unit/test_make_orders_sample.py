"""The sample of orders, and the same generator as the maker of groups that are known."""

from collections import Counter
from datetime import date
from pathlib import Path

import make_orders_sample
import pytest

SAMPLE = Path(__file__).parents[2] / "dbt_project" / "sample" / "orders.csv"


def test_the_sample_is_what_the_script_makes():
    lines = make_orders_sample.sample_lines(n_customers=3000, seed=42)
    assert ("\n".join(lines) + "\n").encode() == SAMPLE.read_bytes()


def test_the_sample_has_all_that_a_first_build_should_show():
    rows = [line.split(",") for line in SAMPLE.read_text(encoding="utf-8").splitlines()[1:] if line.count(",") == 3]
    usable = [row for row in rows if row[1].isdigit() and row[2][:4] in ("2024", "2025") and not row[0].startswith("9000")]
    customers = {int(customer_id) for _, customer_id, _, _ in usable}
    assert len([customer_id for customer_id in customers if customer_id <= 3000]) == pytest.approx(0.85 * 3000, rel=0.02)
    assert len([customer_id for customer_id in customers if customer_id > 3000]) == make_orders_sample.N_WITHOUT_RECORD
    buyers = {int(customer_id) for _, customer_id, _, amount in usable if float(amount) > 0}
    assert len(customers - buyers) == make_orders_sample.N_ONLY_RETURNS
    assert min(Counter(order_id for order_id, *_ in usable).values()) == 1
    assert max(Counter(order_id for order_id, *_ in usable).values()) > 1
    assert SAMPLE.stat().st_size < 700_000


@pytest.mark.parametrize("tightness", [1, 3])
def test_every_customer_has_orders_within_the_two_years_and_returns_no_more_than_was_bought(tightness):
    lines, kinds = make_orders_sample.order_lines(range(1, 501), seed=7, tightness=tightness)
    rows = [line.split(",") for line in lines]
    days = [date.fromisoformat(day) for _, _, day, _ in rows]
    assert days == sorted(days)
    assert min(days) >= make_orders_sample.FIRST_DAY
    assert max(days) <= make_orders_sample.LAST_DAY
    assert {int(customer_id) for _, customer_id, _, _ in rows} == set(kinds) == set(range(1, 501))
    assert set(kinds.values()) == set(make_orders_sample.KINDS)
    totals = Counter()
    for order_id, _, _, amount in rows:
        totals[order_id] += round(100 * float(amount))
    assert min(totals.values()) >= 0
