"""Write the lists that mailing and advertising tools take: who is in which segment, one CSV file per segment and one with all.

    python scripts/activation.py --output exports/activation
    python scripts/activation.py --columns customer_id segment_name
    python scripts/activation.py --hash-email email

With --hash-email a list holds the SHA-256 of the e-mail, trimmed and in small letters, as advertising tools expect, and
neither the e-mail nor the key. Customers without an e-mail are left out, and counted. Where customers share an address, it is
listed once, in the segment of the one who lies nearest to it (the highest confidence, then the lowest key), and the others are
counted. A personal attribute is not in the published file: it is read from the files that the build has worked in.
"""

import argparse
import re
import unicodedata
from contextlib import contextmanager
from pathlib import Path

import duckdb
from export import COLUMNS, MEMORY, copy_csv, csv_column, neutralised
from file_set import file_set
from warehouse import explained, first_prefix, found_tables, is_segmented, plural, quoted, read_only, use_prefix

BUILD = Path("build")  # where builds work; what is personal stays there
PERSONAL = """
    select column_name from duckdb_columns()
    where database_name = 'scratch' and schema_name = 'main' and table_name = 'stg_customers' and column_name = ?
"""
NEWEST_BUILD = "select build_id from builds order by build_number desc limit 1"

# What has no @ between other characters, and no dot behind it, is no address.
EMAIL = r"^[^@\s\pZ]+@[^@\s\pZ]+\.[^@\s\pZ]+$"
# Spaces of every kind, and signs that have no width.
SPACES = r"[\s\pZ\pC]+"


def file_name(segment_id, segment_name):
    """A name that is safe on every system, whatever the segment is called; its number makes it unique."""
    words = re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", segment_name).encode("ascii", "ignore").decode().lower())
    return "_".join(["segment", str(segment_id), *words])[:80].rstrip("_") + ".csv"


def normalised(email):
    """The SQL of an e-mail as advertising tools want it before it is hashed."""
    return f"lower(regexp_replace(cast({quoted(email)} as varchar), '^{SPACES}|{SPACES}$', '', 'g'))"


def chosen_columns(found, wanted, email):
    """(heading, SQL) of the columns of a list. `found` are the names and types of customer_segments, the key first."""
    types = dict(found)
    key = found[0][0]
    names = wanted or [email or key, "segment_id", "segment_name"]
    if email and email not in names:
        names = [email, *names]
    if missing := [name for name in names if name not in types and name != email]:
        raise SystemExit(f"customer_segments has no column {', '.join(missing)}; it has {', '.join(types)}")
    hashed = f"addresses._hash as {quoted(neutralised(f'{email}_sha256'))}" if email else ""
    return [hashed if name == email else csv_column(name, types[name]) for name in names]


@contextmanager
def build_files(warehouse, email):
    """The two files that the published build has worked in, as the databases `build` and `scratch`."""
    remedy = f"customer_segments has no column {email}, and personal ones are only in {BUILD}"
    try:
        for name, file in (("build", BUILD / "warehouse.duckdb"), ("scratch", BUILD / "scratch.duckdb")):
            if not file.exists():
                raise SystemExit(f"{remedy}, where {file} is missing; run dbt build first")
            try:
                warehouse.execute(f"attach '{file}' as {name} (read_only)")
            except duckdb.Error as error:
                raise SystemExit(explained(error, file)) from None
        try:
            (build_id,) = warehouse.execute("select build_id from build.main.published_build").fetchone()
        except duckdb.CatalogException:
            build_id = None
        if build_id != warehouse.execute(NEWEST_BUILD).fetchone()[0]:
            raise SystemExit(f"{remedy}, which no longer holds the published build; run dbt build, then this command")
        yield
    finally:
        warehouse.execute("detach database if exists build")
        warehouse.execute("detach database if exists scratch")


