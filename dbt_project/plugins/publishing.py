"""Publishing, as a plugin of dbt-duckdb: what the macros in publishing.sql ask for and SQL cannot do.

A build works in files of its own, which nobody else opens. The one that holds what readers are to see is copied, byte by byte,
beside the published one, and the copy takes its place by a rename, so that a reader finds the old build or the new one and
never anything between.
"""

import gc
import os
import signal
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.factory import get_adapter_by_type
from dbt_common.exceptions import DbtRuntimeError

from build_rules import code_version, is_to_begin_anew, refuse_customers_of_the_sample, say
from published_file import (
    CARRIED,
    RELATIONS,
    PublishedFile,
    RefusalError,
    follow,
    identifier,
    literal,
    lock_builds,
    name_build,
    sentence,
)

PROJECT = Path(__file__).absolute().parents[2]
MARKER = "main.published_build"  # in the build file: its state is that of this published build
TABLES = "select database_name, schema_name, table_name from duckdb_tables()"
PUBLISHED_TABLES = "select schema_name, table_name from duckdb_tables() where database_name = 'other_file'"
CARRIED_COMMENT = "State of a segmentation that this build goes without, for the build in which it returns."
# Asked without parameters: to look at one, DuckDB imports pandas, which takes longer than the rest.
COLUMNS = "select database_name, schema_name, table_name, column_name, comment from duckdb_columns()"
FUNCTIONS = """
    select schema_name, function_name, function_type = 'table_macro'
    from duckdb_functions()
    where database_name = current_database() and not internal and function_type in ('macro', 'table_macro')
"""


def origin(place, found):
    """Where among the published tables `found`, (schema, name), the state of a table is, or None."""
    return next((origin for origin in (tuple(place[1:]), (CARRIED, place[2])) if origin in found), None)


@contextmanager
def in_one_sentence():
    try:
        yield
    except (RefusalError, OSError) as error:
        raise DbtRuntimeError(sentence(error)) from None


def go_to_the_project():
    """Paths in the profile and in the configuration start at the project, in whatever folder dbt was called.

    Dbt itself does not go there since version 1.5; where it was given a relative path to the project, that has to stay right.
    """
    if Path.cwd() != PROJECT:
        get_adapter_by_type("duckdb").config.project_root = str(PROJECT)
        os.chdir(PROJECT)


def problem_with(session, file):
    """What is wrong inside a build file, or None. Raises a DbtRuntimeError where the file is not at fault."""
    if not file.exists():
        remove_database(file)  # a log of writes may have stayed
    try:
        session.execute(f"attach {literal(file)} as build_file")
        # DuckDB misses nothing until it reads it. Blocks that are free need not be there.
        size = "select used_blocks * block_size from pragma_database_size() where database_name = 'build_file'"
        is_cut = file.stat().st_size < session.execute(size).fetchone()[0]
        session.execute("detach build_file")
    except duckdb.Error as error:
        is_in_use = "Could not set lock" in str(error) or isinstance(error, duckdb.BinderException)  # or in this very process
        if is_in_use or not file.is_file() or not os.access(file, os.R_OK | os.W_OK):
            raise DbtRuntimeError(f"The build cannot work in {file}: {sentence(error)}") from None
        return sentence(error)
    return "its end is missing" if is_cut else None


def remove_database(file):
    for path in (file, Path(f"{file}.wal")):
        path.unlink(missing_ok=True)


def check_setting(session, name, value):
    """Let DuckDB take a setting of the profile; a DbtRuntimeError where it does not."""
    try:
        session.execute(f"set {name} = {literal(value)}")
        if name == "memory_limit" and value.startswith("-"):  # DuckDB takes it for no limit at all
            raise duckdb.InvalidInputException("Memory cannot be negative")
    except duckdb.Error as error:
        how = "set DUCKDB_MEMORY_LIMIT to something like 400MB or 4GB" if name == "memory_limit" else "correct it in profiles.yml"
        raise DbtRuntimeError(f"{value!r} is no {name} for DuckDB ({sentence(error)}); {how}.") from None


