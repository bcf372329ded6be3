"""Erase customers from everything that this project has written: from the published file, kept builds, and what was made of them.

    python scripts/erase.py 4711
    python scripts/erase.py --keys keys.txt

Bytes survive a DELETE, and a copy of the file. So every file that holds state is written anew, without the rows of these
customers, and the new file takes the name. Everything else is removed, because it can be made again: files of builds, exports,
lists, reports, and what dbt leaves in target/ and logs/. What says who was delivered is state, too: ledgers and the members of
campaigns are written anew. The published file comes behind those that are kept, and ledgers come last: after an interruption the
same command finds the customers there, and does it all again. Readers are not disturbed; they see the old file until they
reconnect.
"""

import argparse
import fcntl
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import ledgers
from export import copy_csv
from file_set import LASTING, file_set, found_sets, named_in, remove_sets
from keys import make_table, read_keys, value_of
from warehouse import plural

sys.path.append(str(Path(__file__).parents[1] / "dbt_project" / "plugins"))
from published_file import PublishedFile, RefusalError, append_build, identifier, literal, lock_builds, sentence

CONFIG = {"memory_limit": os.environ.get("DUCKDB_MEMORY_LIMIT", "1GB")}  # as for builds: what does not fit goes to disk
BUILD = Path("build")
MADE = [Path("exports"), Path("reports")]
OF_DBT = [Path("target"), Path("logs")]

# The key is the first column of these tables, and has the same name in all others. Where it was renamed, the log has both names.
KEYS = """
    with
    names as (
        select column_name from duckdb_columns()
        where
            database_name = 'old' and column_index = 1
            and (ends_with(table_name, 'customer_segments') or ends_with(table_name, 'segment_changes'))
    )
    select schema_name, table_name, column_name, data_type
    from duckdb_columns() inner join duckdb_tables() using (database_name, schema_name, table_name)
    where database_name = 'old' and (column_name in (from names) or column_name = 'raw_record')
    order by all
"""
PROFILES = ("main", "segment_attribute_profiles")
TABLES = "select schema_name, table_name from duckdb_tables() where database_name = 'old' order by all"
ATTRIBUTES = """
    select column_name from duckdb_columns()
    where database_name = 'old' and schema_name = 'main' and table_name = 'customer_segments'
        and column_name in (select attribute from old.main.segment_attribute_profiles)
    order by all
"""
# A refused record is that of a customer where the key occurs in it: the first word of a text as a whole word, and then all of it;
# a number as a number, however it is written. Rather too many records go than too few.
WORDS = r"list_append(regexp_extract_all(record, '[\pL\pN]+'), '')"
WORD = r"coalesce(regexp_extract(keys.key, '[\pL\pN]+'), '')"
NUMBERS = """
    list_transform(
        regexp_extract_all(record, '[0-9]+') || regexp_extract_all(record, '[0-9]*[.]?[0-9]+[eE][+-]?[0-9]+'),
        lambda number: try_cast(number as hugeint)
    )
"""
REFUSED = """
    select distinct records.row_number, keys.line
    from (
        select rowid as row_number, record, unnest({pieces}) as piece
        from (select rowid, {record} as record from {table}) as records
    ) as records
    inner join keys on {condition}
"""
# As it stands there, and without what quotes are written with in CSV and in JSON.
RECORD = r"""raw_record || chr(10) || replace(replace(replace(raw_record, '""', '"'), '\"', '"'), '\\', '\')"""


@contextmanager
def opened(keys):
    """A session with the tables `keys`, (line, key), and what it may spill to disk in a folder that goes with it."""
    with (
        tempfile.TemporaryDirectory(dir=BUILD, prefix="erasing_") as spilled,
        duckdb.connect(config=CONFIG | {"temp_directory": spilled}) as session,
    ):
        make_table(session, "keys", keys)
        yield session, Path(spilled)


@contextmanager
def attached(session, path):
    session.execute(f"attach {literal(path)} as old (read_only)")
    try:
        yield
    finally:
        session.execute("detach old")


