"""The files that say what has been delivered to whom: CSV for people to read, which each delivery carries on.

Nobody can make them again.
"""

import duckdb
from export import csv_value
from keys import value_of

# Who entered and left each list with which delivery, or was kept in it under another key. `identifier` says what `value` is.
LEDGER = {
    "delivery": "INTEGER",
    "change": "VARCHAR",
    "segment_id": "INTEGER",
    "segment_name": "VARCHAR",
    "identifier": "VARCHAR",
    "value": "VARCHAR",
    "key": "VARCHAR",
}
COUNTS = ["n_customers", "n_delivered", "n_without_consent", "n_suppressed", "n_without_value", "n_duplicates"]
# How many were in each segment, and what became of them, with each delivery.
DELIVERIES = {
    "delivery": "INTEGER",
    "delivered_at": "TIMESTAMP",
    "build_number": "INTEGER",
    "segment_id": "INTEGER",
    "segment_name": "VARCHAR",
    **dict.fromkeys([*COUNTS, "n_added", "n_removed"], "BIGINT"),
}
# Who is in a campaign, and who of them is held out.
MEMBERS = {
    "key": "VARCHAR",
    "is_holdout": "BOOLEAN",
    "segment_id": "INTEGER",
    "segment_name": "VARCHAR",
    "campaign": "VARCHAR",
    "drawn_at": "TIMESTAMP",
    "build_number": "INTEGER",
    "segmentation": "VARCHAR",
    "holdout_share": "DOUBLE",
}
# The same as DELIVERIES, with each time that the lists of a campaign were written.
CAMPAIGN = {
    "delivery": "INTEGER",
    "delivered_at": "TIMESTAMP",
    "build_number": "INTEGER",
    "destination": "VARCHAR",
    "segment_id": "INTEGER",
    "segment_name": "VARCHAR",
    **dict.fromkeys([*COUNTS, "n_held_out", "n_gone"], "BIGINT"),
}
FILES = {"ledger.csv": LEDGER, "deliveries.csv": DELIVERIES, "members.csv": MEMBERS, "campaign.csv": CAMPAIGN}

# Who is on a list by these files: the last change of a value in a list is no removal; a member of a campaign is not held out.
ON_LISTS = {
    "ledger.csv": """
        select key from ledger
        qualify last_value(change) over (
            partition by segment_id, identifier, value order by delivery rows between unbounded preceding and unbounded following
        ) <> 'removed'
    """,
    "members.csv": "select key from members where not is_holdout",
}


def read(session, folder, name):
    """Make the temporary table of the same name, without .csv, of one of these files; empty where there is none.

    Raises a ValueError with a sentence where the file is not as it was written.
    """
    table, columns = name.removesuffix(".csv"), FILES[name]
    declared = ", ".join(f"{column} {data_type}" for column, data_type in columns.items())
    session.execute(f"create or replace temp table {table} ({declared})")
    path = folder / name
    if path.exists():
        types = ", ".join(f"'{column}': '{data_type}'" for column, data_type in columns.items())
        place = str(path).replace("'", "''")
        options = f"""
            auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', allow_quoted_nulls = false,
            columns = {{{types}}}
        """
        try:
            with path.open(encoding="utf-8") as file:
                header = file.readline().strip().replace('"', "")
            if header != ",".join(columns):
                raise ValueError(f"its first line is not {','.join(columns)}")
            session.execute(f"insert into {table} select * from read_csv('{place}', {options})")
        except (duckdb.InvalidInputException, duckdb.ConversionException, ValueError) as error:
            problem = str(error).splitlines()[0]
            raise ValueError(f"{path} is not as it was written ({problem}); take it from a backup") from None


def keys_as_written(types):
    """The SQL of (line, key) of the table `keys`, the key as these files hold it; `types` are those that keys have."""
    values = ["key", *(f"cast({value_of(data_type)} as varchar)" for data_type in types if data_type != "VARCHAR")]
    written = " union ".join(f"select line, {csv_value(value, 'VARCHAR')} as key from keys" for value in values)
    return f"select line, key from ({written}) as written where key is not null"
