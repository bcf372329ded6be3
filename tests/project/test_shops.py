"""The configurations of docs/shops.md read what they are for: the exports of two shops, and a file like Online Retail."""

import csv
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from staging import Staging

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "cases"
BLOCK = re.compile(r"^## (.+?)$.*?^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONFIGURATIONS = {
    shop: yaml.safe_load(block) for shop, block in BLOCK.findall((ROOT / "docs" / "shops.md").read_text(encoding="utf-8"))
}
ONLINE_RETAIL = """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HEART,6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,71053,"LANTERN, WHITE",6,12/1/2010 8:26,3.39,17850.0,United Kingdom
536366,22633,HAND WARMER,6,12/31/2010 8:28,1.85,13047,United Kingdom
536414,22139,,56,12/1/2010 11:52,0,,United Kingdom
536544,21773,ROSE,1,12/1/2010 14:32,2.51,,United Kingdom
C536379,D,Discount,-1,12/1/2010 9:41,27.5,13047,United Kingdom
536367,84879,BIRD,32,13/1/2010 8:34,1.69,13047,United Kingdom
"""


def case(folder, name):
    path = CASES / folder / name
    if not path.exists():
        pytest.skip(f"the case is absent: {folder}/{name} is not in {CASES}")
    return path


def staged(tmp_path, shop, file):
    (tmp_path / "build").mkdir()
    settings = {block: {**settings, "source": {}} for block, settings in CONFIGURATIONS[shop].items()}
    return Staging(tmp_path / "build", "orders", file, settings)


def counts(staging):
    return dict(staging.query("select reasons, count(*) from rejected_orders group by reasons"))


def test_every_shop_of_the_page_is_here():
    assert set(CONFIGURATIONS) == {"Shopify", "WooCommerce", "Online Retail"}


def test_shopify(tmp_path):
    path = case("shopify-orders", "orders_export.csv")
    orders = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            orders[row["Name"]].append(row)
    used = {
        name: lines
        for name, lines in orders.items()
        if lines[0]["Financial Status"] in ("paid", "partially_refunded") and lines[0]["Currency"] == "EUR"
    }
    with staged(tmp_path, "Shopify", path) as staging:
        found = staging.query("select order_id, any_value(customer_id), sum(amount), count(*) from stg_orders group by order_id")
        assert {name: (customer, n_lines) for name, customer, _, n_lines in found} == {
            name: (lines[0]["Email"].lower(), len(lines)) for name, lines in used.items()
        }
        assert {name: amount for name, _, amount, _ in found} == pytest.approx(
            {name: float(lines[0]["Total"]) for name, lines in used.items()}
        )
        assert set(counts(staging)) == {"status refunded does not count", "currency USD does not count"}
        assert staging.query("select count(*) from rejected_orders where not is_left_out") == [(0,)]
        assert staging.not_counted is None


def test_woocommerce(tmp_path):
    path = case("woocommerce-orders", "orders.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    used = [row for row in rows if row["Order Status"] in ("wc-completed", "wc-processing") and row["Currency"] == "EUR"]
    with staged(tmp_path, "WooCommerce", path) as staging:
        found = staging.query("select order_id, customer_id, amount from stg_orders order by cast(order_id as integer)")
        assert found == [(row["Order ID"], int(row["Customer ID"]), float(row["Order Total"])) for row in used]
        assert sum(counts(staging).values()) == len(rows) - len(used)
        assert staging.query("select count(*) from rejected_orders where not is_left_out") == [(0,)]


def test_online_retail(tmp_path):
    path = tmp_path / "online_retail.csv"
    path.write_text(ONLINE_RETAIL, encoding="utf-8")
    with staged(tmp_path, "Online Retail", path) as staging:
        found = staging.query("select customer_id, order_id, amount, is_return from stg_orders order by customer_id, amount")
        assert found == [
            (13047, "C536379", -27.5, True),
            (13047, "536366", pytest.approx(6 * 1.85), False),
            (17850, "536365", pytest.approx(6 * 2.55), False),
            (17850, "536365", pytest.approx(6 * 3.39), False),
        ]
        assert counts(staging) == {"no customer": 2, "ordered_at is not a date": 1}
        assert staging.query("select distinct reasons from rejected_orders where is_left_out") == [("no customer",)]


@pytest.fixture(scope="module")
def shop(new_project):
    """WooCommerce's customers and orders, built; `output` is what the build printed."""
    customers, orders = case("woocommerce-orders", "customers.csv"), case("woocommerce-orders", "orders.csv")
    project = new_project(orders=True)
    for block, settings in CONFIGURATIONS["WooCommerce"].items():
        project.configure(block, **settings)
    project.customers, project.orders = customers, orders
    project.output = project.build(file=customers, orders=orders)
    return project


def test_a_build_says_and_keeps_what_is_left_out(shop):
    assert "894 of 1,500 lines of" in shop.output
    assert "are left out: currency JPY does not count (337), status wc-pending does not count (126)," in shop.output
    assert "are refused" not in shop.output
    counts = "n_order_lines_accepted, n_order_lines_rejected, n_order_lines_left_out"
    assert shop.published(f"select {counts} from builds") == [(606, 0, 894)]
    assert shop.published("select sum(bought_value) from customer_order_features")[0][0] == pytest.approx(
        shop.published("select sum(amount) from stg_orders")[0][0]
    )


def test_orders_without_amounts_have_segments_scores_and_pictures(shop):
    """The next build of the same shop goes by recency and frequency alone."""
    shop.configure("orders", amount=None, currency={"keep": None})
    output = shop.build("--vars", "{accept_orders: true}", file=shop.customers, orders=shop.orders)
    assert (
        "The orders have no amounts (amount: null): segments, scores and classes from orders go by recency and frequency"
        in output
    )
    assert shop.published("select count(*) from stg_orders") == [(943,)]
    empty = "count(monetary_value), count(average_order_value), count(share_returned), count(bought_value), count(returned_value)"
    assert shop.published(f"select {empty} from customer_order_features") == [(0, 0, 0, 0, 0)]
    features = "select distinct feature from rfm_segment_centroids where model_version = 2 order by all"
    assert shop.published(features) == [("frequency",), ("recency_days",)]
    found = "count(*), count(rfm_class), count(monetary_score), bool_and(length(rfm_code) = 2)"
    n_customers = shop.published("select count(*) from customer_order_features")[0][0]
    assert shop.published(f"select {found} from rfm_scores") == [(n_customers, n_customers, 0, True)]
    assert shop.published("select count(value_share) from rfm_class_profiles") == [(0,)]
    for script in ("render_plots.py", "render_report.py"):
        command = [sys.executable, ROOT / "scripts" / script, "--warehouse", "warehouse.duckdb"]
        subprocess.run(command, cwd=shop.folder, check=True)
    text = (shop.folder / "reports" / "rfm_segments.svg").read_text(encoding="utf-8")
    assert re.search("by (Recency.* and Frequency|Frequency.* and Recency)", text)
