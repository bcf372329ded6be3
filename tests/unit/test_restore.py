"""Going back to a kept build, on small files: numbers stay taken, versions of the project differ, and nobody is disturbed."""

import fcntl
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

RESTORE = Path(__file__).parents[2] / "scripts" / "restore.py"
IDS = {number: f"00000000-0000-0000-0000-{number:012}" for number in range(1, 10)}


def write_build(path, number, *, is_old=False, models=(1,)):
    """A file as build `number` publishes it: one row in builds for each so far, all but the last of the same model."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(path) as database:
        restored = "" if is_old else ", cast(null as integer) as restored_build_number"
        database.execute(f"""
            create table builds as
            select
                '00000000-0000-0000-0000-' || lpad(cast(range as varchar), 12, '0') as build_id,
                timestamp '2026-01-01' + to_days(cast(range as integer)) as built_at,
                'customers.csv' as source_file, 100 + range as n_accepted, 3 as n_segments,
                1 as model_version, 'drift warn' as gates,
                cast(range as integer) as build_number {restored}
            from range(1, {number + 1})
        """)
        database.execute("create table segmentation_fits (model_version integer, reason varchar, build_id varchar)")
        for version in models:
            database.execute(f"insert into segmentation_fits values ({version}, 'because', '{IDS[version]}')")
        if not is_old:
            database.execute("alter table segmentation_fits add column quality double")
        database.execute(f"create table customer_segments as select {number} as of_build")
        database.execute(f"comment on table customer_segments is 'One row per customer. Build {IDS[number]}'")
        database.execute("create view of_builds as from customer_segments")


@pytest.fixture
def folder(tmp_path):
    """Three builds, the first of which was published before builds could be restored; the third has a second model."""
    write_build(tmp_path / "kept_builds" / "1.duckdb", 1, is_old=True)
    write_build(tmp_path / "kept_builds" / "2.duckdb", 2)
    write_build(tmp_path / "kept_builds" / "3.duckdb", 3, models=(1, 3))
    write_build(tmp_path / "warehouse.duckdb", 3, models=(1, 3))
    return tmp_path


def restore(folder, *arguments):
    done = subprocess.run([sys.executable, RESTORE, *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def query(folder, sql):
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as reader:
        return reader.execute(sql).fetchall()


def test_kept_builds_are_listed_the_newest_first(folder):
    (folder / "kept_builds" / "4.duckdb").write_bytes(b"no database")
    code, lines = restore(folder)
    assert code == 0
    assert lines[0].startswith("     4  cannot be read: IO Error: ")
    assert lines[1:] == [
        "     3  2026-01-04 00:00  customers.csv: 103 customers in 3 segments, model 1 (a new model: because), gates: drift warn",
        "     2  2026-01-03 00:00  customers.csv: 102 customers in 3 segments, model 1 (scored), gates: drift warn",
        "     1  2026-01-02 00:00  customers.csv: 101 customers in 3 segments, model 1 (a new model: because), gates: drift warn",
    ]


def test_a_build_from_orders_alone_is_listed_without_customers(folder):
    with duckdb.connect(folder / "kept_builds" / "3.duckdb") as database:
        database.execute("drop table segmentation_fits")
        database.execute("alter table builds add column n_order_lines_accepted bigint")
        database.execute("""
            update builds
            set
                source_file = 'orders.csv', n_accepted = null, n_segments = null, model_version = null,
                n_order_lines_accepted = 1200
            where build_number = 3
        """)
    listed = restore(folder)[1][0]
    assert listed == "     3  2026-01-04 00:00  orders.csv: segments from 1,200 lines of orders alone, gates: drift warn"


def test_where_none_is_kept_it_says_so(tmp_path):
    assert restore(tmp_path) == (0, ["No build is kept in kept_builds yet."])
    code, lines = restore(tmp_path, "1")
    assert (code, lines) == (1, ["Nothing was restored: Build 1 is not kept in kept_builds; the builds there are: none."])


def test_a_build_of_an_older_version_is_restored_by_the_names_of_columns(folder):
    code, lines = restore(folder, "1")
    assert (code, lines) == (0, ["Build 1 is published again, as build 4; the next dbt build goes on from it."])
    assert query(folder, "select of_build from customer_segments") == [(1,)]
    columns = "select build_number, restored_build_number, n_accepted, build_id from builds order by rowid"
    *before, (number, restored, n_accepted, build_id) = query(folder, columns)
    assert before == [(1, None, 101, IDS[1]), (2, None, 102, IDS[2]), (3, None, 103, IDS[3])]
    assert (number, restored, n_accepted) == (4, 1, 101)
    assert query(folder, "select model_version, build_id, quality from segmentation_fits order by all") == [
        (1, IDS[1], None),
        (3, IDS[3], None),
    ]
    comments = "select comment from duckdb_tables() where table_name = 'customer_segments'"
    assert query(folder, comments) == [(f"One row per customer. Build {build_id}",)]
    assert (folder / "kept_builds" / "4.duckdb").samefile(folder / "warehouse.duckdb")
    assert sorted(path.name for path in folder.glob("warehouse*")) == ["warehouse.duckdb"]
    assert restore(folder)[1][0].endswith("model 1 (restores build 1), gates: drift warn")


def test_times_of_builds_go_on_in_their_order(folder):
    """The clock of the machine that made the last build was ahead of all that this test may run under."""
    with duckdb.connect(folder / "warehouse.duckdb") as published:
        published.execute("update builds set built_at = timestamp '2300-01-01' where build_number = 3")
    restore(folder, "2")
    assert query(folder, "select max_by(built_at, build_number) from builds") == [(datetime(2300, 1, 1, 0, 0, 0, 1),)]


def test_numbers_stay_taken_where_the_published_file_is_lost(folder):
    (folder / "warehouse.duckdb").unlink()
    assert restore(folder, "2")[0] == 0
    assert query(folder, "select build_number from builds order by rowid") == [(1,), (2,), (3,), (4,)]
    assert query(folder, "select max(model_version) from segmentation_fits") == [(3,)]


def test_a_segmentation_that_the_kept_build_did_not_have_keeps_its_models(folder):
    with duckdb.connect(folder / "warehouse.duckdb") as published:
        published.execute("create table rfm_segmentation_fits as from segmentation_fits")
    restore(folder, "2")
    assert query(folder, "select model_version from main_carried.rfm_segmentation_fits order by all") == [(1,), (3,)]
    assert query(folder, "select 1 from duckdb_tables() where schema_name = 'main' and table_name like 'rfm%'") == []


def test_a_build_that_runs_is_not_disturbed(folder):
    (folder / "build").mkdir()
    with open(folder / "build" / "warehouse.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        code, (line,) = restore(folder, "2")
    assert code == 1
    assert line == (
        "Nothing was restored: Another dbt command (process 4711) is at work in build/warehouse.duckdb; "
        "start this one again when it is done."
    )
    assert query(folder, "from customer_segments") == [(3,)]


def test_a_program_that_writes_is_not_disturbed_either(folder):
    with duckdb.connect(folder / "warehouse.duckdb"):
        code, (line,) = restore(folder, "2")
    assert code == 1
    assert line.startswith("Nothing was restored: warehouse.duckdb: it is open for writing in")
    assert sorted(path.name for path in folder.glob("warehouse*")) == ["warehouse.duckdb"]
