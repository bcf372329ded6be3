"""The published file and the plugin around it, without dbt: locks, links, modes, interrupts, and broken build files."""

import errno
import importlib
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from dbt_common.exceptions import DbtRuntimeError

sys.path.append(str(Path(__file__).parents[2] / "dbt_project" / "plugins"))
published_file = importlib.import_module("published_file")
publishing = importlib.import_module("publishing")

WRITE = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create or replace table written as select 1')"
READ = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).execute('from builds').fetchall())"
BUILD_ID = "00000000-0000-0000-0000-000000000002"


def make_database(path, *statements):
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(path) as database:
        for statement in statements:
            database.execute(statement)


def run(code, path):
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    umask = os.umask(0o022)
    make_database(tmp_path / "warehouse.duckdb", "create table builds as select 1 as build_number")
    yield tmp_path
    os.umask(umask)


@pytest.fixture
def published(folder):
    return published_file.PublishedFile(folder / "warehouse.duckdb")


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(publishing, "say", lines.append)
    return lines


@pytest.fixture
def start(folder, said, monkeypatch):
    """A function that starts the plugin as dbt-duckdb does, up to the open build file, and returns it."""
    monkeypatch.setattr(publishing, "PROJECT", folder)
    monkeypatch.setattr(publishing.gc, "freeze", lambda: None)
    (folder / "dbt_project.yml").write_text("version: '1'\n", encoding="utf-8")
    started = []

    def start(**settings):
        scratch = SimpleNamespace(path="build/scratch.duckdb", alias="scratch")
        creds = SimpleNamespace(path="build/warehouse.duckdb", attach=[scratch], settings=settings)
        plugin = publishing.Plugin("publishing", {"path": "warehouse.duckdb"}, creds)
        started.append(plugin.lock)
        plugin.update_connection_config(creds, {})
        connection = duckdb.connect(creds.path)
        started.append(connection)
        plugin.configure_connection(connection)
        connection.execute("attach 'build/scratch.duckdb' as scratch")
        return plugin

    yield start
    for opened in reversed(started):
        opened.close()


def publish(plugin):
    """Publish a build that has one table; returns what is wrong, or None."""
    with plugin.session() as session:
        session.execute("create or replace table builds as select 2 as build_number")
    request = {
        "databases": ["warehouse", "scratch"],
        "kept": [("warehouse", "main", "builds")],
        "views": [],
        "build_id": BUILD_ID,
        "build_number": 2,
        "kept_builds": 2,
        "message": "Published.",
    }
    plugin.publish(request)
    return request.get("error")


def numbers(path="warehouse.duckdb"):
    with duckdb.connect(path, read_only=True) as reader:
        return reader.execute("select build_number from builds").fetchall()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_the_lock_refuses_writers_and_no_reader(published):
    with published.locked():
        # Closing a descriptor of this process would drop a lock that this process holds.
        duckdb.connect(published.path, read_only=True).close()
        code, output = run(WRITE, published.path)
        assert code == 1
        assert "Could not set lock on file" in output
        assert run(READ, published.path) == (0, "[(1,)]\n")
    assert run(WRITE, published.path)[0] == 0
    assert not published.wal.exists()


def test_where_somebody_writes_the_lock_cannot_be_had(published):
    with (
        duckdb.connect(published.path),
        subprocess.Popen(
            [sys.executable, "-c", LOCK, Path(published_file.__file__).parent, published.path], stdout=subprocess.PIPE, text=True
        ) as other,
    ):
        assert "it is open for writing in" in other.communicate()[0]


LOCK = """
import sys
sys.path.append(sys.argv[1])
from published_file import PublishedFile, RefusalError
try:
    with PublishedFile(sys.argv[2]).locked():
        print("had")
except RefusalError as refusal:
    print(refusal)
"""


