"""What is in the published file."""

import json
import shutil

import duckdb

PUBLISHED = [
    "builds",
    "customer_segment_history",
    "customer_segments",
    "feature_diagnostics",
    "feature_drift",
    "k_scores",
    "rejected_customers",
    "segment_attribute_profiles",
    "segment_attribute_statistics",
    "segment_centroids",
    "segment_changes",
    "segment_drift",
    "segment_feature_profiles",
    "segment_migrations",
    "segment_movers",
    "segment_profiles",
    "segment_values",
    "segmentation_fits",
    "segmentation_models",
    "stg_customers",
]
OF_ORDERS = [
    "customer_order_features",
    "customers_360",
    "rejected_orders",
    "rfm_class_profiles",
    "rfm_classes",
    "rfm_customer_segment_history",
    "rfm_customer_segments",
    "rfm_feature_diagnostics",
    "rfm_feature_drift",
    "rfm_k_scores",
    "rfm_score_thresholds",
    "rfm_scores",
    "rfm_segment_centroids",
    "rfm_segment_changes",
    "rfm_segment_classes",
    "rfm_segment_drift",
    "rfm_segment_feature_profiles",
    "rfm_segment_migrations",
    "rfm_segment_movers",
    "rfm_segment_profiles",
    "rfm_segment_values",
    "rfm_segmentation_fits",
    "rfm_segmentation_models",
    "stg_orders",
]
# Marts that are computed when somebody asks: the published file alone has them, as views.
COMPUTED = ["customer_segment_reasons", "segment_comparison", "segment_retention", "segment_transitions"]
COMPUTED += [f"rfm_{name}" for name in COMPUTED]
GATES = [
    "agreement",
    "customers",
    "drift",
    "joint_drift",
    "silhouette",
    "smallest_share",
    "structure",
    "stability",
    "valuable_movers",
]


def test_the_published_file_has_the_public_tables_with_words_and_functions(built_sample):
    tables = sorted(PUBLISHED + OF_ORDERS)
    assert [name for (name,) in built_sample.published("show tables")] == sorted(tables + COMPUTED)
    views = "select view_name from duckdb_views() where not internal order by view_name"
    assert [name for (name,) in built_sample.published(views)] == sorted(
        [
            *COMPUTED,
            "customer_segment_history",
            "customer_segments",
            "rfm_customer_segment_history",
            "rfm_customer_segments",
            "stg_customers",
        ]
    )
    columns = (
        "select table_name, column_name, data_type, comment from duckdb_columns() where not internal and schema_name = 'main'"
    )
    in_build = [row for row in built_sample.query(columns) if row[0] in tables]
    published = built_sample.published(columns)
    assert sorted(row for row in published if row[0] not in COMPUTED) == sorted(in_build)
    assert all(comment for table, _, _, comment in published if table in COMPUTED)
    scored = "select customer_id, nearest_segment(age, annual_income_k, spending_score) from customer_segments"
    assert built_sample.published(scored) == built_sample.query("select customer_id, segment_id from customer_segments")
    scored = "select customer_id, rfm_nearest_segment(recency_days, frequency, monetary_value) from rfm_customer_segments"
    labels = "select customer_id, segment_id from rfm_customer_segments"
    assert built_sample.published(scored) == built_sample.query(labels)
    for table in tables[1:]:
        assert built_sample.published(f"from {table}") == built_sample.query(f"from {table}")


def test_every_table_names_its_build_and_the_builds_tell_of_it(built_sample):
    comments = built_sample.published("select comment from duckdb_tables()")
    (build_id, *counts, gates, n_warnings, code_version), *others = built_sample.published(
        """
        select
            build_id, n_rows, n_accepted, n_rejected, n_order_lines_accepted, n_order_lines_rejected, n_segments, model_version,
            gates, n_warnings, code_version
        from builds
        """,
    )
    assert not others
    assert all(comment.startswith("One row per ") and comment.endswith(f". Build {build_id}") for (comment,) in comments)
    n_lines = built_sample.value("select count(*) from stg_orders")
    assert f"Published: 3,000 customers in 5 segments, {n_lines:,} lines of orders, build {build_id}." in built_sample.output
    # make_orders_sample.py spoils twelve lines, as make_sample.py does.
    assert counts == [3012, 3000, 12, n_lines, 12, 5, 1]
    assert gates == ", ".join(f"{gate} ok" for gate in sorted([*GATES, "orders", *(f"rfm_{gate}" for gate in GATES)]))
    assert n_warnings == 2  # of the refused rows of each
    assert code_version == "version 1.0.0"  # the copy is not under git


def test_a_published_view_does_not_depend_on_the_name_of_the_file(built_sample, tmp_path):
    copy = tmp_path / "other name.duckdb"
    shutil.copy(built_sample.folder / "warehouse.duckdb", copy)
    with duckdb.connect() as reader:
        reader.execute(f"attach '{copy}' as other (read_only)")
        for view in ("stg_customers", "customer_segments", "rfm_customer_segments"):
            rows = reader.execute(f"select * from other.main.{view} order by customer_id").fetchall()
            assert rows == built_sample.query(f"select * from {view} order by customer_id")
        for view in COMPUTED:
            assert reader.execute(f"select count(*) from other.main.{view}").fetchall() == built_sample.published(
                f"select count(*) from {view}"
            )


def test_what_is_public_is_built_in_the_file_that_is_published(built_sample):
    """What public views read stands there, too, in another schema; stg_customers and what is computed are made in the copy."""
    manifest = json.loads((built_sample.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    relations = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    assert {node["name"] for node in relations if node["config"]["materialized"] == "ephemeral"} >= set(COMPUTED)
    relations = [node for node in relations if node["name"] not in COMPUTED]
    places = {node["name"]: (node["database"], node["schema"]) for node in relations}
    readable = sorted(name for name, place in places.items() if place == ("warehouse", "main"))
    assert readable == sorted({*PUBLISHED, *OF_ORDERS} - {"stg_customers"})
    assert set(places.values()) == {("warehouse", "main"), ("warehouse", "main_internal"), ("scratch", "main")}
    is_public = {node["name"] for node in relations if "public" in (node.get("access"), node["config"]["meta"].get("access"))}
    is_state = {node["name"] for node in relations if node["config"]["materialized"] == "incremental"}
    assert is_public | is_state == {*PUBLISHED, *OF_ORDERS}


def test_the_published_file_is_for_duckdb_from_1_0_on_and_packs_its_texts(built_sample):
    """BI tools embed older versions; that they themselves open the file is checked where they are installed, not here."""
    versions = built_sample.published("select tags['storage_version'] from duckdb_databases() where not internal")
    assert versions == [("v1.0.0+",)]
    genders = """
        select distinct compression from pragma_storage_info('main_internal.customer_clusters')
        where column_name = 'gender' and segment_type = 'VARCHAR'
    """
    assert built_sample.published(genders) == [("Dictionary",)]
