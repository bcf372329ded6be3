"""Reads the published file over and over, as BI tools do, until its input is closed; prints what it saw as JSON."""

import json
import sys
import threading
import time

import duckdb

# The build that each table says it is of, and whether the tables fit together.
GENERATIONS = """
    select distinct right(comment, 36) from duckdb_tables()
    union
    select max_by(build_id, build_number) from builds
"""
FITS = """
    select (select count(*) from customer_segments) = (select sum(n_customers) from segment_profiles)
        and (select count(*) from customer_segments) = (select max_by(n_accepted, build_number) from builds)
        -- Of builds that somebody went back behind, and of the going back itself, there is the row in builds alone.
        and (select count(*) from segment_migrations where build_id not in (select build_id from builds)) = 0
        and (
            select restored_build_number is not null or build_id in (select build_id from segment_migrations)
            from builds
            order by build_number desc
            limit 1
        )
        and (select max_by(model_version, build_number) from builds) = (select max(model_version) from customer_segments)
"""


def main():
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    seen = {"reads": 0, "generations": [], "errors": []}
    while not stop.is_set():
        try:
            with duckdb.connect(sys.argv[1], read_only=True) as warehouse:
                first = warehouse.sql(GENERATIONS).fetchall()
                fits = warehouse.sql(FITS).fetchone()[0]
                # Some readers keep the file open while a build takes its place.
                time.sleep(0.1 + 0.2 * (seen["reads"] % 3))
                again = warehouse.sql(GENERATIONS).fetchall()
            if len(first) != 1 or first != again or not fits:
                seen["errors"].append(f"more than one build: {first}, {again}, fits: {fits}")
            if first[0][0] not in seen["generations"]:
                seen["generations"].append(first[0][0])
        except duckdb.Error as error:
            seen["errors"].append(str(error))
        seen["reads"] += 1
    print(json.dumps(seen))


if __name__ == "__main__":
    stop = threading.Event()
    main()
