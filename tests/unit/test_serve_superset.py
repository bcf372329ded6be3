"""The secrets of the dashboard: whole, and readable for their owner alone. What needs Superset is tested in tests/project."""

import duckdb
import pytest
import yaml
from serve_superset import assets, kept_secret, read


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
    names, segments = read(path)
    assert (names["key"], names["x"], names["y"], segments) == ("shop", "days", "orders", [" 1 Recent"])
    datasets = [yaml.safe_load(text) for name, text in assets(names, segments, ["#000000"]).items() if "datasets" in name]
    assert f"{prefix}customer_segments" in [dataset["table_name"] for dataset in datasets]
    assert any(f"from {prefix}segment_profiles" in dataset.get("sql", "") for dataset in datasets)


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
