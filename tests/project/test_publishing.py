"""What is published, when, and what stands in the way; faults at random moments are in test_faults.py."""

import fcntl
import json
import re
import shutil

import duckdb
import pytest

PUBLISHED = [
    "builds",
    "customer_segment_history",
    "customer_segments",
    "feature_drift",
    "k_scores",
    "rejected_customers",
    "segment_attribute_profiles",
    "segment_centroids",
    "segment_changes",
    "segment_drift",
    "segment_feature_profiles",
    "segment_migrations",
    "segment_profiles",
    "segmentation_fits",
    "segmentation_models",
    "stg_customers",
]
OF_ORDERS = [
    "customers_360",
    "rejected_orders",
    "rfm_class_profiles",
    "rfm_classes",
    "rfm_customer_segment_history",
    "rfm_customer_segments",
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
    "rfm_segment_profiles",
    "rfm_segmentation_fits",
    "rfm_segmentation_models",
    "stg_orders",
]
GATES = ["agreement", "drift", "silhouette", "smallest_share", "stability"]


@pytest.fixture(scope="module")
def project(built_customers, copy_of):
    """For builds that come after the first."""
    return copy_of(built_customers)


def published(project, sql):
    return project.query(sql, "warehouse.duckdb")


def generation(project):
    """The inode of the published file and the number of builds in it; nothing else lies beside it."""
    assert [path.name for path in project.folder.glob("warehouse.duckdb*")] == ["warehouse.duckdb"]
    return (project.folder / "warehouse.duckdb").stat().st_ino, published(project, "select count(*) from builds")[0][0]


def test_the_published_file_has_the_public_tables_with_words_and_functions(built_sample):
    tables = sorted(PUBLISHED + OF_ORDERS)
    assert [name for (name,) in published(built_sample, "show tables")] == tables
    views = "select view_name from duckdb_views() where not internal order by view_name"
    assert [name for (name,) in published(built_sample, views)] == [
        "customer_segment_history",
        "customer_segments",
        "rfm_customer_segment_history",
        "rfm_customer_segments",
        "stg_customers",
    ]
    columns = (
        "select table_name, column_name, data_type, comment from duckdb_columns() where not internal and schema_name = 'main'"
    )
    in_build = [row for row in built_sample.query(columns) if row[0] in tables]
    assert sorted(published(built_sample, columns)) == sorted(in_build)
    scored = "select customer_id, nearest_segment(age, annual_income_k, spending_score) from customer_segments"
    assert published(built_sample, scored) == built_sample.query("select customer_id, segment_id from customer_segments")
    scored = "select customer_id, rfm_nearest_segment(recency_days, frequency, monetary_value) from rfm_customer_segments"
    labels = "select customer_id, segment_id from rfm_customer_segments"
    assert published(built_sample, scored) == built_sample.query(labels)
    for table in tables[1:]:
        assert published(built_sample, f"from {table}") == built_sample.query(f"from {table}")


