"""Open the file that dbt has built, read-only, and say in one sentence what is wrong where that fails."""

from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

# Levels of a category that are no value of a customer, as models name them, and in words.
ANY_OTHER = "any other"
NOT_GIVEN = "not given"


def columns_of_features(prefix=""):
    """The query for segment_feature_profiles with what a row is of: a number or, as in region=north, a level of a category.

    Beside its columns stand `name` and `label` of the feature, `is_level`, and `level_label`, the level in words.
    """
    return f"""
        select
            *,
            split_part(feature, '=', 1) as name,
            feature <> name as is_level,
            substr(feature, length(name) + 2) as level,
            -- The label is that of the feature, a colon, and the level, or yes or no.
            case when ends_with(feature_label, ': ' || level) then length(level) when level = 'true' then 3 else 2 end
                as length_of_level,
            case
                when level = '(missing)' then '{NOT_GIVEN}'
                when level = '(other)' then '{ANY_OTHER}'
                when is_level then right(feature_label, length_of_level)
            end as level_label,
            left(feature_label, length(feature_label) - case when is_level then length_of_level + 2 else 0 end) as label
        from {prefix}segment_feature_profiles
    """


def spread_features(prefix=""):
    """The query for the features, with their spread: the variance between segments for every 1 among customers.

    The levels of a category count together, as in the tau of Goodman and Kruskal (1954).
    """
    return f"""
        select
            name as feature, any_value(label) as label, min(feature_order) as feature_order, bool_or(is_level) as is_category,
            coalesce(sum(spread * variance) / nullif(sum(variance), 0), 0) as spread
        from (
            select
                name, label, feature, feature_order, is_level, var_pop(mean_scaled) as spread,
                any_value(case when is_level then population_mean * (1 - population_mean) else 1 end) as variance
            from ({columns_of_features(prefix)})
            group by all
        )
        group by name
    """


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def plural(n, word):
    return f"{n:,} {word}" if n == 1 else f"{n:,} {word}s"


def explained(error, path):
    if "set lock" in str(error) or "used by another process" in str(error):
        return f"{path} is open for writing in another program; close it there and try again"
    return f"{path} cannot be read ({str(error).splitlines()[0]}); it should be the file that dbt build writes"


@contextmanager
def read_only(path):
    """A connection to the file at `path`; what DuckDB finds wrong with it ends the script."""
    if not path.exists():
        raise SystemExit(f"{path} does not exist; run dbt build first")
    # DuckDB would read what stands in such a file as if it were published.
    for wal in (Path(f"{path}.wal"), Path(f"{path.resolve()}.wal")):
        if wal.exists():
            raise SystemExit(
                f"{wal} shows that a program writes to {path}, which is only to be read: close that program; "
                f"if there is none any more, delete {wal}"
            )
    try:
        with closing(duckdb.connect(path, read_only=True)) as warehouse:
            yield warehouse
    except duckdb.Error as error:
        raise SystemExit(explained(error, path)) from None


def found_tables(warehouse):
    """The names of all tables and views, in alphabetical order."""
    query = "select table_name from information_schema.tables where table_schema = current_schema() order by table_name"
    return [name for (name,) in warehouse.execute(query).fetchall()]


def prefixes(found):
    """The prefixes of all segmentations among the tables `found`: none for the first, then `rfm_` and so on."""
    return sorted(name.removesuffix("customer_segments") for name in found if name.endswith("customer_segments"))


def first_prefix(found):
    """The prefix of the first segmentation among the tables `found`: none, but `rfm_` in a build from orders alone."""
    return next(iter(prefixes(found)), "")


def is_segmented(warehouse, prefix):
    """Whether the segmentation is there and has segments; that of orders can be empty, where they have too little in them."""
    table = f"{prefix}customer_segments"
    return table in found_tables(warehouse) and warehouse.execute(f"select count(*) > 0 from {quoted(table)}").fetchone()[0]


def use_prefix(warehouse, prefix):
    """Let a second segmentation answer to the names of the first: its tables have the same names and columns behind a prefix.

    The views are the connection's own; nothing is written into the file.
    """
    for name in found_tables(warehouse):
        if prefix and name.startswith(prefix):
            table = f"{quoted(warehouse.execute('select current_database()').fetchone()[0])}.main.{quoted(name)}"
            warehouse.execute(f"create temp view {quoted(name.removeprefix(prefix))} as select * from {table}")


@dataclass(frozen=True)
class Tables:
    """The tables of one segmentation: `connection` knows them by the names of the first, and `names` says which it has."""

    prefix: str
    connection: duckdb.DuckDBPyConnection
    names: frozenset


def segmentations(warehouse, needed):
    """The Tables of each segmentation, the first one always: of others those that have segments and all that is `needed`."""
    found = found_tables(warehouse)
    for prefix in prefixes(found) or [""]:
        names = frozenset(name.removeprefix(prefix) for name in found if name.startswith(prefix))
        if prefix == first_prefix(found) or (names.issuperset(needed) and is_segmented(warehouse, prefix)):
            # A cursor of its own keeps the views of each to itself; all read the one file that is open.
            connection = warehouse.cursor()
            use_prefix(connection, prefix)
            yield Tables(prefix, connection, names)


def basis_of(tables):
    """What customers are segmented by, in words: nothing for the first, `their orders`, or the name of a further one."""
    if not tables.prefix:
        return ""
    query = f"""
        select coalesce(bool_and(feature in (
            select column_name from duckdb_columns()
            where database_name = current_database() and table_name = 'customer_order_features'
        )), false)
        from ({spread_features()})
    """
    return "their orders" if tables.connection.execute(query).fetchone()[0] else tables.prefix.removesuffix("_")
