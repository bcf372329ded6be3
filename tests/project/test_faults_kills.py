"""Builds are killed at random moments while readers poll the published file: `make faults` does it a hundred times.

The environment variables KILLS and KILLS_SEED say how many kills, and which ones.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import DBT

pytestmark = pytest.mark.nights

KILLS = int(os.environ.get("KILLS", "3"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
READER = Path(__file__).with_name("reader.py")


class Builds:
    """Builds of a small project, each of which fits a model, so that whatever one leaves behind shows in the next."""

    def __init__(self, project):
        self.project = project
        self.published = project.folder / "warehouse.duckdb"
        self.copy = project.folder / "warehouse.duckdb.publishing"
        header, *rows = (project.folder / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()
        (project.folder / "few.csv").write_text("\n".join([header, *rows[:300]]) + "\n", encoding="utf-8")
        project.configure(source={"file": "few.csv"}, refit="always", n_clusters=3, k_range=[2, 4])
        self.seconds = self.succeed()

    def succeed(self):
        """Run a build, which must succeed and be published; returns its seconds."""
        start, before = time.monotonic(), self.inode()
        output = self.project.build()
        assert "Published: " in output
        assert self.inode() != before
        assert self.history() == self.history(None)
        return time.monotonic() - start

    def inode(self):
        return self.published.stat().st_ino if self.published.exists() else None

    def history(self, file="warehouse.duckdb"):
        """Numbers of builds and of models, each counted in every table that remembers them: all are the same."""
        return self.project.query(
            """
            select count(*), (select count(distinct build_id) from segment_migrations), (select count(*) from segmentation_fits)
            from builds
            """,
            file,
        )[0]

    def kill(self, moment, generator):
        """Start a build and kill it; returns how far it had come: building, copying, renamed or done."""
        before = self.inode()
        with open(self.project.folder / "killed.log", "w", encoding="utf-8") as log:
            build = subprocess.Popen(
                [DBT, "build"], cwd=self.project.folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
            if moment == "any":
                self.wait(build, generator.uniform(0, self.seconds), lambda: False)
            else:
                self.wait(build, 600, self.copy.exists if moment == "copying" else lambda: self.inode() != before)
                time.sleep(generator.uniform(0, 0.3 if moment == "copying" else 0.05))
            stage = "renamed" if self.inode() != before else "copying" if self.copy.exists() else "building"
            if build.poll() is None:
                os.killpg(build.pid, signal.SIGKILL)
            code = build.wait()
        # A build that ended by itself before it was killed has not failed.
        assert code in (0, -signal.SIGKILL), Path(log.name).read_text(encoding="utf-8")[-3000:]
        return stage if code else "done"

    @staticmethod
    def wait(build, seconds, happened):
        end = time.monotonic() + seconds
        while time.monotonic() < end and build.poll() is None and not happened():
            time.sleep(0.001)


@pytest.fixture(scope="module")
def builds(new_project):
    return Builds(new_project())


def test_killed_builds_leave_the_published_file_whole_and_no_trace(builds):
    generator = random.Random(SEED)
    readers = [
        subprocess.Popen([sys.executable, READER, builds.published], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    stages, generations = Counter(), builds.history()[0]
    try:
        for number in range(KILLS):
            before = builds.inode()
            stages[builds.kill(["copying", "any", "renamed", "any"][number % 4], generator)] += 1
            generations += builds.inode() != before
            assert set(builds.history()) == {generations}
            # Every build is the next one of a killed one. Now and then one may end.
            if number % 10 == 9 or number == KILLS - 1:
                builds.succeed()
                generations += 1
                assert set(builds.history()) == {generations}
                assert not list(builds.project.folder.glob("warehouse.duckdb?*"))
    finally:
        seen = [json.loads(reader.communicate()[0]) for reader in readers]
    print(f"\n{KILLS} builds killed: {dict(stages)}; {generations} builds published; readers: ", end="")
    print(", ".join(f"{one['reads']} reads of {len(one['generations'])} builds, {len(one['errors'])} errors" for one in seen))
    assert [one["errors"] for one in seen] == [[], []]
    assert all(one["reads"] > KILLS for one in seen)
