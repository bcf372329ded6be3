"""Run dbt build on Spark in a folder, and print as JSON the most memory, in MB, that driver and executors had at one moment.

    .venv-spark/bin/python scripts/contestants/spark.py FOLDER WORKERS

0 workers are a session on all cores of this machine, whose executor is the driver; others have one core each.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import closing, nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from spark_cluster import Cluster

MEMORY = os.environ.get("SPARK_EXECUTOR_MEMORY", "2g")


def descendants(root):
    """The processes that a process has started, and those that they have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has just ended
    found = {root}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def resident_mb(process):
    """The memory that a process has now, in MB; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1e3 for line in lines if line.startswith("VmRSS")), 0.0)


def main():
    folder, n_workers = Path(sys.argv[1]), int(sys.argv[2])
    command, environment = [Path(sys.executable).with_name("dbt"), "build", "--target", "spark"], dict(os.environ)
    with closing(Cluster(n_workers, MEMORY)) if n_workers else nullcontext() as cluster:
        if cluster:
            command[-1] = "spark_cluster"
            warehouse = folder.resolve() / "warehouse_spark" / "tables"
            environment |= {"SPARK_MASTER": cluster.url, "SPARK_WAREHOUSE": str(warehouse), "SPARK_EXECUTOR_MEMORY": MEMORY}
        start, peaks = time.monotonic(), {"driver_mb": 0.0, "executors_mb": 0.0}
        driver = subprocess.Popen(command, cwd=folder, env=environment, stdout=sys.stderr)
        while driver.poll() is None:
            # The workers start the executors, and have no customers themselves.
            executors = set().union(*(descendants(worker.pid) - {worker.pid} for worker in (cluster.workers if cluster else [])))
            for name, processes in [("driver_mb", descendants(driver.pid)), ("executors_mb", executors)]:
                peaks[name] = max(peaks[name], sum(map(resident_mb, processes)))
            time.sleep(0.2)
        seconds = time.monotonic() - start
    print(json.dumps({"seconds": seconds, **peaks}))
    sys.exit(driver.returncode)


if __name__ == "__main__":
    main()
