"""What stands in the way of a build or of publishing, each in one sentence; more, without dbt, in unit/test_published_file.py."""

import fcntl
import json
import os
import re

import duckdb
import pytest
from conftest import ask_dbt_server

pytestmark = pytest.mark.nights


@pytest.fixture(scope="module")
def project(built_customers, copy_of):
    """For builds that come after the first."""
    return copy_of(built_customers)


def test_a_second_build_stops_with_a_sentence(project):
    before = project.generation()
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
    assert project.generation() == before


def test_dbt_can_be_called_in_any_folder(project, tmp_path):
    """As cron, Airflow and Dagster do it. Nothing is written where it was called."""
    path = os.path.relpath(project.folder, tmp_path)
    command = ["run", "--select", "base_customer_lines", "customer_clusters", "--project-dir", path, "--profiles-dir", path]
    output = tmp_path.parent / f"{tmp_path.name}.txt"
    request = {"folder": str(tmp_path), "environment": dict(os.environ), "arguments": command, "output": str(output)}
    assert ask_dbt_server(request) == 0, output.read_text(encoding="utf-8")[-3000:]
    assert list(tmp_path.iterdir()) == []
    results = json.loads((project.folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    done = {result["unique_id"].split(".")[-1] for result in results["results"] if result["status"] == "success"}
    assert done >= {"base_customer_lines", "customer_clusters"}


def test_a_connection_that_fails_is_one_sentence(project, monkeypatch):
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "lots")
    code, output = project.dbt("run", "--select", "builds")
    assert code == 2
    assert (
        "'lots' is no memory_limit for DuckDB (Parser Error: Memory must have a number (e.g. 1GB)); set DUCKDB_MEMORY_LIMIT"
        in output
    )
    assert "Traceback" not in output


def test_a_program_that_writes_to_the_published_file_is_named(project):
    with duckdb.connect(project.folder / "warehouse.duckdb"):
        code, output = project.dbt("build")
    assert code != 0
    assert "it is open for writing in" in output
    assert "close it there, or open it read-only." in output
    assert "Traceback" not in output


def test_a_log_of_writes_beside_the_published_file_is_refused(project):
    wal = project.folder / "warehouse.duckdb.wal"
    wal.write_bytes(b"")
    code, output = project.dbt("build")
    wal.unlink()
    assert code != 0
    assert "warehouse.duckdb.wal shows that a program writes to warehouse.duckdb, which is only to be read" in output


def test_a_build_that_runs_out_of_memory_says_so_and_leaves_the_old_file(project, monkeypatch):
    before = project.generation()
    monkeypatch.setenv("DUCKDB_MEMORY_LIMIT", "12MB")
    code, output = project.dbt("build")
    assert code == 1
    sentence = r"Runtime Error in model base_customer_lines .+? Out of Memory Error: .+? Increasing the memory limit"
    assert re.search(sentence, output), output[-3000:]
    assert re.search(r"Not published: \d+ of \d+ steps failed and \d+ were skipped\. Readers keep the build before\.", output)
    assert project.generation() == before


FULL_DISK = """

import published_file

def copy_onto_a_full_disk(source, target, make_copy=published_file.copy_hidden):
    limit = source.stat().st_size // 2
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    make_copy(source, target)

import resource
published_file.copy_hidden = copy_onto_a_full_disk
"""


def test_a_copy_that_cannot_be_finished_leaves_the_old_file(project):
    """The system refuses to write more than half of it."""
    before = project.generation()
    plugin = project.folder / "dbt_project" / "plugins" / "publishing.py"
    as_shipped = plugin.read_text(encoding="utf-8")
    plugin.write_text(as_shipped + FULL_DISK, encoding="utf-8")
    code, output = project.dbt("build")
    plugin.write_text(as_shipped, encoding="utf-8")
    assert code == 1
    assert re.search(r"Not published, readers keep the build before: .*File too large", output), output[-3000:]
    assert project.generation() == before
