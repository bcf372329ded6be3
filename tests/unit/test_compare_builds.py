"""Two tiny databases that differ in one thing, and the sentence that says so."""

import random

import duckdb
import pytest
from compare_builds import differences, main, next_customers

FIRST, SECOND = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
TABLES = """
    create table builds (build_id varchar, built_at timestamp, code_version varchar);
    create table segments (segment_id integer, segment_name varchar, rule varchar, share double);
    insert into segments values (1, 'Young', 'years <= 37.5', 0.25), (2, 'Senior', 'years > 37.5', 0.75);
    comment on column segments.share is 'Share of the customers.';
    create table history (
        customer integer, segment_id integer, dbt_valid_from timestamp, dbt_valid_to timestamp, dbt_scd_id varchar
    );
    create view names as select segment_id, segment_name from segments;
    create macro nearest(years) as case when years <= 37.25 then 1 else 2 end;
"""


@pytest.fixture
def connection():
    """Two equal databases, built at other times under other ids by other code."""
    with duckdb.connect() as connection:
        for database, day, code in (("before", "2026-01-01", "abc"), ("after", "2026-02-01", "def")):
            ids = [FIRST, SECOND] if database == "before" else [SECOND, FIRST]
            connection.execute(f"attach ':memory:' as {database}; use {database}")
            connection.execute(TABLES)
            connection.execute(
                f"""
                insert into builds values ('{ids[0]}', '{day} 01:00', '{code}'), ('{ids[1]}', '{day} 03:00', '{code}');
                insert into history values
                    (7, 1, '{day} 01:00', '{day} 03:00:05', '{code}1'), (7, 2, '{day} 03:00', null, '{code}2');
                comment on table segments is 'One row per segment. Build {ids[1]}';
                """
            )
        connection.execute("use memory")
        yield connection


def found(connection, change="", tolerance=0.0):
    """The differences after a change of the second database."""
    connection.execute(f"use after; {change}; use memory")
    return list(differences(connection, ("before", "main"), ("after", "work tree"), tolerance))


def test_other_ids_times_and_code_are_no_difference(connection):
    assert found(connection) == []


def test_the_order_of_rows_is_no_difference(connection):
    assert found(connection, "create or replace table history as from history order by segment_id desc") == []


def test_a_view_may_become_a_table(connection):
    assert found(connection, "create table copy as from names; drop view names; alter table copy rename to names") == []


def test_a_changed_rounding_of_a_rule(connection):
    assert found(connection, "update segments set rule = 'years <= 38' where segment_id = 1") == [
        "segments: 1 of 2 rows differ: at segment_id 1 rule is [years <= 37.5] | [years <= 38]"
    ]


def test_long_values_are_shown_from_where_they_part(connection):
    rule = "years <= 1 and " * 20
    connection.execute(f"update before.segments set rule = '{rule}income > 20' where segment_id = 1")
    (words,) = found(connection, f"update segments set rule = '{rule}income > 21' where segment_id = 1")
    assert words.endswith("rule is [… <= 1 and income > 20] | [… <= 1 and income > 21]")


def test_a_renamed_column(connection):
    assert found(connection, "alter table segments rename rule to definition") == [
        "segments: the column rule is only in main",
        "segments: the column definition is only in work tree",
    ]


def test_swapped_columns(connection):
    swapped = """
        create or replace table segments as select segment_id, rule, segment_name, share from segments;
        comment on table segments is 'One row per segment.';
        comment on column segments.share is 'Share of the customers.'
    """
    assert found(connection, swapped) == [
        "segments: the order of the columns is [segment_id, segment_name, rule, share] | [segment_id, rule, segment_name, share]"
    ]


def test_missing_comments(connection):
    assert found(connection, "comment on table segments is null; comment on column segments.share is null") == [
        "segments: the comment of the table is [One row per segment.] | []",
        "segments: the comment of share is [Share of the customers.] | []",
    ]