def test_every_table_names_its_build_and_the_builds_tell_of_it(built_sample):
    comments = published(built_sample, "select comment from duckdb_tables()")
    (build_id, *counts, gates, n_warnings, code_version), *others = published(
        built_sample,
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
    assert gates == ", ".join(f"{gate} ok" for gate in sorted(GATES + [f"rfm_{gate}" for gate in GATES]))
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


def test_what_is_public_is_built_in_the_file_that_is_published(built_sample):
    """What public views read stands there, too, in another schema; only stg_customers is made for readers when that is copied."""
    manifest = json.loads((built_sample.folder / "target" / "manifest.json").read_text(encoding="utf-8"))
    relations = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    places = {node["name"]: (node["database"], node["schema"]) for node in relations}
    readable = sorted(name for name, place in places.items() if place == ("warehouse", "main"))
    assert readable == sorted({*PUBLISHED, *OF_ORDERS} - {"stg_customers"})
    assert set(places.values()) == {("warehouse", "main"), ("warehouse", "main_internal"), ("scratch", "main")}
    is_public = {node["name"] for node in relations if "public" in (node.get("access"), node["config"]["meta"].get("access"))}
    is_state = {node["name"] for node in relations if node["config"]["materialized"] == "incremental"}
    assert is_public | is_state == {*PUBLISHED, *OF_ORDERS}


def test_the_published_file_is_for_duckdb_from_1_0_on_and_packs_its_texts(built_sample):
    """BI tools embed older versions; that they themselves open the file is checked where they are installed, not here."""
    versions = published(built_sample, "select tags['storage_version'] from duckdb_databases() where not internal")
    assert versions == [("v1.0.0+",)]
    genders = """
        select distinct compression from pragma_storage_info('main_internal.customer_clusters')
        where column_name = 'gender' and segment_type = 'VARCHAR'
    """
    assert published(built_sample, genders) == [("Dictionary",)]


@pytest.mark.parametrize(
    "command",
    [
        ["build", "--exclude", "test_type:unit"],
        ["build", "--select", "segment_names"],
        ["build", "--empty"],
        ["run", "--select", "builds"],
        ["test", "--select", "builds"],
        ["docs", "generate"],
    ],
    ids=" ".join,
)
def test_only_a_full_build_is_published(project, command):
    before = generation(project)
    # As a build leaves them that is killed while it publishes.
    for name in ("warehouse.duckdb.publishing", "warehouse.duckdb.publishing.wal"):
        (project.folder / name).write_text("half a copy", encoding="utf-8")
    _, output = project.dbt(*command)
    assert ("Not published: only a full dbt build is" in output) == (command[0] == "build")
    assert generation(project) == before


def test_a_build_that_fails_leaves_no_trace(project):
    """Neither in the published file nor in the next build: a model that did not pass its gate was never there."""
    inode, n_builds = generation(project)
    gates = project.block()["gates"]
    project.configure(refit="always", gates=gates | {"silhouette": {"bound": 0.9, "severity": "error"}})
    code, output = project.dbt("build")
    assert code == 1
    assert re.search(r"Not published: 1 of \d+ steps failed and \d+ were skipped. Readers keep the build before.", output)
    assert generation(project) == (inode, n_builds)
    assert project.value("select max(model_version) from segmentation_fits") == 2

    # Nor is it one when dbt tries again what failed: the rest would be of the build before.
    code, output = project.dbt("retry")
    assert code == 1
    assert "Not published: only a full dbt build is" in output
    assert "does not exist" not in output

    project.configure(refit="auto", gates=gates)
    project.build()
    assert generation(project)[1] == n_builds + 1
    assert [name for (name,) in published(project, "show tables")] == PUBLISHED
    assert published(project, "select model_version from segmentation_fits") == [(1,)]
    assert published(project, "select count(distinct build_id) from segment_migrations") == [(n_builds + 1,)]


def test_a_build_file_that_is_gone_is_no_loss(project):
    """Nor is one in which somebody has worked. A file that the profile attaches beside the two of the build is left alone."""
    _, n_builds = generation(project)
    with duckdb.connect(project.folder / "other.duckdb") as other:
        other.execute("create table kept as select 1 as one")
    profile = project.folder / "profiles.yml"
    as_shipped = profile.read_text(encoding="utf-8")
    attached = "      attach:\n        - {path: other.duckdb, alias: other}\n"
    profile.write_text(as_shipped.replace("      attach:\n", attached), encoding="utf-8")
    history = published(project, "from customer_segment_history order by all")
    shutil.rmtree(project.folder / "build")
    project.build()
    profile.write_text(as_shipped, encoding="utf-8")
    assert generation(project)[1] == n_builds + 1
    assert published(project, "from customer_segment_history order by all") == history
    assert project.query("from kept", "other.duckdb") == [(1,)]


def test_the_sample_is_forgotten_with_the_first_file_that_can_be_used(project):
    before = generation(project)
    header, *rows = (project.folder / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()
    own = project.folder / "own.csv"
    own.write_text("something,else\n1,2\n", encoding="utf-8")
    code, output = project.dbt("build", file=own)
    assert code == 1
    assert "Not published: " in output
    assert generation(project) == before

    own.write_text("\n".join([header, *rows[:300]]) + "\n", encoding="utf-8")
    assert "The last build was on the sample: its models and history are forgotten." in project.build(file=own)
    assert published(project, "select count(*), max(model_version), any_value(source_file) from builds") == [(1, 1, str(own))]
    assert published(project, "select model_version, reason from segmentation_models") == [(1, "the first model")]
    assert published(project, "select distinct from_segment_id from segment_migrations") == [(None,)]
    sizes = [size for (size,) in published(project, "select n_customers from segment_profiles order by segment_id")]
    assert sizes == sorted(sizes, reverse=True)
    # With a second file of one's own everything is remembered.
    own.rename(project.folder / "later.csv")
    assert "forgotten" not in project.build(file=project.folder / "later.csv")
    assert published(project, "select count(*), max(model_version) from builds") == [(2, 1)]


def test_without_a_published_file_everything_begins_anew(project):
    (project.folder / "warehouse.duckdb").unlink()
    project.build()
    assert generation(project)[1] == 1
    assert published(project, "select count(distinct dbt_valid_from), max(dbt_valid_to) from customer_segment_history") == [
        (1, None)
    ]


def test_a_second_build_stops_with_a_sentence(project):
    before = generation(project)
    with open(project.folder / "build" / "warehouse.lock", "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write("4711")
        lock.flush()
        code, output = project.dbt("build")
    assert code != 0
    assert (
        "Another dbt command (process 4711) is at work in build/warehouse.duckdb; start this one again when it is done." in output
    )
    assert generation(project) == before


def test_a_program_that_writes_to_the_published_file_is_named(project):
    with duckdb.connect(project.folder / "warehouse.duckdb"):
        code, output = project.dbt("build")
    assert code != 0
    assert "it is open for writing in" in output
    assert "close it there, or open it read-only." in output


def test_a_log_of_writes_beside_the_published_file_is_refused(project):
    wal = project.folder / "warehouse.duckdb.wal"
    wal.write_bytes(b"")
    code, output = project.dbt("build")
    wal.unlink()
    assert code != 0
    assert "warehouse.duckdb.wal shows that a program writes to warehouse.duckdb, which is only to be read" in output


def test_a_build_that_runs_out_of_memory_says_so_and_leaves_the_old_file(project, monkeypatch):
    before = generation(project)
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "12MB")
    code, output = project.dbt("build")
    assert code == 1
    sentence = r"Runtime Error in model base_customer_lines .+? Out of Memory Error: .+? Increasing the memory limit"
    assert re.search(sentence, output), output[-3000:]
    assert re.search(r"Not published: \d+ of \d+ steps failed and \d+ were skipped\. Readers keep the build before\.", output)
    assert generation(project) == before


FULL_DISK = """

import shutil

def copy_onto_a_full_disk(source, target, copyfile=shutil.copyfile):
    limit = source.stat().st_size // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    copyfile(source, target)

import resource
shutil.copyfile = copy_onto_a_full_disk
"""


def test_a_copy_that_cannot_be_finished_leaves_the_old_file(project):
    """The system refuses to write more than half of it."""
    before = generation(project)
    plugin = project.folder / "dbt_project" / "plugins" / "publishing.py"
    as_shipped = plugin.read_text(encoding="utf-8")
    plugin.write_text(as_shipped + FULL_DISK, encoding="utf-8")
    code, output = project.dbt("build")
    plugin.write_text(as_shipped, encoding="utf-8")
    assert code == 1
    assert re.search(r"Not published, readers keep the build before: .*File too large", output), output[-3000:]
    assert generation(project) == before
    project.build()
    assert generation(project)[1] == before[1] + 1