def test_the_lock_ends_with_a_build_that_is_killed(published):
    code = LOCK.replace('print("had")', "print('had', flush=True); sys.stdin.read()")
    build = subprocess.Popen(
        [sys.executable, "-c", code, Path(published_file.__file__).parent, published.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert build.stdout.readline() == "had\n"
    assert run(WRITE, published.path)[0] == 1
    build.kill()
    build.communicate()
    end = time.monotonic() + 10
    while run(WRITE, published.path)[0] and time.monotonic() < end:
        time.sleep(0.05)
    assert run(WRITE, published.path)[0] == 0


def test_a_file_system_without_locks_is_refused(published, monkeypatch):
    """As nobody could tell whether somebody writes; NFS without its daemon answers so."""
    without_locks = published_file.HOLDER.replace("    fcntl.lockf(", f"    raise OSError({errno.ENOLCK}, 'none')\n    (")
    monkeypatch.setattr(published_file, "HOLDER", without_locks)
    with (
        pytest.raises(published_file.RefusalError, match=f"cannot be locked: {os.strerror(errno.ENOLCK)}. Put the file on"),
        published.locked(),
    ):
        pass


def test_a_log_of_writes_is_named(published):
    published.wal.touch()
    with pytest.raises(published_file.RefusalError, match=r"warehouse.duckdb.wal shows that a program writes to"):
        published.check()


def test_a_writer_cannot_come_between_the_check_and_the_rename(start, folder, monkeypatch):
    plugin = start()
    answers = []
    describe = plugin.describe_copy

    def write_meanwhile(*arguments):
        answers.append(run(WRITE, folder / "warehouse.duckdb"))
        describe(*arguments)

    monkeypatch.setattr(plugin, "describe_copy", write_meanwhile)
    assert publish(plugin) is None
    assert answers[0][0] == 1
    assert numbers() == [(2,)]
    assert sorted(path.name for path in folder.glob("warehouse*")) == ["warehouse.duckdb"]


def test_a_link_is_followed_and_a_dangling_one_refused(start, folder):
    target = folder / "elsewhere" / "real.duckdb"
    target.parent.mkdir()
    (folder / "warehouse.duckdb").rename(target)
    (folder / "warehouse.duckdb").symlink_to(target)
    assert publish(start()) is None
    assert (folder / "warehouse.duckdb").is_symlink()
    assert numbers(target) == [(2,)]
    assert sorted(path.name for path in target.parent.iterdir()) == ["kept_builds", "real.duckdb"]

    target.unlink()
    with pytest.raises(published_file.RefusalError, match=r"warehouse.duckdb is a link to .*real.duckdb, which does not exist"):
        published_file.PublishedFile("warehouse.duckdb").check()


@pytest.mark.parametrize("is_able", [True, False])
def test_a_copy_holds_all_that_is_in_the_file_whether_the_file_system_makes_it_or_not(folder, monkeypatch, is_able):
    calls = []

    def copy_file_range(source, target, count):
        calls.append(count)
        if not is_able:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        os.write(target, data := os.read(source, 1000))
        return len(data)

    monkeypatch.setattr(published_file.os, "copy_file_range", copy_file_range, raising=False)
    (folder / "file").write_bytes(bytes(range(256)) * 10)
    published_file.copy_hidden(folder / "file", folder / "copy")
    assert (folder / "copy").read_bytes() == bytes(range(256)) * 10
    assert mode("copy") == 0o600
    assert len(calls) == (4 if is_able else 1)


def test_a_file_system_that_copies_too_little_is_not_believed(folder, monkeypatch):
    monkeypatch.setattr(published_file.os, "copy_file_range", lambda source, target, count: 0, raising=False)
    published_file.copy_hidden(folder / "warehouse.duckdb", folder / "copy")
    assert (folder / "copy").read_bytes() == (folder / "warehouse.duckdb").read_bytes()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_drawn_where_somebody_looks(start, monkeypatch, is_terminal):
    plugin = start()
    monkeypatch.setattr(publishing.sys, "stdout", SimpleNamespace(isatty=lambda: is_terminal))
    with plugin.connection.cursor() as cursor:
        plugin.configure_cursor(cursor)
        assert cursor.execute("select current_setting('enable_progress_bar')").fetchone() == (is_terminal,)


def test_who_may_not_read_the_published_file_reads_nothing_that_a_build_writes(start, folder, monkeypatch):
    os.chmod(folder / "warehouse.duckdb", 0o600)
    plugin = start()
    modes = []
    make_copy = published_file.copy_hidden

    def look(source, target):
        make_copy(source, target)
        modes.append(mode(target))

    monkeypatch.setattr(published_file, "copy_hidden", look)
    assert publish(plugin) is None
    assert modes == [0o600]
    files = ["warehouse.duckdb", "build/warehouse.duckdb", "build/scratch.duckdb", "kept_builds/2.duckdb"]
    assert [mode(path) for path in files] == [0o600] * 4
    assert [mode(path) & 0o077 for path in ("build", "kept_builds")] == [0, 0]


@pytest.mark.parametrize("given", [0o640, 0o444])
def test_a_mode_stays_and_a_build_can_write(start, folder, given):
    os.chmod(folder / "warehouse.duckdb", given)
    assert publish(start()) is None
    assert [mode(path) for path in ("warehouse.duckdb", "kept_builds/2.duckdb")] == [given] * 2
    assert mode("build/warehouse.duckdb") == given | 0o600


def test_the_first_file_has_the_mode_of_other_new_files(start, folder):
    (folder / "warehouse.duckdb").unlink()
    os.umask(0o027)
    assert publish(start()) is None
    assert mode("warehouse.duckdb") == 0o640


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_says_whether_the_build_was_published(start, said, monkeypatch, number):
    plugin, make_copy, replace = start(), published_file.copy_hidden, os.replace

    def copy_and_interrupt(source, target):
        make_copy(source, target)
        os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(published_file, "copy_hidden", copy_and_interrupt)
        assert publish(plugin) == "Not published, readers keep the build before: it was interrupted."
    assert numbers() == [(1,)]
    assert not plugin.published.copy.exists()
    assert said == []

    def interrupt_and_replace(source, target):
        os.kill(os.getpid(), number)
        replace(source, target)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(os, "replace", interrupt_and_replace)
    assert publish(plugin) is None
    assert numbers() == [(2,)]
    assert said == ["Published."]


def garbage(path):
    path.write_bytes(b"no database " * 5000)


def cut(path):
    os.truncate(path, path.stat().st_size - 100_000)


def half_a_header(path):
    os.truncate(path, 5000)


def empty(path):
    os.truncate(path, 0)


def of_a_newer_format(path):
    """DuckDB checks the first block as a whole: a version that it does not know looks the same to it as a broken block."""
    with open(path, "r+b") as file:
        file.seek(12)
        file.write((250).to_bytes(8, "little"))


@pytest.mark.parametrize("spoil", [empty, cut, half_a_header, garbage, of_a_newer_format], ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("name", ["warehouse", "scratch"])
def test_a_build_file_that_cannot_be_opened_is_thrown_away(start, said, folder, name, spoil):
    for file in ("warehouse", "scratch"):
        make_database(
            folder / "build" / f"{file}.duckdb", "create table t as select range as i, random() as x from range(100000)"
        )
    spoil(folder / "build" / f"{name}.duckdb")
    (folder / "build" / f"{name}.duckdb.wal").write_bytes(b"left behind")
    plugin = start()
    (line,) = said
    assert line.startswith(f"build/{name}.duckdb cannot be used (")
    assert line.endswith("it is thrown away; a full dbt build makes it from what is published.")
    with plugin.session() as session:
        tables = session.execute("select database_name from duckdb_tables()").fetchall()
    assert tables == [({"warehouse": "scratch", "scratch": "warehouse"}[name],)]


def test_a_build_file_with_free_blocks_at_its_end_is_used(start, said, folder):
    """DuckDB counts them, and has cut them off."""
    path = folder / "build" / "warehouse.duckdb"
    make_database(path, "create table t as select random() as x from range(1000000)")
    size = path.stat().st_size
    make_database(path, "drop table t", "checkpoint", "create table small as select 1 as one")
    assert path.stat().st_size < size
    start()
    assert said == []


def test_a_build_file_that_somebody_has_open_is_kept(start, said, folder):
    path = folder / "build" / "warehouse.duckdb"
    make_database(path, "create table t as select 1 as one")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(DbtRuntimeError, match=r"The build cannot work in build/warehouse.duckdb: it is open for writing in"):
            start()
    assert said == []
    with duckdb.connect(path) as build:
        assert build.execute("from t").fetchall() == [(1,)]


def test_a_folder_that_cannot_be_used_is_named(start, folder):
    (folder / "build").write_text("a file in the place of the folder", encoding="utf-8")
    with pytest.raises(DbtRuntimeError, match=r"No build can work in build: .*File exists: build\. Make that folder writable"):
        start()


def test_a_lock_that_cannot_be_opened_is_named(start, folder):
    (folder / "build" / "warehouse.lock").mkdir(parents=True)
    with pytest.raises(DbtRuntimeError, match=r"No build can work in build: Is a directory: build/warehouse\.lock"):
        start()


@pytest.mark.parametrize("value", ["lots", "-1", "", "400"])
def test_a_wrong_memory_limit_is_one_sentence(start, value):
    with pytest.raises(
        DbtRuntimeError, match=r"is no memory_limit for DuckDB \(.+\); set DUCKDB_MEMORY_LIMIT to something like 400MB"
    ):
        start(memory_limit=value)


def test_another_wrong_setting_is_one_sentence(start):
    with pytest.raises(DbtRuntimeError, match=r"'none' is no threads for DuckDB \(.+\); correct it in profiles.yml"):
        start(threads="none")


def test_the_last_builds_are_kept_as_links_or_copies(published, monkeypatch):
    for number in (8, 9, 10):
        published.keep(number, how_many=2)
    (published.kept / "notes.duckdb").touch()
    assert list(published.kept_builds()) == [10, 9]
    assert os.path.samefile(published.kept / "10.duckdb", published.path)

    def no_links(*arguments):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    published.keep(11, how_many=2)
    assert list(published.kept_builds()) == [11, 10]
    assert not os.path.samefile(published.kept / "11.duckdb", published.path)
    assert numbers(published.kept / "11.duckdb") == [(1,)]
    published.keep(12, how_many=0)
    assert published.kept_builds() == {}
    assert [path.name for path in published.kept.iterdir()] == ["notes.duckdb"]


def test_a_build_that_cannot_be_kept_is_published(start, said, folder):
    (folder / "kept_builds").write_text("a file in the place of the folder", encoding="utf-8")
    assert publish(start()) is None
    assert numbers() == [(2,)]
    assert said[0] == "Published."
    assert said[1].startswith("Build 2 is not kept for make restore in kept_builds: File exists")


def test_an_error_of_two_files_names_the_one_that_was_to_be_written():
    """It is on the disk that is full."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "build/warehouse.duckdb", None, "published/warehouse.duckdb")
    assert published_file.sentence(error) == "No space left on device: published/warehouse.duckdb."
