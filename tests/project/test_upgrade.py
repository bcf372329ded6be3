"""A warehouse that commit 2ed8a1f has published is built on by the present code: no refit, and nothing that users see is lost.

The fixture in tests/data was made by `python scripts/compare_builds.py 2ed8a1f --make-fixture tests/data`: three nights, the
second with a refit. Two more nights follow here. In the first, one customer leaves, one comes, and one gets the values and the
orders of another; the second has the files of the fixture again, so that all three go back.
"""

import gzip
import os
import subprocess
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from conftest import DBT

pytestmark = pytest.mark.nights

FIXTURE = Path(__file__).parents[1] / "data"
LEAVES, MOVES, COMES = "60", "80", "99000"
LIKE = "20"  # whose values and orders MOVES and COMES have: in another segment than MOVES, in both segmentations
OTHERS = f"customer_id not in ({LEAVES}, {MOVES}, {COMES})"

PREFIXES = ["", "rfm_"]
PERIOD = "customer_id, segment_id, segment_name, model_version, dbt_valid_from, dbt_valid_to"


class Warehouse:
    """A published file."""

    def __init__(self, path):
        self.path = path

    def query(self, sql):
        """Rows in the order of their values, where the query gives none."""
        with duckdb.connect(self.path, read_only=True) as reader:
            return reader.sql(sql if "order by" in sql else f"{sql} order by all").fetchall()

    def columns(self, table):
        with duckdb.connect(self.path, read_only=True) as reader:
            return reader.table(table).columns

    def segment(self, prefix, customer):
        """Number, name and version of the model of a customer's segment."""
        (found,) = self.query(
            f"select segment_id, segment_name, model_version from {prefix}customer_segments where customer_id = {customer}"
        )
        return found

    def newest_build(self):
        """Id and time of the newest build."""
        return self.query("select build_id, built_at from builds order by built_at")[-1]


@pytest.fixture(scope="module")
def nights(new_project):
    """The warehouses of the fixture and of the two nights after it."""
    project = new_project(orders=True)
    content = gzip.decompress((FIXTURE / "warehouse_2ed8a1f.duckdb.gz").read_bytes())
    (project.folder / "warehouse.duckdb").write_bytes(content)
    (project.folder / "night_0.duckdb").write_bytes(content)
    for number, next_files in enumerate([night_after, night_before], start=1):
        for name, place in (("customers.csv", 0), ("orders.csv", 1)):
            lines = (FIXTURE / name).read_text(encoding="utf-8").splitlines()
            (project.folder / name).write_text("\n".join(next_files(lines, place)) + "\n", encoding="utf-8")
        project.build(file="customers.csv", orders="orders.csv")
        (project.folder / f"night_{number}.duckdb").write_bytes((project.folder / "warehouse.duckdb").read_bytes())
    return [Warehouse(project.folder / f"night_{number}.duckdb") for number in range(3)]


def night_after(lines, place):
    """The lines of a file in which the customer is the field `place`, as three customers change them."""
    for line in lines:
        fields = line.split(",")
        if fields[place] == LIKE:
            for customer in (LIKE, MOVES, COMES):
                yield ",".join([*fields[:place], customer, *fields[place + 1 :]])
        elif fields[place] not in (LEAVES, MOVES):
            yield line


def night_before(lines, place):
    return lines


@pytest.mark.parametrize("prefix", PREFIXES)
def test_nothing_is_fitted_anew(nights, prefix):
    columns = ", ".join(nights[0].columns(f"{prefix}segmentation_models"))
    fixture, *later = (night.query(f"select {columns} from {prefix}segmentation_models") for night in nights)
    assert len(fixture) == 2
    assert later == [fixture, fixture]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_customers_who_are_as_they_were_keep_their_segment_and_its_name(nights, prefix):
    columns = nights[0].columns(f"{prefix}customer_segments")
    values = columns[columns.index("changed_at") + 1 :]
    kept = ", ".join(["customer_id", "segment_id", "segment_name", "model_version", "changed_at", *values])
    fixture, *later = (night.query(f"select {kept} from {prefix}customer_segments where {OTHERS}") for night in nights)
    assert len(fixture) > 50
    assert later == [fixture, fixture]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_segment_before_is_not_forgotten(nights, prefix):
    before = f"select customer_id, previous_segment_id from {prefix}customer_segments where {OTHERS}"
    fixture = nights[0].query(f"{before} and previous_segment_id is not null")
    assert fixture
    for night in nights[1:]:
        assert set(fixture) <= set(night.query(before))


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_customer_who_moves_has_the_segment_of_whom_they_are_like_now(nights, prefix):
    fixture, first, second = nights
    was, is_now = fixture.segment(prefix, MOVES), fixture.segment(prefix, LIKE)
    assert was != is_now
    assert [first.segment(prefix, MOVES), first.segment(prefix, COMES), second.segment(prefix, MOVES)] == [is_now, is_now, was]
    moved = f"select previous_segment_id, changed_at from {prefix}customer_segments where customer_id = {MOVES}"
    assert first.query(moved) == [(was[0], first.newest_build()[1])]
    assert second.query(moved) == [(is_now[0], second.newest_build()[1])]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_history_keeps_every_period_and_goes_on(nights, prefix):
    fixture, first, second = nights
    like, *own = (fixture.segment(prefix, customer) for customer in (LIKE, MOVES, LEAVES))
    assert periods(first, prefix) == gone_on(fixture, first, prefix, closed=[MOVES, LEAVES], opened={MOVES: like, COMES: like})
    assert periods(second, prefix) == gone_on(
        first, second, prefix, closed=[MOVES, COMES], opened=dict(zip([MOVES, LEAVES], own, strict=True))
    )


