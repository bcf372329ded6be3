"""A standalone Spark cluster on this machine, for tests and the benchmark; of Spark's own scripts the wheel has none."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pyspark
from dbt.adapters.sparksession.java import choose_java


class Cluster:
    """A standalone master on loopback and workers, each a process that is ended by its id; `url` is the master's."""

    def __init__(self, n_workers=2, memory="1g"):
        choose_java()
        self.folder = Path(tempfile.mkdtemp(prefix="cluster"))
        self.home, self.memory, self.workers = Path(pyspark.__file__).parent, memory, []
        self.master = self.start("master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        self.url = self.said("master.Master", "Starting Spark master at ").split()[0]
        for _ in range(n_workers):
            self.add_worker()
        self.until(lambda: self.said_times("master.Master", "Registering worker") >= n_workers)

    def start(self, role, *arguments, number=""):
        environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1", "SPARK_DAEMON_MEMORY": "256m"}
        command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{role}", *map(str, arguments)]
        with open(self.folder / f"{role}{number}.txt", "w", encoding="utf-8") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)

    def add_worker(self):
        """One more worker with one core; returns its process, whose executors are in its group."""
        number = len(self.workers)
        place = self.folder / f"work{number}"
        worker = self.start(
            "worker.Worker", "--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", self.memory,
            "--work-dir", place, self.url, number=number,
        )  # fmt: skip
        self.workers.append(worker)
        return worker

    def said_times(self, role, words):
        return (self.folder / f"{role}.txt").read_text(encoding="utf-8").count(words)

    def said(self, role, words):
        """What stands behind these words in the log of a process, as soon as it does."""
        self.until(lambda: self.said_times(role, words))
        return (self.folder / f"{role}.txt").read_text(encoding="utf-8").split(words, 1)[1]

    def until(self, holds, seconds=120):
        end = time.monotonic() + seconds
        while not holds():
            is_over = time.monotonic() > end or self.master.poll() is not None
            assert not is_over, (self.folder / "master.Master.txt").read_text(encoding="utf-8")[-3000:]
            time.sleep(0.2)

    def kill(self, process):
        """End a worker with its executors, or the master, at once."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self):
        for process in [*self.workers, self.master]:
            self.kill(process)
        shutil.rmtree(self.folder, ignore_errors=True)
