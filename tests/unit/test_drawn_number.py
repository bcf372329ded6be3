"""The draw of samples: as if by lot, whatever the keys are like.

Each bound is five standard deviations of what would be drawn by lot, which true lots exceed once in two million times. The draw
has no lots: what holds here once always holds.
"""

import hashlib
import math
from pathlib import Path

import duckdb
import pytest
from jinja2 import Environment

SOURCE = Path(__file__).parents[2] / "dbt_project" / "macros" / "segmentation" / "training.sql"
N = 100_000
WHOLE_NUMBERS = {
    "consecutive": "i",
    "negative": "-i",
    "even": "2 * i",
    "multiples of a power of two": "i << 32",
    "multiples of a million": "1000000 * i",
    "multiples of the largest of 31 bits": "2147483647 * i",
    "a shop before each number": "1000000000 * (i // 1000) + i % 1000",
    "close to the largest": "9223372036854775807 - i",
}
TEXTS = {
    "numbers": "cast(i as varchar)",
    "e-mails": "'customer' || i || '@example.com'",
    "UUIDs": "lpad(to_hex(i), 8, '0') || '-0000-4000-8000-000000000007'",
}
KEYS = [("bigint", key) for key in WHOLE_NUMBERS.values()] + [("varchar", key) for key in TEXTS.values()]
NAMES = [*WHOLE_NUMBERS, *TEXTS]


def macros():
    stubs = {"local_md5": lambda text: hashlib.md5(text.encode()).hexdigest()}
    return Environment(extensions=["jinja2.ext.do"]).from_string(SOURCE.read_text(encoding="utf-8"), globals=stubs).module


def drawn_number(data_type, seed=42):
    """SQL over the column `key`, for DuckDB: what is below a share where the key is drawn."""
    if data_type == "bigint":
        return macros().drawn_number("key", seed)
    return f"cast('0x' || md5('{seed}|' || key)[:12] as bigint) / cast(2 as double) ** 48"


@pytest.fixture(scope="module", params=KEYS, ids=NAMES)
def draws(request):
    """A table of keys in their order, with what two seeds draw for each and what the first draws for the next key."""
    data_type, key = request.param
    connection = duckdb.connect()
    connection.execute(
        f"create table draws as select i, key, {drawn_number(data_type)} as drawn, {drawn_number(data_type, seed=43)} as other, "
        f"lead(drawn) over (order by i) as next from (select cast({key} as {data_type}) as key, i from range({N}) as keys (i))"
    )
    return connection


def assert_share(draws, condition, share):
    (n,) = draws.sql(f"select count(*) filter (where {condition}) from draws").fetchone()
    assert abs(n - share * N) <= 5 * math.sqrt(share * (1 - share) * N), condition


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 1000000 / 3000001])
def test_who_is_drawn_is_below_the_share(draws, share):
    (data_type,) = draws.sql(
        "select case typeof(key) when 'BIGINT' then 'bigint' else 'varchar' end from draws limit 1"
    ).fetchone()
    condition = macros().is_drawn("key", f"cast({share!r} as double)", data_type, 42)
    drawn, differing = draws.sql(
        f"select count(*) filter (where {condition}), count(*) filter (where ({condition}) <> (drawn < {share!r})) from draws"
    ).fetchone()
    assert drawn > 0
    assert differing == 0


def test_a_text_on_the_border_of_a_share_is_not_drawn():
    """The share is that of the text itself: its number is not below it, and is below the next larger one."""
    number = int(hashlib.md5(b"42|a").hexdigest()[:12], 16)
    conditions = [macros().is_drawn("'a'", f"{share} / cast({2**48} as double)", "varchar", 42) for share in (number, number + 1)]
    assert duckdb.sql(f"select {', '.join(conditions)}").fetchone() == (False, True)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5])
def test_a_sample_has_the_size_that_is_asked_for(draws, share):
    assert_share(draws, f"drawn < {share}", share)
    assert_share(draws, f"drawn >= {1 - share}", share)


def test_numbers_are_as_common_in_each_hundredth(draws):
    """Chi-squared with 99 degrees of freedom: a mean of 99, and a standard deviation of 14, six of which the tail takes."""
    (chi_squared,) = draws.sql(
        f"select sum(power(n - {N / 100}, 2)) / {N / 100} from (select count(*) as n from draws group by floor(100 * drawn))"
    ).fetchone()
    assert 99 - 5 * 14.1 < chi_squared < 99 + 6 * 14.1


def test_each_stretch_of_keys_has_as_many_as_by_lot(draws):
    """Of 100 neighbours 10 are drawn, with a variance of 9; over 1,000 stretches, that varies by a 22nd of itself."""
    (variance,) = draws.sql(
        "select var_pop(n) from (select count(*) filter (where drawn < 0.1) as n from draws group by i // 100)"
    ).fetchone()
    assert abs(variance / 9 - 1) <= 5 / 22


def test_neighbours_have_nothing_to_do_with_each_other(draws):
    assert_share(draws, "drawn < 0.1 and next < 0.1", 0.01)
    assert_share(draws, "drawn < 0.1 and next >= 0.9", 0.01)
    assert_share(draws, "drawn < next", 0.5)


def test_another_seed_draws_others(draws):
    assert_share(draws, "drawn < 0.1 and other < 0.1", 0.01)
    assert_share(draws, "drawn < 0.1 and other >= 0.9", 0.01)
    assert_share(draws, "drawn < other", 0.5)


def test_numbers_are_from_0_to_below_1(draws):
    assert draws.sql("select min(drawn) >= 0 and max(drawn) < 1 from draws").fetchone()[0]
    extremes = ["-9223372036854775808", "9223372036854775807", "0", "-1", "2147483647", "2123456789"]
    query = f"select {drawn_number('bigint')} from (values ({'), ('.join(extremes)})) as extremes (key)"
    assert all(0 <= drawn < 1 for (drawn,) in draws.sql(query).fetchall())
