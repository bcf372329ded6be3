"""A Hive metastore, which several processes share: that in the jars of Spark, with a Derby database behind it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class Metastore:
    """Serves on loopback until it is closed; `settings` are those of a session that uses it."""

    def __init__(self):
        import pyspark
        from dbt.adapters.sparksession.java import choose_java

        choose_java()
        java = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else shutil.which("java")
        self.folder = Path(tempfile.mkdtemp(prefix="metastore"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        properties = {
            # Its asynchronous log wants a library that Spark goes without.
            "hive.async.log.enabled": "false",
            "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={self.folder / 'database'};create=true",
            "datanucleus.schema.autoCreateAll": "true",
            "hive.metastore.schema.verification": "false",
            "hive.metastore.warehouse.dir": self.folder / "warehouse",
            "derby.stream.error.file": self.folder / "derby.log",
        }
        command = [java, "-Xmx512m", "-cp", Path(pyspark.__file__).parent / "jars" / "*"]
        command += [f"-D{name}={value}" for name, value in properties.items()]
        command += ["org.apache.hadoop.hive.metastore.HiveMetaStore", "-p", str(port)]
        with open(self.folder / "metastore.txt", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        end = time.monotonic() + 120
        while not self.answers(port):
            is_over = time.monotonic() > end or self.process.poll() is not None
            assert not is_over, (self.folder / "metastore.txt").read_text(encoding="utf-8")[-3000:]
            time.sleep(0.2)
        self.settings = {
            "spark.sql.catalogImplementation": "hive",
            "spark.hadoop.hive.metastore.uris": f"thrift://127.0.0.1:{port}",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }

    @staticmethod
    def answers(port):
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", port)) == 0

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
