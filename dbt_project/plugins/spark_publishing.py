"""Publishing on Spark, as a plugin of the adapter `sparksession`: the steps that macros ask for and SQL alone cannot do.

A build makes each table under a name with its own number, and appends to the tables of the state rows that name it. Its row in
`builds` is the commit. Then the views that readers see are replaced, each of them at once and that of `builds` last. The
statements for that stand in the table `publications`: so a build that was killed in between is published by the next command, a
kept one is published again by a restore, and an erasure publishes tables without the customers before it drops the old ones.
"""

import atexit
import re
import uuid
from contextlib import contextmanager
from datetime import datetime, timezone

from dbt_common.exceptions import DbtRuntimeError

import spark_erasing
from build_rules import (
    code_version,
    is_sample,
    is_to_begin_anew,
    lineage,
    refuse_customers_of_the_sample,
    say,
)
from kept_builds import described_build
from spark_catalog import LOCK, Catalog, Lock, identifier, literal, numbered

PUBLICATIONS = "publications"
# A query that has begun before the last build was published is not disturbed.
LEAST_KEPT = 2
LONGEST_COMMENT = 256


def condition(numbers):
    """SQL on the column build_number of builds: whether it is one of the numbers."""
    ranges = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return " or ".join(f"builds.build_number between {first} and {last}" for first, last in ranges) or "false"


def shortened(text):
    """A description that a Hive metastore takes: it cannot store a view with a longer comment on a column."""
    return text if len(text) <= LONGEST_COMMENT else text[: LONGEST_COMMENT - 1].rsplit(" ", 1)[0] + "…"


def generation(name):
    """The number of the build that has made a table, and that of the erasure that has written it anew, or 0."""
    first, _, anew = numbered(name)[1].partition("_")
    return int(first), int(anew or 0)


