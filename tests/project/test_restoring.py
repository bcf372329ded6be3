"""Nights of one project, whose published file is a link that only its owner reads: a clock that was ahead, and a way back."""

import os
import shutil
import stat
import subprocess
import sys
from datetime import timedelta

import duckdb
import pytest
from conftest import ROOT

pytestmark = pytest.mark.nights

LABELS = "select customer_id, segment_id, segment_name, model_version from customer_segments order by customer_id"
HISTORY = "from customer_segment_history order by all"
TIMES = """
    select schema_name, table_name, column_name from duckdb_columns()
    where data_type = 'TIMESTAMP' and table_name in (select table_name from duckdb_tables())
"""


def rows_of(n_customers, *, older=0, poorer=()):
    """Lines of customers: three groups by age, income and score, some of whom have become poorer."""
    yield "CustomerID,Gender,Age,Annual Income (k$),Spending Score (1-100)"
    for number in range(1, n_customers + 1):
        group = number % 3
        income = 20 if number in poorer else (20, 60, 120)[group]
        score = 90 if number in poorer else (90, 50, 10)[group]
        yield f"{number},Female,{20 + 20 * group + number % 7 + older},{income + number % 5},{score - number % 9}"


class Nights:
    def __init__(self, project):
        self.project = project
        self.link = project.folder / "warehouse.duckdb"
        self.real = project.folder / "published" / "real.duckdb"
        path = project.folder / "dbt_project.yml"
        path.write_text(path.read_text(encoding="utf-8").replace("kept_builds: 7", "kept_builds: 3"), encoding="utf-8")
        project.configure(source={"file": "customers.csv"}, n_clusters=3, k_range=[2, 4])

    def build(self, **customers):
        (self.project.folder / "customers.csv").write_text("\n".join(rows_of(90, **customers)) + "\n", encoding="utf-8")
        return self.project.build()

    def restore(self, *arguments):
        """(exit code, what it printed) of scripts/restore.py."""
        command = [sys.executable, ROOT / "scripts" / "restore.py", *arguments]
        done = subprocess.run(command, cwd=self.project.folder, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def link_and_put_the_clock_a_day_ahead(self):
        """What a machine has published whose clock was a day ahead, moved to where a link leads, for its owner alone."""
        self.real.parent.mkdir()
        self.link.rename(self.real)
        self.link.symlink_to(self.real)
        os.chmod(self.real, 0o600)
        shutil.rmtree(self.project.folder / "build")
        with duckdb.connect(self.real) as published:
            for schema, table, column in published.execute(TIMES).fetchall():
                published.execute(f"update {schema}.{table} set {column} = {column} + interval 1 day")


@pytest.fixture(scope="module")
def nights(new_project):
    return Nights(new_project())


def test_nights(nights):
    nights.build()
    nights.link_and_put_the_clock_a_day_ahead()
    ((ahead,),) = nights.project.published("select built_at from builds")

    # The clock is right again: the next build is the newest one all the same, and so is the one behind it.
    nights.build(poorer=[1, 2])
    times = nights.project.published("select built_at from builds order by build_number")
    assert times == [(ahead,), (ahead + timedelta(microseconds=1),)]
    moved = "select customer_id from customer_segments where changed_at = (select max(built_at) from builds) order by customer_id"
    assert nights.project.published(moved) == [(1,), (2,)]
    assert nights.project.published("select count(*) from customer_segment_history where dbt_valid_to < dbt_valid_from") == [(0,)]
    second, history = nights.project.published(LABELS), nights.project.published(HISTORY)

    # What is published, is so behind the link, and for nobody else to read.
    assert nights.link.is_symlink()
    assert nights.real.parent.name == "published"
    assert sorted(path.name for path in nights.real.parent.iterdir()) == ["kept_builds", "real.duckdb"]
    for path in (
        nights.real,
        nights.real.parent / "kept_builds" / "2.duckdb",
        nights.project.folder / "build" / "warehouse.duckdb",
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    # The customers have drifted.
    nights.build(older=40)
    assert nights.project.published("select max(model_version) from segmentation_models") == [(2,)]
    assert nights.project.published("select built_at from builds order by build_number")[-1] == (
        ahead + timedelta(microseconds=2),
    )

    code, output = nights.restore()
    lines = output.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["3", "2"]  # the first was published elsewhere
    assert "customers.csv: 90 customers in 3 segments, model 2 (a new model: age drifted" in lines[0]
    assert "model 1 (scored)" in lines[1]

    assert nights.restore("7")[1].startswith("Nothing was restored: Build 7 is not kept in ")
    assert nights.restore("2") == (0, "Build 2 is published again, as build 4; the next dbt build goes on from it.\n")
    assert nights.project.published(LABELS) == second
    assert nights.project.published(HISTORY) == history
    assert nights.project.published(
        "select build_number, restored_build_number, model_version, n_accepted from builds order by build_number"
    ) == [
        (1, None, 1, 90),
        (2, None, 1, 90),
        (3, None, 2, 90),
        (4, 2, 1, 90),
    ]
    assert nights.project.published("select model_version from segmentation_fits order by all") == [(1,), (2,)]
    comments = "(select comment from duckdb_tables() union select comment from duckdb_views() where not internal)"
    assert nights.project.published(f"select distinct right(comment, 36) from {comments}") == nights.project.published(
        "select build_id from builds where build_number = 4"
    )
    assert nights.link.is_symlink()
    assert stat.S_IMODE(nights.real.stat().st_mode) == 0o600
    assert "model 1 (restores build 2)" in nights.restore()[1].splitlines()[0]

    # The next build goes on from it: nobody has moved since the second night.
    nights.build(poorer=[1, 2])
    assert nights.project.published(LABELS) == second
    assert nights.project.published(HISTORY) == history
    assert nights.project.published("select build_number, model_version from builds order by build_number desc limit 1") == [
        (5, 1)
    ]
    assert [line.split()[0] for line in nights.restore()[1].splitlines()] == ["5", "4", "3"]

    # A later model gets a number that none had before, and so does a new segment.
    nights.build(older=40)
    assert nights.project.published("select model_version, segment_ids from segmentation_fits order by all")[2][0] == 3
    assert nights.project.published("select distinct model_version from customer_segments") == [(3,)]
