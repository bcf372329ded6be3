"""Customers are erased between two nights, from all that was made of them; one of them is still in the source, and returns."""

import hashlib
import subprocess
import sys

import duckdb
import erase
import pytest
import render_plots
from conftest import ROOT

pytestmark = pytest.mark.nights

GONE, RETURNS, STAYS = "erase-me-7f3a9", "return-me-1b6c4", "keep-me-5c2d8"
SOURCES = ["customers.csv", "orders.csv", "dbt_output.txt"]


def write_sources(folder, *, without=()):
    """Ninety customers in three groups, and their orders. A second row of each of these three, and an order, are refused."""
    keys = [GONE, RETURNS, STAYS, *(f"c{number}" for number in range(87))]
    customers, orders = ["CustomerID,Email,Age,Annual Income,Spending Score"], ["CustomerID,Date,Amount"]
    for number, key in enumerate(keys):
        group = number % 3
        if key not in without:
            values = f"{20 + 20 * group + number % 7},{(20, 60, 120)[group] + number % 5},{(90, 50, 10)[group] - number % 9}"
            customers.append(f"{key},{key}@example.org,{values}")
            orders += [
                f"{key},2025-{1 + (number + order) % 12:02}-11,{(10, 70, 300)[group] + number}" for order in range(1 + group)
            ]
            if number < 3:
                customers.append(customers[-1])
                orders.append(f"{key},no date,5")
    (folder / "customers.csv").write_text("\n".join(customers) + "\n")
    (folder / "orders.csv").write_text("\n".join(orders) + "\n")


def tables_with(path, text):
    with duckdb.connect(path, read_only=True) as reader:
        tables = reader.execute("select schema_name || '.' || table_name from duckdb_tables() order by all").fetchall()
        is_in = "select count(*) > 0 from {} as r where contains(cast(r as varchar), '{}')"
        return [name for (name,) in tables if reader.execute(is_in.format(name, text)).fetchone()[0]]


def files_with(folder, *texts):
    files = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).as_posix() not in SOURCES]
    contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return sorted(name for name, content in contents.items() if any(text.encode() in content for text in texts))


def run(folder, script, *arguments):
    subprocess.run([sys.executable, ROOT / "scripts" / script, *arguments], cwd=folder, check=True, capture_output=True)


def test_two_nights(new_project, monkeypatch, capsys):
    project = new_project(orders=True)
    folder = project.folder
    profile = folder / "profiles.yml"
    text = profile.read_text(encoding="utf-8")
    # What is not packed can be searched.
    profile.write_text(text.replace("disabled_compression_methods: fsst,zstd,dict_fsst,alprd", "force_compression: uncompressed"))
    assert profile.read_text(encoding="utf-8") != text
    project.configure(
        source={"file": "customers.csv", "max_rejected_share": 0.2},
        key={"name": "customer_id", "headers": ["CustomerID"], "data_type": "varchar"},
        attributes=[{"name": "email"}],
        n_clusters=3,
        k_range=[2, 4],
    )
    write_sources(folder)
    project.build(orders=folder / "orders.csv")
    hashed = hashlib.sha256(f"{GONE}@example.org".encode()).hexdigest()
    run(folder, "activation.py", "--hash-email", "email", "--output", "exports/ads")
    run(folder, "campaign.py", "spring", "--prefix", "rfm_")
    of_state = [
        "main.customer_order_features",
        "main.customers_360",
        "main.rejected_customers",
        "main.rejected_orders",
        "main.rfm_scores",
        "main.rfm_segment_changes",
        "main.segment_changes",
        "main.stg_orders",
        "main_internal.customer_clusters",
        "main_internal.rfm_customer_clusters",
    ]
    assert tables_with(folder / "warehouse.duckdb", GONE) == of_state
    found = files_with(folder, GONE, hashed)
    assert {"warehouse.duckdb", "kept_builds/1.duckdb", "build/scratch.duckdb", "exports/ads/all_segments.csv"} < set(found)

    parsed = (folder / "target" / "partial_parse.msgpack").rename(folder / "partial_parse.msgpack")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(erase, "CONFIG", erase.CONFIG | {"force_compression": "uncompressed"})
    (folder / "keys.txt").write_text(f"{GONE}\n{RETURNS}\n")
    monkeypatch.setattr(sys, "argv", ["erase.py", "--keys", "keys.txt"])
    erase.main()
    (folder / "keys.txt").unlink()
    assert list((folder / "target").iterdir()) == []
    # What dbt has learnt by parsing saves seconds; it is searched like everything else.
    parsed.rename(folder / "target" / parsed.name)
    output = capsys.readouterr().out
    assert "Erased 2 customers" in output
    assert "Whoever is still in customers.csv or in the orders comes back with the next build." in output
    assert files_with(folder, GONE, RETURNS, hashed) == []
    databases = ["kept_builds/1.duckdb", "kept_builds/2.duckdb", "warehouse.duckdb"]
    ledgers = ["exports/ads/ledger.csv", "exports/campaigns/spring/members.csv"]
    assert files_with(folder, STAYS) == sorted([*databases, *ledgers])
    for name in databases:
        assert tables_with(folder / name, GONE) == []
        assert tables_with(folder / name, STAYS) == of_state

    # The sums that count them still are no reason to draw nothing.
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as warehouse:
        sums = "select (select sum(n_customers) from segment_profiles), (select count(*) from customer_segments)"
        assert warehouse.execute(sums).fetchone() == (90, 88)
        render_plots.check_build(warehouse, folder / "warehouse.duckdb")
    labels = "select customer_id, segment_id, changed_at from customer_segments where customer_id not like 'return%' order by all"
    history = "from customer_segment_history where customer_id not like 'return%' order by all"
    before = [project.published(query) for query in (labels, history)]

    write_sources(folder, without=[GONE])
    project.build(orders=folder / "orders.csv")
    assert [project.published(query) for query in (labels, history)] == before
    assert tables_with(folder / "warehouse.duckdb", GONE) == []
    # Who returns has joined today; nobody has left.
    changes = "select customer_id, change from segment_changes where built_at = (select max(built_at) from builds)"
    assert project.published(changes) == [(RETURNS, "joined")]
    assert project.published("select build_number, n_accepted, n_customers_erased from builds order by build_number") == [
        (1, 90, None),
        (2, 90, 2),
        (3, 89, None),
    ]
    run(folder, "restore.py", "2")
    assert project.published("select max(build_number), sum(n_customers_erased) from builds") == [(4, 2)]
    assert tables_with(folder / "warehouse.duckdb", GONE) == []