def rows_of_customers(session):
    """{(schema, table) of the file `old`: SQL of (row_number, line of the key)}, the same of refused rows, and {type: key}."""
    found = session.execute(KEYS).fetchall()
    types = {data_type: name for *_, name, data_type in found if name != "raw_record"}
    customers, refused = {}, {}
    for schema, table, name, data_type in found:
        place = identifier("old", schema, table)
        if name == "raw_record":
            conditions = {
                "VARCHAR": (WORDS, f"piece = {WORD} and contains(record, keys.key)"),
                "a number": (NUMBERS, f"piece = abs({value_of('hugeint')})"),
            }
            used = {"VARCHAR" if data_type == "VARCHAR" else "a number" for data_type in types}
            queries = [
                REFUSED.format(table=place, record=RECORD, pieces=pieces, condition=condition)
                for pieces, condition in map(conditions.get, sorted(used))
            ]
            refused[schema, table] = " union ".join(queries)
        else:
            query = (
                f"select records.rowid as row_number, keys.line from {place} as records "
                f"inner join keys on records.{identifier(name)} = {value_of(data_type)}"
            )
            before = customers.get((schema, table))
            customers[schema, table] = f"{before} union {query}" if before else query
    return customers, refused, types


def find(session, path):
    """The lines of the keys that customers have, and of those that occur in refused rows of a file; and {type: key}."""
    with attached(session, path):
        customers, refused, types = rows_of_customers(session)
        lines = [
            {line for query in queries.values() for (line,) in session.execute(f"select distinct line from ({query})").fetchall()}
            for queries in (customers, refused)
        ]
    return *lines, types


def write_anew(session, file, finish):
    """Write the copy of a file without the customers, which `finish` has a last look at, as the database `new`.

    Returns how many rows, and how many refused ones, are not in it.
    """
    n_rows = n_refused = 0
    with attached(session, file.path):
        (tags,) = session.execute("select tags from duckdb_databases() where database_name = 'old'").fetchone()
        session.execute(f"attach {literal(file.copy)} as new (storage_version {literal(tags['storage_version'].rstrip('+'))})")
        try:
            session.execute("copy from database old to new (schema)")
            customers, refused, _ = rows_of_customers(session)
            # The profiles come last: what their rows may say depends on who is left.
            for place in sorted(session.execute(TABLES).fetchall(), key=lambda place: place == PROFILES):
                query = customers.get(place) or refused.get(place)
                kept = f"rowid not in (select row_number from ({query}))" if query else "true"
                if place == PROFILES:
                    kept = lasting_values(session)
                old, new = identifier("old", *place), identifier("new", *place)
                session.execute(f"insert into {new} select * from {old} where {kept} order by rowid")
                (n,) = session.execute(f"select (select count(*) from {old}) - (select count(*) from {new})").fetchone()
                n_rows, n_refused = n_rows + n, n_refused + (n if place in refused else 0)
            finish()
            session.execute("checkpoint new")
        finally:
            session.execute("detach new")
    return n_rows, n_refused


def lasting_values(session):
    """The SQL of a condition on profiles: a value that nobody else has goes with its customer."""
    conditions = []
    for (name,) in session.execute(ATTRIBUTES).fetchall():
        values = "select cast({column} as varchar) from {file}.main.customer_segments where {column} is not null"
        before, after = (values.format(column=identifier(name), file=file) for file in ("old", "new"))
        gone = f"{before} except {after}"
        conditions.append(f"(attribute <> {literal(name)} or attribute_value is null or attribute_value not in ({gone}))")
    return " and ".join(conditions) or "true"


def check_keys(session, types, source):
    """Refuses a key that is no value of any type that keys have."""
    is_none = " and ".join(f"{value_of(data_type)} is null" for data_type in types) or "false"
    row = session.execute(f"select line, key from keys where {is_none} order by line limit 1").fetchone()
    if row:
        name, data_type = next((name, data_type.lower()) for data_type, name in types.items())
        place = f"{source}, line {row[0]}: " if source else ""
        raise RefusalError(f"{place}{row[1]!r} is no {name}, which is of the type {data_type}; correct it.")


def in_ledgers(session):
    """{folder: the lines of the keys that the files about deliveries in it hold}; they may name who is in no build any more."""
    found = {}
    for folder in {path.parent for made in MADE for path in found_sets(made, LASTING)}:
        for name in ("ledger", "members"):
            ledgers.read(session, folder, f"{name}.csv")
        query = "select distinct line from written where key in (select key from ledger union all select key from members)"
        found[folder] = {line for (line,) in session.execute(query).fetchall()}
    return found


