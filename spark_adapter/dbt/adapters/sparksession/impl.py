"""Dbt-spark, which runs SQL in a Spark session of its own process, with two things that it lacks there.

Python models run in that session (dbt-spark submits them to Databricks alone: https://github.com/dbt-labs/dbt-spark/issues/1063),
and plugins answer macros, as those of dbt-duckdb do.
"""

import importlib
import sys
from dataclasses import dataclass, field
from typing import Any

from dbt.adapters.base import PythonJobHelper
from dbt.adapters.base.meta import available
from dbt.adapters.spark import SparkAdapter, SparkConnectionManager, SparkCredentials
from dbt_common.exceptions import DbtRuntimeError

ANSI = "spark.sql.ansi.enabled"


@dataclass
class SparkSessionCredentials(SparkCredentials):
    """Those of dbt-spark, and as in dbt-duckdb the folders from which Python models and plugins import, and the plugins."""

    module_paths: list[str] = field(default_factory=list)
    plugins: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self):
        given = dict(self.server_side_parameters or {})
        super().__post_init__()
        # Dbt-spark turns ANSI off, whatever the profile says.
        self.server_side_parameters[ANSI] = str(given.get(ANSI, "false")).lower()
        sys.path.extend(path for path in self.module_paths if path not in sys.path)

    @property
    def type(self):
        return "sparksession"


class SparkSessionConnectionManager(SparkConnectionManager):
    TYPE = "sparksession"


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

    @available
    def store_relation(self, plugin_name, relation, column_list, path, format, config):
        """The door from a macro to Python, with the name and the arguments that it has in dbt-duckdb: `config` is the request."""
        if plugin_name not in self.plugins:
            configured = {plugin["module"]: plugin.get("config") or {} for plugin in self.config.credentials.plugins}
            if plugin_name not in configured:
                raise DbtRuntimeError(f"profiles.yml names no plugin {plugin_name} for this target.")
            self.plugins[plugin_name] = importlib.import_module(plugin_name).Plugin(configured[plugin_name], self)
        self.plugins[plugin_name].store(config)
