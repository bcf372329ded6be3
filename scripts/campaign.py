"""Draw the customers of a campaign once, hold a share of them out, and write the lists of both.

    python scripts/campaign.py spring --segments 2 3 --holdout 0.1 --to mailchimp

list.csv is who gets the campaign, and holdout.csv who does not. members.csv says who was drawn for which of the two: it is
frozen. The same name again, perhaps with another destination, writes the lists of the same customers, without those who may
not be delivered any more. Who is held out depends on a hash of the key and of the name of the campaign, so that it is not
always the same people. campaign.csv says how many they were each time, and all take their places together.
"""

import argparse
import re
from datetime import datetime, timezone
from pathlib import Path

import ledgers
from audience import (
    DELIVERED,
    DUPLICATE,
    RULES,
    SUPPRESSED,
    WITHOUT_CONSENT,
    WITHOUT_VALUE,
    build_number,
    check_segmented,
    columns_of,
    counted,
    list_set,
    make_customers,
    read_audience,
    selected,
)
from export import copy_csv, csv_value
from file_set import make_private
from warehouse import first_prefix, found_tables, plural, quoted, read_only

HOLDOUT = 0.1
GONE = "gone"  # who was drawn and is no customer of the segmentation any more
# Who is drawn: of everybody a number from 0 to 1, in every campaign another one, and always the same.
MEMBERS = f"""
    insert into members
    select
        _key, md5_number_lower($campaign || ':' || cast({{key}} as varchar)) / 18446744073709551616.0 < $holdout_share,
        segment_id, {csv_value("segment_name", "VARCHAR")}, $campaign, $now, $build_number, $prefix, $holdout_share
    from customers
    where _reason = '{DELIVERED}' and segment_id in (select unnest($segments::integer[]))
    order by segment_id, {{key}}
"""
# Whose address it is, where several customers have it: who is held out gets nothing, not even by another one.
RANK = """
    case when _key in (select key from members where is_holdout) then 0 when _key in (select key from members) then 1 else 2 end
"""
# Whom the lists are of, and what becomes of them: at first all customers of the segments, and then those who were drawn.
FIRST = """
    create temp table targets as
    select _key, customers.segment_id, customers.segment_name, _reason, is_holdout
    from customers left join members on _key = key where customers.segment_id in (select unnest(?::integer[]))
"""
LATER = f"""
    create temp table targets as
    select key as _key, members.segment_id, members.segment_name, coalesce(_reason, '{GONE}') as _reason, is_holdout
    from members left join customers on key = _key
"""
DELIVERY = f"""
    insert into campaign
    select
        $delivery, $now, $build_number, $destination, segment_id, {csv_value("any_value(segment_name)", "VARCHAR")}, count(*),
        count(*) filter (where _reason = '{DELIVERED}' and not is_holdout),
        count(*) filter (where _reason = '{WITHOUT_CONSENT}'),
        count(*) filter (where _reason = '{SUPPRESSED}'),
        count(*) filter (where _reason = '{WITHOUT_VALUE}'),
        count(*) filter (where _reason = '{DUPLICATE}'),
        count(*) filter (where _reason = '{DELIVERED}' and is_holdout),
        count(*) filter (where _reason = '{GONE}')
    from targets group by segment_id
"""


def read_campaign(warehouse, folder):
    """Make the tables `members` and `campaign`; returns what was drawn, (segmentation, share, when, segments), or None."""
    try:
        for name in ("members.csv", "campaign.csv"):
            ledgers.read(warehouse, folder, name)
    except ValueError as error:
        raise SystemExit(str(error)) from None
    if not (folder / "members.csv").exists():
        return None
    drawn = warehouse.execute("select coalesce(segmentation, ''), holdout_share, drawn_at from members limit 1").fetchone()
    if not drawn:
        raise SystemExit(f"{folder / 'members.csv'} names nobody any more; give the campaign another name")
    segments = warehouse.execute("select distinct segment_id from campaign where delivery = 1 order by all").fetchall()
    return *drawn, [number for (number,) in segments]


def check_frozen(name, drawn, arguments):
    """Ends the script where the command asks for something else than what was drawn."""
    prefix, share, when, segments = drawn
    asked = {
        "segments": (arguments.segments and sorted(set(arguments.segments)), segments),
        "holdout": (arguments.holdout, share),
        "prefix": (arguments.prefix, prefix),
    }
    for option, (value, frozen) in asked.items():
        if value is not None and value != frozen:
            words = " ".join(map(str, frozen)) if isinstance(frozen, list) else frozen or "''"
            raise SystemExit(
                f"the campaign {name} was drawn on {when:%Y-%m-%d} with --{option} {words}, and is frozen; leave --{option} out, "
                "or give the campaign another name"
            )


