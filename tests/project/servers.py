"""Real servers on this machine for the tests of sources: PostgreSQL, MySQL (or MariaDB) and an object store."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

FAST = signal.SIGINT  # PostgreSQL does not wait for its clients then
HOST = "127.0.0.1"
# Long enough to be found in whatever is written, and with what quoting may go wrong on.
PASSWORD = "Geheim'4711-$x"


def free_port():
    with closing(socket.socket()) as one:
        one.bind((HOST, 0))
        return one.getsockname()[1]


def program(name, *folders):
    """The path of the newest such program on the path or in one of the folders, which are patterns; skips where there is none."""
    found = shutil.which(name)
    places = sorted((path for pattern in folders for path in Path("/").glob(pattern)), reverse=True)
    found = next((path / name for path in places if (path / name).exists()), found)
    if not found:
        pytest.skip(f"{name} is not on this machine; install the Debian package of its server")
    return str(found)


class Server:
    """A server in a folder of its own, which a user without rights owns where the tests run as root: servers refuse root."""

    def __init__(self, user=None):
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="server-")), free_port()
        self.user = user if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.folder, self.user, self.user)

    def remove(self):
        shutil.rmtree(self.folder)

    def run(self, *command, **options):
        ran = subprocess.run(
            command, user=self.user, cwd=self.folder, capture_output=True, text=True, encoding="utf-8", check=False, **options
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    @contextmanager
    def running(self, *command, is_ready, stop=signal.SIGTERM):
        with open(self.folder / "server.log", "ab") as log:
            process = subprocess.Popen(command, user=self.user, cwd=self.folder, stdout=log, stderr=log)
        try:
            for _ in range(300):
                assert process.poll() is None, (self.folder / "server.log").read_text(encoding="utf-8")
                if is_ready():
                    break
                time.sleep(0.1)
            yield process
        finally:
            process.send_signal(stop)
            process.wait(60)

    def log(self):
        return (self.folder / "server.log").read_text(encoding="utf-8")


class PostgreSQL(Server):
    def __init__(self):
        self.place = Path(program("initdb", "usr/lib/postgresql/*/bin")).parent
        super().__init__("postgres")

    @contextmanager
    def start(self):
        data = self.folder / "data"
        if not data.exists():
            self.run(self.place / "initdb", "-D", data, "-U", "boss", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
            rule = f"local all boss trust\nhost all all {HOST}/32 scram-sha-256\n"
            self.run("tee", data / "pg_hba.conf", input=rule)
        settings = {"port": self.port, "listen_addresses": HOST, "unix_socket_directories": self.folder, "fsync": "off"}
        options = [word for name, value in (settings | {"log_statement": "all"}).items() for word in ("-c", f"{name}={value}")]
        with self.running(self.place / "postgres", "-D", data, *options, is_ready=self.is_ready, stop=FAST):
            yield self

    def is_ready(self):
        with suppress(AssertionError):
            return self.execute("select 1", database="postgres")

    def execute(self, sql, database="crm"):
        psql = (
            "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            self.folder,
            "-p",
            str(self.port),
            "-U",
            "boss",
            "-d",
            database,
        )
        return self.run(self.place / psql[0], *psql[1:], "-At", input=sql)

    def where(self, user="reader", password=PASSWORD):
        """What attach: takes for the path."""
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        return f"host={HOST} port={self.port} dbname=crm user={user} password='{quoted}'"


class MySQL(Server):
    def __init__(self):
        self.daemon = program("mariadbd", "usr/sbin")
        super().__init__("mysql")

    @contextmanager
    def start(self):
        data = self.folder / "data"
        if not data.exists():
            user = [f"--user={self.user}"] if self.user else []
            self.run(
                program("mariadb-install-db"),
                "--no-defaults",
                f"--datadir={data}",
                *user,
                "--auth-root-authentication-method=normal",
            )
        options = [f"--datadir={data}", f"--port={self.port}", f"--bind-address={HOST}", f"--socket={self.folder / 'socket'}"]
        with self.running(self.daemon, "--no-defaults", *options, f"--pid-file={self.folder / 'pid'}", is_ready=self.is_ready):
            yield self

    def is_ready(self):
        with suppress(AssertionError):
            return self.execute("select 1", database="mysql")

    def execute(self, sql, database="crm"):
        client = ("--no-defaults", "-N", "-u", "root", "-S", self.folder / "socket", "--default-character-set=utf8mb4", database)
        return self.run(program("mariadb"), *client, input=sql)


class ObjectStore(Server):
    """An object store that asks for no right: what is sent to it is tested, not what it lets pass."""

    @contextmanager
    def start(self):
        command = (sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self.port))
        with self.running(*command, is_ready=self.is_ready):
            yield self

    def is_ready(self):
        with suppress(OSError):
            # A port without a server may be connected with itself.
            return urllib.request.urlopen(f"http://{HOST}:{self.port}/moto-api/", timeout=2).status == 200

    def put(self, name, content=b""):
        """Make a bucket, or an object in one: bucket/path."""
        request = urllib.request.Request(f"http://{HOST}:{self.port}/{name}", data=content, method="PUT")
        request.add_header("Content-Type", "application/octet-stream")
        urllib.request.urlopen(request, timeout=30).close()

    def secret(self):
        """What the profile lists under secrets:."""
        place = {"endpoint": f"{HOST}:{self.port}", "url_style": "path", "use_ssl": False, "region": "eu-central-1"}
        return {"type": "s3", "name": "shop", "key_id": "AKIA4711", "secret": PASSWORD} | place
