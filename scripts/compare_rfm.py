"""Score customers who share values by this project and by three packages, and print the table of docs/orders.md.

Each crowd has 1,000 customers, and one measure of each is compared; the two others differ from customer to customer. All read
the same orders, but for the R package rfm: its rule is restated here from its source (R/utils.R and R/rfm-table-customer.R
of rsquaredacademy/rfm), so that nobody needs R.

    make compare-rfm
"""

import warnings
from importlib.metadata import version
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from jinja2 import Environment

MODEL = Path(__file__).resolve().parents[1] / "dbt_project" / "models" / "marts" / "orders" / "rfm_score_thresholds.sql"
LAST_DAY = pd.Timestamp("2024-12-31")
N = 1_000
MEASURES = ["recency_days", "frequency", "monetary_value"]


def crowds():
    """[(words, measure, the values of the customers)]; every value that is not in the words is of one customer."""
    earlier = np.arange(1, N)
    return [
        ("850 of 1,000 paid on the last day", "recency_days", [0] * 850 + list(earlier[:150])),
        ("all paid on the last day", "recency_days", [0] * N),
        ("5 paid on the last day, 800 the day before", "recency_days", [0] * 5 + [1] * 800 + list(1 + earlier[:195])),
        ("paid 0, 30, 60 or 90 days ago: 400, 300, 200, 100", "recency_days", [0] * 400 + [30] * 300 + [60] * 200 + [90] * 100),
        (
            "ordered once, twice, three times or more: 600, 250, 100, 50",
            "frequency",
            [1] * 600 + [2] * 250 + [3] * 100 + [*range(4, 54)],
        ),
        ("700 of 1,000 have paid nothing", "monetary_value", [0] * 700 + list(10.0 + earlier[:300])),
    ]


def orders_of(measure, values):
    """One line per order: the last one as many days ago as recency says, the others on the days before, all of one amount."""
    generator = np.random.default_rng(0)
    customers = pd.DataFrame(
        {
            "recency_days": generator.permutation(N),
            "frequency": generator.integers(1, 21, N),
            "monetary_value": 10 + generator.permutation(N) / 10,
        }
    )
    customers[measure] = generator.permutation(values)
    lines = customers.loc[customers.index.repeat(customers["frequency"])].reset_index(names="customer_id")
    lines["days_ago"] = lines["recency_days"] + lines.groupby("customer_id").cumcount()
    return pd.DataFrame(
        {
            "customer_id": lines["customer_id"],
            "transaction_id": np.arange(len(lines)),
            "transaction_date": LAST_DAY - pd.to_timedelta(lines["days_ago"], unit="D"),
            "unit_spend": lines["monetary_value"] / lines["frequency"],
        }
    )


def features_of(orders):
    by_customer = orders.groupby("customer_id")
    return pd.DataFrame(
        {
            "recency_days": (LAST_DAY - by_customer["transaction_date"].max()).dt.days,
            "frequency": by_customer.size(),
            "monetary_value": by_customer["unit_spend"].sum().round(4),
        }
    )


def thresholds(features, bounds=None):
    """What the model rfm_score_thresholds makes of a table of features, by its own SQL; `bounds` as in the block rfm_scores."""
    words = {"config": lambda **settings: "", "ref": str, "has_orders": bool, "rfm_score_bounds": lambda: bounds or {}}
    words["orders"] = lambda: {"has_amounts": True}
    query = Environment().from_string(MODEL.read_text(encoding="utf-8")).render(words)
    with duckdb.connect() as warehouse:
        warehouse.register("features", features)
        warehouse.execute("create table customer_order_features as from features")
        return warehouse.execute(query).df()


def scores_here(orders, features, measure):
    bounds = thresholds(features).query(f"measure == '{measure}' and n_customers > 0")
    values = features[measure].to_numpy()[:, None]
    has_score = (values >= bounds["lowest_value"].to_numpy()) & (values <= bounds["highest_value"].to_numpy())
    return has_score @ bounds["score"].to_numpy()


def scores_of_version_1_0(orders, features, measure):
    """One more than the whole fifths of the customers who do worse."""
    merit = -features[measure] if measure == "recency_days" else features[measure]
    return (1 + 5 * (merit.rank(method="min") - 1) // len(merit)).astype(int)


def scores_of_openretailscience(orders, features, measure):
    """Its scores begin at 0."""
    from openretailscience.segmentation.rfm import RFMSegmentation

    rfm = RFMSegmentation(orders, current_date=LAST_DAY.date().isoformat(), r_segments=5, f_segments=5, m_segments=5)
    return 1 + rfm.df.loc[features.index, f"{measure[0]}_score"]


def scores_of_pymc_marketing(orders, features, measure):
    """Quartiles, 4 being the best."""
    from pymc_marketing.clv.utils import rfm_segments

    names = ["customer_id", "transaction_date", "unit_spend"]
    rfm = rfm_segments(orders, *names, observation_period_end=LAST_DAY).set_index("customer_id")
    return rfm.loc[features.index, "rfm_score"].str[MEASURES.index(measure)].astype(int)


def scores_of_r_rfm(orders, features, measure):
    """A score ends one unit above a quintile, whatever the unit; where bounds coincide, the last score that fits is taken."""
    values = features[measure].to_numpy(dtype=float)
    bounds = np.quantile(values, [0.2, 0.4, 0.6, 0.8]) + 1
    found = np.zeros(len(values), dtype=int)
    for place, (lower, upper) in enumerate(zip([values.min(), *bounds], [*bounds, values.max() + 1], strict=True), start=1):
        found[(values >= lower) & (values < upper)] = 6 - place if measure == "recency_days" else place
    return found


CONTESTANTS = {
    "this project": scores_here,
    "this project, 1.0": scores_of_version_1_0,
    "openretailscience": scores_of_openretailscience,
    "pymc-marketing": scores_of_pymc_marketing,
    "rfm (R)": scores_of_r_rfm,
}


def in_words(scores):
    """Which scores equal customers have, such as 5 or 1-5."""
    lowest, highest = min(scores), max(scores)
    return f"{lowest}" if lowest == highest else f"{lowest}-{highest}"


def scores_in_words(contestant, orders, features, measure):
    """The scores of the worst value, of the one that most customers share, and of the best."""
    try:
        scores = np.asarray(contestant(orders, features, measure))
    except ValueError:
        return "error"
    values = features[measure].to_numpy()
    extremes = [values.max(), values.min()] if measure == "recency_days" else [values.min(), values.max()]
    shown = [extremes[0], features[measure].mode()[0], extremes[1]]
    return ", ".join(in_words(scores[values == value]) for value in shown)


def main():
    warnings.filterwarnings("ignore")
    names = [name if name.startswith("this") or name.endswith("(R)") else f"{name} {version(name)}" for name in CONTESTANTS]
    print("| 1,000 customers | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for words, measure, values in crowds():
        orders = orders_of(measure, values)
        features = features_of(orders)
        cells = [scores_in_words(contestant, orders, features, measure) for contestant in CONTESTANTS.values()]
        print("| " + " | ".join([words, *cells]) + " |")


if __name__ == "__main__":
    main()
