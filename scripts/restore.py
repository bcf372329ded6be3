"""Go back to one of the last published builds, which are kept beside the published file; without a number, list them.

The chosen build takes the published name by a rename, with its models, labels and history. It becomes a build of its own, with
the next number; later numbers of builds and versions of models stay taken. The next dbt build goes on from it.

    python scripts/restore.py
    python scripts/restore.py 12
"""

import argparse
import sys
from contextlib import closing
from pathlib import Path

import duckdb

sys.path.append(str(Path(__file__).parents[1] / "dbt_project" / "plugins"))
from kept_builds import described_build
from published_file import (
    CARRIED,
    PublishedFile,
    RefusalError,
    append_build,
    identifier,
    literal,
    lock_builds,
    sentence,
)

# Of `file`, with their types; asked without parameters, for which DuckDB would import pandas.
COLUMNS = f"""
    select schema_name, table_name, column_name, data_type
    from duckdb_columns()
    where database_name = '{{file}}' and schema_name in ('main', '{CARRIED}')
"""
NEWEST = "select * from builds order by build_number desc limit 1"
REASON = "select any_value(reason) from segmentation_fits where build_id = ?"


def described(number, path):
    """The line of a list for a kept build: what the newest row of its builds says."""
    try:
        with closing(duckdb.connect(path, read_only=True)) as kept:
            answer = kept.execute(NEWEST)
            row = dict(zip([name for name, *_ in answer.description], answer.fetchone(), strict=True))
            reason = None if row["n_accepted"] is None else kept.execute(REASON, [row["build_id"]]).fetchone()[0]
    except duckdb.Error as error:
        return f"{number:>6}  cannot be read: {sentence(error)}"
    return described_build(number, row, reason)


def restore(published, number):
    """Publish the kept build `number` again; returns the number that it has got now."""
    kept = published.kept_builds()
    if number not in kept:
        there = ", ".join(map(str, sorted(kept))) or "none"
        raise RefusalError(f"Build {number} is not kept in {published.kept}; the builds there are: {there}.")
    # Where the published file is lost, the newest one knows which numbers are taken.
    present = published.path if published.path.exists() else next(iter(kept.values()))
    with published.locked():
        published.make_copy(kept[number])
        try:
            with duckdb.connect() as session:
                session.execute(f"attach {literal(published.copy)} as restored")
                session.execute(f"attach {literal(present)} as present (read_only)")
                remember_the_present(session)
                new_number = append_build(session, "restored", like=number, above=max(kept), restored=number)
                session.execute("checkpoint restored")
                session.execute("detach restored")
            published.rename(like=kept[number])
        finally:
            published.remove_copy()
    return new_number


def remember_the_present(session):
    """Let the file `restored` remember what the file `present` knows of builds and models."""
    here, there = columns_of(session, "restored"), columns_of(session, "present")
    places = {table: schema for schema, table in here}
    for schema, table in sorted(there):
        if table == "builds" or table.endswith("segmentation_fits"):
            place = (places.get(table, CARRIED), table)
            append_missing_rows(session, place, (schema, table), here.get(place), there[schema, table])


def columns_of(session, file):
    """{(schema, table): {column: its type}}."""
    columns = {}
    for schema, table, name, data_type in session.execute(COLUMNS.format(file=file)).fetchall():
        columns.setdefault((schema, table), {})[name] = data_type
    return columns


def append_missing_rows(session, place, origin, here, there):
    """Rows of `present` that `restored` lacks, by the columns' names, as versions differ.

    `place` and `origin` are (schema, table) in the two files, `here` and `there` {column: type}.
    """
    restored, present = identifier("restored", *place), identifier("present", *origin)
    if not here:
        session.execute(f"create schema if not exists {identifier('restored', place[0])}")
        session.execute(f"create table {restored} as from {present}")
        return
    for column in [column for column in there if column not in here]:
        session.execute(f"alter table {restored} add column {identifier(column)} {there[column]}")
    same = " and ".join(f"here.{key} = there.{key}" for key in ("build_id", "model_version"))
    session.execute(f"insert into {restored} by name select * from {present} as there anti join {restored} as here on {same}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", type=int, help="the number of the build to go back to; without it, list them")
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the published file")
    parser.add_argument("--build-file", type=Path, default=Path("build/warehouse.duckdb"), help="the file that builds work in")
    arguments = parser.parse_args()
    published = PublishedFile(arguments.warehouse)
    try:
        if arguments.build is None:
            lines = [described(*kept) for kept in published.kept_builds().items()]
            print("\n".join(lines) or f"No build is kept in {published.kept} yet.")
            return
        published.hide_what_is_made()
        with lock_builds(arguments.build_file):
            number = restore(published, arguments.build)
            published.keep(number, how_many=len(published.kept_builds()) + 1)
    except (RefusalError, duckdb.Error, OSError) as error:
        sys.exit(f"Nothing was restored: {sentence(error)}")
    print(f"Build {arguments.build} is published again, as build {number}; the next dbt build goes on from it.")


if __name__ == "__main__":
    main()