class Plugin:
    """Made once for each dbt command. `lock_seconds` in its configuration says for how long a lock holds unless it is renewed."""

    def __init__(self, config, adapter):
        self.seconds = float(config.get("lock_seconds", 120))
        self.adapter = adapter
        self.lock = None

    def store(self, request):
        """The door from the macros: `request` names the step and takes the answer; `schema` is that of the views."""
        from pyspark.sql import SparkSession

        self.adapter.execute("select 1")  # it makes the session where there is none yet
        self.catalog = Catalog(SparkSession.active(), request["schema"])
        steps = {
            "begin": self.begin,
            "publish": self.publish,
            "end": self.end,
            "restore": self.restore,
            "erase": self.erase,
        }
        steps[request["step"]](request)

    def begin(self, request):
        """Take the lock, end what was interrupted, and say what of earlier builds counts; a full build drops the rest.

        Answers `earlier_builds`: the number of this build; SQL conditions on the rows of builds that count for the state, and
        for models, whose numbers stay taken; and {name: the table of the last build} of those in `last_tables`, {name: columns}.
        """
        if request["is_full"]:
            refuse_customers_of_the_sample(**request["files"])
        self.take_lock(request["build_id"])
        try:
            self.builds = self.committed_builds()
            self.finish()
            counted = lineage(self.builds) if self.builds else []
            if request["is_full"]:
                counted = self.cleaned(request, counted)
            root = min(counted, default=0)
            remembered = [number for number in self.builds if counted and number >= root and self.is_alike(number)]
            tables = self.catalog.tables(self.catalog.work)
            last = {name: self.last_table(name, counted, tables) for name in request["last_tables"]}
            request["earlier_builds"] = {
                "build_number": max(self.builds, default=0) + 1,
                "counted": condition(counted),
                "remembered": condition(remembered),
                "last_tables": {
                    name: last[name] for name, columns in request["last_tables"].items() if self.has(last[name], columns)
                },
                "code_version": code_version(),
            }
            if request["is_full"] and counted:
                self.say_what_is_left_out(request["prefixes"], counted, tables)
        except BaseException:
            self.lock.release()
            raise

    def take_lock(self, build_id):
        for schema in (self.catalog.views, self.catalog.work, self.catalog.state):
            self.catalog.run(f"create schema if not exists {identifier(schema)}")
        self.lock = Lock(self.catalog, build_id, self.seconds)
        self.lock.take()
        atexit.register(self.lock.release)

    @contextmanager
    def alone(self):
        """A command that is no build, with the lock, behind everything that was interrupted; yields the id of its own build."""
        build_id = str(uuid.uuid4())
        self.take_lock(build_id)
        try:
            self.builds = self.committed_builds()
            if not self.builds:
                raise DbtRuntimeError(f"Nothing is published in the schema {self.catalog.views} yet; run dbt build first.")
            self.finish()
            yield build_id
        finally:
            self.lock.release()

    def committed_builds(self):
        """{number: row of builds as a dictionary}, in order."""
        if "builds" not in self.catalog.tables(self.catalog.state):
            return {}
        rows = self.catalog.rows(f"select * from {identifier(self.catalog.state, 'builds')}")
        found = {row["build_number"]: row.asDict() for row in rows if row["build_number"] is not None}
        return dict(sorted(found.items()))

    def is_alike(self, number):
        """Whether a build is on the sample if the last one is, and not if it is not."""
        return is_sample(self.builds[number]["source_file"]) == is_sample(self.builds[max(self.builds)]["source_file"])

    def cleaned(self, request, counted):
        """Drop what no kept build needs; returns what of `counted` this build goes on from."""
        self.clean(request["kept_builds"])
        if self.builds and is_to_begin_anew(
            self.builds[max(self.builds)]["source_file"],
            request["files"],
            place=f"The schema {self.catalog.views}",
            way_out="take another schema in profiles.yml",
            way_back="dbt run-operation restore",
        ):
            return []
        return counted

    def last_table(self, base, counted, tables):
        """The table of that name of the last build, of labels an older one where the last builds went without them, or None."""
        found = {}
        for name in tables:
            if numbered(name) and numbered(name)[0] == base:
                number, anew = generation(name)
                if not anew or anew in self.builds:
                    found[number] = max(found.get(number, name), name, key=generation)
        last = counted if base.endswith("customer_clusters") else counted[:1]
        return next((found[number] for number in last if number in found), None)

    def has(self, table, columns):
        """Whether there is such a table with these columns: the key may have another name by now."""
        return table is not None and set(columns) <= set(self.catalog.columns(self.catalog.work, table))

    def say_what_is_left_out(self, prefixes, counted, tables):
        for name in sorted(self.needed(self.publications().get(counted[0], [])) & tables):
            base = numbered(name)[0]
            prefix = base.removesuffix("customer_clusters")
            if base.endswith("customer_clusters") and prefix not in prefixes:
                what = f"the segmentation {prefix[:-1]}" if prefix else "the segments of the customers"
                say(f"This build goes without {what}; its models and history are kept.")

    def publications(self):
        """{number of a build: the rows by which it is published, in order}; of those written for a build the last."""
        if PUBLICATIONS not in self.catalog.tables(self.catalog.state):
            return {}
        numbers = {row["build_id"]: number for number, row in self.builds.items()}
        found = {}
        for row in self.catalog.rows(f"select * from {identifier(self.catalog.state, PUBLICATIONS)}"):
            if row["build_id"] in numbers:
                found.setdefault((row["of_build"], numbers[row["build_id"]]), []).append(row)
        return {of_build: sorted(rows, key=lambda row: row["place"]) for (of_build, _), rows in sorted(found.items())}

    def kept(self):
        """The publications of which every table is still there."""
        tables = self.catalog.tables(self.catalog.work)
        return {number: rows for number, rows in self.publications().items() if self.needed(rows) <= tables}

    def needed(self, publication, schema=None):
        """The names of the numbered tables that the statements of a publication read."""
        words = rf"\b{re.escape(schema or self.catalog.work)}`?\.`?(\w+)"
        return {name for row in publication for name in re.findall(words, row["statement"]) if numbered(name)}

    def write_publications(self, publications, build_id):
        """Append {number: rows}, which count as soon as the build `build_id` does."""
        rows = ", ".join(
            f"({number}, {place}, {', '.join(literal(row[name]) for name in ('kind', 'name', 'statement'))}, {literal(build_id)})"
            for number, publication in publications.items()
            for place, row in enumerate(publication)
        )
        place = identifier(self.catalog.state, PUBLICATIONS)
        self.catalog.run(
            f"create table if not exists {place} (of_build int, place int, kind string, name string, statement string, "
            "build_id string) using parquet partitioned by (build_id)",
            f"insert into {place} values {rows}",
        )

    def finish(self):
        """Let readers see the last build that was committed, and let the state lack who was erased."""
        self.catalog.sweep()
        if not self.builds:
            return
        newest = max(self.builds)
        views = self.catalog.relations(self.catalog.views)
        seen = self.catalog.properties(self.catalog.views, "builds").get("build_id") if "builds" in views else None
        if seen != self.builds[newest]["build_id"]:
            say(f"Build {newest} was interrupted after it was committed; it is published now.")
            self.swap(newest)
        self.replace_state()

    def swap(self, number):
        """Replace the views by those of a build, and that of `builds` last; drop what that build does not have."""
        publication = self.publications()[number]
        values = {"{build_id}": self.builds[number]["build_id"], "{build_number}": str(number)}

        def replaced(row):
            return re.sub(r"\{build_(?:id|number)\}", lambda found: values[found[0]], row["statement"])

        last = [row for row in publication if row["name"] == "builds"]
        self.catalog.run(*(replaced(row) for row in publication if row not in last and row["kind"] == "view"))
        names = {row["name"] for row in publication}
        self.catalog.drop(self.catalog.views, set(self.catalog.relations(self.catalog.views)) - names, "view")
        functions = self.catalog.rows(f"show user functions in {identifier(self.catalog.views)}")
        functions = {row["function"].split(".")[-1] for row in functions if f"{self.catalog.views}." in row["function"]}
        self.catalog.drop(self.catalog.views, functions - names, "function")
        self.catalog.run(*(replaced(row) for row in publication if row["kind"] == "function"))
        self.catalog.run(*map(replaced, last))

    def clean(self, kept_builds, *, and_of=None):
        """Drop what no kept build needs, but for what build `and_of` has made, and all that uncommitted builds have appended."""
        catalog, publications = self.catalog, self.publications()
        kept = sorted(self.builds, reverse=True)[: max(kept_builds, LEAST_KEPT)]
        tables, in_state = catalog.tables(catalog.work), catalog.tables(catalog.state)
        needed = self.needed_by(kept, tables) | {name for name in tables if numbered(name) and generation(name)[0] == and_of}
        catalog.drop(catalog.work, [name for name in tables if numbered(name) and name not in needed])
        needed = {name for number in kept for name in self.needed(publications.get(number, []), catalog.state)}
        catalog.drop(catalog.state, [name for name in in_state if numbered(name) and name not in needed])
        writers = {row["build_id"] for number in kept for row in publications.get(number, [])}
        committed = {row["build_id"] for row in self.builds.values()}
        for name in sorted(in_state):
            if not numbered(name) and not name.startswith(LOCK):
                catalog.forget(name, but=writers if name == PUBLICATIONS else committed)

    def needed_by(self, numbers, tables):
        """The tables that these builds show to readers, and the last labels that they would go on from."""
        publications = self.publications()
        needed = {name for number in numbers for name in self.needed(publications.get(number, []))}
        names = {numbered(name)[0] for name in tables if "customer_clusters__" in name}
        labels = {self.last_table(name, lineage(self.builds, number), tables) for name in names for number in numbers}
        return (needed | labels) & tables

    def publish(self, request):
        """Commit this build, and let readers see it; `error` says why it could not be done.

        `relations` are what readers see: {name, kind, description, columns: {name: description}}. The kind is table, seed,
        incremental, or query, with a `query`. `queries` are those behind all views of the build, {name: SQL}; `functions` is
        {name: statement}; `counted` a condition on rows of the state; `commit` the statement that appends the row of builds.
        `message` is printed as soon as readers see all of it.
        """
        number, build_id = request["build_number"], request["build_id"]
        is_committed = False
        try:
            for relation in request["relations"]:
                if relation["kind"] == "seed":  # dbt makes it under one name for all builds
                    place = identifier(self.catalog.work, relation["name"])
                    numbered_place = identifier(self.catalog.work, f"{relation['name']}__{number}")
                    self.catalog.run(f"create table {numbered_place} using parquet as select * from {place}")
            publication = [
                {"kind": "view", "name": relation["name"], "statement": self.view(relation, request)}
                for relation in request["relations"]
            ]
            publication += self.functions(request["functions"])
            self.write_publications({number: publication}, build_id)
            self.lock.check()
            self.catalog.run(request["commit"])
            is_committed = True
            self.builds = self.committed_builds()
            self.swap(number)
            say(request["message"])
            # What this build has made besides stays until the next one begins, for those who try something out.
            self.clean(request["kept_builds"], and_of=number)
        except Exception as error:
            what = (
                f"Build {number} is committed, but readers do not see all of it; the next dbt command lets them"
                if is_committed
                else "Not published, readers keep the build before"
            )
            request["error"] = f"{what}: {str(error).strip().splitlines()[0]}"

    def functions(self, statements):
        """Those that score a customer, {name: statement}, as rows of a publication; none where they cannot be kept."""
        version, catalog = self.catalog.session.version, self.catalog.session.catalog.currentCatalog()
        if statements and int(version.split(".")[0]) < 4:
            say(f"Spark {version} cannot keep functions: {', '.join(statements)} are there from Spark 4 on.")
            return []
        if statements and catalog != "spark_catalog":
            say(f"The catalog {catalog} cannot keep functions: {', '.join(statements)} are there in Spark's own catalog alone.")
            return []
        return [{"kind": "function", "name": name, "statement": statement} for name, statement in statements.items()]

    def view(self, relation, request):
        """The statement of a view that shows what a relation holds in this build, whatever builds come later."""
        catalog, name = self.catalog, relation["name"]
        if relation["kind"] == "query":
            query = self.fixed(relation["query"], request)
        elif relation["kind"] != "incremental":
            query = f"select * from {catalog.work}.{name}__{request['build_number']}"
        else:
            counts = "build_number <= {build_number}" if name == "builds" else request["counted"]
            columns = ", ".join(map(identifier, self.in_order(catalog.columns(catalog.state, name))))
            query = f"select {columns} from {catalog.state}.{name} where {counts}"
        columns = catalog.session.sql(query.replace("{build_number}", "0")).columns
        described = [
            identifier(column) + (f" comment {literal(shortened(text))}" if (text := relation["columns"].get(column)) else "")
            for column in columns
        ]
        comment = f"{relation['description']} Build {{build_id}}".strip()
        return (
            f"create or replace view {identifier(catalog.views, name)} ({', '.join(described)}) comment {literal(comment)} "
            f"tblproperties ('build_id' = '{{build_id}}') as {query}"
        )

    def in_order(self, columns):
        """Those of a table of the state: the partition's, which stands last, goes back to where models have it."""
        others = [column for column in columns if column != "build_id"]
        place = others.index("built_at") if "built_at" in others else len(others)
        return [*others[:place], "build_id", *others[place:]]

    def fixed(self, query, request):
        """A query in which the names in the schema of builds are those of the tables of this build."""

        def table(found):
            name = found[1]
            if name in request["queries"]:
                return f"({self.fixed(request['queries'][name], request)})"
            return f"{self.catalog.work}.{name}__{request['build_number']}"

        return re.sub(rf"\b{re.escape(self.catalog.work)}\.(\w+)", table, query)

    def end(self, request):
        self.lock.release()

    def append_build(self, build_id, *, like, **values):
        """Commit a build that is the one of the number `like` again, but for `values`, {column: number}."""
        place = identifier(self.catalog.state, "builds")
        for column in values:
            if column not in self.catalog.columns(self.catalog.state, "builds"):
                self.catalog.run(f"alter table {place} add columns ({column} int)")
        last = max(row["built_at"] for row in self.builds.values())
        clock = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        number = max(self.builds) + 1
        replaced = {
            "build_id": literal(build_id),
            "built_at": f"greatest(timestamp '{clock}', timestamp '{last}' + interval 1 microsecond)",
            "build_number": f"cast({number} as int)",
            "restored_build_number": "cast(null as int)",
            "n_customers_erased": "cast(null as int)",
            **{column: f"cast({value} as int)" for column, value in values.items()},
        }
        columns = list(self.catalog.columns(self.catalog.state, "builds"))
        expressions = [f"{replaced[name]} as {name}" if name in replaced else name for name in columns]
        self.lock.check()
        self.catalog.run(
            f"insert into {place} select {', '.join(expressions)} from {place} "
            f"where build_id = {literal(self.builds[like]['build_id'])}"
        )
        self.builds = self.committed_builds()
        return number

    def restore(self, request):
        """Publish a kept build again, as one with the next number; without a number, list those that are kept."""
        with self.alone() as build_id:
            kept, number = self.kept(), request["build"]
            if number is None:
                for one in sorted(kept, reverse=True):
                    say(described_build(one, self.builds[one], self.reason(one)))
                return
            if number not in kept:
                there = ", ".join(map(str, sorted(kept))) or "none"
                raise DbtRuntimeError(f"Build {number} is not kept in {self.catalog.work}; the builds there are: {there}.")
            new = max(self.builds) + 1
            self.write_publications({new: kept[number]}, build_id)
            self.append_build(build_id, like=number, restored_build_number=number)
            self.swap(new)
            say(f"Build {number} is published again, as build {new}; the next dbt build goes on from it.")

    def reason(self, number):
        """Why a build has fitted a model of the customers, or None."""
        if "segmentation_fits" not in self.catalog.tables(self.catalog.state):
            return None
        fits = identifier(self.catalog.state, "segmentation_fits")
        found = self.catalog.rows(f"select reason from {fits} where build_id = {literal(self.builds[number]['build_id'])}")
        return found[0]["reason"] if found else None

    def erase(self, request):
        """Write every table that holds the customers of `keys`, and is kept, without them, and drop the old one.

        The new tables have names of their own, and count with the row of the erasure in builds: a command that is killed before
        has done nothing, and what one leaves that is killed after is done by the next.
        """
        with self.alone() as build_id:
            kept = self.kept()
            number = max(self.builds) + 1
            erasing = spark_erasing.Erasing(self.catalog, request["keys"])
            # All but what kept builds need can be made again. The views in the schema of builds read it.
            views = [name for name, is_view in self.catalog.relations(self.catalog.work).items() if is_view]
            tables = self.catalog.tables(self.catalog.work)
            erasing.look(self.catalog.work, sorted(name for name in tables if numbered(name)))
            in_state = [name for name in self.catalog.tables(self.catalog.state) if not name.startswith(LOCK)]
            erasing.look(self.catalog.state, sorted(set(in_state) - {"builds", PUBLICATIONS}))
            n_customers = erasing.n_customers()
            self.clean(len(self.builds))
            tables = self.catalog.tables(self.catalog.work)
            needed = self.needed_by(kept, tables)
            self.catalog.drop(self.catalog.work, views, "view")
            self.catalog.drop(self.catalog.work, tables - needed)
            new_names = erasing.write(number, sorted(needed))
            publications = {one: [self.renamed(row, new_names) for row in rows] for one, rows in kept.items()}
            publications[number] = publications[max(kept)]
            self.write_publications(publications, build_id)
            self.append_build(build_id, like=max(kept), n_customers_erased=n_customers)
            self.swap(number)
            self.catalog.drop(self.catalog.work, [old for schema, old in new_names if schema == self.catalog.work])
            self.replace_state()
            self.clean(len(self.builds))
            self.catalog.session.catalog.dropTempView("erased")
            for line in erasing.report(number, self.builds[number]["source_file"]):
                say(line)

    def renamed(self, row, new_names):
        """A row of a publication that reads the new tables, {(schema, old name): new name}."""

        def new(found):
            schema, name = found[1], found[2]
            return f"{schema}.{new_names.get((schema, name), name)}"

        words = rf"\b({re.escape(self.catalog.work)}|{re.escape(self.catalog.state)})\.(\w+)"
        return {"kind": row["kind"], "name": row["name"], "statement": re.sub(words, new, row["statement"])}

    def replace_state(self):
        """What builds append to gets the rows that an erasure has left; its copy, which views read, is there all the time."""
        catalog = self.catalog
        tables = catalog.tables(catalog.state)
        copies = {}
        for name in tables:
            if numbered(name) and generation(name)[0] in self.builds:
                base = numbered(name)[0]
                copies[base] = max(copies.get(base, name), name, key=generation)
        for base, copy in copies.items():
            if base in tables and catalog.properties(catalog.state, base).get("written_from") == copy:
                continue
            catalog.drop(catalog.state, [base])
            catalog.sweep()
            file_format = catalog.format(catalog.state, copy)
            catalog.run(
                f"create table {identifier(catalog.state, base)} using {file_format} partitioned by (build_id) "
                f"tblproperties ('written_from' = {literal(copy)}) as select * from {identifier(catalog.state, copy)}"
            )