def test_another_type_with_the_same_values(connection):
    assert found(connection, "alter table builds alter build_id type uuid; alter table history alter customer type bigint") == [
        "builds: the type of build_id is [VARCHAR] | [UUID]",
        "history: the type of customer is [INTEGER] | [BIGINT]",
    ]


def test_a_table_on_one_side(connection):
    assert found(connection, "drop view names; create table labels (label varchar)") == [
        "names: the table is only in main",
        "labels: the table is only in work tree",
    ]


def test_a_missing_row(connection):
    assert found(connection, "delete from segments where segment_id = 2") == [
        "names: the number of rows is [2] | [1]",
        "names: 1 of 2 rows differ: the one at segment_id 2 is only in main",
        "segments: the number of rows is [2] | [1]",
        "segments: 1 of 2 rows differ: the one at segment_id 2 is only in main",
    ]


def test_a_row_that_is_there_twice(connection):
    assert found(connection, "insert into builds from builds limit 1")[0] == "builds: the number of rows is [2] | [3]"


def test_a_period_that_ends_with_another_build(connection):
    assert found(connection, "update history set dbt_valid_to = '2026-02-01 02:59' where dbt_valid_to is not null") == [
        "history: 1 of 2 rows differ: at customer 7, segment_id 1 dbt_valid_to is [2] | [1]"
    ]


def test_row_ids_that_are_no_longer_unique(connection):
    assert found(connection, "update history set dbt_scd_id = 'same'") == ["history: dbt_scd_id identifies the rows only in main"]


def test_a_double_in_its_last_digit_unless_it_is_tolerated(connection):
    change = "update segments set share = 0.25000000000000006::double where segment_id = 1"
    assert found(connection, change) == ["segments: 1 of 2 rows differ: at segment_id 1 share is [0.25] | [0.25000000000000006]"]
    assert found(connection, tolerance=1e-12) == []


def test_missing_and_undefined_doubles_are_values(connection):
    connection.execute("update before.segments set share = 'nan'")
    assert found(connection, "update segments set share = 'nan'", tolerance=1e-12) == []
    assert found(connection, "update segments set share = null where segment_id = 1", tolerance=1e-12) == [
        "segments: 1 of 2 rows differ: at segment_id 1 share is [nan] | [None]"
    ]


def test_another_constant_in_a_function_unless_it_is_tolerated(connection):
    change = "create or replace macro nearest(years) as case when years <= {} then 1 else 2 end"
    assert [words.split(":")[0] for words in found(connection, change.format(37.26))] == ["nearest"]
    assert [words.split(":")[0] for words in found(connection, change.format("37.25000000000001"))] == ["nearest"]
    assert found(connection, tolerance=1e-12) == []


def test_the_next_night_has_customers_who_left_changed_and_came():
    lines = ["id,kind,years,score", *(f"{number},a,{number % 60},{number % 7}" for number in range(1, 201)), "201,a,,3"]
    generator = random.Random(1)
    changed, left = next_customers(lines, generator)
    numbers = [line.split(",")[0] for line in changed[1:]]
    assert changed[0] == lines[0]
    assert "201,a,,3" in changed
    assert len(left) == 6
    assert not set(left) & set(changed)
    assert len(numbers) == len(set(numbers)) == 201
    assert sum(line not in lines for line in changed) in range(7, 17)  # six new ones, and ten who may draw what they had


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nosuch", "--only", "sample"], "nosuch is no revision of the repository in"),
        (
            ["HEAD", "--only", "sample", "--against", "nosuch"],
            "nosuch is no work tree of git; --against takes the folder of one.",
        ),
        (["HEAD", "--only", "mall", "--data", "nosuch"], "Mall_Customers.csv is not in nosuch; give its folder with --data"),
        (["HEAD", "--only", "sample", "--keep", "."], ". exists; give a new folder to --keep."),
    ],
)
def test_what_is_in_the_way_is_one_sentence(arguments, words, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["compare_builds.py", *arguments])
    with pytest.raises(SystemExit) as exit_status:
        main()
    assert exit_status.value.code == 2
    assert words in capsys.readouterr().err
