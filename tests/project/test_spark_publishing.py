"""Publishing on Spark, step by step: a command ends at any of its statements, and the next one finds everything whole.

The plugin is the real one; the builds have three small tables and take a second, so that every moment can be tried.
"""

import itertools
import os
import random
import sys
from datetime import datetime
from pathlib import Path

import pytest

pytestmark = [pytest.mark.spark, pytest.mark.filterwarnings("default")]

sys.path.append(str(Path(__file__).parents[2] / "dbt_project" / "plugins"))
# Every so many statements one is the last; 1 tries them all.
STEP = int(os.environ.get("SPARK_STEP", "7"))
SCHEMAS = (f"small_{number}" for number in itertools.count(1))
LABELS = ["customer_id", "segment_id"]
# What builds.sql and the others have, as far as the plugin goes by it.
BUILDS = {
    "built_at": "timestamp", "source_file": "string", "n_accepted": "bigint", "n_segments": "bigint", "model_version": "int",
    "n_order_lines_accepted": "bigint", "gates": "string", "build_number": "int", "restored_build_number": "int",
    "n_customers_erased": "int",
}  # fmt: skip


class KilledError(BaseException):
    """No statement of this command runs any more."""


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    java = pytest.importorskip("dbt.adapters.sparksession.java")
    from pyspark.sql import SparkSession

    java.choose_java()
    settings = {
        "spark.master": "local[1]",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
    }
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


class Builds:
    """A history of small builds in schemas of its own."""

    def __init__(self, session, monkeypatch):
        import spark_publishing

        self.session, self.schema, self.module = session, next(SCHEMAS), spark_publishing
        self.said, self.left = [], None
        monkeypatch.setattr(spark_publishing, "say", self.said.append)
        run, rows = spark_publishing.Catalog.run, spark_publishing.Catalog.rows

        def counted(step):
            def counting(catalog, *statements):
                for statement in statements:
                    if self.left is not None:
                        self.left -= 1
                        if self.left < 0:
                            raise KilledError
                    answer = step(catalog, statement)
                return answer if statements else None

            return counting

        monkeypatch.setattr(spark_publishing.Catalog, "run", counted(run))
        monkeypatch.setattr(spark_publishing.Catalog, "rows", counted(rows))

    def command(self, step, *, n_statements=None, **request):
        """Run a step of the plugin, or its first statements alone; returns whether it came to its end, and the plugin."""
        plugin = self.module.Plugin({"lock_seconds": 3600}, self)
        self.left = n_statements
        try:
            plugin.store({"step": step, "schema": self.schema} | request) if step != "build" else self.steps(plugin, **request)
        except KilledError:
            self.left = None
            if plugin.lock:
                plugin.lock.ended.set()
                # It lapses; see tests/unit/test_spark_lock.py.
                plugin.catalog.drop(plugin.catalog.state, [*plugin.lock.others(), plugin.lock.name or "none"])
            return False
        finally:
            self.left = None
        return True

    def execute(self, sql):
        """The plugin asks its adapter for a session by this."""

    def build(self, customers, **how):
        """A build of {customer: segment}."""
        return self.command("build", customers=customers, **how)

    def steps(self, plugin, customers, file="a.csv", kept_builds=7, commits=True):
        build_id = f"build-{next(SCHEMAS)}"
        request = {
            "step": "begin", "schema": self.schema, "build_id": build_id, "is_full": True, "kept_builds": kept_builds,
            "prefixes": [""], "last_tables": {"customer_clusters": LABELS}, "files": {"customers": file, "orders": None},
        }  # fmt: skip
        plugin.store(request)
        self.earlier = earlier = request["earlier_builds"]
        number, run = earlier["build_number"], plugin.catalog.run
        work, state = f"{self.schema}_work", f"{self.schema}_state"
        values = ", ".join(f"({customer}, {segment})" for customer, segment in customers.items())
        run(
            f"create table {work}.customer_clusters__{number} using parquet as "
            f"select * from values {values} as labels (customer_id, segment_id)",
            f"create table {work}.segment_profiles__{number} using parquet as "
            f"select segment_id, count(*) as n_customers from {work}.customer_clusters__{number} group by segment_id",
            f"create table if not exists {state}.segment_changes (customer_id int, to_segment_id int, built_at timestamp, "
            "build_id string) using parquet partitioned by (build_id)",
            f"create table if not exists {state}.builds ({', '.join(map(' '.join, BUILDS.items()))}, build_id string) "
            "using parquet partitioned by (build_id)",
        )
        last = earlier["last_tables"].get("customer_clusters")
        before = f"{work}.{last}" if last else f"(select * from {work}.customer_clusters__{number} where false)"
        built_at = f"timestamp '{datetime(2026, 1, number)}'"
        run(
            f"insert into {state}.segment_changes select today.customer_id, today.segment_id, {built_at}, '{build_id}' "
            f"from {work}.customer_clusters__{number} as today left join {before} as before "
            "on today.customer_id = before.customer_id where today.segment_id is distinct from before.segment_id"
        )
        if not commits:
            plugin.store({"step": "end", "schema": self.schema})
            return
        counted = f"(build_id = '{build_id}' or build_id in (select build_id from {state}.builds where {earlier['counted']}))"
        history = f"select customer_id, count(*) as n_changes from {state}.segment_changes where {counted} group by customer_id"
        columns = {"segment_id": "The segment's number."}
        row = {
            "built_at": built_at, "source_file": f"'{file}'", "n_accepted": str(len(customers)), "n_segments": "2",
            "model_version": "1", "gates": "'drift ok'", "build_number": str(number),
        }  # fmt: skip
        request = {
            "step": "publish", "schema": self.schema, "build_id": build_id, "build_number": number, "kept_builds": kept_builds,
            "message": f"Published: build {number}.", "counted": counted, "functions": {},
            "queries": {"customer_segments": f"select * from {work}.customer_clusters", "history": history},
            "relations": [
                {"name": "builds", "kind": "incremental", "description": "One row per build.", "columns": {}},
                {"name": "segment_profiles", "kind": "table", "description": "It's sums.", "columns": columns},
                {"name": "segment_changes", "kind": "incremental", "description": "Changes.", "columns": {}},
                {"name": "customer_segments", "kind": "query", "description": "Labels.", "columns": columns,
                 "query": f"select * from {work}.customer_clusters"},
                {"name": "history", "kind": "query", "description": "History.", "columns": {}, "query": history},
            ],
            "commit": f"insert into {state}.builds by name select {', '.join(f'{v} as {n}' for n, v in row.items())}, "
                      f"'{build_id}' as build_id",
        }  # fmt: skip
        plugin.store(request)
        plugin.store({"step": "end", "schema": self.schema})
        if error := request.get("error"):
            raise AssertionError(error)

    def rows(self, sql):
        return [tuple(row) for row in self.session.sql(sql.format(s=self.schema)).collect()]

    def seen(self):
        """{view: what a reader finds}, the newest of the builds at last; nothing before the first build."""
        views = (
            [row[1] for row in self.rows("show views in {s}") if not row[2]]
            if self.rows(f"show schemas like '{self.schema}'")
            else []
        )
        return {view: sorted(self.rows(f"select * from {{s}}.{view}"), key=str) for view in views}

    def newest(self):
        return self.rows("select max(build_number) from {s}.builds")[0][0]

    def labels(self):
        return dict(self.rows("select customer_id, segment_id from {s}.customer_segments"))

    def changes(self):
        return sorted(self.rows("select customer_id, to_segment_id from {s}.segment_changes"))


