"""A random walk of nights through one warehouse, of which an oracle knows what it has to hold: `make faults` takes fifty.

The environment variables NIGHTS and NIGHTS_SEED say how many, and which ones. A longer walk than the one of make test has orders,
too.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import DBT, ROOT
from nights import Nights

pytestmark = pytest.mark.nights

NIGHTS = int(os.environ.get("NIGHTS", "7"))
SEED = int(os.environ.get("NIGHTS_SEED", "1"))
# Each kind of night comes before any comes again; these are the ones of a short walk.
SHORT = ["drift", "other_table", "customers_forgotten", "killed", "wrong_clock", "restore", "broken_build_file"]
LONG = [*SHORT, "orders_forgotten", "half_a_table", "refit", "killed", "build_folder_deleted", "restore", "wrong_clock", "quiet"]
HAS_ORDERS = len(SHORT) < NIGHTS


class Walk(Nights):
    def __init__(self, project):
        super().__init__(project, SEED, has_orders=HAS_ORDERS)
        self.random, self.nights, self.n_survived = random.Random(SEED), Counter(), 0

    def night(self, kind):
        self.shop.live()
        self.nights[kind] += 1
        print(f"night {self.nights.total()}: {kind}", flush=True)
        getattr(self, kind)()

    def refused(self, sentence, orders=True, customers=True):
        """A build that must stop with a sentence, and change nothing that readers see."""
        arguments, files = self.call(orders=orders, customers=customers)
        with self.nothing_changes():
            code, output = self.project.dbt(*arguments, **files)
        assert code != 0
        assert sentence in output, output[-3000:]
        assert "Traceback" not in output

    def quiet(self):
        self.build()

    def drift(self):
        self.shop.shift()
        self.build()

    def refit(self):
        models = len(self.oracle.models[""].fits)
        self.build("--vars", "{refit: true}")
        assert len(self.oracle.models[""].fits) == models + 1

    def other_table(self):
        """As many customers as there were, but others."""
        self.shop.write(self.folder, {1000 + number: values for number, values in self.shop.present.items()})
        self.refused("of whom 0 are still there", orders=False)

    def half_a_table(self):
        self.shop.write(self.folder, dict(list(self.shop.present.items())[: len(self.shop.present) // 2]))
        self.refused("are still there. The gate is a share of 0.7 of them")

    def customers_forgotten(self):
        """Without a name, the file is the sample."""
        self.refused("the sample is not published over them", orders=False, customers=False)

    def orders_forgotten(self):
        output = self.build(orders=False)
        assert "This build goes without the segmentation rfm" in output

    def wrong_clock(self):
        self.build(clock=self.random.choice([-1, 1]) * self.random.randint(60, 3 * 86400))

    def build_folder_deleted(self):
        shutil.rmtree(self.folder / "build")
        self.build()

    def broken_build_file(self):
        path = self.folder / "build" / self.random.choice(["warehouse.duckdb", "scratch.duckdb"])
        content = path.read_bytes()
        at = self.random.randrange(len(content))
        path.write_bytes(self.random.choice([b"", content[:at], self.random.randbytes(at)]))
        self.build()

    def restore(self):
        kept = sorted(int(path.stem) for path in (self.folder / "kept_builds").glob("*.duckdb"))
        number, start = self.random.choice(kept), self.now()
        command = [sys.executable, ROOT / "scripts" / "restore.py", str(number)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.oracle.restored(self.published, number, (start, self.now()))

    def killed(self):
        """At any moment, or while it publishes. What there is then, is the build before or this one, whole."""
        self.shop.write(self.folder)
        arguments, files = self.call()
        environment = os.environ | {"CUSTOMERS_FILE": files["file"]} | ({"ORDERS_FILE": files["orders"]} if HAS_ORDERS else {})
        before, start = self.content(), self.now()
        with open(self.folder / "killed.log", "w", encoding="utf-8") as log:
            build = subprocess.Popen(
                [DBT, *arguments],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            if self.random.random() < 0.5:
                end = time.monotonic() + self.random.uniform(0, self.seconds + 5)
                while build.poll() is None and time.monotonic() < end:
                    time.sleep(0.01)
            else:
                copy = self.folder / "warehouse.duckdb.publishing"
                while build.poll() is None and not copy.exists():
                    time.sleep(0.001)
                time.sleep(self.random.uniform(0, 0.4))
            if build.poll() is None:
                os.killpg(build.pid, signal.SIGKILL)
            assert build.wait() in (0, -signal.SIGKILL), Path(log.name).read_text(encoding="utf-8")[-3000:]
        if self.content() != before:
            self.n_survived += 1
            self.compare(start, self.now())


@pytest.fixture(scope="module")
def walk(new_project):
    return Walk(new_project(orders=HAS_ORDERS))


def kinds_of_nights(generator):
    while True:
        kinds = LONG if HAS_ORDERS else SHORT
        yield from generator.sample(kinds, len(kinds))


def test_nothing_is_lost_in_a_random_walk_of_nights(walk):
    kinds = kinds_of_nights(walk.random)
    reader = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("reader.py"), walk.published],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(NIGHTS):
            walk.night(next(kinds))
        walk.quiet()
    finally:
        seen = json.loads(reader.communicate()[0])
    oracle = walk.oracle
    print(f"{dict(walk.nights)}; {walk.n_survived} builds were published before they were killed; ", end="")
    print(f"{len(oracle.builds)} builds, {len(oracle.models[''].fits)} models, {oracle.n_checks} rows compared; ", end="")
    print(f"{seen['reads']} reads of {len(seen['generations'])} builds, {len(seen['errors'])} errors")
    assert seen["errors"] == []
    assert seen["reads"] > NIGHTS
