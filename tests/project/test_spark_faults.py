"""Builds on Spark are killed at random moments while a reader in another process polls the views; so is a worker of a cluster,
and two builds begin at once.

The environment variables SPARK_KILLS and KILLS_SEED say how many kills, and which ones.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml
from conftest import DBT
from spark_cluster import Cluster

pytestmark = pytest.mark.spark

KILLS = int(os.environ.get("SPARK_KILLS", "3"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
READER = Path(__file__).with_name("spark_reader.py")
QUERY = """
import json, sys
from dbt.adapters.sparksession.java import choose_java
from pyspark.sql import SparkSession
choose_java()
builder = SparkSession.builder.config("spark.master", "local[1]").config("spark.ui.enabled", "false")
for name, value in json.loads(sys.argv[1]).items():
    builder = builder.config(name, value)
print(json.dumps([list(row) for row in builder.getOrCreate().sql(sys.argv[2]).collect()], default=str))
"""


class Builds:
    """Builds of a small project, each of which fits a model, by processes of their own that share a metastore."""

    def __init__(self, project, settings):
        self.project, self.settings = project, settings
        project.copy_files()
        header, *rows = (project.folder / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()
        (project.folder / "few.csv").write_text("\n".join([header, *rows[:300]]) + "\n", encoding="utf-8")
        project.configure(source={"file": "few.csv"}, refit="always", n_clusters=3, k_range=[2, 4])
        self.set_parameters(**{"spark.master": "local[2]"}, **settings)
        self.succeed()

    def set_parameters(self, **parameters):
        """Those of the sessions that build from now on."""
        path = self.project.folder / "profiles.yml"
        profiles = yaml.safe_load(path.read_text(encoding="utf-8"))
        there = profiles["customer_segmentation"]["outputs"]["spark"]["server_side_parameters"]
        there.pop("spark.hadoop.javax.jdo.option.ConnectionURL", None)
        there |= parameters
        path.write_text(yaml.safe_dump(profiles, sort_keys=False), encoding="utf-8")

    def start(self, log="build.txt"):
        with open(self.project.folder / log, "w", encoding="utf-8") as file:
            return subprocess.Popen(
                [DBT, "build", "--target", "spark"], cwd=self.project.folder, stdout=file, stderr=subprocess.STDOUT,
                start_new_session=True, env=os.environ | {"SPARK_LOCK_SECONDS": "20"},
            )  # fmt: skip

    def output(self, log="build.txt"):
        return " ".join((self.project.folder / log).read_text(encoding="utf-8").split())

    def succeed(self):
        """Run a build, which must be published. One that was killed keeps it waiting for some time."""
        end = time.monotonic() + 300
        while self.start().wait() != 0:
            assert "Another dbt command" in self.output(), self.output()[-3000:]
            assert time.monotonic() < end
        assert "Published: " in self.output(), self.output()[-3000:]

    def nodes(self):
        """How many nodes of the build are done, and of how many; dbt prints nothing while it publishes behind the last one."""
        done = re.findall(r"(\d+) of (\d+) (?!START|OK hook)", self.output())
        return (int(done[-1][0]), int(done[-1][1])) if done else (0, 1)

    def kill(self, moment, generator):
        """Start a build and kill it, at a random node or while it publishes; returns how far it had come."""
        build = self.start()
        share = 1 if moment == "publishing" else generator.uniform(0, 1)
        while build.poll() is None and self.nodes()[0] < share * self.nodes()[1]:
            time.sleep(0.05)
        # So long publishing takes, and most of the nodes.
        time.sleep(generator.uniform(0, 4))
        if build.poll() is None:
            os.killpg(build.pid, signal.SIGKILL)
        build.wait()
        n_done, n_nodes = self.nodes()
        return "published" if "Published: " in self.output() else "publishing" if n_done == n_nodes else "building"

    def query(self, sql):
        command = [sys.executable, "-c", QUERY, json.dumps(self.settings), sql]
        answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=self.project.folder).stdout
        return [tuple(row) for row in json.loads(answer.splitlines()[-1])]

    def history(self):
        """Numbers of builds and of models, each counted in every table that remembers them: all are the same."""
        return self.query("""
            select
                count(*), max(build_number), (select count(distinct build_id) from main.segment_migrations),
                (select count(*) from main.segmentation_models)
            from main.builds
        """)[0]

    @contextmanager
    def polled(self):
        """A reader polls the views meanwhile, and sees nothing wrong; yields what it has seen, which is filled at the end."""
        command = [sys.executable, READER, json.dumps({"settings": self.settings, "schema": "main"})]
        reader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=self.project.folder)
        assert reader.stdout.readline() == "ready\n"
        seen = {}
        try:
            yield seen
        finally:
            seen.update(json.loads(reader.communicate()[0].splitlines()[-1]))
        assert seen["errors"] == []


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    pytest.importorskip("pyspark")
    from conftest import Project
    from metastore import Metastore

    metastore = Metastore()
    try:
        yield Builds(Project(tmp_path_factory.mktemp("project")), metastore.settings)
    finally:
        metastore.close()


def test_killed_builds_leave_the_views_whole_and_no_trace(builds):
    generator = random.Random(SEED)
    stages = Counter()
    with builds.polled() as seen:
        for number in range(KILLS):
            stages[builds.kill(["publishing", "any"][number % 2], generator)] += 1
        builds.succeed()
    print(f"\n{KILLS} builds killed: {dict(stages)}; the reader: {seen['reads']} reads, {len(seen['errors'])} errors")
    assert seen["reads"] > KILLS
    history = builds.history()
    assert len(set(history)) == 1, history


def test_a_worker_that_is_killed_harms_no_build_that_is_published(builds):
    """Spark gives its tasks to the other worker, or the build fails and readers keep the one before."""
    with closing(Cluster(n_workers=2)) as cluster:
        builds.set_parameters(
            **{"spark.master": cluster.url, "spark.executor.memory": "700m", "spark.driver.host": "127.0.0.1"},
        )
        n_before = builds.history()[0]
        with builds.polled():
            build = builds.start()
            while "START python table model" not in builds.output() and build.poll() is None:
                time.sleep(0.2)
            assert build.poll() is None, builds.output()[-3000:]
            cluster.kill(cluster.workers[0])
            code = build.wait()
            history = builds.history()
            builds.succeed()
    print(f"\nThe build whose worker was killed {'failed' if code else 'was published all the same'}.")
    assert history == (n_before + (code == 0),) * len(history)
    assert builds.history() == (history[0] + 1,) * len(history)


def test_of_two_builds_at_once_the_second_stops(builds):
    first, second = builds.start("first.txt"), builds.start("second.txt")
    codes = {first.wait(), second.wait()}
    words = [builds.output("first.txt"), builds.output("second.txt")]
    assert codes == {0, 1} or codes == {0, 2}, words
    assert sum("Published: " in one for one in words) == 1
    assert sum("Another dbt command" in one and "is at work in main_work" in one for one in words) == 1