@pytest.fixture
def builds(session, monkeypatch):
    return Builds(session, monkeypatch)


FIRST, SECOND, THIRD = {1: 1, 2: 1, 3: 2}, {1: 2, 2: 1, 3: 2, 4: 1}, {1: 2, 2: 2, 4: 1, 7: 2}


def test_readers_see_views_that_describe_themselves(builds):
    builds.build(FIRST)
    builds.build(SECOND)
    assert builds.labels() == SECOND
    assert builds.changes() == [(1, 1), (1, 2), (2, 1), (3, 2), (4, 1)]
    assert builds.rows("select * from {s}.history order by customer_id") == [(1, 2), (2, 1), (3, 1), (4, 1)]
    described = {row[0]: row[2] for row in builds.rows("describe {s}.segment_profiles")}
    assert described["segment_id"] == "The segment's number."
    comment = [row[1] for row in builds.rows("describe extended {s}.segment_profiles") if row[0] == "Comment"]
    (build_id,) = builds.rows("select max_by(build_id, build_number) from {s}.builds")[0]
    assert comment == [f"It's sums. Build {build_id}"]
    assert [row[0] for row in builds.rows("describe {s}.segment_changes")][-2:] == ["build_id", "built_at"]


def test_what_was_not_committed_is_never_read_and_dropped_by_the_next_build(builds):
    builds.build(FIRST)
    builds.build(SECOND, commits=False)
    assert builds.labels() == FIRST
    builds.build(THIRD)
    assert builds.labels() == THIRD
    assert builds.changes() == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (4, 1), (7, 2)]
    assert builds.rows("select count(distinct build_id) from {s}_state.segment_changes") == [(2,)]


def test_as_many_builds_are_kept_as_asked_for_and_the_one_before_always(builds):
    for _ in range(4):
        builds.build(FIRST, kept_builds=3)
    kept = {row[1] for row in builds.rows("show tables in {s}_work") if row[1].startswith("customer_clusters__")}
    assert kept == {f"customer_clusters__{number}" for number in (2, 3, 4)}
    builds.build(FIRST, kept_builds=0)
    kept = {row[1] for row in builds.rows("show tables in {s}_work") if row[1].startswith("customer_clusters__")}
    assert kept == {"customer_clusters__4", "customer_clusters__5"}


