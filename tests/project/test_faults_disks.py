"""Builds on a disk that is full at some step, from the first file to the build that is kept: `make faults` fills it twenty times.

Build files, published file and kept builds are on a file system of their own in memory, whose size changes from build to build.
The environment variables DISKS and DISKS_SEED say how many builds, and with how much room.
"""

import os
import random
import re
import subprocess
from collections import Counter

import pytest
from nights import Nights

pytestmark = pytest.mark.nights

DISKS = int(os.environ.get("DISKS", "1"))
SEED = int(os.environ.get("DISKS_SEED", "1"))
PLENTY = 512 << 20
SENTENCES = "Not published[:,] |The build cannot (start from|begin|work in) |cannot be made: |No build can work in "


class Disk:
    """A file system in memory at the folder `place`."""

    def __init__(self, place):
        self.place = place
        place.mkdir()
        self.mount("size=512m")

    def mount(self, options):
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.place]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system can be mounted here: {getattr(error, 'stderr', None) or error}")

    def resize(self, size):
        self.mount(f"remount,size={size}")

    def used(self):
        system = os.statvfs(self.place)
        return (system.f_blocks - system.f_bfree) * system.f_frsize

    def unmount(self):
        subprocess.run(["umount", "--lazy", self.place], check=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    disk = Disk(tmp_path_factory.mktemp("small") / "disk")
    yield disk
    disk.unmount()


@pytest.fixture(scope="module")
def nights(new_project, disk):
    """After a build, whose files are on the small disk."""
    project = new_project()
    (project.folder / "build").symlink_to(disk.place / "build")
    (disk.place / "build").mkdir()
    nights = Nights(project, SEED)
    real = disk.place / "warehouse.duckdb"
    real.write_bytes(nights.published.read_bytes())
    nights.published.unlink()
    nights.published.symlink_to(real)
    return nights


def step_of(output):
    """How far a build came that ran out of room."""
    if "Not published, readers keep the build before: " in output:
        return "publishing"
    failed = re.findall(r"ERROR creating .+? main\w*\.(\w+)", output)
    return failed[0] if failed else "beginning"


def test_a_full_disk_changes_nothing_that_readers_see(nights, disk):
    """Every other build has to make its build files, which takes room at every step; where they are there, publishing does."""
    generator, steps = random.Random(SEED), Counter()
    build_files = [disk.place / "build" / name for name in ("warehouse.duckdb", "scratch.duckdb")]
    for number in range(DISKS):
        room = build_files[0].stat().st_size * 1.1  # for the copy that takes the published name
        if number % 2 == 0:
            room += sum(file.stat().st_size for file in build_files)
            for file in build_files:
                file.unlink()
        nights.shop.live()
        nights.shop.write(nights.folder)
        arguments, files = nights.call()
        before, start = nights.content(), nights.now()
        # The square makes little room frequent, with which a build fails early.
        disk.resize(disk.used() + int(room * generator.random() ** 2))
        code, output = nights.project.dbt(*arguments, **files)
        disk.resize(PLENTY)
        if code:
            steps[step_of(output)] += 1
            assert nights.content() == before
            assert "Traceback" not in output, output[-3000:]
            assert "No space left on device" in output, output[-3000:]
            assert re.search(SENTENCES, output), output[-3000:]
        else:
            steps["not kept" if "is not kept for make restore" in output else "done"] += 1
            nights.compare(start, nights.now())
        # Whatever has been left, does no harm to the next build.
        nights.build()
        assert {path.name for path in disk.place.iterdir()} == {"warehouse.duckdb", "build", "kept_builds"}
    print(f"{DISKS} builds on a full disk: {dict(steps)}; {nights.oracle.n_checks} rows compared")