def hash_addresses(warehouse, found, email):
    """Make the table `addresses`, (key, _hash, _is_listed), of the customers with an e-mail: each hash is to be listed once."""
    key = quoted(found[0][0])
    query = f"""
        create temp table addresses as
        select
            {key}, sha256(address) as _hash,
            row_number() over (partition by sha256(address) order by confidence desc nulls last, {key}) = 1 as _is_listed
        from (select {key}, {normalised(email)} as address from {{}}) as emails
        inner join customer_segments using ({key})
        where regexp_matches(address, '{EMAIL}')
    """
    if email in dict(found):
        warehouse.execute(query.format("customer_segments"))
    else:
        with build_files(warehouse, email):
            if not warehouse.execute(PERSONAL, [email]).fetchone():
                raise SystemExit(f"customer_segments has no column {email}; it has {', '.join(dict(found))}")
            warehouse.execute(query.format("scratch.main.stg_customers"))
    if not warehouse.execute("select count(*) from addresses").fetchone()[0]:
        raise SystemExit(f"no customer has an e-mail in the column {email}; --hash-email needs the column that holds it")


def write_lists(warehouse, new, output, prefix, wanted, email):
    """Write the lists to the folder `new`, and say of each how long it is and which place in `output` it takes."""
    warehouse.execute(f"set memory_limit = '{MEMORY}'")
    found = [(name, data_type) for name, data_type, _ in warehouse.execute(COLUMNS, [f"{prefix}customer_segments"]).fetchall()]
    key = quoted(found[0][0])
    columns = ", ".join(chosen_columns(found, wanted, email))
    listed = "customer_segments"
    if email:
        hash_addresses(warehouse, found, email)
        listed += f" left join addresses using ({key})"
    is_listed = "_is_listed" if email else "true"
    segments = warehouse.execute(
        f"""
        select
            segment_id, any_value(segment_name), count(*) filter (where {is_listed}),
            {f"count(*) filter (where _hash is null), count(*) filter (where not {is_listed})" if email else "0, 0"}
        from {listed} group by segment_id order by segment_id
        """
    ).fetchall()
    print(f"Writing the lists of {plural(len(segments), 'segment')} ...", flush=True)
    query = f"select {columns} from {listed} where {is_listed} and {{}} order by segment_id, {key}"
    for number, name, *numbers in segments:
        print(f"{output / file_name(number, name)}: {counted(*numbers)}", flush=True)
        copy_csv(warehouse, query.format(f"segment_id = {number}"), new / file_name(number, name))
    n_listed, n_without, n_shared = (sum(segment[place] for segment in segments) for place in (2, 3, 4))
    print(f"{output / 'all_segments.csv'}: {counted(n_listed, n_without, n_shared)}", flush=True)
    copy_csv(warehouse, query.format("true"), new / "all_segments.csv")
    if n_shared:
        print(
            f"{plural(n_shared, 'customer')} {'shares' if n_shared == 1 else 'share'} an address with another one. It is listed "
            "once, for the customer with the highest confidence, then the lowest key.",
            flush=True,
        )


def counted(n_listed, n_without, n_shared):
    """How many customers are in a list, and why others are not."""
    verb = "is" if n_shared == 1 else "are"
    without = f", {n_without:,} without an e-mail are left out" if n_without else ""
    shared = f", {n_shared:,} with an address that is listed for somebody else {verb} left out" if n_shared else ""
    return f"{plural(n_listed, 'customer')}{without}{shared}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the file that dbt has built")
    parser.add_argument("--output", type=Path, default=Path("exports/activation"), help="the folder for the lists")
    words = "of customer_segments, in their order; default: the key, segment_id and segment_name"
    parser.add_argument("--columns", nargs="+", metavar="COLUMN", help=words)
    parser.add_argument("--hash-email", metavar="COLUMN", help="the column that holds the e-mail, to be written as its SHA-256")
    parser.add_argument("--prefix", help="of the tables of another segmentation, such as rfm_; default: those of the first one")
    arguments = parser.parse_args()
    with read_only(arguments.warehouse) as warehouse:
        found = found_tables(warehouse)
        prefix = first_prefix(found) if arguments.prefix is None else arguments.prefix
        if f"{prefix}customer_segments" not in found:
            raise SystemExit(f"{arguments.warehouse} has no table {prefix}customer_segments; run dbt build first")
        if not is_segmented(warehouse, prefix):
            raise SystemExit(
                f"{prefix}customer_segments is empty: the last build could not form these segments; the column not_segmented of "
                "the table builds says why"
            )
        use_prefix(warehouse, prefix)
        output = arguments.output / prefix.rstrip("_")
        with file_set(output, "lists", like=arguments.warehouse) as new:
            write_lists(warehouse, new, output, prefix, arguments.columns, arguments.hash_email)


if __name__ == "__main__":
    main()
