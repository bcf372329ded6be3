"""Opens the published file for writing, as no program should, until its input is closed; prints what it saw as JSON.

    python writer.py warehouse.duckdb often|publishing|careless SEED SECONDS

It comes often, for a moment each; or only while a build is publishing, as fast as it can; or once, within so many
seconds, and ends without closing the file, so that its log of writes stays. The file may not be replaced while it is open.
"""

import json
import os
import random
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import duckdb


def open_inodes():
    """Of all files that this process has open."""
    inodes = set()
    for number in os.listdir("/dev/fd"):
        with suppress(OSError):
            inodes.add(os.fstat(int(number)).st_ino)
    return inodes


def write(path, seen, seconds, *, is_careless=False):
    """Write a table, and have the file open for that long."""
    is_publishing = Path(f"{path}.publishing").exists()
    try:
        file = duckdb.connect(path)
    except duckdb.Error as error:
        seen["refused"] += 1
        seen["refused_while_publishing"] += is_publishing
        if "Could not set lock" not in str(error):
            seen["errors"].append(str(error))
        return
    file.execute("create or replace table written as select now() as at")
    time.sleep(seconds)
    seen["written"] += 1
    if path.stat().st_ino not in open_inodes():
        seen["errors"].append("another file took the place of the one that was open for writing")
    if is_careless:
        print(json.dumps(seen), flush=True)
        os._exit(0)
    file.close()


def main():
    path, manner, generator = Path(sys.argv[1]), sys.argv[2], random.Random(sys.argv[3])
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    seen = {"written": 0, "refused": 0, "refused_while_publishing": 0, "errors": []}
    if manner == "careless":
        stop.wait(generator.uniform(0, float(sys.argv[4])))
    while not stop.is_set():
        if manner == "publishing":
            if Path(f"{path}.publishing").exists():
                write(path, seen, 0.01)
            else:
                time.sleep(0.001)
        else:
            write(path, seen, generator.uniform(0, 0.05), is_careless=manner == "careless")
            stop.wait(generator.uniform(0, 2))
    print(json.dumps(seen))


if __name__ == "__main__":
    stop = threading.Event()
    main()
