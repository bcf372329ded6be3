"""Write the lists that mailing and advertising tools take: who is in which segment, one CSV file per segment and one with all.

    python scripts/activation.py --output exports/activation
    python scripts/activation.py --columns customer_id segment_name
    python scripts/activation.py --hash-email email

With --hash-email a list holds the SHA-256 of the e-mail, trimmed and in small letters, as advertising tools expect, and
neither the e-mail nor the key; customers without an e-mail are left out, and counted.
"""

import argparse
import re
import unicodedata
from pathlib import Path

from export import COLUMNS, MEMORY, copy_csv, csv_column, neutralised
from file_set import file_set
from warehouse import first_prefix, found_tables, is_segmented, plural, quoted, read_only, use_prefix

# What has no @ between other characters, and no dot behind it, is no address.
EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def file_name(segment_id, segment_name):
    """A name that is safe on every system, whatever the segment is called; its number makes it unique."""
    words = re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", segment_name).encode("ascii", "ignore").decode().lower())
    return "_".join(["segment", str(segment_id), *words])[:80].rstrip("_") + ".csv"


def normalised(email):
    """The SQL of an e-mail as advertising tools want it before it is hashed."""
    return rf"lower(regexp_replace(cast({quoted(email)} as varchar), '^[\s\pZ]+|[\s\pZ]+$', '', 'g'))"


def chosen_columns(found, wanted, email):
    """(heading, SQL) of the columns of a list. `found` are the names and types of customer_segments, the key first."""
    types = dict(found)
    key = found[0][0]
    names = wanted or [email or key, "segment_id", "segment_name"]
    if email and email not in names:
        names = [email, *names]
    if missing := [name for name in names if name not in types]:
        raise SystemExit(f"customer_segments has no column {', '.join(missing)}; it has {', '.join(types)}")
    hashed = f"sha256({normalised(email)}) as {quoted(neutralised(f'{email}_sha256'))}" if email else ""
    return [hashed if name == email else csv_column(name, types[name]) for name in names]


def write_lists(warehouse, new, output, prefix, wanted, email):
    """Write the lists to the folder `new`, and say of each how long it is and which place in `output` it takes."""
    warehouse.execute(f"set memory_limit = '{MEMORY}'")
    found = [(name, data_type) for name, data_type, _ in warehouse.execute(COLUMNS, [f"{prefix}customer_segments"]).fetchall()]
    key = quoted(found[0][0])
    columns = ", ".join(chosen_columns(found, wanted, email))
    has_email = f"regexp_matches({normalised(email)}, '{EMAIL}')" if email else "true"
    query = f"select {columns} from customer_segments where {{}} order by segment_id, {key}"
    if not warehouse.execute(f"select bool_or({has_email}) from customer_segments").fetchone()[0]:
        raise SystemExit(f"no customer has an e-mail in the column {email}; --hash-email needs the column that holds it")
    segments = warehouse.execute(
        f"""
        select segment_id, any_value(segment_name), count(*) filter (where {has_email}), count(*)
        from customer_segments group by segment_id order by segment_id
        """
    ).fetchall()
    print(f"Writing the lists of {plural(len(segments), 'segment')} ...", flush=True)
    for number, name, n_listed, n_customers in segments:
        left_out = f", {n_customers - n_listed:,} without an e-mail are left out" if n_listed < n_customers else ""
        print(f"{output / file_name(number, name)}: {plural(n_listed, 'customer')}{left_out}", flush=True)
        copy_csv(warehouse, query.format(f"segment_id = {number} and {has_email}"), new / file_name(number, name))
    print(f"{output / 'all_segments.csv'}: {plural(sum(segment[2] for segment in segments), 'customer')}", flush=True)
    copy_csv(warehouse, query.format(has_email), new / "all_segments.csv")


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
