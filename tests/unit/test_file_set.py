"""Files that take their places together: after every error and every kill the folder holds the old set or the new one."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import file_set as file_set_module
import pytest
from file_set import file_set

OLD = {"csv/a.csv": "old a", "csv/gone.csv": "old", "index.html": "old index"}
NEW = {"csv/a.csv": "new a", "csv/b.csv": "new b", "index.html": "new index"}
MINE = {"csv/mine.csv": "mine", "notes.txt": "mine", ".part": "mine"}


SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    path.touch(mode=0o644)
    return path


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def run(folder, published, files, error=None):
    """Write a set as a script does, and fail at its end where there is an `error`."""
    with file_set(folder, "lists", like=published) as new:
        write(new, files)
        if error:
            raise error


def held(folder):
    """{name: text} of all files but the ledger; hidden folders count."""
    found = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}
    found.pop(".lists.json", None)
    return found


@pytest.fixture
def folder(tmp_path, published):
    """A folder with an old set and files of somebody else."""
    folder = tmp_path / "exports"
    write(folder, MINE)
    run(folder, published, OLD)
    assert held(folder) == OLD | MINE
    return folder


def test_a_new_set_replaces_the_old_one_and_nothing_else(folder, published, capsys):
    capsys.readouterr()
    run(folder, published, NEW)
    assert held(folder) == NEW | MINE
    assert json.loads((folder / ".lists.json").read_text()) == sorted(NEW)
    assert capsys.readouterr().out == f"{folder / 'csv/gone.csv'}: removed, it was of an earlier run\n"


def test_two_sets_in_a_folder_know_nothing_of_each_other(folder, published):
    with file_set(folder, "pictures", like=published) as new:
        write(new, {"sizes.png": "picture"})
    run(folder, published, NEW)
    found = held(folder)
    del found[".pictures.json"]
    assert found == NEW | MINE | {"sizes.png": "picture"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "exports cannot be written: No space left on device"),
        (OSError("IO Error: Could not write"), "exports cannot be written: IO Error: Could not write"),
        (SystemExit("no customer has an e-mail"), "no customer has an e-mail"),
    ],
)
def test_an_error_keeps_the_old_set_and_is_one_sentence(folder, published, error, words):
    with pytest.raises(SystemExit, match=words):
        run(folder, published, NEW, error)
    assert held(folder) == OLD | MINE


def test_an_interrupt_keeps_the_old_set(folder, published):
    with pytest.raises(KeyboardInterrupt):
        run(folder, published, NEW, KeyboardInterrupt())
    assert held(folder) == OLD | MINE


def is_killed_at(step, function):
    """Whether a child that runs a function comes to a change of the disk with this number, before which it is gone at once."""
    child = os.fork()
    if child == 0:
        n_changes = 0

        def count(event, _):
            nonlocal n_changes
            n_changes += event in ("open", "os.mkdir", "os.chmod", "os.link", "os.rename", "os.remove", "os.rmdir")
            if n_changes == step:
                os._exit(9)

        sys.addaudithook(count)
        function()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def run_on_a_failing_disk(folder, published, files):
    """The set is complete when the disk fails; the script cleans up."""
    synchronise = file_set_module.synchronise

    def fail(path):
        if path.name == ".lists.new":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        synchronise(path)

    file_set_module.synchronise = fail
    with suppress(SystemExit):
        run(folder, published, files)


def main(parent, function):
    """Print what a folder holds after a run that was killed, step by step, and another one that failed at once."""
    published = parent / "warehouse.duckdb"
    is_killed, step, outcomes = True, 0, []
    while is_killed:
        step += 1
        folder = parent / f"exports{step}"
        write(folder, MINE)
        run(folder, published, OLD)
        is_killed = is_killed_at(step, partial(function, folder, published, NEW))
        with suppress(SystemExit):
            run(folder, published, {"csv/a.csv": "third"}, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        outcomes.append(held(folder))
    print(json.dumps(outcomes))


def outcomes(function, parent):
    """What main() prints, run in a process that has no threads and can be forked."""
    command = [sys.executable, __file__, str(parent), function.__name__]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(answer.stdout.splitlines()[-1])


def test_after_a_kill_at_any_step_the_next_run_leaves_a_whole_set_even_if_it_fails(tmp_path, published):
    found = outcomes(run, tmp_path)
    assert [outcome for outcome in found if outcome not in (OLD | MINE, NEW | MINE)] == []
    # Before the ledger is there the old set stays, from then on the new one takes its place.
    texts = [outcome["index.html"] for outcome in found]
    assert texts == sorted(texts, reverse=True)
    assert texts.count("old index") > 5
    assert texts.count("new index") > 5


def test_a_kill_at_any_step_of_cleaning_up_leaves_the_old_set(tmp_path, published):
    found = outcomes(run_on_a_failing_disk, tmp_path)
    assert len(found) > 10
    # Between the ledger and the failure a kill leaves a set that is whole.
    assert [outcome for outcome in found if outcome not in (OLD | MINE, NEW | MINE)] == []
    assert found[-1] == OLD | MINE


def test_a_run_that_is_killed_while_it_writes_leaves_the_old_set_and_the_next_run_no_trace(folder, published):
    script = f"""
