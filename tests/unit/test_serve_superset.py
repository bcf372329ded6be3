"""The secrets of the dashboard: whole, and readable for their owner alone. What needs Superset is tested in tests/project."""

import duckdb
import pytest
import yaml
from serve_superset import NEEDED, RETENTION, WORTH, assets, kept_secret, read


@pytest.mark.parametrize("prefix", ["", "rfm_"])
def test_the_dashboard_is_that_of_the_first_segmentation_also_where_that_is_of_the_orders(tmp_path, prefix):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as database:
        database.execute(f"create table {prefix}customer_segments as select 1 as shop, 1 as segment_id, 3 as days, 2 as orders")
        database.execute(f"create table {prefix}segment_profiles as select 1 as segment_id, 'Recent' as segment_name")
        database.execute(f"""
            create table {prefix}segment_feature_profiles as
            select
                unnest(['days', 'orders']) as feature, feature as feature_label, unnest([1, 2]) as feature_order,
                0 as mean_scaled, 2 as population_mean
        """)
        if not prefix:
            database.execute("create table rfm_customer_segments as select 1 as shop")
    found = read(path)
    ((names, segments, left_out),) = found
    assert (names["key"], names["x"], names["y"], segments) == ("shop", "days", "orders", [" 1 Recent"])
    assert set(WORTH + RETENTION) < set(left_out)
    datasets = [yaml.safe_load(text) for name, text in assets(found, ["#000000"]).items() if "datasets" in name]
    assert f"{prefix}customer_segments" in [dataset["table_name"] for dataset in datasets]
    assert any(f"from {prefix}segment_profiles" in dataset.get("sql", "") for dataset in datasets)


def three_segmentations(path):
    """The customers, without orders; by their orders, with worth; and by money, whose pair has a category."""
    with duckdb.connect(path) as database:
        for prefix, features in (("", ["age", "score"]), ("rfm_", ["days", "orders"]), ("money_", ["income", "region=north"])):
            columns = ", ".join(f"3 as {feature.partition('=')[0]}" for feature in features)
            database.execute(f"create table {prefix}customer_segments as select 1 as shop, 1 as segment_id, {columns}")
            database.execute(f"create table {prefix}segment_profiles as select 1 as segment_id, 'Some' as segment_name")
            database.execute(f"""
                create table {prefix}segment_feature_profiles as
                select
                    unnest({features}) as feature, replace(feature, '=', ': ') as feature_label, unnest([1, 2]) as feature_order,
                    0 as mean_scaled, 0.5 as population_mean
            """)
            for table in NEEDED[2:]:
                database.execute(f"create table {prefix}{table} as select 1 as segment_id")
        database.execute("create table customer_order_features as select 1 as shop, 3 as days, 2 as orders")
        database.execute("create table rfm_segment_values as select 'today' as basis, 5 as revenue")
        database.execute("create table rfm_segment_retention as select 'today' as basis, 9 as n_customers")
    return read(path)


def test_every_segmentation_has_a_dashboard_with_what_there_is(tmp_path):
    found = three_segmentations(tmp_path / "warehouse.duckdb")
    made = {name: yaml.safe_load(text) for name, text in assets(found, ["#000000"]).items()}
    dashboards = {asset["slug"]: asset for name, asset in made.items() if "dashboards" in name}
    assert {slug: asset["dashboard_title"] for slug, asset in dashboards.items()} == {
        "segments": "Customer segments",
        "money_segments": "Customer segments by money",
        "rfm_segments": "Customer segments by their orders",
    }
    charts = {asset["uuid"]: asset for name, asset in made.items() if "charts" in name}
    datasets = {asset["uuid"]: asset for name, asset in made.items() if "datasets" in name}
    assert len({dataset["table_name"] for dataset in datasets.values()}) == len(datasets)
    shown = {}
    for slug, dashboard in dashboards.items():
        position = dashboard["position"]
        places = {name: place for name, place in position.items() if name.startswith("CHART-")}
        shown[slug] = {name.removeprefix("CHART-") for name in places}
        # Every chart stands in a row that stands in the grid, and asks the tables of this segmentation.
        rows = [position[row] for row in position["GRID_ID"]["children"]]
        assert sorted(child for row in rows for child in row["children"]) == sorted(places)
        assert {name for name in position if name.startswith("ROW-")} == set(position["GRID_ID"]["children"])
        for place in places.values():
            sql = datasets[charts[place["meta"]["uuid"]]["dataset_uuid"]]["sql"]
            assert (
                f"{slug.removesuffix('segments')}segment" in sql
                or "k_scores" in sql
                or "feature_drift" in sql
                or "customer" in sql
            )
        (native,) = dashboard["metadata"]["native_filter_configuration"]
        assert native["targets"][0]["datasetUuid"] in datasets
    assert shown["rfm_segments"] - shown["segments"] == {"worth", "revenue", "retention"}
    assert shown["money_segments"] == shown["segments"]
    assert "charts/money_bars.yaml" in made
    assert "charts/money_scatter.yaml" not in made
    assert len([name for name in made if name.startswith("databases/")]) == 1
    again = assets(found, ["#000000"])
    assert {name: yaml.safe_load(text) for name, text in again.items()} == made


def test_a_secret_is_made_once(tmp_path):
    path = tmp_path / "secret_key"
    secret = kept_secret(path)
    assert len(secret) == 32
    assert kept_secret(path) == path.read_text() == secret
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


@pytest.mark.parametrize("text", ["", "\n", "cut off", 32 * "\0"])
def test_one_that_a_crash_has_cut_is_made_anew(tmp_path, text, capsys):
    path = tmp_path / "secret_key"
    path.write_text(text)
    path.chmod(0o644)
    path.with_name(".secret_key.new").write_text("of a run that was killed")
    assert len(kept_secret(path)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]
    assert capsys.readouterr().out == f"{path} is empty or cut, and is made anew.\n"


def test_two_secrets_differ(tmp_path):
    assert kept_secret(tmp_path / "secret_key") != kept_secret(tmp_path / "admin_password")


def test_a_secret_is_kept_with_the_line_end_of_an_editor(tmp_path):
    path = tmp_path / "admin_password"
    path.write_text("a password of somebody's own, long enough\n")
    assert kept_secret(path) == "a password of somebody's own, long enough"
