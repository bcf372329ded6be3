"""Programs open the published file for writing at every moment of a build: `make faults` has it twenty times.

A build is published, or says in one sentence that somebody writes; nothing that is written gets into what it publishes. The
environment variables WRITERS and WRITERS_SEED say how many builds, and at which moments.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from nights import Nights

pytestmark = pytest.mark.nights

WRITERS = int(os.environ.get("WRITERS", "1"))
SEED = int(os.environ.get("WRITERS_SEED", "1"))
SENTENCES = "it is open for writing in|A program writes to|shows that a program writes to"


@pytest.fixture(scope="module")
def nights(new_project):
    return Nights(new_project(), SEED)


class Writer:
    def __init__(self, path, manner, seed, seconds):
        command = [sys.executable, Path(__file__).with_name("writer.py"), path, manner, str(seed), str(seconds)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end(self):
        """What it saw."""
        return json.loads(self.process.communicate()[0])


def test_who_writes_to_the_published_file_stops_the_build_or_is_refused(nights):
    wal, ends, seen = nights.folder / "warehouse.duckdb.wal", Counter(), Counter()
    for number in range(WRITERS):
        manner = ["publishing", "often", "careless"][number % 3]
        nights.shop.live()
        nights.shop.write(nights.folder)
        arguments, files = nights.call()
        inode, start = nights.published.stat().st_ino, nights.now()
        writer = Writer(nights.published, manner, SEED + number, nights.seconds)
        try:
            code, output = nights.project.dbt(*arguments, **files)
        finally:
            saw = writer.end()
        assert saw.pop("errors") == []
        seen.update(saw)
        assert not wal.exists() or manner == "careless"
        if wal.exists():
            # It is that of the file beside it: it can be taken in, as the program does that has left it.
            duckdb.connect(nights.published).close()
        if nights.published.stat().st_ino == inode:
            assert code != 0
            assert re.search(SENTENCES, output), output[-3000:]
            assert "Traceback" not in output
        else:
            assert code == 0, output[-3000:]
            nights.compare(start, nights.now())
        if manner == "publishing":
            assert saw["refused_while_publishing"]
            assert code == 0
        ends[f"{manner}: {'stopped' if code else 'published'}"] += 1
    nights.build()
    assert nights.project.published("select 1 from duckdb_tables() where table_name = 'written'") == []
    print(f"{dict(ends)}; writers: {dict(seen)}; {nights.oracle.n_checks} rows compared")
