"""An adapter of dbt, found by its type `sparksession` in profiles.yml: dbt-spark with Python models in its own session."""

from dbt.adapters.base import AdapterPlugin
from dbt.adapters.sparksession.impl import SparkSessionAdapter, SparkSessionCredentials
from dbt.include import sparksession

Plugin = AdapterPlugin(
    adapter=SparkSessionAdapter,
    credentials=SparkSessionCredentials,
    include_path=sparksession.PACKAGE_PATH,
    dependencies=["spark"],
)
