"""The staging models, rendered by dbt's Jinja and run on a DuckDB in memory.

This is all of the reading, from the bytes to the accepted and rejected rows, in a tenth of a second instead of in a build.
"""

import datetime
import importlib
import json
import re
import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import duckdb
import yaml
from dbt_common.clients.jinja import CallableMacroGenerator, extract_toplevel_blocks, get_template
from dbt_common.exceptions import CompilationError
from dbt_common.exceptions.macros import MacroReturn

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "dbt_project" / "plugins"))
source_files = importlib.import_module("source_files")

# The models up to the accepted and the rejected rows, in the order in which dbt builds them, and the data test that counts both.
MODELS = {
    "segmentation": [
        "base_customer_lines",
        "base_customer_multiline_records",
        "base_customer_records",
        "base_customer_repeats",
        "stg_customers",
        "rejected_customers",
        "rejected_customers__accepted_and_rejected_make_all_rows",
    ],
    "orders": [
        "base_order_lines",
        "base_order_multiline_records",
        "base_order_records",
        "stg_orders",
        "rejected_orders",
        "rejected_orders__accepted_and_rejected_make_all_rows",
    ],
}


@cache
def texts():
    """{name: text} of the models and data tests."""
    paths = [path for folder in ("models/staging", "tests") for path in (ROOT / "dbt_project" / folder).rglob("*.sql")]
    return {path.stem: path.read_text(encoding="utf-8") for path in paths}


@cache
def macros():
    """The macros of the project, as dbt takes them from the files."""
    return [
        SimpleNamespace(name=block.block_name, macro_sql=block.full_block)
        for path in sorted((ROOT / "dbt_project" / "macros").rglob("*.sql"))
        for block in extract_toplevel_blocks(path.read_text(encoding="utf-8"), {"macro"}, collect_raw_data=False)
    ]


@cache
def shipped_settings():
    return yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


class Staging:
    """One reading of the files of a source.

    `block` is segmentation or orders, whose source is at `file`, None where it is a relation; `settings` are merged into those of
    dbt_project.yml, block by block and setting by setting. `folder` is where builds work; `tables` are statements that make
    what relations name, and `connection` is one that has what they need. Use it as a context manager.

    accepted    rows of stg_customers or stg_orders, in order
    rejected    rows (path, line number, reasons, text) of rejected_customers or rejected_orders, in order
    warnings    what was said on the console
    not_counted the row that breaks lines = accepted + rejected + headers and the like; None where it all adds up

    Raises what dbt would report: a DbtRuntimeError or a CompilationError with a sentence.
    """

    def __init__(self, folder, block, file, settings, tables=(), connection=None):
        self.variables = {name: dict(value) if isinstance(value, dict) else value for name, value in shipped_settings().items()}
        self.variables |= settings.get("variables", {})
        settings = {name: changed for name, changed in settings.items() if name != "variables"}
        for changes in ({block: {"source": {"file": file and str(file)}}}, settings):
            for name, changed in changes.items():
                for setting, value in changed.items():
                    old = self.variables[name].get(setting)
                    self.variables[name][setting] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
        self.connection = connection or duckdb.connect()
        self.warnings = []
        for statement in tables:
            self.connection.execute(statement)
        self.plugin = source_files.Plugin("source_files", {}, credentials=SimpleNamespace(path=str(folder / "warehouse.duckdb")))
        self.plugin.configure_connection(self.connection)
        self.context = self.dbt_context()
        for name in MODELS[block][:-1]:
            self.build(name)
        accepted, rejected, test = MODELS[block][-3:]
        self.accepted = self.connection.execute(f"from {accepted}").fetchall()
        columns = "source_file, line_number, reasons, raw_record"
        self.rejected = self.connection.execute(f"select {columns} from {rejected}").fetchall()
        self.not_counted = self.connection.execute(self.rendered(texts()[test])).fetchone()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def dbt_context(self):
        """What the macros of the project ask of dbt."""
        context = {
            "execute": True,
            "invocation_id": "one",
            "run_started_at": datetime.datetime.now(datetime.timezone.utc),
            "graph": {"nodes": {}},
            "model": SimpleNamespace(config=SimpleNamespace(meta=None)),
            "modules": {"re": re, "datetime": datetime},
            "target": SimpleNamespace(path="build/warehouse.duckdb", database="memory"),
            "var": lambda name, default=None: self.variables.get(name, default),
            "env_var": lambda name, default=None: default,
            "ref": lambda name: name,
            "builtins": SimpleNamespace(source=lambda schema, name: f"{schema}.{name}"),
            "config": self.config,
            "return": self.returned,
            "run_query": self.run_query,
            "dbt": SimpleNamespace(datediff=lambda first, last, unit: f"datediff('{unit}', {first}, {last})"),
            "exceptions": SimpleNamespace(raise_compiler_error=self.compiler_error, warn=self.warnings.append),
            "tojson": json.dumps,
            "adapter": SimpleNamespace(
                store_relation=lambda *arguments: self.plugin.store(SimpleNamespace(config=arguments[-1])),
                get_column_schema_from_query=self.columns_of,
                get_relation=self.relation_of,
                dispatch=lambda name: context.get(f"duckdb__{name}") or context[f"default__{name}"],
            ),
        }
        context |= {macro.name: CallableMacroGenerator(macro, context) for macro in macros()}
        return context

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

    def query(self, sql):
        return self.connection.execute(sql).fetchall()

    def rendered(self, text, **more):
        context = self.context | more
        return get_template(text, context).render(context)

    def build(self, name):
        """A model, with what is to be run behind it, in one transaction."""
        self.settings = {}
        query = self.rendered(texts()[name])
        kind = "view" if self.settings.get("materialized") == "view" else "table"
        self.connection.execute("begin")
        self.connection.execute(f"create {kind} {name} as {query}")
        hooks = self.settings.get("post_hook", [])
        for hook in [hooks] if isinstance(hooks, str) else hooks:
            self.rendered(hook, this=name)
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
