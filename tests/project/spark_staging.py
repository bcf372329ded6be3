"""The staging models on a Spark session of the process of the tests, rendered as staging.py renders them for DuckDB."""

import importlib
from types import SimpleNamespace

from reading import Row, Rows
from staging import COUNTS, STAGING, Staging, models, texts, variables_with


class SparkStaging(Staging):
    """One reading of a source by `session`, with the arguments and attributes of Staging."""

    engine = "spark"

    def __init__(self, session, block, file, settings, tables=(), names=None):
        self.session, self.variables = session, variables_with(block, file, settings)
        self.settings, self.warnings = {}, []
        self.plugin = importlib.import_module("spark_source_files").Plugin({}, None)
        for statement in tables:
            session.sql(statement)
        self.context = self.dbt_context()
        for name in names or STAGING[block]:
            self.build(name)
        if names:
            return
        accepted, rejected = STAGING[block][-2:]
        self.accepted = self.query(f"select * from {accepted}")
        self.rejected = self.query(f"select source_file, line_number, reasons, raw_record from {rejected}")
        self.not_counted = next(iter(self.query(self.rendered(texts()[COUNTS[block]]))), None)

    def __exit__(self, *_):
        for name in [*STAGING["segmentation"], *STAGING["orders"]]:
            self.drop(name)

    def dbt_context(self):
        context = super().dbt_context()
        # The type of the unit is that of a word, as dbt's own macro has it for Spark.
        context["dbt"].datediff = lambda first, last, unit: f"datediff({unit}, {first}, {last})"
        return context

    def target(self):
        return SimpleNamespace(type="sparksession", schema="default")

    def ask(self, request):
        self.plugin.store(request)

    def query(self, sql):
        return [tuple(row) for row in self.session.sql(sql).collect()]

    def run_query(self, query):
        frame = self.session.sql(query)
        rows = [tuple(row) for row in frame.collect()]
        columns = [
            SimpleNamespace(values=lambda place=place: [row[place] for row in rows]) for place in range(len(frame.columns))
        ]
        return Rows([Row(zip(frame.columns, row, strict=True)) for row in rows], columns)

    def relation_of(self, database, schema, identifier):
        name = f"{schema}.{identifier}"
        return name if self.session.catalog.tableExists(name) else None

    def drop(self, name):
        if self.session.catalog.tableExists(name):
            kind = "view" if self.session.catalog.getTable(name).tableType == "VIEW" else "table"
            self.session.sql(f"drop {kind} {name}")

    def build(self, *names):
        for name in names:
            self.settings = {}
            query = self.rendered(models()[name])
            hooks = self.settings.get("post_hook", [])
            self.drop(name)
            kind, storage = ("view", "") if self.settings.get("materialized") == "view" else ("table", "using parquet")
            self.session.sql(f"create {kind} {name} {storage} as {query}")
            for hook in [hooks] if isinstance(hooks, str) else hooks:
                self.rendered(hook, this=name)