def forget_deliveries(session):
    """Write the files about deliveries anew, without the customers, and remove the lists, which can be made again.

    Returns {folder: how many of the customers are delivered by these files}.
    """
    delivered = {}
    for path in sorted(path for made in MADE for path in found_sets(made, LASTING)):
        folder = path.parent
        delivered[folder] = 0
        print(f"Writing {folder} anew ...", flush=True)
        with file_set(folder, path.stem.removeprefix(".")) as new:
            for name in filter(lambda name: (folder / name).exists(), ledgers.FILES):
                table = name.removesuffix(".csv")
                ledgers.read(session, folder, name)
                if "key" in ledgers.FILES[name]:
                    query = f"select count(distinct key) from ({ledgers.ON_LISTS[name]}) where key in (select key from written)"
                    delivered[folder] = session.execute(query).fetchone()[0]
                    session.execute(f"delete from {table} where key in (select key from written)")
                copy_csv(session, f"from {table}", new / name)
    return delivered


def look(session, files, source):
    """Find the keys in `files` and in those of builds and of deliveries, and say which are nowhere; returns how many customers.

    Makes the table `written` of the keys, as files of deliveries hold them.

    Refused where a file cannot be read, a key cannot be one, or none is anywhere.
    """
    customers, others, types = set(), set(), {}
    for path in [*(file.path for file in files), *BUILD.glob("*.duckdb")]:
        try:
            found = find(session, path)
        except duckdb.Error as error:
            if path.parent != BUILD:  # those are removed, whatever they hold
                raise RefusalError(f"{path} cannot be read: {sentence(error)} Delete it if it is damaged.") from None
            continue
        customers, others, types = customers | found[0], others | found[1], types | found[2]
    if not types:
        raise RefusalError(f"{files[-1].path} has no table customer_segments; run dbt build first.")
    check_keys(session, types, source)
    session.execute(f"create temp table written as {ledgers.keys_as_written(types)}")
    customers = customers.union(*in_ledgers(session).values())
    lines = {line for (line,) in session.execute("select line from keys").fetchall()}
    missing = sorted(lines - customers - others)
    if len(missing) == len(lines):
        raise RefusalError("The key is in no build." if not source else f"None of the keys in {source} is in any build.")
    if missing:
        shown = ", ".join(map(str, missing[:5])) + (" and others" if len(missing) > 5 else "")
        print(f"{plural(len(missing), 'key')} of {len(lines):,} in no build ({source}, line {shown}).", flush=True)
    # 7 and 0007 are one customer.
    values = ", ".join(value_of(data_type) for data_type in types)
    count = f"select count(distinct ({values}, null)) from keys where line in (select unnest(?::integer[]))"
    return session.execute(count, [sorted(customers)]).fetchone()[0]


