"""Runs dbt on Spark for the tests, one command after the other in one process with one session, which takes 12 s to start.

The session is started with the settings in the first argument, as JSON. Then a request is a line of JSON on the standard
input, and the answer one on the standard output:

    {"arguments": [...], "folder": ..., "environment": {...}, "output": file}    dbt: its exit code
    {"sql": ..., "schema": ...}         the rows of a query, as lists; `schema` may be left out where its names say theirs
    {"export": schema, "into": folder}          {table: [comment, [[column, type, comment], ...]]}; their rows as Parquet

A query or export that fails answers with {"error": words}.
"""

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path

from dbt.adapters.sparksession.impl import quiet, words_of
from dbt.adapters.sparksession.java import choose_java
from dbt.cli.main import dbtRunner
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


@contextmanager
def all_printed_to(path):
    """What this process and Java print goes into a file."""
    before = [os.dup(1), os.dup(2)]
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for stream, copy in enumerate(before, start=1):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(file)


def run_dbt(arguments, folder, environment, output):
    modules, path, kept = set(sys.modules), list(sys.path), dict(os.environ)
    os.chdir(folder)
    os.environ.update(environment)
    try:
        with all_printed_to(output):
            result = dbtRunner().invoke(arguments)
        return 0 if result.success else 2 if result.exception else 1
    finally:
        # The next project has Python models and plugins of its own.
        os.environ.clear()
        os.environ.update(kept)
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(Path(folder).resolve())):
                del sys.modules[name]


def export(spark, schema, into):
    """Write every table and view of a schema as Parquet; returns what the catalog says of them."""
    described = {}
    # The catalog of Iceberg does not list views among the tables.
    listed = [row for kind in ("tables", "views") for row in spark.sql(f"show {kind} in `{schema}`").collect()]
    for table in sorted({row[1] for row in listed if not row["isTemporary"]}):
        rows = [tuple(row) for row in spark.sql(f"describe table extended `{schema}`.`{table}`").collect()]
        n_columns = next(place for place, (name, *_) in enumerate(rows) if not name or name.startswith("#"))
        columns = [[name, data_type, comment or ""] for name, data_type, comment in rows[:n_columns]]
        comment = next((value for name, value, _ in rows[n_columns:] if name == "Comment"), "")
        described[table] = [comment, columns]
        spark.table(f"`{schema}`.`{table}`").coalesce(1).write.mode("overwrite").parquet(str(Path(into, table)))
    return described


def answer(spark, request):
    if "arguments" in request:
        return run_dbt(**request)
    try:
        if "export" in request:
            return export(spark, request["export"], request["into"])
        if "schema" in request:
            spark.sql(f"use `{request['schema']}`")
        return [list(row) for row in spark.sql(request["sql"]).collect()]
    except (PySparkException, Py4JJavaError) as error:
        return {"error": words_of(error)}


def main():
    # Answers alone go to the standard output; Java, which prints there too, finds the log in its place.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    choose_java()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder
    for name, value in quiet(json.loads(sys.argv[1])).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(spark, json.loads(line)), default=str), file=answers, flush=True)
    spark.stop()


if __name__ == "__main__":
    main()
