"""The staging models, rendered by dbt's Jinja and run on a DuckDB in memory.

This is all of the reading, from the bytes to the accepted and rejected rows, in a tenth of a second instead of in a build.
"""

from functools import cache

import duckdb
import yaml
from reading import ROOT, STAGING, Reading, macros, models, source_files

__all__ = ["ROOT", "Staging", "macros", "shipped_settings", "source_files", "texts"]

# The data tests that count the accepted and the rejected rows.
COUNTS = {
    "segmentation": "rejected_customers__accepted_and_rejected_make_all_rows",
    "orders": "rejected_orders__accepted_and_rejected_make_all_rows",
}


@cache
def texts():
    """{name: text} of the models that read, and of the data tests."""
    tests = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "dbt_project" / "tests").rglob("*.sql")}
    return models() | tests


@cache
def shipped_settings():
    return yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def variables_with(block, file, settings):
    """The variables of dbt_project.yml with `settings` merged into them, as in Staging."""
    variables = {name: dict(value) if isinstance(value, dict) else value for name, value in shipped_settings().items()}
    variables |= settings.get("variables", {})
    settings = {name: changed for name, changed in settings.items() if name != "variables"}
    for changes in ({block: {"source": {"file": file and str(file)}}}, settings):
        for name, changed in changes.items():
            for setting, value in changed.items():
                old = variables[name].get(setting)
                variables[name][setting] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    return variables


class Staging(Reading):
    """One reading of the files of a source.

    `block` is segmentation or orders, whose source is at `file`, None where it is a relation; `settings` are merged into those of
    dbt_project.yml, block by block and setting by setting. `folder` is where builds work; `tables` are statements that make
    what relations name, and `connection` is one that has what they need. Where `names` of models are given, they alone are built,
    and nothing below is there. Use it as a context manager.

    accepted    rows of stg_customers or stg_orders, in order
    rejected    rows (path, line number, reasons, text) of rejected_customers or rejected_orders, in order
    warnings    what was said on the console
    not_counted the row that breaks lines = accepted + rejected + headers and the like; None where it all adds up

    Raises what dbt would report: a DbtRuntimeError or a CompilationError with a sentence.
    """

    def __init__(self, folder, block, file, settings, tables=(), connection=None, names=None):
        connection = connection or duckdb.connect()
        for statement in tables:
            connection.execute(statement)
        super().__init__(connection, folder, variables_with(block, file, settings))
        for name in names or STAGING[block]:
            self.build(name)
        if names:
            return
        accepted, rejected = STAGING[block][-2:]
        self.accepted = self.query(f"from {accepted}")
        self.rejected = self.query(f"select source_file, line_number, reasons, raw_record from {rejected}")
        self.not_counted = self.connection.execute(self.rendered(texts()[COUNTS[block]])).fetchone()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def query(self, sql):
        return self.connection.execute(sql).fetchall()
