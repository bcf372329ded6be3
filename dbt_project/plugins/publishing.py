"""Publishing, as a plugin of dbt-duckdb: what the macros in publishing.sql ask for and SQL cannot do.

A build works in files of its own, which nobody else opens. The one that holds what readers are to see is copied, byte by byte,
beside the published one, and the copy takes its place by a rename, so that a reader finds the old build or the new one and
never anything between.
"""

import fcntl
import gc
import os
import re
import shutil
import subprocess
from contextlib import contextmanager, suppress
from functools import partial
from glob import glob
from pathlib import Path

import duckdb
import yaml
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

MARKER = "main.published_build"  # in the build file: its state is that of this published build
TABLES = "select database_name, schema_name, table_name from duckdb_tables()"
PUBLISHED_TABLES = "select schema_name, table_name from duckdb_tables() where database_name = 'other_file'"
# The state of segmentations that a build goes without, such as that from orders where there are none.
CARRIED = "main_carried"
CARRIED_COMMENT = "State of a segmentation that this build goes without, for the build in which it returns."
SAMPLE = {"customers": "dbt_project/sample/customers.csv", "orders": "dbt_project/sample/orders.csv"}
RELATIONS = """
    select database_name, schema_name, table_name, 'table' as kind, comment from duckdb_tables()
    union all
    select database_name, schema_name, view_name, 'view', comment from duckdb_views() where not internal
"""
# Asked without parameters: to look at one, DuckDB imports pandas, which takes longer than the rest.
COLUMNS = "select database_name, schema_name, table_name, column_name, comment from duckdb_columns()"
FUNCTIONS = """
    select schema_name, function_name, function_type = 'table_macro'
    from duckdb_functions()
    where database_name = current_database() and not internal and function_type in ('macro', 'table_macro')
"""


def identifier(*names):
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def code_version():
    """The commit, marked where files were changed since; the version of the project where it is not under git."""
    git = partial(subprocess.run, capture_output=True, text=True, check=True)
    try:
        git(["git", "ls-files", "--error-unmatch", "dbt_project.yml"])
        return git(["git", "--no-optional-locks", "describe", "--always", "--dirty"]).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "version " + yaml.safe_load(Path("dbt_project.yml").read_text(encoding="utf-8"))["version"]


def is_sample(kind, source):
    """Whether the file or pattern `source`, a text or None, is that of the sample or stands for it, however it is written."""
    if not source:
        return False
    sample = Path(SAMPLE[kind]).resolve()
    return any(Path(path).resolve() == sample for path in [str(source), *glob(str(source))])


def origin(place, found):
    """Where among the published tables `found`, (schema, name), the state of a table is, or None."""
    return next((origin for origin in (tuple(place[1:]), (CARRIED, place[2])) if origin in found), None)


def sentence(error):
    """What DuckDB or the system says, in one line."""
    holder = re.search(r"Conflicting lock is held in (.+? \(PID \d+\))", str(error))
    if holder:
        return f"it is open for writing in {holder[1]}; close it there, or open it read-only."
    return getattr(error, "msg", str(error)).strip().splitlines()[0]


