"""The project as it is shipped, as `make spark` builds it: each command is a process of its own, and Derby remembers for them."""

import subprocess

import pytest
from conftest import COLOURS, DBT, Project

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("shipped"))
    project.copy_files(whole=True)
    return project


def dbt(project, *arguments):
    """What a command prints, as one plain line; it must succeed."""
    command = [DBT, *arguments, "--target", "spark"]
    run = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=1200, check=False)
    printed = " ".join(COLOURS.sub("", run.stdout + run.stderr).split())
    assert run.returncode == 0, printed[-3000:]
    return printed


def test_the_next_night_goes_on_from_the_last_one(shipped):
    for _ in range(2):
        assert "Published: " in dbt(shipped, "build")
    query = """
        select
            count(*) as n_builds, count(distinct model_version) as n_models,
            (select count(distinct build_id) from main.segment_migrations) as n_nights_of_moves,
            (select count(*) from main.customer_segments) - max(n_accepted) as n_customers_too_many
        from main.builds
    """
    shown = dbt(shipped, "show", "--output", "json", "--inline", query)
    assert '"n_builds": 2, "n_models": 1, "n_nights_of_moves": 2, "n_customers_too_many": 0' in shown
    listed = dbt(shipped, "run-operation", "restore")
    assert listed.count("dbt_project/sample/customers.csv: ") == 2
