"""The lock of builds on Spark, over a catalog that is a dictionary."""

import re
import sys
import time
from pathlib import Path

import pytest
from dbt_common.exceptions import DbtRuntimeError

sys.path.append(str(Path(__file__).parents[2] / "dbt_project" / "plugins"))
from spark_catalog import Lock


class Catalog:
    """The little of a catalog that a lock asks for; `tables` is {name: properties}."""

    state, work = "main_state", "main_work"

    def __init__(self):
        self.tables = {}
        self.before_making = lambda: None

    def rows(self, sql):
        assert sql == "show tables in `main_state` like 'build_lock_*'"
        return [{"tableName": name} for name in sorted(self.tables)]

    def run(self, sql):
        name = re.search(r"build_lock_\d+", sql)[0]
        given = dict(re.findall(r"'(held_\w+)' = '(.*?)'", sql))
        if sql.startswith("create table if not exists "):
            self.before_making()
            self.tables.setdefault(name, given)
        else:
            assert sql.startswith("alter table ")
            self.tables[name].update(given)

    def properties(self, schema, name):
        return self.tables[name]

    def drop(self, schema, names):
        for name in names:
            self.tables.pop(name, None)


@pytest.fixture
def catalog():
    return Catalog()


def test_the_second_build_stops_and_says_who_has_the_lock(catalog):
    first = Lock(catalog, "first", 60)
    first.take()
    with pytest.raises(DbtRuntimeError, match=r"Another dbt command \(.+, process \d+\) is at work in main_work; .* UTC\.$"):
        Lock(catalog, "second", 60).take()
    first.release()
    Lock(catalog, "third", 60).take()
    assert [properties["held_for"] for properties in catalog.tables.values()] == ["third"]


def test_a_lock_that_has_lapsed_is_taken_over_by_the_next_number(catalog):
    catalog.tables["build_lock_7"] = {"held_for": "killed", "held_by": "somebody", "held_until": str(time.time() - 1)}
    Lock(catalog, "next", 60).take()
    assert list(catalog.tables) == ["build_lock_8"]


def test_of_two_that_ask_at_the_same_time_one_gets_it(catalog):
    other = Lock(catalog, "other", 60)
    catalog.before_making = lambda: (setattr(catalog, "before_making", lambda: None), other.take())
    with pytest.raises(DbtRuntimeError, match="Another dbt command"):
        Lock(catalog, "slower", 60).take()
    assert [properties["held_for"] for properties in catalog.tables.values()] == ["other"]
    other.check()


def test_who_asks_with_an_old_number_withdraws(catalog):
    """The lapsed lock that it has seen was taken over, given back, and made again meanwhile."""
    other = Lock(catalog, "other", 60)
    catalog.tables["build_lock_1"] = {"held_for": "killed", "held_by": "somebody", "held_until": "0"}

    def meanwhile():
        catalog.before_making = lambda: None
        catalog.tables.clear()
        other.take()

    catalog.before_making = meanwhile
    with pytest.raises(DbtRuntimeError, match="Another dbt command"):
        Lock(catalog, "slower", 60).take()
    assert [properties["held_for"] for properties in catalog.tables.values()] == ["other"]


def test_a_lock_is_renewed_as_long_as_it_is_held(catalog):
    lock = Lock(catalog, "long", 0.3)
    lock.take()
    time.sleep(0.6)
    with pytest.raises(DbtRuntimeError, match="Another dbt command"):
        Lock(catalog, "second", 60).take()
    lock.release()


def test_who_has_lost_it_is_told_before_the_commit(catalog):
    lock = Lock(catalog, "paused", 60)
    lock.take()
    lock.ended.set()  # nobody renews it
    catalog.tables = {"build_lock_2": {"held_for": "next", "held_by": "next", "held_until": str(time.time() + 60)}}
    with pytest.raises(DbtRuntimeError, match=r"lapsed, and another one|Another dbt command"):
        lock.check()
