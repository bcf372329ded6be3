"""The published file: who may write to it, how a new one takes its place, and the last ones that are kept beside it.

Builds use this through the plugin `publishing`, restores and erasures through scripts/restore.py and scripts/erase.py. It knows
nothing of dbt. What stands in the way raises a RefusalError, whose text is one sentence: what is wrong, where, and what to do.
"""

import errno
import fcntl
import os
import re
import shutil
import stat
import subprocess
import sys
import uuid
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

import duckdb

# The schema for the state of segmentations that a build goes without, such as that from orders where there are none.
CARRIED = "main_carried"
RELATIONS = """
    select database_name, schema_name, table_name, 'table' as kind, comment from duckdb_tables()
    union all
    select database_name, schema_name, view_name, 'view', comment from duckdb_views() where not internal
"""

# The system drops such a lock when the process closes the file, whoever in it has opened it, and DuckDB opens and closes the
# published file within a build. So a process of its own holds it, until its standard input ends, as it does with the build.
HOLDER = """
import fcntl, sys
try:
    file = open(sys.argv[1], "rb")
    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
except OSError as error:
    sys.exit(print(error.errno))
print("held", flush=True)
sys.stdin.read()
"""


NO_LOCKS = "Put the file on a file system with locks: without them nobody can tell whether another program writes to it."


class RefusalError(Exception):
    """One sentence: what stands in the way, and what to do."""


def identifier(*names):
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def sentence(error):
    """What DuckDB or the system says, in one line."""
    holder = re.search(r"Conflicting lock is held in (.+? \(PID \d+\))", str(error))
    if holder:
        return f"it is open for writing in {holder[1]}; close it there, or open it read-only."
    if isinstance(error, OSError) and error.strerror:
        file = error.filename2 or error.filename  # of two, the one that was to be written
        return f"{error.strerror}: {file}." if file else f"{error.strerror}."
    return getattr(error, "msg", str(error)).strip().splitlines()[0]


def name_build(session, relations, build_id):
    """Let the comments of `relations`, [((database, schema, name), kind, comment)], end with the id of the build."""
    for place, kind, comment in relations:
        text = re.sub(r" ?Build [0-9a-f-]{36}$", "", comment or "")
        session.execute(f"comment on {kind} {identifier(*place)} is {literal(f'{text} Build {build_id}'.strip())}")


def append_build(session, file, *, like, above=0, restored="null", erased="null"):
    """Publish what the attached `file` holds as a build of its own: the row of the build `like` again, under a new id and number.

    The number is the next one to all in `builds` and to `above`; it is returned. `restored` and `erased` say what was done.
    """
    builds = identifier(file, "main", "builds")
    for column in ("restored_build_number", "n_customers_erased"):
        session.execute(f"alter table {builds} add column if not exists {column} integer")
    build_id, clock = uuid.uuid4(), datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
    (number,) = session.execute(f"select greatest(max(build_number), {above}) + 1 from {builds}").fetchone()
    session.execute(f"""
        insert into {builds} by name
        select
            * replace (
                '{build_id}' as build_id,
                greatest(timestamp '{clock}', (select max(built_at) + interval 1 microsecond from {builds})) as built_at,
                {number} as build_number,
                {restored} as restored_build_number,
                {erased} as n_customers_erased
            )
        from {builds}
        where build_number = {like}
    """)
    relations = session.execute(RELATIONS).fetchall()
    name_build(session, [(place, kind, comment) for *place, kind, comment in relations if place[0] == file], build_id)
    return number