def empty(folder, *, but=()):
    """Remove what is in a folder of ours; the folder itself may be a link, and stays."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path not in but:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def remove_made(published, spilled):
    """Remove what can be made again, and what interrupted programs have left; returns the folders of sets that there were."""
    empty(BUILD, but=[BUILD / "warehouse.lock", spilled])
    for folder in OF_DBT:
        empty(folder)
    folders = {ledger.parent for folder in MADE for ledger in remove_sets(folder)}
    shutil.rmtree(f"{published.path}.tmp", ignore_errors=True)
    for path in published.kept.glob("*.duckdb.*"):
        path.unlink()
    return folders


def open_all(stack, files):
    """{path: its open file}, of those with several names the last one."""
    paths = {file.path.stat().st_ino: file.path for file in files}
    # Who may not write to a file can replace it, but not ask whether others read it.
    return {path: stack.enter_context(open(path, "rb+" if os.access(path, os.W_OK) else "rb")) for path in paths.values()}


def still_there(path, handle):
    """A sentence where the file that had the name `path`, of which `handle` is the open file, is still somewhere; or None."""
    if os.fstat(handle.fileno()).st_nlink:
        return f"The old {path} has a second name (a hard link) somewhere; find and remove it."
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return f"A program still reads the old {path}, which stays on disk until it closes the file or reconnects."
    except OSError:
        return f"It is not known whether a program still reads the old {path}: it may not be written to."
    return None


def replace(session, file, finish=lambda: None):
    """Write a file anew and let the new one take its name; returns numbers of rows as write_anew does."""
    file.remove_copy()
    try:
        numbers = write_anew(session, file, finish)
        file.rename(like=file.path)
    finally:
        file.remove_copy()
    return numbers


def last_build(session, published):
    """The number of the newest published build, and the file of its customers."""
    with attached(session, published.path):
        try:
            query = "select build_number, source_file from old.main.builds order by build_number desc limit 1"
            return session.execute(query).fetchone()
        except (duckdb.CatalogException, duckdb.BinderException):
            raise RefusalError(
                f"{published.path} was not published by this version of the project; run dbt build first."
            ) from None


def erase(session, spilled, published, source):
    """Erase the customers whose keys are in the table `keys`; yields what is to be said of it, line by line."""
    kept = published.kept_builds()
    files = [*(PublishedFile(path) for path in reversed(kept.values())), published]
    build, numbers = [], []

    def record():
        build.append(append_build(session, "new", like=last, above=max(kept, default=0), erased=n_customers))

    with ExitStack() as opened_files:
        with ExitStack() as locks:
            for file in files:
                locks.enter_context(file.locked())
            last, customers_file = last_build(session, published)
            n_customers = look(session, files, source)
            old = open_all(opened_files, files)
            folders = remove_made(published, spilled)
            for file in files:
                print(f"Writing {file.path} anew ...", flush=True)
                numbers.append(replace(session, file, record if file is published else lambda: None))
            if kept:
                published.keep(build[0], how_many=len(kept) + 1)
            # Again, for what others have made meanwhile; what says who was delivered lasts, and is written once, last of all.
            folders |= remove_made(published, spilled)
            delivered = forget_deliveries(session)
        problems = [still_there(path, handle) for path, handle in old.items()]
    n_rows, n_refused = map(sum, zip(*numbers, strict=True))
    removed = ", ".join(map(str, [BUILD, *OF_DBT, *sorted(folders)]))
    lasting = [path for made in MADE for path in found_sets(made, LASTING)]
    known = {path.parent / name for path in lasting for name in [path.name, *(named_in(path) or [])]}
    left = [str(path) for made in MADE for path in sorted(made.rglob("*")) if path.is_file() and path not in known]
    yield (
        f"Erased {plural(n_customers, 'customer')}: {plural(n_rows, 'row')} in {published.path} and in "
        f"{plural(len(kept), 'kept build')}; {n_refused:,} of them are refused rows in which a key occurs."
    )
    yield f"What is published is build {build[0]} now. Removed, because it can be made again: what was in {removed}."
    for folder, n in delivered.items():
        others = f" {n:,} of them were on lists from there: have them taken out of the tool that has these." if n else ""
        yield f"{folder}: ledgers are written anew without them, and lists removed.{others}"
    if left:
        yield f"Left alone, because no ledger names it: {', '.join(left[:5])}{' and others' if left[5:] else ''}."
    yield from filter(None, problems)
    yield f"Whoever is still in {customers_file} or in the orders comes back with the next build."
    yield "Source files, backups and what other programs have read are out of reach."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("key", nargs="?", help="of the customer to be erased")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="a file of keys, one per line")
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the published file")
    arguments = parser.parse_args()
    if bool(arguments.key) == bool(arguments.keys):
        parser.error("give one key, or a file of keys by --keys")
    published = PublishedFile(arguments.warehouse)
    try:
        if not published.path.exists():
            raise RefusalError(f"{published.path} does not exist; if builds are kept, go back to one by make restore first.")
        keys = read_keys(arguments.keys) if arguments.keys else [arguments.key.strip(" \t")]
        published.hide_what_is_made()
        with lock_builds(BUILD / "warehouse.duckdb"), opened(keys) as (session, spilled):
            print("\n".join(erase(session, spilled, published, arguments.keys)))
    except (RefusalError, ValueError, duckdb.Error, OSError) as error:
        sys.exit(f"Nothing was erased: {sentence(error)}")
    except KeyboardInterrupt:
        sys.exit("Interrupted: every file can be read, but some may hold the customers still; run the same command again.")


if __name__ == "__main__":
    main()
