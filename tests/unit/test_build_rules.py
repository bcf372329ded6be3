"""Which builds count, by the rows of builds alone."""

import sys
from pathlib import Path

import pytest
from dbt_common.exceptions import DbtRuntimeError

sys.path.append(str(Path(__file__).parents[2] / "dbt_project" / "plugins"))
from build_rules import is_to_begin_anew, lineage
from spark_publishing import condition, generation

SAMPLE = "dbt_project/sample/customers.csv"


def builds(*rows):
    """{number: row} from (file, number of the build that is gone back to), numbered from 1."""
    return {
        number: {"source_file": file, "restored_build_number": restored} for number, (file, restored) in enumerate(rows, start=1)
    }


def test_builds_go_on_from_the_one_before():
    assert lineage(builds(("a.csv", None), ("b.csv", None), ("a.csv", None))) == [3, 2, 1]


def test_what_a_restore_goes_back_behind_counts_no_longer():
    assert lineage(builds(*[("a.csv", None)] * 3, ("a.csv", 1), ("a.csv", None))) == [5, 4, 1]


def test_a_restore_that_was_gone_back_behind_counts_no_longer_either():
    # Build 4 goes back to 1, and build 6 to 3, which was made before that.
    assert lineage(builds(*[("a.csv", None)] * 3, ("a.csv", 1), ("a.csv", None), ("a.csv", 3))) == [6, 3, 2, 1]


def test_a_build_on_own_files_does_not_go_on_from_the_sample():
    history = builds((SAMPLE, None), (SAMPLE, None), ("a.csv", None), ("a.csv", None))
    assert lineage(history) == [4, 3]
    assert lineage(history, 2) == [2, 1]


def test_going_back_to_the_sample_goes_on_from_it():
    assert lineage(builds((SAMPLE, None), ("a.csv", None), (SAMPLE, 1), (SAMPLE, None))) == [4, 3, 1]


def test_a_number_that_was_never_given_is_passed_over():
    history = builds(*[("a.csv", None)] * 4)
    del history[2]
    assert lineage(history) == [4, 3, 1]


def test_numbers_are_a_condition_of_ranges():
    assert condition([5, 3, 1, 2]) == "builds.build_number between 1 and 3 or builds.build_number between 5 and 5"
    assert condition([]) == "false"


def test_a_table_says_which_build_and_which_erasure_has_written_it():
    assert generation("customer_clusters__12") == (12, 0)
    assert generation("customer_clusters__12_21") == (12, 21)
    assert generation("customer_clusters__12_21") > generation("customer_clusters__12")


@pytest.mark.parametrize(
    ("last", "now", "expected"), [(SAMPLE, "a.csv", True), ("a.csv", "b.csv", False), (SAMPLE, SAMPLE, False)]
)
def test_everything_begins_anew_behind_the_sample_alone(last, now, expected):
    words = {"place": "The schema main", "way_out": "move it", "way_back": "restore"}
    assert is_to_begin_anew(last, {"customers": now, "orders": None}, **words) is expected


def test_the_sample_is_not_published_over_own_customers():
    words = {"place": "The schema main", "way_out": "take another schema", "way_back": "restore"}
    with pytest.raises(DbtRuntimeError, match=r"The schema main holds the segments of a\.csv.*take another schema\."):
        is_to_begin_anew("a.csv", {"customers": SAMPLE, "orders": None}, **words)
