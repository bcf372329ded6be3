"""Publishing, as a plugin of dbt-duckdb: what the macros in publishing.sql ask for and SQL cannot do.

A build works in a file of its own, which nobody else opens. What it has made is copied into a temporary file beside the
published one and takes its place by a rename, so that a reader finds the old build or the new one and never anything between.
"""

import fcntl
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

# Every DuckDB from 1.2 on opens the published file. From 1.3 on names of segments would be packed by the method that the profile
# switches off for its cost, which leaves them as they are and the file three times as large.
STORAGE_VERSION = "v1.2.0"
MARKER = "main.published_build"  # in the build file: its state is that of this published build
RELATIONS = """
    select schema_name, table_name, 'table' from duckdb_tables() where database_name = current_database()
    union all
    select schema_name, view_name, 'view' from duckdb_views() where database_name = current_database() and not internal
"""
RELATION_COMMENTS = """
    select schema_name, table_name, comment from duckdb_tables() where database_name = current_database()
    union all
    select schema_name, view_name, comment from duckdb_views() where database_name = current_database()
"""
COLUMN_COMMENTS = """
    select schema_name, table_name, column_name, comment
    from duckdb_columns()
    where database_name = current_database() and comment is not null
"""
FUNCTIONS = """
    select schema_name, function_name, parameters, function_type = 'table_macro', macro_definition
    from duckdb_functions()
    where database_name = current_database() and not internal and function_type in ('macro', 'table_macro')
"""
TABLES_OF_OTHER_FILE = "select schema_name, table_name from duckdb_tables() where database_name = 'other_file'"


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
        {"begin": self.begin, "touch": self.touch, "publish": self.publish}[request["step"]](request)

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
        """Give the tables of `state` the rows of the last published build, unless they have them; `restored` says so.

        So a build that failed or was killed leaves no trace, and a build file that was deleted is no loss. Where nothing is
        published everything begins anew. What none of the `nodes` makes is dropped: it is of a build with another configuration.
        """
        with self.session() as session:
            own = None
            with suppress(duckdb.CatalogException):
                own = session.execute(f"select build_id from {MARKER}").fetchone()
            for schema, name, _, is_table, _ in session.execute(FUNCTIONS).fetchall():
                session.execute(f"drop macro {'table ' if is_table else ''}{identifier(schema, name)}")
            for schema, name, kind in session.execute(RELATIONS).fetchall():
                if (schema, name) not in request["nodes"]:
                    session.execute(f"drop {kind} {identifier(schema, name)}")
        self.touch(request)
        try:
            with self.published_file() as session:
                found = set(session.execute(TABLES_OF_OTHER_FILE).fetchall())
                newest = "select max_by(build_id, built_at) from other_file.main.builds"
                published = session.execute(newest).fetchone() if ("main", "builds") in found else None
                request["restored"] = own is None or own != published
                for schema, table in request["state"] if request["restored"] else []:
                    session.execute(f"drop table if exists {identifier(schema, table)}")
                    if (schema, table) in found:
                        session.execute(f"create schema if not exists {identifier(schema)}")
                        session.execute(
                            f"create table {identifier(schema, table)} as from {identifier('other_file', schema, table)}"
                        )
        except duckdb.Error as error:
            raise DbtRuntimeError(f"The build cannot start from {self.published}: {sentence(error)}") from None

    def touch(self, request):
        """The state in the build file is no longer that of the published one, whatever becomes of this command."""
        with self.session() as session:
            session.execute(f"drop table if exists {MARKER}")

    def publish(self, request):
        """Put `tables` of the build `build_id` in the place of the published file; `error` says why it could not be done.

        Memory is bounded: DuckDB copies table by table and block by block. Those among `views`, (schema, name, query) on another
        published table of the same schema, are not copied.
        """
        try:
            with self.published_file():
                pass
            self.copy_tables(request["tables"], request["views"], request["build_id"])
            self.rename()
            self.mark(request["build_id"])
        except (duckdb.Error, DbtRuntimeError, OSError, MemoryError) as error:
            request["error"] = f"Not published, readers keep the build before: {sentence(error)}"
        finally:
            self.remove_copy()

    def mark(self, build_id):
        """Spares the next build the copy of the state: without the marker it is made, so a failure here is none."""
        with suppress(duckdb.Error), self.session() as session:
            session.execute(f"create or replace table {MARKER} as select {literal(build_id)} as build_id")
            session.execute(f"comment on table {MARKER} is 'One row: the published build whose state these tables hold.'")

    def copy_tables(self, tables, views, build_id):
        queries = {(schema, name): query for schema, name, query in views}
        with self.session(f"{literal(self.copy)} as other_file (storage_version '{STORAGE_VERSION}')") as session:
            for schema in {schema for schema, _ in tables}:
                session.execute(f"create schema if not exists {identifier('other_file', schema)}")
            for schema, table in tables:
                if (schema, table) not in queries:
                    session.execute(f"create table {identifier('other_file', schema, table)} as from {identifier(schema, table)}")
            with self.connection.cursor() as inside:
                # Without the name of the file in it, a view is good under whatever name the file is opened.
                for (schema, name), query in queries.items():
                    inside.execute(f"use {identifier('other_file', schema)}")
                    inside.execute(f"create view {identifier(name)} as {query}")
            for schema, table, comment in session.execute(RELATION_COMMENTS).fetchall():
                if (schema, table) in tables:
                    kind = "view" if (schema, table) in queries else "table"
                    words = literal(f"{comment or ''} Build {build_id}".strip())
                    session.execute(f"comment on {kind} {identifier('other_file', schema, table)} is {words}")
            for schema, table, column, comment in session.execute(COLUMN_COMMENTS).fetchall():
                if (schema, table) in tables:
                    place = identifier("other_file", schema, table, column)
                    session.execute(f"comment on column {place} is {literal(comment)}")
            for schema, name, parameters, is_table, definition in session.execute(FUNCTIONS).fetchall():
                function = f"{identifier('other_file', schema, name)}({', '.join(map(identifier, parameters))})"
                session.execute(f"create macro {function} as {'table ' if is_table else ''}{definition}")
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
