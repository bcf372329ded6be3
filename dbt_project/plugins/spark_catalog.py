"""What a Spark catalog holds for this project: three schemas, and a lock in one of them that is a table.

Readers see the views of the first schema. The second holds tables whose names end in the number of their build, the third what is
only appended to. What stands in the way raises a DbtRuntimeError of one sentence.
"""

import getpass
import os
import re
import socket
import threading
import time
from contextlib import suppress
from datetime import datetime, timezone

from dbt_common.exceptions import DbtRuntimeError

LOCK = "build_lock_"
# Where the clocks of two machines differ by less than the rest of a lease, that is enough.
RENEWALS = 6


def identifier(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def literal(text):
    return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


class Catalog:
    """`schema` is that of the views; `session` that in which all statements run."""

    def __init__(self, session, schema):
        self.session = session
        self.views, self.work, self.state = schema, f"{schema}_work", f"{schema}_state"

    def rows(self, sql):
        return self.session.sql(sql).collect()

    def run(self, *statements):
        for statement in statements:
            self.session.sql(statement)

    def relations(self, schema):
        """{name: whether it is a view}. Some catalogs list views among the tables; others, such as those of Iceberg, do not."""
        views = {row["viewName"] for row in self.rows(f"show views in {identifier(schema)}") if not row["isTemporary"]}
        tables = {row["tableName"] for row in self.rows(f"show tables in {identifier(schema)}") if not row["isTemporary"]}
        return {name: name in views for name in sorted(tables | views)}

    def tables(self, schema):
        return {name for name, is_view in self.relations(schema).items() if not is_view}

    def columns(self, schema, table):
        """{name: type}."""
        return dict(self.session.table(identifier(schema, table)).dtypes)

    def properties(self, schema, relation):
        return {row["key"]: row["value"] for row in self.rows(f"show tblproperties {identifier(schema, relation)}")}

    def format(self, schema, table):
        """That of its files, such as parquet or delta."""
        described = {
            row["col_name"]: row["data_type"] for row in self.rows(f"describe table extended {identifier(schema, table)}")
        }
        return described.get("Provider", "parquet").lower()

    def drop(self, schema, names, kind="table"):
        self.run(*(f"drop {kind} if exists {identifier(schema, name)}" for name in sorted(names)))

    def forget(self, table, *, but):
        """Drop the rows of a table of the state that no build in `but`, a set of ids, has appended."""
        place = identifier(self.state, table)
        if self.format(self.state, table) == "parquet":
            there = {row["partition"].removeprefix("build_id=") for row in self.rows(f"show partitions {place}")}
            drop = f"alter table {place} drop if exists partition (build_id = {{}})"
        else:
            there = {row["build_id"] for row in self.rows(f"select distinct build_id from {place}")}
            drop = f"delete from {place} where build_id = {{}}"
        self.run(*(drop.format(literal(build_id)) for build_id in sorted(there - but)))

    def sweep(self):
        """Remove the folders of tables that a killed process has written and the catalog does not know.

        They would refuse a table of that name. Views have folders, too, in catalogs such as those of Iceberg. Spark Connect
        reaches no files: there they stay.
        """
        if not hasattr(self.session, "_jvm"):
            return
        hadoop = self.session.sparkContext._jsc.hadoopConfiguration()
        for schema in (self.work, self.state):
            described = {row[0]: row[1] for row in self.rows(f"describe schema {identifier(schema)}")}
            folder = self.session._jvm.org.apache.hadoop.fs.Path(described["Location"])
            files = folder.getFileSystem(hadoop)
            known = {name.lower() for name in self.relations(schema)}
            for found in files.listStatus(folder) if files.exists(folder) else []:
                name = found.getPath().getName()
                # A folder with another name than a table could have is that of a catalog with rules of its own.
                if found.isDirectory() and re.fullmatch(r"\w+", name) and name.lower() not in known:
                    files.delete(found.getPath(), True)


class Lock:
    """Of all processes that build in these schemas one has it, as long as it renews it.

    A lock is a table with a number. `create table if not exists` makes it for one of those who ask at the same time, whatever
    the catalog; its properties say whose it is and until when. Who finds the last one lapsed makes the next number.
    """

    def __init__(self, catalog, owner, seconds):
        self.catalog, self.owner, self.seconds = catalog, owner, seconds
        self.name, self.ended = None, threading.Event()

    def take(self):
        there = self.others()
        number = max([int(name.removeprefix(LOCK)) for name in there], default=0) + 1
        self.refuse_if_held(there)
        self.name = f"{LOCK}{number}"
        where = f"{getpass.getuser()} on {socket.gethostname()}, process {os.getpid()}"
        self.catalog.run(
            f"create table if not exists {identifier(self.catalog.state, self.name)} (build_id string) using parquet "
            f"tblproperties ('held_for' = {literal(self.owner)}, 'held_by' = {literal(where)}, 'held_until' = '{self.end()}')"
        )
        held = self.catalog.properties(self.catalog.state, self.name)
        others = self.others()
        if held.get("held_for") != self.owner:
            self.name = None
            self.refuse_if_held([*others, f"{LOCK}{number}"])
        try:
            # Somebody may have made a higher number, or a lower one after the last was gone.
            self.refuse_if_held(others)
        except DbtRuntimeError:
            self.release()
            raise
        self.catalog.drop(self.catalog.state, others)
        threading.Thread(target=self.renew, daemon=True).start()

    def others(self):
        names = self.catalog.rows(f"show tables in {identifier(self.catalog.state)} like '{LOCK}*'")
        return [row["tableName"] for row in names if row["tableName"] != self.name]

    def refuse_if_held(self, names):
        for name in names:
            held = {}
            with suppress(Exception):  # it has been given back meanwhile
                held = self.catalog.properties(self.catalog.state, name)
            end = float(held.get("held_until", 0))
            if end > time.time():
                at = datetime.fromtimestamp(end, timezone.utc)
                raise DbtRuntimeError(
                    f"Another dbt command ({held['held_by']}) is at work in {self.catalog.work}; start this one again when it is "
                    f"done. If it was killed, its lock lapses at {at:%H:%M:%S} UTC."
                )

    def end(self):
        return time.time() + self.seconds

    def renew(self):
        while not self.ended.wait(self.seconds / RENEWALS):
            with suppress(Exception):  # the next renewal may succeed
                self.extend()

    def extend(self):
        place = identifier(self.catalog.state, self.name)
        self.catalog.run(f"alter table {place} set tblproperties ('held_until' = '{self.end()}')")

    def check(self):
        """Refused where it lapsed and somebody else has it by now."""
        try:
            self.extend()
            self.refuse_if_held(self.others())
        except DbtRuntimeError:
            raise
        except Exception:
            raise DbtRuntimeError(f"The lock of this build lapsed, and another one is at work in {self.catalog.work}.") from None

    def release(self):
        if self.name and not self.ended.is_set():
            self.ended.set()
            with suppress(Exception):  # it lapses
                self.catalog.drop(self.catalog.state, [self.name])


def numbered(name):
    """(name without the number of its build, that number as text) of a table, or None."""
    found = re.fullmatch(r"(.+?)__(\d+(?:_\d+)?)", name)
    return found and found.groups()
