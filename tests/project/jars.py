"""The official jars of table formats for the tests, from Maven Central, pinned, and the settings of a session with them."""

import shutil
import subprocess
from pathlib import Path

import pyspark
import pytest

FOLDER = Path(__file__).parents[2] / "build" / "jars"
SPARK = ".".join(pyspark.__version__.split(".")[:2])
JARS = {
    ("delta", "4.1"): ["io.delta:delta-spark_4.1_2.13:4.4.0", "io.delta:delta-storage:4.4.0"],
    ("iceberg", "4.1"): ["org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0", "org.xerial:sqlite-jdbc:3.54.1.0"],
}
SETTINGS = {
    "delta": {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        # It reads the log of a table in fifty tasks, which is for tables of millions of files.
        "spark.databricks.delta.snapshotPartitions": "2",
    },
    "iceberg": {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.defaultCatalog": "iceberg",
        "spark.sql.catalog.iceberg": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.iceberg.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
        "spark.sql.catalog.iceberg.jdbc.schema-version": "V1",  # the first one that has views
        "spark.sql.catalog.iceberg.uri": "jdbc:sqlite:catalog.db",
        "spark.sql.catalog.iceberg.warehouse": "iceberg",
    },
}


def jars_of(file_format):
    """Settings of a session that writes this format; skips where its jars cannot be had."""
    if (file_format, SPARK) not in JARS:
        pytest.skip(f"{file_format} is tested with the version of Spark in requirements-spark.in, not with {SPARK}")
    paths = [path_of(artifact, file_format) for artifact in JARS[file_format, SPARK]]
    return SETTINGS[file_format] | {"spark.jars": ",".join(map(str, paths))}


def path_of(artifact, file_format):
    _, name, version = artifact.split(":")
    path = FOLDER / f"{name}-{version}.jar"
    if not path.exists():
        if not shutil.which("mvn"):
            pytest.skip(f"{file_format} needs {path.name} from Maven Central, and mvn, which fetches it, is not installed")
        fetch = ["mvn", "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={FOLDER}"]
        run = subprocess.run(fetch, capture_output=True, text=True, timeout=300, check=False)
        if run.returncode:
            pytest.skip(f"{file_format} needs {path.name}, and Maven Central cannot be reached")
    return path
