"""The project on Spark: one session for all tests of a process, in which every project has a schema of its own."""

import itertools
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from conftest import COLOURS, Project

NUMBERS = itertools.count(1)
# Small tests on two cores. Tables are found by a catalog in memory, which a Derby database takes minutes for. Java compiles
# less, as most code runs a few times only: that halves the CPU time.
SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-Xss8m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.sql.ui.retainedExecutions": "1",
    "spark.sql.maxPlanStringLength": "10000",
}


class SparkError(Exception):
    """What the adapter makes of an error of Spark."""


class Spark:
    """A process with a Spark session that runs dbt and queries; see spark_server.py. `settings` are added to those of all."""

    def __init__(self, **settings):
        self.folder = Path(tempfile.mkdtemp(prefix="spark"))
        place = {"spark.sql.warehouse.dir": str(self.folder / "warehouse"), "spark.local.dir": str(self.folder / "local")}
        command = [sys.executable, Path(__file__).with_name("spark_server.py"), json.dumps(SETTINGS | place | settings)]
        (self.folder / "logs").mkdir()
        with open(self.folder / "server.txt", "w", encoding="utf-8") as log:
            self.server = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8", cwd=self.folder
            )
        assert self.server.stdout.readline() == "ready\n", self.log()

    def log(self):
        return (self.folder / "server.txt").read_text(encoding="utf-8")[-3000:]

    def ask(self, **request):
        self.server.stdin.write(json.dumps(request) + "\n")
        self.server.stdin.flush()
        line = self.server.stdout.readline()
        assert line, self.log()
        answer = json.loads(line)
        if isinstance(answer, dict) and list(answer) == ["error"]:
            raise SparkError(answer["error"])
        return answer

    def close(self):
        """End the process and remove what it has written."""
        self.server.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


class SparkProject(Project):
    """A copy of the project whose dbt runs on Spark. Its tables are in the schemas that begin with `schema`.

    `target` is an output of profiles.yml, and `environment` what that reads. With which settings a session starts is the
    fixture's business all the same.
    """

    def __init__(self, folder, spark, target="spark", environment=None):
        super().__init__(folder)
        self.spark, self.target, self.environment = spark, target, environment or {}
        self.schema = f"project_{next(NUMBERS)}"

    def copy_files(self, **parts):
        super().copy_files(**parts)
        self.configure_output(schema=self.schema, threads=2)

    def configure_output(self, server_side_parameters=None, **settings):
        """Replace settings of the output in profiles.yml; the parameters of the session are merged."""
        path = self.folder / "profiles.yml"
        profiles = yaml.safe_load(path.read_text(encoding="utf-8"))
        output = profiles["customer_segmentation"]["outputs"][self.target]
        parameters = output["server_side_parameters"] | (server_side_parameters or {})
        output.update(settings | {"server_side_parameters": parameters})
        path.write_text(yaml.safe_dump(profiles, sort_keys=False), encoding="utf-8")

    def dbt(self, *arguments, file=None, orders=None):
        """Run dbt on Spark; returns (exit code, what it printed, as one plain line)."""
        files = {"CUSTOMERS_FILE": file, "ORDERS_FILE": orders}
        output = self.folder / "dbt_output.txt"
        code = self.spark.ask(
            arguments=[*arguments, "--target", self.target],
            folder=str(self.folder),
            environment=self.environment | {name: str(path) for name, path in files.items() if path},
            output=str(output),
        )
        return code, " ".join(COLOURS.sub("", output.read_text(encoding="utf-8")).split())

    def query(self, sql, place=""):
        """Rows of what readers see, or of the schema with a `place`, such as "_work"; what JSON has not comes as text."""
        return self.spark.ask(sql=sql, schema=self.schema + place)

    def published(self, sql):
        return self.query(sql)
