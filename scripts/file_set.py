"""Write files that belong together beside the old ones, and let them take their places as a set.

New files go to a hidden folder, `.<set>.new`. When all of them are on disk, the ledger that names them, `.<set>.json`, is
written there too: from then on the set is whole. Its files are renamed to their places, those that only the last ledger
names are removed, and the ledger moves last. A run that fails or is killed before leaves the old set; of one that is killed
between two renames, the next run does the rest before anything else. Nothing that no ledger names is ever removed.
"""

import errno
import fcntl
import json
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

SETS = ("campaign", "exports", "lists", "pictures", "report", "what_if")
LASTING = ("campaign", "lists")  # hold what nobody can make again, such as a ledger of deliveries


@contextmanager
def file_set(folder, name, like=None):
    """A folder to write a new set to: after an error in the block the old set stays, otherwise the new one takes its place.

    `name` tells the sets in one `folder` apart. All files of the set, in subfolders too, get the permissions of the file
    `like`, and folders that are made get what goes with them; without `like` their owner alone reads them. What cannot be
    written ends the script with one sentence.
    """
    new, ledger = folder / f".{name}.new", folder / f".{name}.json"
    try:
        mode = like.stat().st_mode & 0o666 if like else 0o600
        folder.mkdir(mode=folder_mode(mode), parents=True, exist_ok=True)
        with locked(folder):
            take_places(folder, new, ledger)
            is_first = named_in(ledger) is None
            new.mkdir(mode=0o700)  # nobody else reads what has not got its permissions yet
            try:
                yield new
                names = complete(folder, new, ledger, mode)
            except BaseException:
                (new / ledger.name).unlink(missing_ok=True)  # first, or what is left would count as whole
                shutil.rmtree(new, ignore_errors=True)
                raise
            take_places(folder, new, ledger)
            if is_first and (others := like_these(folder, names)):
                shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
                print(f"{folder}: not of this run and left alone, to be deleted if they are old: {shown}", flush=True)
    except OSError as error:
        raise SystemExit(f"{folder} cannot be written: {error.strerror or error}") from None


def make_private(folder, name):
    """Make the folder of a set `name`, or of several in folders below, readable by its owner alone.

    One that is there and holds other things as well stays as it is; the files in it are private by themselves.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = {PurePosixPath(file).parts[0] for file in named_in(folder / f".{name}.json") or []}
        if all(path.name in ours or path.name.startswith(f".{name}.") or holds(path, name) for path in folder.iterdir()):
            with suppress(PermissionError):  # of somebody else, or on a disk without permissions
                folder.chmod(0o700)
    except OSError as error:
        raise SystemExit(f"{folder} cannot be written: {error.strerror or error}") from None


def holds(folder, name):
    """Whether there is a set `name` in a folder or below."""
    return any(f".{name}.json" in files for _, _, files in os.walk(folder))


def found_sets(folder, names):
    """The ledgers of the sets in `folder` and in the folders below that have one of these names, whole or not."""
    unfinished = {f".{name}.new" for name in SETS}
    places = [Path(place) for place, _, _ in os.walk(folder) if Path(place).name not in unfinished]
    ledgers = {place / f".{name}.json" for place in places for name in names}
    return sorted(ledger for ledger in ledgers if ledger.exists() or ledger.with_suffix(".new").exists())


def remove_sets(folder):
    """Remove the sets in `folder` and in the folders below, whole or not; returns the ledgers of those that there were.

    Files that no ledger names stay, and so do sets that hold what nobody can make again.
    """
    removed = found_sets(folder, set(SETS) - set(LASTING))
    for ledger in removed:
        new = ledger.with_suffix(".new")
        with locked(ledger.parent):
            for name in [*(named_in(ledger) or []), *(named_in(new / ledger.name) or [])]:
                (ledger.parent / name).unlink(missing_ok=True)
            shutil.rmtree(new, ignore_errors=True)
            ledger.unlink(missing_ok=True)
    return removed


def folder_mode(mode):
    """Who may read a file may enter its folder."""
    return mode | (mode & 0o444) >> 2


@contextmanager
def locked(folder):
    """One set at a time; the system unlocks the folder however the process ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems lock no folder: then two runs at once are not kept apart
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"{folder}: waiting for another program that writes there ...", flush=True)
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def complete(folder, new, ledger, mode):
    """Put a whole set on disk, the ledger last; returns the names of its files. What could stop a rename stops it here."""
    names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    for name in names:
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{name} is a folder there")
        (folder / name).parent.mkdir(mode=folder_mode(mode), parents=True, exist_ok=True)
    part = new / ".part"
    part.write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
    for path in [*(new / name for name in names), part]:
        with suppress(PermissionError):  # files of our own: only a disk without permissions, such as a USB stick, refuses
            path.chmod(mode)
        synchronise(path)
    part.rename(new / ledger.name)
    synchronise(new)
    return names


def take_places(folder, new, ledger):
    """Move a whole set to its places, as often as it takes; throw away one that is not whole."""
    names = named_in(new / ledger.name)
    if names is not None:
        # A second name for each old file: its blocks are not freed between the renames, which takes a hundred times as long.
        for number, name in enumerate(names):
            with suppress(OSError):
                os.link(folder / name, new / f".old.{number}")
        for name in names:
            if (new / name).exists():
                os.replace(new / name, folder / name)
        for name in sorted(set(named_in(ledger) or []) - set(names)):
            (folder / name).unlink(missing_ok=True)
            print(f"{folder / name}: removed, it was of an earlier run", flush=True)
        for parent in {(folder / name).parent for name in names}:
            synchronise(parent)
        os.replace(new / ledger.name, ledger)
    if new.exists():
        shutil.rmtree(new)


def named_in(ledger):
    """The names in a ledger, None where there is none; it must not name a file outside its folder."""
    try:
        names = json.loads(ledger.read_text(encoding="utf-8"))
        paths = [PurePosixPath(name) for name in names]
        if not isinstance(names, list) or any(path.is_absolute() or ".." in path.parts for path in paths):
            raise ValueError
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise SystemExit(f"{ledger} is no list of files in its folder; delete it and start again") from None
    return names


def like_these(folder, names):
    """Files in the same places and of the same kinds as those named, but other ones, which are of no other set either."""
    kinds = {(folder / name).parent / f"*{PurePosixPath(name).suffix}" for name in names}
    found = {path.relative_to(folder).as_posix() for kind in kinds for path in kind.parent.glob(kind.name)}
    return sorted(found - set(names) - {name for other in SETS for name in named_in(folder / f".{other}.json") or []})


def synchronise(path):
    """On disk before anything that relies on it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems synchronise no folder
            raise
    finally:
        os.close(handle)