def lock_builds(build):
    """An open file that lets no other build, restore or erasure begin, until this process ends, in whatever way."""
    path = build.with_suffix(".lock")
    try:
        build.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path, "a+", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise RefusalError(
            f"No build can work in {build.parent}: {sentence(error)} Make that folder writable for this user."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        process = lock.read() or "unknown"
        lock.close()
        raise RefusalError(
            f"Another dbt command (process {process}) is at work in {build}; start this one again when it is done."
        ) from None
    except OSError as error:
        raise RefusalError(f"{path} cannot be locked: {sentence(error)} {NO_LOCKS}") from None
    with suppress(OSError):  # the number only helps people
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
    return lock


class PublishedFile:
    """`path` is that of the published file itself, also where the configured one is a symbolic link to it."""

    def __init__(self, path):
        self.link = Path(path)
        self.path = Path(os.path.realpath(path)) if self.link.is_symlink() else self.link
        self.wal = Path(f"{self.path}.wal")
        self.copy = Path(f"{self.path}.publishing")
        self.kept = self.path.parent / "kept_builds"

    def check(self):
        """Refuses a link that leads nowhere, and a file that a program writes to or has written to."""
        if self.link.is_symlink() and not self.path.exists():
            raise RefusalError(
                f"{self.link} is a link to {self.path}, which does not exist; put the file there, or remove the link."
            )
        if self.wal.exists():
            raise RefusalError(
                f"{self.wal} shows that a program writes to {self.path}, which is only to be read: close that program; "
                f"if there is none any more, delete {self.wal}."
            )

    def hide_what_is_made(self):
        """Who may not read the published file may not read what this process makes from now on either."""
        if self.path.exists():
            mode = self.path.stat().st_mode
            hidden = (0 if mode & stat.S_IRGRP else stat.S_IRWXG) | (0 if mode & stat.S_IROTH else stat.S_IRWXO)
            os.umask(os.umask(0o077) | hidden)

    @contextmanager
    def locked(self):
        """While it lasts nobody can begin to write to the file, and everybody can read it. Refused where somebody writes."""
        self.check()
        if not self.path.exists():
            yield
            return
        command = [sys.executable, "-I", "-S", "-c", HOLDER, self.path]
        # In a session of its own, where an interrupt that is typed does not reach it.
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as holder:
            answer = holder.stdout.readline().strip()
            if answer != "held":
                self.refuse(int(answer) if answer else errno.ENOLCK)
            # Who had it open for writing before may have left a log.
            self.check()
            yield

    def refuse(self, number):
        if number not in (errno.EAGAIN, errno.EACCES):
            raise RefusalError(f"{self.path} cannot be locked: {os.strerror(number)}. {NO_LOCKS}")
        try:
            duckdb.connect(self.path, read_only=True).close()
        except duckdb.Error as error:
            raise RefusalError(f"{self.path}: {sentence(error)}") from None
        raise RefusalError(
            f"A program writes to {self.path}, which is only to be read; close that program and start this one again."
        )

    def make_copy(self, source):
        """A copy of the file `source` under the name that `rename` takes; until then for this user alone."""
        self.remove_copy()
        copy_hidden(source, self.copy)

    def remove_copy(self):
        for path in (self.copy, Path(f"{self.copy}.wal")):
            path.unlink(missing_ok=True)

    def rename(self, *, like):
        """The copy takes the published name, with the mode of the file before it, or that of `like` where there is none.

        It is on disk before the name is, so that a power cut cannot leave it empty.
        """
        follow(self.path if self.path.exists() else like, self.copy)
        flush(self.copy)
        os.replace(self.copy, self.path)
        with suppress(OSError):  # it is published, whatever the system says of the folder
            flush(self.path.parent)

    def kept_builds(self):
        """{number of the build: its file}, the newest first."""
        files = {int(path.stem): path for path in self.kept.glob("*.duckdb") if re.fullmatch("[1-9][0-9]*", path.stem)}
        return dict(sorted(files.items(), reverse=True))

    def keep(self, number, *, how_many):
        """Keep what is published as build `number`, a link where the file system has them, and only the newest `how_many`."""
        part = self.kept / f"{number}.duckdb.part"
        if how_many:
            self.kept.mkdir(exist_ok=True)
            part.unlink(missing_ok=True)
            try:
                try:
                    os.link(self.path, part)
                except OSError:
                    copy_hidden(self.path, part)
                    follow(self.path, part)
                    flush(part)
                os.replace(part, self.kept / f"{number}.duckdb")
            finally:
                part.unlink(missing_ok=True)
        for path in list(self.kept_builds().values())[how_many:]:
            path.unlink()


def copy_hidden(source, target):
    """A new file that only this user can read."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    if not share_blocks(source, target):
        shutil.copyfile(source, target)


def share_blocks(source, target):
    """Let the file system copy, which on Btrfs, XFS and others takes no time, as both files share their blocks until one is
    written to. False where it cannot.
    """
    try:
        with open(source, "rb") as original, open(target, "wb") as copy:
            while os.copy_file_range(original.fileno(), copy.fileno(), 2**30):
                pass
            return copy.seek(0, os.SEEK_END) == original.seek(0, os.SEEK_END)
    except (OSError, AttributeError):  # macOS has no such call
        return False


def follow(model, path, *, also=0):
    """Give a file the mode of another one, and `also` these bits; where the system allows it the owner and the group, too."""
    like = model.stat()
    with suppress(OSError):
        os.chown(path, like.st_uid, like.st_gid)
    with suppress(OSError):
        os.chmod(path, stat.S_IMODE(like.st_mode) | also)


def flush(path):
    """To disk: what a file holds, or which names a folder has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