import sys
from pathlib import Path
from file_set import file_set
with file_set(Path({str(folder)!r}), "lists", like=Path({str(published)!r})) as new:
    (new / "index.html").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=SCRIPTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (folder / ".lists.new" / "index.html").read_text() == "half"
    assert {name: text for name, text in held(folder).items() if not name.startswith(".lists.new")} == OLD | MINE
    run(folder, published, NEW)
    assert held(folder) == NEW | MINE
    assert not (folder / ".lists.new").exists()


def test_the_second_of_two_runs_waits_for_the_first(folder, published, capsys):
    second = threading.Thread(target=run, args=(folder, published, NEW))
    with file_set(folder, "lists", like=published) as new:
        second.start()
        second.join(0.3)
        assert second.is_alive()
        write(new, OLD)
    second.join(20)
    assert held(folder) == NEW | MINE
    assert f"{folder}: waiting for another program that writes there ..." in capsys.readouterr().out


@pytest.mark.parametrize(("mode", "folder_mode"), [(0o600, 0o700), (0o640, 0o750), (0o644, 0o755)])
def test_files_get_the_permissions_of_the_published_file_and_new_folders_what_goes_with_them(
    tmp_path, published, mode, folder_mode
):
    published.chmod(mode)
    folder = tmp_path / "exports"
    with file_set(folder, "lists", like=published) as new:
        assert new.stat().st_mode & 0o777 == 0o700
        write(new, NEW)
    modes = {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert modes == dict.fromkeys([*NEW, ".lists.json"], mode) | {"csv": folder_mode}
    assert folder.stat().st_mode & 0o777 == folder_mode


def test_without_such_a_file_the_owner_alone_reads_them(tmp_path):
    """Whatever the mask is; a folder that is there is closed as long as it holds nothing else."""
    folder = tmp_path / "exports"
    (folder / "rfm").mkdir(parents=True)
    folder.chmod(0o755)
    for place in (folder, folder / "rfm" / "spring"):
        with file_set(place, "lists") as new:
            write(new, {"a.csv": "a"})
    file_set_module.make_private(folder, "lists")
    modes = {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert {name: mode for name, mode in modes.items() if name.endswith(("csv", "json"))} == {
        ".lists.json": 0o600,
        "a.csv": 0o600,
        "rfm/spring/.lists.json": 0o600,
        "rfm/spring/a.csv": 0o600,
    }
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    write(folder, {"mine/notes.txt": "mine"})
    file_set_module.make_private(folder, "lists")
    assert folder.stat().st_mode & 0o777 == 0o755


def test_permissions_follow_what_a_link_points_at(tmp_path, published):
    published.chmod(0o600)
    link = tmp_path / "link.duckdb"
    link.symlink_to(published)
    run(tmp_path / "exports", link, {"a.csv": ""})
    assert (tmp_path / "exports" / "a.csv").stat().st_mode & 0o777 == 0o600


def test_a_folder_from_before_there_were_ledgers_keeps_its_files_and_the_first_run_names_them(tmp_path, published, capsys):
    folder = tmp_path / "exports"
    write(folder, OLD | MINE)
    run(folder, published, NEW)
    assert held(folder) == OLD | MINE | NEW
    words = f"{folder}: not of this run and left alone, to be deleted if they are old: csv/gone.csv, csv/mine.csv\n"
    assert capsys.readouterr().out == words
    run(folder, published, NEW)
    assert capsys.readouterr().out == ""


def test_the_files_of_another_set_are_not_named(tmp_path, published, capsys):
    for name, file in [("report", "index.html"), ("what_if", "what_if.html")]:
        with file_set(tmp_path, name, like=published) as new:
            write(new, {file: "<p>"})
    assert held(tmp_path).keys() >= {"index.html", "what_if.html"}
    assert capsys.readouterr().out == ""


def test_a_folder_in_the_place_of_a_file_stops_the_set_before_anything_moves(folder, published):
    (folder / "csv" / "b.csv").mkdir()
    with pytest.raises(SystemExit, match=r"exports cannot be written: csv/b\.csv is a folder there"):
        run(folder, published, NEW)
    assert held(folder) == OLD | MINE


@pytest.mark.parametrize("text", ["", "{", '"a.csv"', "[1]", '["../warehouse.duckdb"]', '["/etc/passwd"]', '{"csv/mine.csv": 1}'])
def test_a_ledger_that_is_not_ours_removes_nothing(folder, published, text):
    (folder / ".lists.json").write_text(text)
    with pytest.raises(SystemExit, match=r"\.lists\.json is no list of files in its folder; delete it and start again"):
        run(folder, published, NEW)
    assert held(folder) == OLD | MINE
    assert published.exists()


def test_a_disk_that_is_full_keeps_the_old_set(tmp_path, published):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a small disk")
    try:
        run(disk, published, OLD)
        with pytest.raises(SystemExit, match="cannot be written: No space left on device"):
            run(disk, published, NEW | {"large.csv": "x" * 2_000_000})
        assert held(disk) == OLD
        run(disk, published, NEW)
        assert held(disk) == NEW
    finally:
        subprocess.run(["umount", str(disk)], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), globals()[sys.argv[2]])


def test_all_sets_of_the_scripts_can_be_removed_but_those_that_hold_what_nobody_can_make_again(tmp_path, published):
    scripts = [path.read_text() for path in SCRIPTS.glob("*.py")]
    written = {name for script in scripts for name in re.findall(r'(?:file|list)_set\([^()]*, "(\w+)"', script)}
    assert written == set(file_set_module.SETS)
    for name in written:
        with file_set(tmp_path / "exports" / name, name, like=published) as new:
            write(new, OLD)
    # Of one that is whole, but was killed between its renames.
    shutil.copytree(tmp_path / "exports" / "report", tmp_path / "exports" / "report" / ".report.new")
    write(tmp_path / "exports" / "report", MINE)
    removed = file_set_module.remove_sets(tmp_path / "exports")
    lasting = set(file_set_module.LASTING)
    assert {ledger.parent.name for ledger in removed} == written - lasting
    left = {f"report/{name}": text for name, text in MINE.items()}
    left |= {f"{place}/{name}": text for place in lasting for name, text in OLD.items()}
    found = held(tmp_path / "exports")
    assert {name: text for name, text in found.items() if not name.endswith(".json")} == left
    assert {path.parent.name for path in file_set_module.found_sets(tmp_path / "exports", lasting)} == lasting
    assert file_set_module.remove_sets(tmp_path / "reports") == []
