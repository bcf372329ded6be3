"""Make the sample that the project ships: invented customers in the shape of the Mall Customers file.

Nobody in it exists. Five kinds of customers are drawn from overlapping normal distributions, and a handful of
spoilt rows is strewn in, so that a first build shows what becomes of them. The same seed gives the same bytes.

    python scripts/make_sample.py dbt_project/sample/customers.csv
"""

import argparse
import random
from pathlib import Path

HEADER = "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"

# share, then (mean, standard deviation) of age in years, income in thousands of dollars, and score
KINDS = [
    (0.22, (25, 4), (27, 7), (77, 9)),
    (0.19, (33, 5), (88, 14), (80, 9)),
    (0.24, (45, 9), (56, 8), (50, 8)),
    (0.20, (42, 8), (90, 15), (19, 9)),
    (0.15, (58, 8), (30, 8), (21, 9)),
]

SPOILT_ROWS = [
    "{id},Female,,54,47",
    "{id},Male,thirty,61,55",
    "{id},Female,230,48,51",
    "{id},Male,41,-12,60",
    "{id},Female,36,72,140",
    "{id},Male,29,NaN,66",
    ",Female,52,44,38",
    "{id},Male,47,58",
    "{id},Female,33,95,83,VIP",
    '{id},"Male,38,77,12',
    "{id},Female,n/a,inf,",
    "1,Male,64,31,18",
    "",
]


def draw(generator, mean, deviation, lowest, highest):
    return min(max(round(generator.gauss(mean, deviation)), lowest), highest)


def sample_lines(n_customers, seed):
    generator = random.Random(seed)
    lines = []
    for customer_id in range(1, n_customers + 1):
        _, age, income, score = generator.choices(KINDS, weights=[kind[0] for kind in KINDS])[0]
        gender = generator.choices(["Female", "Male", ""], weights=[0.55, 0.44, 0.01])[0]
        lines.append(
            f"{customer_id},{gender},{draw(generator, *age, 18, 90)},"
            f"{draw(generator, *income, 5, 250)},{draw(generator, *score, 1, 100)}"
        )
    for offset, row in enumerate(SPOILT_ROWS, start=1):
        lines.insert(generator.randrange(1, len(lines)), row.format(id=n_customers + offset))
    return [HEADER, *lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="the CSV file to write")
    parser.add_argument("--customers", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=42)
    arguments = parser.parse_args()
    lines = sample_lines(arguments.customers, arguments.seed)
    arguments.file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{arguments.file}: {arguments.customers} invented customers and {len(SPOILT_ROWS)} spoilt rows")


if __name__ == "__main__":
    main()