def draw(warehouse, name, now, arguments, prefix, types):
    """Fill the table `members`; returns the numbers of the segments."""
    key = quoted(next(iter(types)))
    there = [number for (number,) in warehouse.execute("select distinct segment_id from customers order by all").fetchall()]
    segments = sorted(set(arguments.segments or there))
    if missing := sorted(set(segments) - set(there)):
        raise SystemExit(
            f"there is no segment {', '.join(map(str, missing))} in {prefix}customer_segments; "
            f"there are {', '.join(map(str, there))}"
        )
    share = HOLDOUT if arguments.holdout is None else arguments.holdout
    values = {"campaign": name, "now": now, "build_number": build_number(warehouse), "prefix": prefix, "holdout_share": share}
    warehouse.execute(MEMBERS.format(key=key), values | {"segments": segments})
    if not warehouse.execute("select count(*) from members").fetchone()[0]:
        raise SystemExit("nobody in these segments may be delivered, so there is no campaign")
    return segments


def write_campaign(warehouse, new, folder, name, arguments, prefix, drawn):
    """Write the lists of a campaign, and what is known of it, to the folder `new`; `drawn` is None for a new one."""
    now = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
    audience = read_audience(arguments.rules, arguments.to)
    types, known_by = make_customers(warehouse, prefix, audience, rank=RANK)
    key = quoted(next(iter(types)))
    if drawn:
        print(f"The campaign {name} was drawn on {drawn[2]:%Y-%m-%d}: writing the lists of the same customers ...", flush=True)
        warehouse.execute(LATER)
    else:
        print(f"Drawing the customers of the campaign {name} ...", flush=True)
        warehouse.execute(FIRST, [draw(warehouse, name, now, arguments, prefix, types)])
    warehouse.execute(
        "create temp table listed as select customers.* replace (targets.segment_id as segment_id, "
        "targets.segment_name as segment_name), is_holdout from customers inner join targets using (_key) "
        f"where targets._reason = '{DELIVERED}'"
    )
    columns = selected(columns_of(audience, types), types)
    for file, condition in (("list.csv", "not is_holdout"), ("holdout.csv", "is_holdout")):
        query = f"select {columns} from listed where {condition} order by segment_id, {key}"
        (n,) = warehouse.execute(f"select count(*) from listed where {condition}").fetchone()
        print(f"{folder / file}: {plural(n, 'customer')}", flush=True)
        copy_csv(warehouse, query, new / file, audience.delimiter)
    (last,) = warehouse.execute("select coalesce(max(delivery), 0) from campaign").fetchone()
    values = {"delivery": last + 1, "now": now, "build_number": build_number(warehouse), "destination": arguments.to}
    warehouse.execute(DELIVERY, values)
    copy_csv(warehouse, "from members", new / "members.csv")
    copy_csv(warehouse, "from campaign order by delivery, segment_id", new / "campaign.csv")
    counts = dict(warehouse.execute("select _reason, count(*) from targets group by _reason").fetchall())
    gone = f"; {counts[GONE]:,} no customers any more" if GONE in counts else ""
    print(f"{folder}: {counted(counts, known_by)}{gone}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="of the campaign: small letters, digits, - and _")
    parser.add_argument("--segments", type=int, nargs="+", metavar="NUMBER", help="whose customers are drawn; default: all")
    parser.add_argument("--holdout", type=float, metavar="SHARE", help=f"of them that gets nothing; default: {HOLDOUT}")
    parser.add_argument("--to", metavar="DESTINATION", help="one of the destinations in the rules, whose layout the lists get")
    parser.add_argument("--prefix", help="of the tables of another segmentation, such as rfm_; default: those of the first one")
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the file that dbt has built")
    parser.add_argument("--output", type=Path, default=Path("exports/campaigns"), help="the folder for campaigns")
    parser.add_argument("--rules", type=Path, default=RULES, help="the file that says who may be delivered, and in which layout")
    arguments = parser.parse_args()
    name = arguments.name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", name):
        parser.error(f"the name of a campaign has small letters, digits, - and _, and at most 64 of them, unlike {name!r}")
    if arguments.holdout is not None and not 0 <= arguments.holdout < 1:
        parser.error(f"--holdout is a share from 0 to below 1, such as 0.1 for a tenth, not {arguments.holdout:g}")
    folder = arguments.output / name
    with read_only(arguments.warehouse) as warehouse:
        make_private(arguments.output, "campaign")
        with list_set(warehouse, folder, "campaign") as new:
            drawn = read_campaign(warehouse, folder)
            if drawn:
                check_frozen(name, drawn, arguments)
            prefix = drawn[0] if drawn else arguments.prefix
            prefix = first_prefix(found_tables(warehouse)) if prefix is None else prefix
            check_segmented(warehouse, arguments.warehouse, prefix)
            write_campaign(warehouse, new, folder, name, arguments, prefix, drawn)


if __name__ == "__main__":
    main()
