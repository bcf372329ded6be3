"""Dbt-spark, which runs SQL in a Spark session of its own process, with two things that it lacks there.

Python models run in that session (dbt-spark submits them to Databricks alone: https://github.com/dbt-labs/dbt-spark/issues/1063),
and plugins answer macros, as those of dbt-duckdb do. Besides, the session finds a Java, and is silent.
"""

import importlib
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.base.meta import available
from dbt.adapters.spark import SparkAdapter, SparkConnectionManager, SparkCredentials
from dbt.adapters.spark.connections import SparkConnectionMethod
from dbt.adapters.sparksession.java import choose_java
from dbt.include import sparksession
from dbt_common.exceptions import DbtDatabaseError, DbtRuntimeError
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

ANSI = "spark.sql.ansi.enabled"
JAVA_OPTIONS = "spark.driver.extraJavaOptions"


@dataclass
class SparkSessionCredentials(SparkCredentials):
    """Those of dbt-spark, and as in dbt-duckdb the folders from which Python models and plugins import, and the plugins."""

    method: SparkConnectionMethod = SparkConnectionMethod.SESSION
    host: str | None = "localhost"  # which dbt-spark asks for, and a session does not have
    module_paths: list[str] = field(default_factory=list)
    plugins: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self):
        given = dict(self.server_side_parameters or {})
        super().__post_init__()
        # Dbt-spark turns ANSI off, whatever the profile says.
        self.server_side_parameters[ANSI] = str(given.get(ANSI, "false")).lower()
        self.server_side_parameters = quiet(self.server_side_parameters)
        sys.path.extend(path for path in self.module_paths if path not in sys.path)

    @property
    def type(self):
        return "sparksession"


def quiet(parameters):
    """The parameters of a session with those that keep the console for dbt, where nobody has set them otherwise."""
    if "SPARK_CONF_DIR" in os.environ:
        return parameters
    log = Path(sparksession.PACKAGE_PATH, "log4j2.properties").as_uri()
    options = f"-Dlog4j2.configurationFile={log} {parameters.get(JAVA_OPTIONS, '')}".strip()
    return {"spark.ui.showConsoleProgress": "false"} | parameters | {JAVA_OPTIONS: options}


class SparkSessionConnectionManager(SparkConnectionManager):
    TYPE = "sparksession"

    @classmethod
    def open(cls, connection):
        choose_java()
        if connection.credentials.server_side_parameters.get("spark.master", "local").startswith("local"):
            # Nothing listens to the network, and the name of the machine need not be known.
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        return super().open(connection)

    def execute(self, sql, auto_begin=False, fetch=False, limit=None):
        # Spark works when rows are fetched: a query whose rows nobody asks for, such as that of a hook, would never run.
        with self.exception_handler(sql):
            return super().execute(sql, auto_begin, fetch=True, limit=limit)

    @contextmanager
    def exception_handler(self, sql):
        try:
            yield
        except (PySparkException, Py4JJavaError) as error:
            raise DbtDatabaseError(words_of(error)) from error


def words_of(error):
    """What an error of Spark says; of one that the SQL has raised, its sentence alone."""
    if isinstance(error, Py4JJavaError):
        cause = error.java_exception
        while cause.getCause() is not None:
            cause = cause.getCause()
        return cause.getMessage() or str(error)
    parameters = error.getMessageParameters() or {}
    return parameters.get("errorMessage") or str(error).split("\n\nJVM stacktrace:")[0]


class SessionJobHelper(PythonJobHelper):
    """Runs what dbt has compiled of a Python model; `spark` in it is the session."""

    def __init__(self, parsed_model, credentials):
        self.name = parsed_model["alias"]

    def submit(self, compiled_code):
        from pyspark.sql import SparkSession

        exec(compile(compiled_code.lstrip(), f"<{self.name}>", "exec"), {"spark": SparkSession.active(), "__name__": self.name})


class SparkSessionAdapter(SparkAdapter):
    ConnectionManager = SparkSessionConnectionManager

    def __init__(self, config, mp_context):
        super().__init__(config, mp_context)
        self.plugins = {}

    @property
    def default_python_submission_method(self):
        return "session"

    @property
    def python_submission_helpers(self):
        return {"session": SessionJobHelper}

    def list_relations_without_caching(self, schema_relation):
        """Names and kinds, by two statements: dbt-spark asks for every table in full, which takes a metastore 0.1 s each."""
        schema = schema_relation.without_identifier()
        try:
            _, tables = self.execute(f"show tables in {schema}", fetch=True)
            _, views = self.execute(f"show views in {schema}", fetch=True)
        except DbtRuntimeError:  # no such schema, or a catalog without views
            return super().list_relations_without_caching(schema_relation)
        views = {row[1] for row in views}
        kinds = {row[1]: "view" if row[1] in views else "table" for row in tables if not row[2]}
        return [self.Relation.create(schema=schema_relation.schema, identifier=name, type=kind) for name, kind in kinds.items()]

    @available
    def store_relation(self, plugin_name, relation, column_list, path, format, config):
        """The door from a macro to Python, with the name and the arguments that it has in dbt-duckdb: `config` is the request."""
        if plugin_name not in self.plugins:
            configured = {plugin["module"]: plugin.get("config") or {} for plugin in self.config.credentials.plugins}
            if plugin_name not in configured:
                raise DbtRuntimeError(f"profiles.yml names no plugin {plugin_name} for this target.")
            self.plugins[plugin_name] = importlib.import_module(plugin_name).Plugin(configured[plugin_name], self)
        self.plugins[plugin_name].store(config)
