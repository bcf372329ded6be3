"""Reads the views over and over, as BI tools do, in one session until its input is closed; prints what it saw as JSON.

The argument is JSON: the settings of the session, and the schema.
"""

import json
import sys
import threading

# Whether what one view shows is of one build. Each is a query of one view, as the set of them does not change at once.
WHOLE = {
    "customer_segments": "select count(distinct model_version) <= 1 and count(*) = count(distinct customer_id) from {view}",
    "segment_profiles": "select abs(sum(share) - 1) < 1e-9 from {view}",
    "customer_segment_history": """
        select count(case when dbt_valid_to is null then 1 end) = count(distinct customer_id) from {view}
    """,
    "segment_changes": "select count(*) = count(distinct customer_id, build_id) from {view}",
    "segment_migrations": "select count(*) > 0 from {view}",
    "builds": "select count(*) = max(build_number) and count(distinct build_number) = max(build_number) from {view}",
}
# In each of these a build has left rows: a history only grows.
HISTORIES = {"builds": "count(*)", "segment_migrations": "count(distinct build_id)"}


def main(settings, schema):
    from dbt.adapters.sparksession.java import choose_java
    from pyspark.sql import SparkSession

    choose_java()
    builder = SparkSession.builder.config("spark.master", "local[1]").config("spark.ui.enabled", "false")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    print("ready", flush=True)
    seen = {"reads": 0, "builds": 0, "errors": []}
    longest = dict.fromkeys(HISTORIES, 0)
    while not stop.is_set():
        for name, query in WHOLE.items():
            try:
                if not session.sql(query.format(view=f"{schema}.{name}")).collect()[0][0]:
                    seen["errors"].append(f"{name} is not whole")
                if name in HISTORIES:
                    (length,) = session.sql(f"select {HISTORIES[name]} from {schema}.{name}").collect()[0]
                    if length < longest[name]:
                        seen["errors"].append(f"{name} has lost something: {longest[name]}, then {length}")
                    longest[name] = length
            except Exception as error:
                seen["errors"].append(f"{name}: {str(error)[:300]}")
            seen["reads"] += 1
            # As often as somebody who looks at a dashboard, without taking a core from the build.
            stop.wait(0.1)
    seen["builds"] = longest["builds"]
    print(json.dumps(seen), flush=True)
    session.stop()


if __name__ == "__main__":
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    main(**json.loads(sys.argv[1]))
