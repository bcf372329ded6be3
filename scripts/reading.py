"""A source read as a build reads it: the macros and models of the project on a DuckDB of one's own, without a start of dbt.

What is read, how it is split, typed and checked, is what dbt_project says. Whatever cannot be used raises what dbt would report,
a DbtRuntimeError or a CompilationError with one sentence.
"""

import datetime
import hashlib
import importlib
import re
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from dbt_common.clients.jinja import CallableMacroGenerator, extract_toplevel_blocks, get_template
from dbt_common.exceptions import CompilationError
from dbt_common.exceptions.macros import MacroReturn

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "dbt_project" / "plugins"))
source_files = importlib.import_module("source_files")
comparable = importlib.import_module("headers").comparable
look_at = importlib.import_module("ways_of_writing").look_at

# The models up to the records below the headers, up to the accepted and the rejected ones, in the order in which dbt builds them.
RECORDS = {
    "segmentation": ["base_customer_lines", "base_customer_multiline_records", "base_customer_records"],
    "orders": ["base_order_lines", "base_order_multiline_records", "base_order_records"],
}
STAGING = {
    "segmentation": [*RECORDS["segmentation"], "base_customer_repeats", "stg_customers", "rejected_customers"],
    "orders": [*RECORDS["orders"], "stg_orders", "rejected_orders"],
}


@cache
def models():
    """{name: text} of the models that read."""
    return {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "dbt_project/models/staging").rglob("*.sql")}


@cache
def macros():
    """The macros of the project, as dbt takes them from the files."""
    return [
        SimpleNamespace(name=block.block_name, macro_sql=block.full_block)
        for path in sorted((ROOT / "dbt_project" / "macros").rglob("*.sql"))
        for block in extract_toplevel_blocks(path.read_text(encoding="utf-8"), {"macro"}, collect_raw_data=False)
    ]


class Reading:
    """The macros and models under the `variables` of a configuration, {block: settings}; the models are made in `connection`.

    `folder` is where copies go that the reader needs, to be removed afterwards. `warnings` is what was said on the console.
    """

    engine = "duckdb"

    def __init__(self, connection, folder, variables):
        self.connection = connection
        self.variables = variables
        self.settings, self.warnings = {}, []
        # Of its own, as it goes with what is copied for it.
        place = Path(tempfile.mkdtemp(dir=folder)) / "reading.duckdb"
        self.plugin = source_files.Plugin("source_files", {}, credentials=SimpleNamespace(path=str(place)))
        self.plugin.configure_connection(connection)
        self.context = self.dbt_context()

    def dbt_context(self):
        """What the macros of the project ask of dbt."""
        context = {
            "execute": True,
            "invocation_id": object(),
            "run_started_at": datetime.datetime.now(datetime.timezone.utc),
            "graph": {"nodes": {}},
            "model": SimpleNamespace(config=SimpleNamespace(meta=None)),
            "modules": {"re": re, "datetime": datetime},
            "target": self.target(),
            "var": lambda name, default=None: self.variables.get(name, default),
            "env_var": lambda name, default=None: default,
            "ref": lambda name: name,
            "builtins": SimpleNamespace(source=lambda schema, name: f"{schema}.{name}"),
            "dbt": SimpleNamespace(datediff=lambda first, last, unit: f"datediff('{unit}', {first}, {last})"),
            "config": self.config,
            "return": self.returned,
            "local_md5": lambda text: hashlib.md5(text.encode()).hexdigest(),
            "run_query": self.run_query,
            "log": lambda message, info=False: "",
            "exceptions": SimpleNamespace(raise_compiler_error=self.compiler_error, warn=self.warnings.append),
            "adapter": SimpleNamespace(
                store_relation=lambda *arguments: self.ask(arguments[-1]),
                get_column_schema_from_query=self.columns_of,
                get_relation=self.relation_of,
                dispatch=lambda name: context.get(f"{self.engine}__{name}") or context[f"default__{name}"],
            ),
        }
        context |= {macro.name: CallableMacroGenerator(macro, context) for macro in macros()}
        return context

    def target(self):
        (database,) = self.connection.execute("select current_database()").fetchone()
        return SimpleNamespace(type="duckdb", path="build/warehouse.duckdb", database=database)

    def ask(self, request):
        self.plugin.store(SimpleNamespace(config=request))

    @staticmethod
    def returned(value):
        raise MacroReturn(value)

    @staticmethod
    def compiler_error(sentence):
        raise CompilationError(sentence)

    def config(self, **settings):
        self.settings = settings
        return ""

    def run_query(self, query):
        result = self.connection.execute(query)
        names, rows = [name for name, *_ in result.description], result.fetchall()
        columns = [SimpleNamespace(values=lambda place=place: [row[place] for row in rows]) for place in range(len(names))]
        return Rows([Row(zip(names, row, strict=True)) for row in rows], columns)

    def columns_of(self, query):
        columns = [(name, str(kind)) for name, kind, *_ in self.connection.execute(query).description]
        return [SimpleNamespace(name=name, dtype=kind, is_string=lambda kind=kind: kind == "VARCHAR") for name, kind in columns]

    def relation_of(self, database, schema, identifier):
        tables = "select 1 from duckdb_tables() where (database_name, schema_name, table_name) = (?, ?, ?)"
        return self.connection.execute(tables, [database, schema, identifier]).fetchone() and f"{database}.{schema}.{identifier}"

    def rendered(self, text, **more):
        """What a text of Jinja writes."""
        context = self.context | more
        return get_template(text, context).render(context)

    def answer(self, expression, **more):
        """What an expression of Jinja is, such as the call of a macro that returns something."""
        answers = []
        self.rendered(f"{{% do take({expression}) %}}", take=answers.append, **more)
        return answers[0]

    def build(self, *names):
        """Models, each with what is to be run behind it, in one transaction; older ones of these names are replaced."""
        for name in names:
            self.settings = {}
            query = self.rendered(models()[name])
            kind = "view" if self.settings.get("materialized") == "view" else "table"
            hooks = self.settings.get("post_hook", [])
            self.connection.execute("begin")
            try:
                self.connection.execute(f"create or replace {kind} {name} as {query}")
                for hook in [hooks] if isinstance(hooks, str) else hooks:
                    self.rendered(hook, this=name)
            except BaseException:
                self.connection.execute("rollback")
                raise
            self.connection.execute("commit")


class Row(dict):
    """A row of a query by the names of its columns; as a list its values, as agate has it."""

    def __iter__(self):
        return iter(self.values())


class Rows(list):
    """The rows of a query, as agate gives them to macros."""

    def __init__(self, rows, columns):
        super().__init__(rows)
        self.rows, self.columns = rows, columns
