"""When a build is published, and what becomes of one that is not; faults at random moments are in test_faults_kills.py."""

import re
import shutil

import duckdb
import pytest

pytestmark = pytest.mark.nights


@pytest.fixture(scope="module")
def project(built_customers, copy_of):
    """For builds that come after the first."""
    return copy_of(built_customers)


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
    before = project.generation()
    # As a build leaves them that is killed while it publishes.
    for name in ("warehouse.duckdb.publishing", "warehouse.duckdb.publishing.wal"):
        (project.folder / name).write_text("half a copy", encoding="utf-8")
    _, output = project.dbt(*command)
    assert ("Not published: only a full dbt build is" in output) == (command[0] == "build")
    assert project.generation() == before


def test_a_build_that_fails_leaves_no_trace(project):
    """Neither in the published file nor in the next build: a model that did not pass its gate was never there."""
    inode, n_builds = project.generation()
    tables = project.published("show tables")
    gates = project.block()["gates"]
    project.configure(refit="always", gates=gates | {"silhouette": {"bound": 0.9, "severity": "error"}})
    code, output = project.dbt("build")
    assert code == 1
    assert re.search(r"Not published: 1 of \d+ steps failed and \d+ were skipped. Readers keep the build before.", output)
    assert project.generation() == (inode, n_builds)
    assert project.value("select max(model_version) from segmentation_fits") == 2

    # Nor is it one when dbt tries again what failed: the rest would be of the build before.
    code, output = project.dbt("retry")
    assert code == 1
    assert "Not published: only a full dbt build is" in output
    assert "does not exist" not in output

    project.configure(refit="auto", gates=gates)
    project.build()
    assert project.generation()[1] == n_builds + 1
    assert project.published("show tables") == tables
    assert project.published("select model_version from segmentation_fits") == [(1,)]
    assert project.published("select count(distinct build_id) from segment_migrations") == [(n_builds + 1,)]


def test_build_files_that_cannot_be_opened_are_no_loss(project):
    """As a full disk leaves them; nor is a folder that is gone. A file that the profile attaches beside the two is left alone."""
    _, n_builds = project.generation()
    with duckdb.connect(project.folder / "other.duckdb") as other:
        other.execute("create table kept as select 1 as one")
    profile = project.folder / "profiles.yml"
    as_shipped = profile.read_text(encoding="utf-8")
    attached = "      attach:\n        - {path: other.duckdb, alias: other}\n"
    profile.write_text(as_shipped.replace("      attach:\n", attached), encoding="utf-8")
    history = project.published("from customer_segment_history order by all")
    shutil.rmtree(project.folder / "build")
    (project.folder / "build").mkdir()
    (project.folder / "build" / "warehouse.duckdb").touch()
    (project.folder / "build" / "scratch.duckdb").write_bytes(b"cut off")
    output = project.build()
    profile.write_text(as_shipped, encoding="utf-8")
    for name in ("warehouse", "scratch"):
        assert f"build/{name}.duckdb cannot be used (IO Error: " in output
    assert project.generation()[1] == n_builds + 1
    assert project.published("from customer_segment_history order by all") == history
    assert project.query("from kept", "other.duckdb") == [(1,)]


def test_without_a_published_file_everything_begins_anew(project):
    (project.folder / "warehouse.duckdb").unlink()
    project.build()
    assert project.generation()[1] == 1
    assert project.published("select count(distinct dbt_valid_from), max(dbt_valid_to) from customer_segment_history") == [
        (1, None)
    ]
