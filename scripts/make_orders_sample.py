"""Make the sample orders that the project ships: two years of invented purchases of the sample's customers.

Nobody in it exists. Five kinds of customers differ in how long ago, how often and for how much they buy, and in what they
send back. A seventh of the customers never order, some orders are of customers without a record, and a handful of spoilt
rows is strewn in, so that a first build shows what becomes of them. The same seed gives the same bytes.

    python scripts/make_orders_sample.py dbt_project/sample/orders.csv
"""

import argparse
import math
import random
from datetime import date, timedelta
from pathlib import Path

HEADER = "order_id,customer_id,order_date,amount"
FIRST_DAY, LAST_DAY = date(2024, 1, 1), date(2025, 12, 31)

# share, then the median and the spread (standard deviation of the logarithm) of the days since the last order, of the
# number of orders and of the amount of an order; the mean of the days between orders; the share of orders sent back
KINDS = {
    "loyal": (0.20, (8, 0.5), (12, 0.25), (45, 0.25), 35, 0.03),
    "rare and large": (0.15, (110, 0.35), (3, 0.25), (420, 0.3), 150, 0.03),
    "new": (0.20, (25, 0.4), (1.1, 0.3), (50, 0.3), 15, 0.02),
    "lapsed": (0.25, (480, 0.15), (2.4, 0.3), (45, 0.3), 50, 0.03),
    "bargain hunters": (0.20, (45, 0.4), (8, 0.25), (15, 0.3), 50, 0.30),
}
SHARE_WITH_ORDERS = 0.85
N_WITHOUT_RECORD = 60  # customers who are in the orders only
N_ONLY_RETURNS = 6  # what they send back was bought before the first day

SPOILT_ROWS = [
    "{id},17,,24.90",
    "{id},17,yesterday,24.90",
    "{id},64,2025-02-30,31.00",
    "{id},,2025-03-08,18.50",
    "{id},two,2025-04-11,18.50",
    "{id},210,2025-05-02,twelve",
    "{id},211,2025-05-02,",
    "{id},212,2025-06-19,inf",
    "{id},305,2099-12-31,49.00",
    "{id},306,2025-07-07",
    "{id},307,2025-08-21,19.90,paid",
    '{id},"308,2025-09-15,27.00',
    "",
]


def drawn(generator, median, spread):
    return generator.lognormvariate(math.log(median), spread)


def orders_of(generator, kind, tightness):
    """[(day, amounts of its lines, day of the return or None)] of one customer, the newest order first."""
    _, recency, number, amount, gap, share_returned = KINDS[kind]
    day = max(LAST_DAY - timedelta(days=round(drawn(generator, recency[0], recency[1] / tightness))), FIRST_DAY)
    mean_amount = drawn(generator, amount[0], amount[1] / tightness)
    orders = []
    for _ in range(max(1, round(drawn(generator, number[0], number[1] / tightness)))):
        if day < FIRST_DAY:
            break
        total = drawn(generator, mean_amount, 0.2)
        first_line = generator.choices([total, total * generator.uniform(0.2, 0.8)], weights=[0.8, 0.2])[0]
        amounts = [f"{value:.2f}" for value in (first_line, total - first_line) if value >= 0.01]
        returned = min(day + timedelta(days=generator.randint(2, 20)), LAST_DAY) if generator.random() < share_returned else None
        orders.append((day, amounts, returned))
        day -= timedelta(days=round(generator.expovariate(1 / gap)))
    return orders


def order_lines(customer_ids, seed, tightness=1):
    """(rows of the file without the header, sorted by day; {customer: kind}).

    The kinds of the sample (tightness 1) overlap a little; with a tightness of 3 they are groups that must be found again.
    """
    generator = random.Random(seed)
    kinds = {}
    orders = []
    for customer_id in customer_ids:
        kinds[customer_id] = generator.choices(list(KINDS), weights=[kind[0] for kind in KINDS.values()])[0]
        orders += [(*order, customer_id) for order in orders_of(generator, kinds[customer_id], tightness)]
    rows = []
    for order_id, (day, amounts, returned, customer_id) in enumerate(sorted(orders, key=lambda order: order[0]), start=100_001):
        rows += [(day, f"{order_id},{customer_id},{day},{amount}") for amount in amounts]
        if returned:
            rows.append((returned, f"{order_id},{customer_id},{returned},-{amounts[0]}"))
    return [row for _, row in sorted(rows, key=lambda row: row[0])], kinds


def sample_lines(n_customers, seed):
    generator = random.Random(seed)
    ordering = [customer_id for customer_id in range(1, n_customers + 1) if generator.random() < SHARE_WITH_ORDERS]
    without_record = range(n_customers + 1, n_customers + 1 + N_WITHOUT_RECORD)
    lines, kinds = order_lines([*ordering, *without_record], seed)
    for offset, customer_id in enumerate(generator.sample(sorted(set(range(1, n_customers + 1)) - set(kinds)), N_ONLY_RETURNS)):
        day = FIRST_DAY + timedelta(days=generator.randint(0, 20))
        lines.insert(offset, f"{100_000 - offset},{customer_id},{day},-{generator.uniform(10, 80):.2f}")
    for offset, row in enumerate(SPOILT_ROWS, start=900_001):
        lines.insert(generator.randrange(1, len(lines)), row.format(id=offset))
    return [HEADER, *lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="the CSV file to write")
    parser.add_argument("--customers", type=int, default=3000, help="as many as make_sample.py made")
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    lines = sample_lines(arguments.customers, arguments.seed)
    arguments.file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{arguments.file}: {len(lines) - 1 - len(SPOILT_ROWS):,} invented order lines and {len(SPOILT_ROWS)} spoilt rows")


if __name__ == "__main__":
    main()