def periods(night, prefix):
    """The rows of the history; of those that end with the newest build or during it, the end is its beginning."""
    built_at = night.newest_build()[1]
    rows = night.query(f"select {PERIOD} from {prefix}customer_segment_history")
    return sorted((*row[:-1], min(row[-1], built_at) if row[-1] else None) for row in rows)


def gone_on(before, after, prefix, *, closed, opened):
    """The periods of `before`, the open ones of the customers `closed` ended by `after`, and the new ones `opened`."""
    built_at = after.newest_build()[1]
    rows = before.query(f"select {PERIOD} from {prefix}customer_segment_history")
    rows = [(*row[:-1], built_at) if row[-1] is None and str(row[0]) in closed else row for row in rows]
    return sorted(rows + [(int(customer), *segment, built_at, None) for customer, segment in opened.items()])


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_moves_of_a_night_are_those_of_its_customers(nights, prefix):
    fixture, first, second = nights
    like, moves, leaves = (fixture.segment(prefix, customer)[0] for customer in (LIKE, MOVES, LEAVES))
    assert moved(first, prefix) == {(leaves, None): 1, (moves, like): 1, (None, like): 1}
    assert moved(second, prefix) == {(None, leaves): 1, (like, moves): 1, (like, None): 1}


def moved(night, prefix):
    """{(from segment, to segment): customers} of the newest build, without those who stayed."""
    rows = night.query(
        f"""
        select from_segment_id, to_segment_id, n_customers, n_customer_changed
        from {prefix}segment_migrations
        where build_id = '{night.newest_build()[0]}' and from_segment_id is distinct from to_segment_id
        """
    )
    assert all(n_customers == n_customer_changed for *_, n_customers, n_customer_changed in rows)
    return {(start, end): n_customers for start, end, n_customers, _ in rows}


def test_every_build_stays_as_it_was_recorded(nights):
    columns = ", ".join(nights[0].columns("builds"))
    recorded = [night.query(f"select {columns} from builds order by built_at") for night in nights]
    assert [len(rows) for rows in recorded] == [3, 4, 5]
    for before, after in pairwise(recorded):
        assert after[:-1] == before
    results = "select n_rows, n_accepted, n_rejected, n_segments, model_version from builds order by built_at"
    assert nights[-1].query(results)[2:] == [(151, 151, 0, 5, 2)] * 3  # one leaves and one comes


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("table", ["segment_migrations", "feature_drift", "segment_drift"])
def test_what_earlier_builds_found_stays(nights, prefix, table):
    table = f"{prefix}{table}"
    columns = ", ".join(nights[0].columns(table))
    for before, after in pairwise(nights):
        build_id = after.newest_build()[0]
        assert after.query(f"select {columns} from {table} where build_id <> '{build_id}'") == before.query(
            f"select {columns} from {table}"
        )
        assert after.query(f"select 1 from {table} where build_id = '{build_id}'")


def test_who_left_by_a_clock_west_of_greenwich_left_at_the_same_time(new_project):
    """Version 1.0 wrote the end of their periods in the time zone of the machine, and all other times in UTC."""
    project = new_project()
    content = gzip.decompress((FIXTURE / "warehouse_2ed8a1f.duckdb.gz").read_bytes())
    (project.folder / "warehouse.duckdb").write_bytes(content)
    periods = f"select {PERIOD} from customer_segment_history where dbt_valid_to is not null order by all"
    in_utc = Warehouse(project.folder / "warehouse.duckdb").query(periods)
    with duckdb.connect(project.folder / "warehouse.duckdb") as warehouse:
        (leavers,) = warehouse.execute("""
            update customer_segment_history set dbt_valid_to = dbt_valid_to - interval 5 hours
            where dbt_valid_to not in (select built_at from builds)
        """).fetchone()
    assert leavers > 0
    (project.folder / "customers.csv").write_bytes((FIXTURE / "customers.csv").read_bytes())
    # A process of its own: the time zone is asked for once in a process.
    environment = os.environ | {"TZ": "America/New_York", "CUSTOMERS_FILE": "customers.csv"}
    subprocess.run([DBT, "build"], cwd=project.folder, env=environment, capture_output=True, check=True)
    assert Warehouse(project.folder / "warehouse.duckdb").query(periods) == in_utc