class Interrupts:
    """Within it SIGTERM does what Ctrl-C does; after `wait` neither has an effect until the end."""

    def __enter__(self):
        self.wait_for_end, self.before = False, {}
        if threading.current_thread() is threading.main_thread():  # no other one is asked
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self.interrupt)
        return self

    def interrupt(self, number, frame):
        if not self.wait_for_end:
            raise KeyboardInterrupt

    def wait(self):
        self.wait_for_end = True

    def __exit__(self, *error):
        for number, handler in self.before.items():
            signal.signal(number, handler)


class Plugin(BasePlugin):
    """Called once for each dbt command that opens the build file; `path` in the profile is that of the published file."""

    def initialize(self, plugin_config):
        go_to_the_project()
        self.files = [Path(self.creds.path)] + [Path(file.path) for file in self.creds.attach or [] if file.alias == "scratch"]
        self.build = self.files[0]
        self.published = PublishedFile(plugin_config["path"])
        self.published.hide_what_is_made()
        with in_one_sentence():
            self.lock = lock_builds(self.build)
            self.published.remove_copy()
        self.code_version = code_version()
        # All that dbt has loaded so far lives until the process ends, so the garbage collector need not scan it again.
        gc.freeze()

    def update_connection_config(self, creds, config):
        """Called before dbt opens the build files: what it would stumble over is found here, and said in one sentence.

        A disk that was full, or a crash, may have left a file cut or empty. That is no loss: it is a copy of what is published,
        or half a build.
        """
        with duckdb.connect(config=config) as session:
            problems = {file: problem_with(session, file) for file in self.files}
            for name, value in (creds.settings or {}).items():
                check_setting(session, name, str(value))
        for file in [file for file, problem in problems.items() if problem]:
            say(f"{file} cannot be used ({problems[file]}): it is thrown away; a full dbt build makes it from what is published.")
            with in_one_sentence(), duckdb.connect() as session:
                remove_database(file)
                if problem := problem_with(session, file):
                    raise RefusalError(f"{file} cannot be made: {problem}")

    def configure_connection(self, conn):
        self.connection = conn
        if self.published.path.exists():
            for file in self.files:
                follow(self.published.path, file, also=0o600)  # where nobody may write to the published one, a build may

    def configure_cursor(self, cursor):
        # For the next command of the same process, which dbt begins in the folder where the first one was called.
        go_to_the_project()
        try:
            cursor.execute(f"set variable code_version = {literal(self.code_version)}")
            # Of what takes longer than two seconds. DuckDB would draw it into a file as well.
            cursor.execute(f"set enable_progress_bar = {sys.stdout.isatty()}")
        except duckdb.Error as error:  # such as less memory than anything needs
            raise DbtRuntimeError(f"The build cannot begin: {sentence(error)}") from None

    def store(self, target_config):
        """The one door that dbt-duckdb opens from a macro to Python: `config` names the step and takes the answer."""
        request = target_config.config
        steps = {
            "begin": self.begin,
            "execute": self.execute,
            "medians": self.medians,
            "touch": self.touch,
            "kept_builds": self.kept_builds,
            "publish": self.publish,
        }
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
        self.published.check()
        path = self.published.path
        file = f"{literal(path)} as other_file (read_only)" if path.exists() else "':memory:' as other_file"
        return self.session(file)

    def begin(self, request):
        """Give the tables of `state` the rows of the last published build, unless they have them, and put other tables aside.

        `last_tables` are those: [(place, place to put it aside, the columns that are needed)], where a place is (database,
        schema, name); of labels these are `label_columns`. The names of tables with state, of whatever segmentation, end in
        `names_of_state`. All other relations of `databases` are
        dropped. So a build that failed or was killed leaves no trace, and a build file that was deleted is no loss. Where
        nothing is published everything begins anew; so it does where the sample was and `files`, {customers, orders}, are
        one's own. `dropped` and `created` say which relations are gone and there again.
        """
        refuse_customers_of_the_sample(**request["files"])
        own = None
        with self.session() as session, suppress(duckdb.Error):
            own = session.execute(f"select build_id from {MARKER}").fetchone()
        # First of all: what is dropped below is the state that it speaks of.
        self.touch(request)
        if not self.published.path.exists() and self.published.kept_builds():
            say(f"{self.published.path} is not there, so everything begins anew; make restore goes back to a build that is kept.")
        try:
            with in_one_sentence(), self.published_file() as session:
                for schema, name, is_table in session.execute(FUNCTIONS).fetchall():
                    session.execute(f"drop macro {'table ' if is_table else ''}{identifier(schema, name)}")
                found = set(session.execute(PUBLISHED_TABLES).fetchall())
                published, source_file = self.last_build(session, found)
                if published and is_to_begin_anew(
                    source_file,
                    request["files"],
                    place=self.published.path,
                    way_out=f"move {self.published.path} away first",
                    way_back="make restore",
                ):
                    request["state"] = [place for place in request["state"] if place[1:] == ("main", "builds")]
                    request["last_tables"], found = [], found & {("main", "builds")}
                is_restored = own is None or own[0] != published
                source = "other_file" if is_restored else None
                aside = self.put_aside(session, request, found, source)
                carried = self.carry(session, request, found, is_restored)
                tables = session.execute(TABLES).fetchall()
                kept = [place for place in request["state"] if place in tables and not is_restored]
                request["dropped"] = self.drop(session, request["databases"], kept=aside + carried + kept)
                restored = [place for place in request["state"] if place not in kept and origin(place, found)]
                for place in restored:
                    session.execute(f"create schema if not exists {identifier(*place[:2])}")
                    session.execute(
                        f"create table {identifier(*place)} as from {identifier('other_file', *origin(place, found))}"
                    )
                request["dropped"] += [place for _, place, _ in request["last_tables"] if place not in aside]
                request["created"] = aside + restored
                # What was dropped makes room for what is to come, so that the files do not grow from build to build.
                for database in request["databases"]:
                    session.execute(f"checkpoint {identifier(database)}")
        except duckdb.Error as error:
            raise DbtRuntimeError(f"The build cannot start from {self.published.path}: {sentence(error)}") from None

    def last_build(self, session, found):
        """The id of the newest published build and the file that it was made of; None and None where nothing is published."""
        if ("main", "builds") not in found:
            if found:
                raise DbtRuntimeError(
                    f"{self.published.path} holds tables, but none called builds: it was not published by this project, and is "
                    "not replaced; move it, or name another file for the plugin publishing in profiles.yml."
                )
            return None, None
        # Builds are appended, so that the last row is the newest.
        newest = "select build_id, source_file from other_file.main.builds order by rowid desc limit 1"
        return session.execute(newest).fetchone() or (None, None)

    def carry(self, session, request, found, is_restored):
        """Keep the state of segmentations that this build goes without in a schema of its own; returns its places."""
        database, fits = self.creds.database, "segmentation_fits"
        known = {place[2] for place in [*request["state"], *(place for place, *_ in request["last_tables"])]}
        names, endings = request["names_of_state"], tuple(f"_{name}" for name in request["names_of_state"])
        left = {(schema, name) for schema, name in found if schema == CARRIED or name in names or name.endswith(endings)}
        left = sorted((schema, name) for schema, name in left if name not in known)
        columns = session.execute(COLUMNS).fetchall() if left else []
        for schema, name in left:
            if schema != CARRIED or is_restored:
                published = ("other_file", schema, name)
                described = [column for *table, column, _ in columns if tuple(table) == published]
                # Of labels no more is kept than the next build asks for.
                names = request["label_columns"] if set(described) >= set(request["label_columns"]) else described
                session.execute(f"create schema if not exists {identifier(database, CARRIED)}")
                session.execute(
                    f"create or replace table {identifier(database, CARRIED, name)} as "
                    f"select {', '.join(map(identifier, names))} from {identifier(*published)}"
                )
                session.execute(f"comment on table {identifier(database, CARRIED, name)} is {literal(CARRIED_COMMENT)}")
        for name in [name for schema, name in left if schema != CARRIED and name.endswith(fits)]:
            segmentation = (
                f"the segmentation {name.removesuffix('_' + fits)}" if name != fits else "the segments of the customers"
            )
            say(f"This build goes without {segmentation}; its models and history are kept.")
        return [(database, CARRIED, name) for _, name in left]

    def put_aside(self, session, request, found, source):
        """Copy what a build needs of the last tables, from the file `source` or from where they are; returns where to."""
        places = []
        columns = session.execute(COLUMNS).fetchall()
        for place, aside, needed in request["last_tables"]:
            last = origin(place, found) or place[1:]
            last = ("other_file" if last[0] == CARRIED else source or place[0], *last)
            described = {name for *table, name, _ in columns if tuple(table) == last}
            session.execute(f"drop table if exists {identifier(*aside)}")
            if described >= set(needed):
                session.execute(f"create schema if not exists {identifier(*aside[:2])}")
                names = ", ".join(map(identifier, needed))
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

    def medians(self, request):
        """The `medians`, {column: number}, of those of the `columns` that a published `table` has a value in."""
        table = ("other_file", "main", request["table"])
        with self.published_file() as session:
            described = {column for *place, column, _ in session.execute(COLUMNS).fetchall() if tuple(place) == table}
            columns = sorted(described.intersection(request["columns"]))
            request["medians"] = {}
            if columns:
                medians = ", ".join(f"median({identifier(column)})" for column in columns)
                found = session.execute(f"select {medians} from {identifier(*table)}").fetchone()
                request["medians"] = {name: value for name, value in zip(columns, found, strict=True) if value is not None}

    def touch(self, request):
        """The state in the build file is no longer that of the published one, whatever becomes of this command."""
        with self.session() as session:
            session.execute(f"drop table if exists {MARKER}")

    def kept_builds(self, request):
        request["numbers"] = list(self.published.kept_builds())

    def publish(self, request):
        """Put a copy of the build file in the place of the published one; `error` says why it could not be done.

        Only what is `kept`, (database, schema, name), is in it: dbt leaves temporary tables behind. Beside it are the `views`,
        {schema, name, query, description, columns: {name: description}}. Every relation names the build `build_id`. `message`
        is printed as soon as it is true. The last `kept_builds` are kept, this one as `build_number`.
        """
        try:
            with Interrupts() as interrupts:
                with self.published.locked():
                    with self.published_file():
                        pass
                    with self.session() as session:
                        carried = [place for place in session.execute(TABLES).fetchall() if place[1] == CARRIED]
                        self.drop(session, request["databases"], kept=request["kept"] + carried)
                        session.execute("checkpoint")
                    self.published.make_copy(self.build)
                    self.describe_copy(request["views"], request["build_id"])
                    interrupts.wait()
                    self.published.rename(like=self.build)
                say(request["message"])
                self.mark(request["build_id"])
                self.keep(request["build_number"], request["kept_builds"])
        except KeyboardInterrupt:
            request["error"] = "Not published, readers keep the build before: it was interrupted."
        # DuckDB says by a RuntimeError that it was interrupted.
        except (duckdb.Error, RefusalError, RuntimeError, OSError) as error:
            request["error"] = f"Not published, readers keep the build before: {sentence(error)}"
        finally:
            self.published.remove_copy()

    def keep(self, number, how_many):
        try:
            self.published.keep(number, how_many=how_many)
        except OSError as error:
            say(f"Build {number} is not kept for make restore in {self.published.kept}: {sentence(error)}")

    def mark(self, build_id):
        """Spares the next build the copy of the state: without the marker it is made, so a failure here is none."""
        with suppress(duckdb.Error), self.session() as session:
            session.execute(f"create or replace table {MARKER} as select {literal(build_id)} as build_id")
            session.execute(f"comment on table {MARKER} is 'One row: the published build whose state these tables hold.'")

    def describe_copy(self, views, build_id):
        with self.session(f"{literal(self.published.copy)} as other_file") as session:
            with self.connection.cursor() as inside:
                for view in views:
                    # Without the name of the file in it, a view is good under whatever name the file is opened.
                    inside.execute(f"use {identifier('other_file', view['schema'])}")
                    inside.execute(f"create view {identifier(view['name'])} as {view['query']}")
            columns = {tuple(place) for *place, _ in session.execute(COLUMNS).fetchall()}
            comments = [
                f"comment on column {identifier(*place)} is {literal(description)}"
                for view in views
                for column, description in view["columns"].items()
                if description and (place := ("other_file", view["schema"], view["name"], column)) in columns
            ]
            session.execute("; ".join(comments))
            descriptions = {view["name"]: view["description"] for view in views}
            published = [
                (place, kind, descriptions.get(place[2], comment))
                for *place, kind, comment in session.execute(RELATIONS).fetchall()
                if place[0] == "other_file"
            ]
            name_build(session, published, build_id)
            session.execute("checkpoint other_file")
            session.execute("detach other_file")
