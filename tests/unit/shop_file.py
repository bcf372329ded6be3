"""A small published file made without dbt, for the scripts that deliver what is in it."""

import csv
import hashlib
import sys

import duckdb

SEGMENTED = "member varchar, segment_id integer, segment_name varchar, confidence double"


def customer(member, segment_id=1, *, name=None, confidence=0.5, email="", newsletter="yes", is_blocked=None):
    """A row of customer_segments; the e-mail is made of the key unless one is given, None for none."""
    email = f"{member}@x.org" if email == "" else email
    return (member, segment_id, name or f"Segment {segment_id}", confidence, email, newsletter, is_blocked)


def publish(path, customers, *, number=1, orders=()):
    """Write a file as build `number` publishes it: the customers, those of them with `orders` (customer(...)) in rfm_ as well."""
    path.unlink(missing_ok=True)
    with duckdb.connect(path) as connection:
        connection.execute(f"create table builds as select {number} as build_number, 'build {number}' as build_id")
        attributes = "email varchar, newsletter varchar, is_blocked boolean"
        connection.execute(f"create table customer_segments ({SEGMENTED}, {attributes})")
        insert(connection, "customer_segments", customers)
        if orders:
            connection.execute(f"create table rfm_customer_segments ({SEGMENTED})")
            insert(connection, "rfm_customer_segments", [row[:4] for row in orders])


def insert(connection, table, values):
    columns = ", ".join(["unnest(?)"] * len(values[0]))
    connection.execute(f"insert into {table} select {columns}", [list(column) for column in zip(*values, strict=True)])


def run(monkeypatch, capsys, script, *options):
    """What a script prints, with the sentence that it ends with where it fails."""
    monkeypatch.setattr(sys, "argv", [f"{script.__name__}.py", *map(str, options)])
    try:
        script.main()
    except SystemExit as end:
        return capsys.readouterr().out + str(end.code)
    return capsys.readouterr().out


def rows(path, delimiter=","):
    """The rows of a CSV file, each as a mapping."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def hashed(email):
    return hashlib.sha256(email.encode()).hexdigest()
