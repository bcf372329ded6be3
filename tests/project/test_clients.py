"""Other versions of DuckDB than the pinned one, each in an environment of its own: `make test-clients`.

Readers that the published file is meant for open it; builders build the project. The environments are kept in
build/clients.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
pytestmark = pytest.mark.clients

PUBLIC = """
    select table_name, comment from duckdb_tables() where schema_name = 'main'
    union all
    select view_name, comment from duckdb_views() where schema_name = 'main' and not internal
    order by all
"""
READ = f"""
import duckdb, json
with duckdb.connect("warehouse.duckdb", read_only=True) as warehouse:
    tables = warehouse.execute('''{PUBLIC}''').fetchall()
    rows = {{name: len(warehouse.execute(f"select * from {{name}}").fetchall()) for name, *_ in tables}}
    segments = warehouse.execute("select nearest_segment(35, 90, 85)").fetchone()
print(json.dumps([tables, rows, segments]))
"""


@pytest.fixture(scope="session")
def environment_with():
    """A function that makes an environment with these packages and returns its bin folder."""

    def make(name, *packages):
        folder = ROOT / "build" / "clients" / name
        if not (folder / "installed").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
            install = [UV, "pip", "install", "--python", folder / "bin" / "python", *packages]
            run = subprocess.run(install, capture_output=True, text=True, check=False)
            assert run.returncode == 0, run.stderr[-2000:]
            (folder / "installed").touch()
        return folder / "bin"

    return make


def read_with(python, folder):
    run = subprocess.run([python, "-c", READ], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.mark.parametrize("version", ["1.4", "1.5", "2.0"])
def test_a_reader_of_this_version_sees_what_the_pinned_one_sees(built_sample, environment_with, version):
    python = environment_with(f"reader-{version}", f"duckdb~={version}.0") / "python"
    assert read_with(python, built_sample.folder) == read_with(sys.executable, built_sample.folder)


FRAMES = f"""
import duckdb, json
with duckdb.connect("warehouse.duckdb", read_only=True) as warehouse:
    names = [name for name, _ in warehouse.execute('''{PUBLIC}''').fetchall()]
    rows = {{}}
    for name in names:
        table = warehouse.table(name)
        rows[name] = [len(table.df()), table.arrow().read_all().num_rows, len(table.pl()), len(table.fetchall())]
print(json.dumps(rows))
"""


def test_every_published_table_can_be_read_into_a_frame_of_any_kind(built_sample, environment_with):
    """pandas, Arrow and Polars refuse some of the types that DuckDB has, such as whole numbers of 128 bits."""
    python = environment_with("frames", "duckdb~=1.5.0", "pandas", "pyarrow", "polars") / "python"
    run = subprocess.run([python, "-c", FRAMES], cwd=built_sample.folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    rows = json.loads(run.stdout)
    assert {"customer_segment_history", "segment_changes", "builds"} <= set(rows)
    assert all(len(set(counts)) == 1 for counts in rows.values()), rows


@pytest.mark.parametrize("version", ["1.5", "2.0"])
def test_the_project_builds_with_this_version(built_sample, new_project, environment_with, version):
    """With other versions than those pinned; the customers are put into the same segments."""
    bin_folder = environment_with(
        f"builder-{version}", f"duckdb~={version}.0", "dbt-core~=1.11.0", "dbt-duckdb", "pandas", "scikit-learn"
    )
    project = new_project(whole=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("CUSTOMERS_FILE", "ORDERS_FILE")}
    run = subprocess.run(
        [bin_folder / "dbt", "build"], cwd=project.folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:]
    code = (
        "import duckdb; warehouse = duckdb.connect('warehouse.duckdb', read_only=True); "
        "print(warehouse.execute('select customer_id, segment_id from customer_segments order by customer_id').fetchall())"
    )
    read = subprocess.run([bin_folder / "python", "-c", code], cwd=project.folder, capture_output=True, text=True, check=True)
    segments = "select customer_id, segment_id from customer_segments order by customer_id"
    assert read.stdout.strip() == str(built_sample.query(segments))
