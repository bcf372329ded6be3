"""Write the lists that mailing and advertising tools take: who is in which segment, one CSV file per segment and one with all.

    python scripts/activation.py --to google_ads
    python scripts/activation.py --columns customer_id segment_name
    python scripts/activation.py --hash-email email

What a destination takes, and who may be delivered at all, stands in activation.yml. Beside the lists are added.csv and
removed.csv, who entered and left them since the last delivery to this folder; ledger.csv, the same of every delivery; and
deliveries.csv, how many customers were delivered, and how many not, and why. All take their places together.

With --hash-email a list holds the SHA-256 of the e-mail, trimmed and in small letters, as advertising tools expect, and
neither the e-mail nor the key. Where customers share an address, it is listed once, in the segment of the one who lies nearest
to it (the highest confidence, then the lowest key), and the others are counted.
"""

import argparse
import re
import unicodedata
from datetime import datetime, timezone
from pathlib import Path

import ledgers
from audience import (
    DELIVERED,
    DUPLICATE,
    REASONS,
    RULES,
    SEGMENTS,
    Column,
    build_number,
    check_segmented,
    columns_of,
    counted,
    list_set,
    make_customers,
    read_audience,
    selected,
)
from export import copy_csv, csv_value, neutralised
from file_set import make_private
from warehouse import first_prefix, found_tables, plural, quoted, read_only

# Who is on the lists by the ledger, against who is now; a value that is listed under another key is kept, and the key noted.
CHANGES = f"""
    create temp table changes as
    with before as (
        select segment_id, identifier, value, arg_max(segment_name, delivery) as segment_name, arg_max(key, delivery) as key
        from ledger group by segment_id, identifier, value having arg_max(change, delivery) <> 'removed'
    ),
    now as (
        select
            segment_id, $identifier as identifier, _value as value, {csv_value("segment_name", "VARCHAR")} as segment_name,
            _key as key
        from customers where _reason = '{DELIVERED}'
    )
    select
        case when before.key is null then 'added' when now.key is null then 'removed' else 'kept' end as change,
        segment_id, coalesce(now.segment_name, before.segment_name) as segment_name, identifier, value,
        coalesce(now.key, before.key) as key
    from before full join now using (segment_id, identifier, value)
    where before.key is distinct from now.key
"""
DELIVERY = f"""
    with
    segments as ({SEGMENTS}),
    moves as (
        select
            segment_id, any_value(segment_name) as segment_name,
            count(*) filter (where change = 'added') as n_added, count(*) filter (where change = 'removed') as n_removed
        from changes group by segment_id
    )
    select
        $delivery::integer as delivery, $delivered_at::timestamp as delivered_at, $build_number::integer as build_number,
        segment_id, coalesce({csv_value("segments.segment_name", "VARCHAR")}, moves.segment_name) as segment_name,
        {", ".join(f"coalesce({name}, 0) as {name}" for name in [*ledgers.COUNTS, "n_added", "n_removed"])}
    from segments full join moves using (segment_id)
"""


def file_name(segment_id, segment_name):
    """A name that is safe on every system, whatever the segment is called; its number makes it unique."""
    words = re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", segment_name).encode("ascii", "ignore").decode().lower())
    return "_".join(["segment", str(segment_id), *words])[:80].rstrip("_") + ".csv"


def asked_columns(columns, email):
    """The columns that the options of the command line ask for."""
    names = columns or ([email, "segment_id", "segment_name"] if email else [])
    if email and email not in names:
        names = [email, *names]
    return tuple(Column(name, f"{name}_sha256", True, "sha256") if name == email else Column(name, name) for name in names)


def write_lists(warehouse, new, output, audience, types, known_by):
    """Write the list of each segment and the one with all to the folder `new`, and say how long each is."""
    key = quoted(next(iter(types)))
    segments = warehouse.execute(f"{SEGMENTS} order by segment_id").fetchall()
    counts = {(number, name): dict(zip(REASONS, numbers, strict=True)) for number, name, _, *numbers in segments}
    query = f"select {selected(columns_of(audience, types), types)} from customers where _reason = '{DELIVERED}' and {{}}"
    query += f" order by segment_id, {key}"
    print(f"Writing the lists of {plural(len(counts), 'segment')} ...", flush=True)
    for (number, name), reasons in counts.items():
        print(f"{output / file_name(number, name)}: {counted(reasons, known_by)}", flush=True)
        copy_csv(warehouse, query.format(f"segment_id = {number}"), new / file_name(number, name), audience.delimiter)
    total = {reason: sum(reasons[reason] for reasons in counts.values()) for reason in REASONS}
    print(f"{output / 'all_segments.csv'}: {counted(total, known_by)}", flush=True)
    copy_csv(warehouse, query.format("true"), new / "all_segments.csv", audience.delimiter)
    if n := total[DUPLICATE]:
        print(
            f"{plural(n, 'customer')} {'shares' if n == 1 else 'share'} {known_by.words} with another one. It is listed "
            "once, for the customer with the highest confidence, then the lowest key.",
            flush=True,
        )


