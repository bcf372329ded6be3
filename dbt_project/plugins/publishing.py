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
from pathlib import Path

import duckdb
import yaml
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

MARKER = "main.published_build"  # in the build file: its state is that of this published build
TABLES = "select database_name, schema_name, table_name from duckdb_tables()"
PUBLISHED_TABLES = "select schema_name, table_name from duckdb_tables() where database_name = 'other_file'"
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

        `labels` pairs the place of each table of labels, (database, schema, name), with the place for its `label_columns`. All
        other relations of `databases` are dropped. So a build that failed or was killed leaves no trace, and a build file that
        was deleted is no loss. Where nothing is published everything begins anew. `dropped` and `created` say which relations
        are gone and there again.
        """
        own = None
        with self.session() as session, suppress(duckdb.CatalogException):
            own = session.execute(f"select build_id from {MARKER}").fetchone()
        # First of all: what is dropped below is the state that it speaks of.
        self.touch(request)
        try:
            with self.published_file() as session:
                for schema, name, is_table in session.execute(FUNCTIONS).fetchall():
                    session.execute(f"drop macro {'table ' if is_table else ''}{identifier(schema, name)}")
                found = set(session.execute(PUBLISHED_TABLES).fetchall())
                # Builds are appended, so that the last row is the newest.
                newest = "select build_id from other_file.main.builds order by rowid desc limit 1"
                published = session.execute(newest).fetchone() if ("main", "builds") in found else None
                is_restored = own is None or own != published
                source = "other_file" if is_restored else None
                labels = self.put_aside(session, request, source)
                tables = session.execute(TABLES).fetchall()
                kept = [place for place in request["state"] if place in tables and not is_restored]
                request["dropped"] = self.drop(session, request["databases"], kept=labels + kept)
                restored = [place for place in request["state"] if is_restored and place[1:] in found]
                for place in restored:
                    session.execute(f"create schema if not exists {identifier(*place[:2])}")
                    session.execute(f"create table {identifier(*place)} as from {identifier('other_file', *place[1:])}")
                request["dropped"] += [aside for _, aside in request["labels"] if aside not in labels]
                request["created"] = labels + restored
                # What was dropped makes room for what is to come, so that the files do not grow from build to build.
                for database in request["databases"]:
                    session.execute(f"checkpoint {identifier(database)}")
        except duckdb.Error as error:
            raise DbtRuntimeError(f"The build cannot start from {self.published}: {sentence(error)}") from None

    def put_aside(self, session, request, source):
        """Copy what a build needs of the last labels, from the file `source` or from where they are; returns where to."""
        places = []
        columns = session.execute(COLUMNS).fetchall()
        for place, aside in request["labels"]:
            origin = (source or place[0], *place[1:])
            found = {name for *table, name, _ in columns if tuple(table) == origin}
            session.execute(f"drop table if exists {identifier(*aside)}")
            if found >= set(request["label_columns"]):
                session.execute(f"create schema if not exists {identifier(*aside[:2])}")
                names = ", ".join(map(identifier, request["label_columns"]))
                session.execute(f"create table {identifier(*aside)} as select {names} from {identifier(*origin)}")
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
                self.drop(session, request["databases"], kept=request["kept"])
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