class Plugin(BasePlugin):
    """Called once for each dbt command that opens the build file; `path` in the profile is that of the published file."""

    def initialize(self, plugin_config):
        self.build = Path(self.creds.path)
        self.published = Path(plugin_config["path"])
        self.wal = Path(f"{self.published}.wal")
        self.copy = Path(f"{self.published}.publishing")
        self.build.parent.mkdir(parents=True, exist_ok=True)
        self.lock = self.take_lock()
        self.remove_copy()
        self.code_version = code_version()
        # All that dbt has loaded so far lives until the process ends, so the garbage collector need not scan it again.
        gc.freeze()

    def take_lock(self):
        """Held as long as the process lives: the system takes it back, however that ends."""
        lock = open(self.build.with_suffix(".lock"), "a+", encoding="utf-8")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            process = lock.read() or "unknown"
            raise DbtRuntimeError(
                f"Another dbt command (process {process}) is at work in {self.build}; start this one again when it is done."
            ) from None
        with suppress(OSError):  # the number only helps people
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        return lock

    def remove_copy(self):
        for path in (self.copy, Path(f"{self.copy}.wal")):
            path.unlink(missing_ok=True)

    def configure_connection(self, conn):
        self.connection = conn

    def configure_cursor(self, cursor):
        cursor.execute(f"set variable code_version = {literal(self.code_version)}")

    def store(self, target_config):
        """The one door that dbt-duckdb opens from a macro to Python: `config` names the step and takes the answer."""
        request = target_config.config
        steps = {"begin": self.begin, "execute": self.execute, "touch": self.touch, "publish": self.publish}
        steps[request["step"]](request)

    @contextmanager
    def session(self, attached=None):
        """A connection outside dbt's transactions, with a second file as `other_file` that does not stay behind."""
        with self.connection.cursor() as session:
            try:
                if attached:
                    session.execute(f"attach {attached}")
                yield session
            finally:
                with suppress(duckdb.Error):
                    session.execute("detach database if exists other_file")

    def published_file(self):
        """A session that reads the published file, or nothing where there is none; refused where somebody writes to it."""
        if self.wal.exists():
            raise DbtRuntimeError(
                f"{self.wal} shows that a program writes to {self.published}, which is only to be read: close that program; "
                f"if there is none any more, delete {self.wal}."
            )
        file = f"{literal(self.published)} as other_file (read_only)" if self.published.exists() else "':memory:' as other_file"
        return self.session(file)

    def begin(self, request):
        """Give the tables of `state` the rows of the last published build, unless they have them, and put its labels aside.

        `labels` pairs the place of each table of labels, (database, schema, name), with the place for its `label_columns`; the
        names of tables with state, of whatever segmentation, end in `names_of_state`. All other relations of `databases` are
        dropped. So a build that failed or was killed leaves no trace, and a build file that was deleted is no loss. Where
        nothing is published everything begins anew; so it does where the sample was and `files`, {customers, orders}, are
        one's own. `dropped` and `created` say which relations are gone and there again, `said` what people should know.
        """
        if is_sample("customers", request["files"]["customers"]) and not is_sample("orders", request["files"]["orders"] or None):
            self.refuse_orders_alone(request["files"]["orders"])
        own = None
        with self.session() as session, suppress(duckdb.CatalogException):
            own = session.execute(f"select build_id from {MARKER}").fetchone()
        # First of all: what is dropped below is the state that it speaks of.
        self.touch(request)
        request["said"] = []
        try:
            with self.published_file() as session:
                for schema, name, is_table in session.execute(FUNCTIONS).fetchall():
                    session.execute(f"drop macro {'table ' if is_table else ''}{identifier(schema, name)}")
                found = set(session.execute(PUBLISHED_TABLES).fetchall())
                published, source_file = self.last_build(session, found)
                if published and self.is_to_yield(published, source_file, request):
                    request["state"] = [place for place in request["state"] if place[1:] == ("main", "builds")]
                    request["labels"], found = [], found & {("main", "builds")}
                is_restored = own is None or own[0] != published
                source = "other_file" if is_restored else None
                labels = self.put_aside(session, request, found, source)
                carried = self.carry(session, request, found, is_restored)
                tables = session.execute(TABLES).fetchall()
                kept = [place for place in request["state"] if place in tables and not is_restored]
                request["dropped"] = self.drop(session, request["databases"], kept=labels + carried + kept)
                restored = [place for place in request["state"] if place not in kept and origin(place, found)]
                for place in restored:
                    session.execute(f"create schema if not exists {identifier(*place[:2])}")
                    session.execute(
                        f"create table {identifier(*place)} as from {identifier('other_file', *origin(place, found))}"
                    )
                request["dropped"] += [aside for _, aside in request["labels"] if aside not in labels]
                request["created"] = labels + restored
                # What was dropped makes room for what is to come, so that the files do not grow from build to build.
                for database in request["databases"]:
                    session.execute(f"checkpoint {identifier(database)}")
        except duckdb.Error as error:
            raise DbtRuntimeError(f"The build cannot start from {self.published}: {sentence(error)}") from None

    def refuse_orders_alone(self, orders):
        if orders:
            raise DbtRuntimeError(
                f"The orders are those of {orders}, but the customers are those of the sample, who did not place them; give your "
                "customers, too, with the environment variable CUSTOMERS_FILE, or source: file in dbt_project.yml, vars, "
                "segmentation."
            )

    def last_build(self, session, found):
        """The id of the newest published build and the file of its customers; None and None where nothing is published."""
        if ("main", "builds") not in found:
            if found:
                raise DbtRuntimeError(
                    f"{self.published} holds tables, but none called builds: it was not published by this project, and is not "
                    "replaced; move it, or name another file for the plugin publishing in profiles.yml."
                )
            return None, None
        # Builds are appended, so that the last row is the newest.
        newest = "select build_id, source_file from other_file.main.builds order by rowid desc limit 1"
        return session.execute(newest).fetchone() or (None, None)

    def is_to_yield(self, published, source_file, request):
        """Whether the state is that of the sample and this build is on customers of one's own; the reverse is refused."""
        customers = request["files"]["customers"]
        was_sample, is_now = is_sample("customers", source_file), is_sample("customers", customers)
        if is_now and not was_sample:
            raise DbtRuntimeError(
                f"{self.published} holds the segments of {source_file}, and the sample is not published over them; give your "
                "customers with the environment variable CUSTOMERS_FILE, or source: file in dbt_project.yml, vars, segmentation. "
                f"To see the sample again, move {self.published} away first."
            )
        if was_sample and not is_now:
            request["said"].append(f"The last build, {published}, was on the sample: models and history begin anew.")
        return was_sample and not is_now

    def carry(self, session, request, found, is_restored):
        """Keep the state of segmentations that this build goes without in a schema of its own; returns its places."""
        database, fits = self.creds.database, "_segmentation_fits"
        known = {place[2] for place in [*request["state"], *(place for place, _ in request["labels"])]}
        endings = tuple(f"_{name}" for name in request["names_of_state"])
        left = {(schema, name) for schema, name in found if schema == CARRIED or name.endswith(endings)}
        left = sorted((schema, name) for schema, name in left if name not in known)
        columns = session.execute(COLUMNS).fetchall()
        for schema, name in left:
            if schema != CARRIED or is_restored:
                origin = ("other_file", schema, name)
                described = [column for *table, column, _ in columns if tuple(table) == origin]
                # Of labels no more is kept than the next build asks for.
                names = request["label_columns"] if set(described) >= set(request["label_columns"]) else described
                session.execute(f"create schema if not exists {identifier(database, CARRIED)}")
                session.execute(
                    f"create or replace table {identifier(database, CARRIED, name)} as "
                    f"select {', '.join(map(identifier, names))} from {identifier(*origin)}"
                )
                session.execute(f"comment on table {identifier(database, CARRIED, name)} is {literal(CARRIED_COMMENT)}")
        gone = [name.removesuffix(fits) for schema, name in left if schema != CARRIED and name.endswith(fits)]
        if gone:
            request["said"].append(
                f"This build goes without the segmentation {' and '.join(gone)}; its models and history are kept."
            )
        return [(database, CARRIED, name) for _, name in left]

    def put_aside(self, session, request, found, source):
        """Copy what a build needs of the last labels, from the file `source` or from where they are; returns where to."""
        places = []
        columns = session.execute(COLUMNS).fetchall()
        for place, aside in request["labels"]:
            last = origin(place, found) or place[1:]
            last = ("other_file" if last[0] == CARRIED else source or place[0], *last)
            described = {name for *table, name, _ in columns if tuple(table) == last}
            session.execute(f"drop table if exists {identifier(*aside)}")
            if described >= set(request["label_columns"]):
                session.execute(f"create schema if not exists {identifier(*aside[:2])}")
                names = ", ".join(map(identifier, request["label_columns"]))
                session.execute(f"create table {identifier(*aside)} as select {names} from {identifier(*last)}")
                places.append(aside)
        return places

    def drop(self, session, databases, kept):
        """Drop the relations of `databases` but those `kept`, (database, schema, name), and return their places."""
        dropped = []
        for *place, kind, _ in session.execute(RELATIONS).fetchall():
            if place[0] in databases and tuple(place) not in kept:
                session.execute(f"drop {kind} {identifier(*place)}")
                dropped.append(place)
        return dropped

    def execute(self, request):
        """Run `statements` outside dbt's transactions, each of which can write to one file only."""
        with self.session() as session:
            for statement in request["statements"]:
                session.execute(statement)

    def touch(self, request):
        """The state in the build file is no longer that of the published one, whatever becomes of this command."""
        with self.session() as session:
            session.execute(f"drop table if exists {MARKER}")

    def publish(self, request):
        """Put a copy of the build file in the place of the published one; `error` says why it could not be done.

        Only what is `kept`, (database, schema, name), is in it: dbt leaves temporary tables behind. `views`, with a query behind
        these three, show what the relations of that name hold in a file that is not published. Every relation
        names the build `build_id`.
        """
        try:
            with self.published_file():
                pass
            with self.session() as session:
                carried = [place for place in session.execute(TABLES).fetchall() if place[1] == CARRIED]
                self.drop(session, request["databases"], kept=request["kept"] + carried)
                session.execute("checkpoint")
            shutil.copyfile(self.build, self.copy)
            self.describe_copy(request["views"], request["build_id"])
            self.rename()
            self.mark(request["build_id"])
        except (duckdb.Error, DbtRuntimeError, OSError) as error:
            request["error"] = f"Not published, readers keep the build before: {sentence(error)}"
        finally:
            self.remove_copy()

    def mark(self, build_id):
        """Spares the next build the copy of the state: without the marker it is made, so a failure here is none."""
        with suppress(duckdb.Error), self.session() as session:
            session.execute(f"create or replace table {MARKER} as select {literal(build_id)} as build_id")
            session.execute(f"comment on table {MARKER} is 'One row: the published build whose state these tables hold.'")

    def describe_copy(self, views, build_id):
        with self.session(f"{literal(self.copy)} as other_file") as session:
            relations, columns = session.execute(RELATIONS).fetchall(), session.execute(COLUMNS).fetchall()
            comments = {tuple(place): comment or "" for *place, _, comment in relations}
            published = [(place, kind, comments[tuple(place)]) for *place, kind, _ in relations if place[0] == "other_file"]
            for database, schema, name, query in views:
                with self.connection.cursor() as inside:
                    # Without the name of the file in it, a view is good under whatever name the file is opened.
                    inside.execute(f"use {identifier('other_file', schema)}")
                    inside.execute(f"create view {identifier(name)} as {query}")
                published.append((("other_file", schema, name), "view", comments[database, schema, name]))
                for *table, column, comment in columns:
                    if tuple(table) == (database, schema, name) and comment:
                        place = identifier("other_file", schema, name, column)
                        session.execute(f"comment on column {place} is {literal(comment)}")
            for place, kind, comment in published:
                session.execute(f"comment on {kind} {identifier(*place)} is {literal(f'{comment} Build {build_id}'.strip())}")
            session.execute("checkpoint other_file")
            session.execute("detach other_file")

    def rename(self):
        """The copy takes the published name; on disk before the name is, so that a power cut cannot leave it empty."""
        if self.published.exists():
            shutil.copymode(self.published, self.copy)
        with open(self.copy, "rb+") as copy:
            os.fsync(copy.fileno())
        os.replace(self.copy, self.published)
        folder = os.open(self.published.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