def write_changes(warehouse, new, audience, types, known_by, identifier):
    """Write who entered the lists, in the layout of the lists, and who left them, by what the other tool knows them by."""
    columns = columns_of(audience, types)
    names = [column.name for column in columns]
    columns = tuple(Column(name, name) for name in ("segment_id", "segment_name") if name not in names) + columns
    added = "select segment_id, value as _value from changes where change = 'added'"
    query = f"select {selected(columns, types)} from customers semi join ({added}) as added using (segment_id, _value)"
    order = f"order by segment_id, {quoted(next(iter(types)))}"
    copy_csv(warehouse, f"{query} where _reason = '{DELIVERED}' {order}", new / "added.csv", audience.delimiter)

    removed = "from changes where change = 'removed'"
    before = {name for (name,) in warehouse.execute(f"select distinct identifier {removed}").fetchall()} - {identifier}
    if before:
        words = "everybody counts as removed and as added"
        print(f"Customers are known by {identifier} now, and were by {', '.join(sorted(before))}: {words}.", flush=True)
    heading = " or ".join(sorted(before)) or known_by.header
    cells = ", ".join(
        f"value as {quoted(neutralised(heading))}"
        if column == known_by
        else f"{column.name} as {quoted(neutralised(column.header))}"
        for column in (columns if known_by in columns else (known_by, *columns))
        if column == known_by or column.name in ("segment_id", "segment_name")
    )
    copy_csv(warehouse, f"select {cells} {removed} order by changes.segment_id, value", new / "removed.csv", audience.delimiter)


def deliver(warehouse, new, output, audience, types, known_by):
    """Compare the lists with those of the last delivery, and carry the ledger and the deliveries on."""
    try:
        for name in ("ledger.csv", "deliveries.csv"):
            ledgers.read(warehouse, output, name)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    newest = "select max(delivery) from (select delivery from ledger union all select delivery from deliveries)"
    last = warehouse.execute(newest).fetchone()[0] or 0
    print(f"Comparing with delivery {last:,} ..." if last else "Noting who is delivered for the first time ...", flush=True)
    identifier = f"{known_by.name} {known_by.hash}" if known_by.hash else known_by.name
    warehouse.execute(CHANGES, {"identifier": identifier})
    write_changes(warehouse, new, audience, types, known_by, identifier)
    delivery = {
        "delivery": last + 1,
        "delivered_at": datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0),
        "build_number": build_number(warehouse),
    }
    warehouse.execute(f"insert into ledger select {last + 1}, * from changes")
    warehouse.execute(f"insert into deliveries {DELIVERY}", delivery)
    copy_csv(warehouse, "from ledger order by delivery, segment_id, change, value", new / "ledger.csv")
    copy_csv(warehouse, "from deliveries order by delivery, segment_id", new / "deliveries.csv")
    moves = "select count(*) filter (where change = 'added'), count(*) filter (where change = 'removed') from changes"
    n_added, n_removed = warehouse.execute(moves).fetchone()
    since = f"since delivery {last:,}" if last else "in the first delivery"
    print(f"{output}: {n_added:,} added and {n_removed:,} removed {since}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the file that dbt has built")
    parser.add_argument("--output", type=Path, default=Path("exports/activation"), help="the folder for the lists")
    parser.add_argument("--rules", type=Path, default=RULES, help="the file that says who may be delivered, and in which layout")
    parser.add_argument("--to", metavar="DESTINATION", help="one of the destinations in that file, whose layout the lists get")
    words = "of customer_segments, in their order; default: the key, segment_id and segment_name"
    parser.add_argument("--columns", nargs="+", metavar="COLUMN", help=words)
    parser.add_argument("--hash-email", metavar="COLUMN", help="the column that holds the e-mail, to be written as its SHA-256")
    parser.add_argument("--prefix", help="of the tables of another segmentation, such as rfm_; default: those of the first one")
    arguments = parser.parse_args()
    if arguments.to and (arguments.columns or arguments.hash_email):
        parser.error("the layout of a destination is in the file of the rules: give --to, or --columns and --hash-email")
    with read_only(arguments.warehouse) as warehouse:
        prefix = first_prefix(found_tables(warehouse)) if arguments.prefix is None else arguments.prefix
        check_segmented(warehouse, arguments.warehouse, prefix)
        if arguments.to and f"{arguments.to}_customer_segments" in found_tables(warehouse):
            raise SystemExit(f"{arguments.to} is a segmentation, whose lists have a folder of that name; rename the destination")
        audience = read_audience(arguments.rules, arguments.to)
        if not arguments.to:
            audience = audience._replace(columns=asked_columns(arguments.columns, arguments.hash_email))
        output = arguments.output / (arguments.to or "") / prefix.rstrip("_")
        make_private(arguments.output, "lists")
        with list_set(warehouse, output, "lists") as new:
            types, known_by = make_customers(warehouse, prefix, audience)
            write_lists(warehouse, new, output, audience, types, known_by)
            deliver(warehouse, new, output, audience, types, known_by)


if __name__ == "__main__":
    main()