def test_a_build_on_own_files_begins_anew_behind_the_sample(builds):
    builds.build(FIRST, file="dbt_project/sample/customers.csv")
    builds.build(SECOND)
    assert builds.changes() == [(1, 2), (2, 1), (3, 2), (4, 1)]
    assert builds.earlier["remembered"] == builds.earlier["counted"] == "false"
    with pytest.raises(Exception, match="the sample is not published over them"):
        builds.build(FIRST, file="dbt_project/sample/customers.csv")


def test_a_restore_publishes_a_kept_build_and_the_next_one_goes_on_from_it(builds):
    for customers in (FIRST, SECOND, THIRD):
        builds.build(customers)
    builds.command("restore", build=1)
    assert (builds.labels(), builds.newest()) == (FIRST, 4)
    assert builds.changes() == [(1, 1), (2, 1), (3, 2)]
    assert builds.rows("select restored_build_number from {s}.builds where build_number = 4") == [(1,)]
    builds.build(SECOND)
    assert builds.changes() == [(1, 1), (1, 2), (2, 1), (3, 2), (4, 1)]
    # Models keep their numbers.
    assert builds.earlier["remembered"] == "builds.build_number between 1 and 4"
    assert builds.earlier["counted"] == "builds.build_number between 1 and 1 or builds.build_number between 4 and 4"
    # And one that was gone back behind is gone back to.
    builds.command("restore", build=3)
    assert (builds.labels(), builds.newest()) == (THIRD, 6)
    assert builds.changes() == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (4, 1), (7, 2)]


def test_kept_builds_are_listed_and_others_refused(builds):
    builds.build(FIRST)
    builds.command("restore", build=None)
    assert builds.said[-1] == "     1  2026-01-01 00:00  a.csv: 3 customers in 2 segments, model 1 (scored), gates: all ok"
    with pytest.raises(Exception, match=r"Build 5 is not kept in .*_work; the builds there are: 1\."):
        builds.command("restore", build=5)


def test_erased_customers_are_nowhere(builds, tmp_path):
    for customers in (FIRST, SECOND, THIRD):
        builds.build(customers)
    builds.command("erase", keys=["0007", 2])
    assert builds.labels() == {1: 2, 4: 1}
    assert builds.rows("select n_customers_erased from {s}.builds where build_number = 4") == [(2,)]
    places = [
        (schema, row[1]) for schema in ("_work", "_state") for row in builds.rows(f"show tables in {{s}}{schema}") if not row[2]
    ]
    for schema, table in places:
        names = builds.session.table(f"{builds.schema}{schema}.{table}").columns
        if "customer_id" in names:
            assert builds.rows(f"select count(*) from {{s}}{schema}.{table} where customer_id in (2, 7)") == [(0,)], table
    builds.command("restore", build=2)
    assert builds.labels() == {1: 2, 3: 2, 4: 1}
    builds.build({1: 2, 2: 1})
    assert builds.changes() == [(1, 1), (1, 2), (2, 1), (3, 2), (4, 1)]


def test_a_key_that_nobody_has_changes_nothing(builds):
    builds.build(FIRST)
    before = builds.seen()
    with pytest.raises(Exception, match=r"The key is in no build\."):
        builds.command("erase", keys=[99])
    with pytest.raises(Exception, match=r"'x' is no customer_id, which is of the type int; correct it\."):
        builds.command("erase", keys=["x"])
    assert builds.seen() == before


@pytest.mark.parametrize("command", ["build", "restore", "erase"])
def test_a_command_that_ends_at_any_statement_has_happened_or_not(builds, command):
    """Each view shows one of two builds, the old or the new; the next build finds the whole history, and so do its readers."""
    requests = {"build": {"customers": THIRD}, "restore": {"build": 1}, "erase": {"keys": [2]}}[command]
    n_killed, stages = 0, set()
    for n_statements in itertools.count(random.Random(command).randrange(STEP), STEP):
        builds.schema = next(SCHEMAS)
        builds.build(FIRST)
        builds.build(SECOND)
        before = builds.seen()
        if builds.command(command, n_statements=n_statements, **requests):
            break
        n_killed += 1
        after = builds.seen()
        # What a reader finds who joins nothing.
        assert set(after) == set(before)
        builds.command("restore", build=None)  # any command ends what was interrupted
        ended = builds.seen()
        for view in before:
            assert after[view] in (before[view], ended[view]), (n_statements, view)
        stages.add("behind the commit" if ended != before else "before it")
        builds.build({**FIRST, 8: 1})
        gone = {2} if command == "erase" and ended != before else set()
        assert set(builds.labels()) == {1, 2, 3, 8}
        changes = [change for change in builds.changes() if change[0] not in gone]
        path = [FIRST, SECOND, THIRD][: 3 if command == "build" and ended != before else 2]
        path = [FIRST] if command == "restore" and ended != before else path
        assert changes == [change for change in expected_changes([*path, {**FIRST, 8: 1}]) if change[0] not in gone]
    assert n_killed > 2
    assert stages == {"before it", "behind the commit"}


def expected_changes(nights):
    changes, last = [], {}
    for night in nights:
        changes += [(customer, segment) for customer, segment in night.items() if last.get(customer) != segment]
        last = night
    return sorted(changes)
