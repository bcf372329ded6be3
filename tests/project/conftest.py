"""The real project, copied into a temporary folder, built by a subprocess and read back read-only."""

import atexit
import csv
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
DBT = Path(sys.executable).with_name("dbt")
SAMPLE_ORDERS = "file: dbt_project/sample/orders.csv"
# Tests of Spark import it; their environment is .venv-spark (make test-spark).
collect_ignore_glob = [] if find_spec("pyspark") else ["test_spark_*.py"]
COLOURS = re.compile(r"\x1b\[\d+m")


@cache
def dbt_server():
    """The process of this test process that runs dbt; see dbt_server.py. It ends with its standard input."""
    command = [sys.executable, Path(__file__).with_name("dbt_server.py")]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    atexit.register(server.communicate)
    return server


def ask_dbt_server(request):
    """The exit code of a dbt command."""
    server = dbt_server()
    server.stdin.write(json.dumps(request) + "\n")
    server.stdin.flush()
    return int(server.stdout.readline())


class Project:
    """A copy of the project in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder

    def copy_files(self, *, whole=False, orders=False):
        """Fill the folder with the project as it is shipped, or without the unit tests of the SQL and what there is of orders.

        These cost two thirds of a build, and change nothing for most tests. With `orders`, their models are there, but not the
        orders of the sample.
        """
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        for name in filter(None, names):
            is_left_out = name.startswith("tests/") or (name.endswith("__unit_tests.yml") and not whole)
            if not whole and not orders:
                is_left_out = is_left_out or bool({"orders", "rfm"} & set(Path(name).parts[:-1]))
            if (ROOT / name).exists() and not is_left_out:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.folder / name)
        if not whole:
            path = self.folder / "dbt_project.yml"
            configuration = path.read_text(encoding="utf-8")
            assert configuration.count(SAMPLE_ORDERS) == 1
            path.write_text(configuration.replace(SAMPLE_ORDERS, "file: null"), encoding="utf-8")

    def block(self):
        """The configuration block `segmentation:`."""
        return yaml.safe_load((self.folder / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["segmentation"]

    def configure(self, block="segmentation", **settings):
        """Replace settings of the block `segmentation:` or another one; `source` is merged."""
        path = self.folder / "dbt_project.yml"
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
        block = project["vars"][block]
        if "source" in block:
            settings["source"] = block["source"] | settings.get("source", {})
        block.update(settings)
        path.write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")

    def dbt(self, *arguments, file=None, orders=None, clock=0):
        """Run dbt, by a clock that is wrong by some seconds; returns (exit code, what it printed, as one plain line)."""
        files = {"CUSTOMERS_FILE": file, "ORDERS_FILE": orders}
        environment = {name: value for name, value in os.environ.items() if name not in files}
        environment |= {name: str(path) for name, path in files.items() if path}
        output = self.folder / "dbt_output.txt"
        request = {
            "folder": str(self.folder),
            "environment": environment,
            "arguments": arguments,
            "output": str(output),
            "clock": clock,
        }
        code = ask_dbt_server(request)
        return code, " ".join(COLOURS.sub("", output.read_text(encoding="utf-8")).split())

    def build(self, *arguments, **files):
        """Run dbt build, which must succeed; returns what it printed."""
        code, output = self.dbt("build", *arguments, **files)
        assert code == 0, output[-3000:]
        return output

    @contextmanager
    def reader(self, file=None):
        """A connection that reads the published file or another one; without a name both files that builds work in, as one."""
        with duckdb.connect(self.folder / (file or "build/warehouse.duckdb"), read_only=True) as reader:
            if not file:
                reader.execute(f"attach '{self.folder / 'build' / 'scratch.duckdb'}' as scratch (read_only)")
                schemas = "select database_name || '.' || schema_name from duckdb_schemas() where schema_name like 'main%'"
                places = ",".join(place for (place,) in reader.execute(f"{schemas} order by database_name desc").fetchall())
                reader.execute(f"set search_path = '{places}'")
            yield reader

    def query(self, sql, file=None):
        """Rows of the tables that builds work in, which are there whether or not they were published, or of another file."""
        with self.reader(file) as reader:
            return reader.sql(sql).fetchall()

    def frame(self, sql, file=None):
        with self.reader(file) as reader:
            return reader.sql(sql).df()

    def value(self, sql):
        return self.query(sql)[0][0]

    def published(self, sql):
        """Rows of the published file."""
        return self.query(sql, "warehouse.duckdb")

    def generation(self):
        """The inode of the published file and the number of builds in it; nothing else lies beside it."""
        assert [path.name for path in self.folder.glob("warehouse.duckdb*")] == ["warehouse.duckdb"]
        return (self.folder / "warehouse.duckdb").stat().st_ino, self.published("select count(*) from builds")[0][0]


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function that makes a project once for all processes of this run: the first one to ask makes it, the others wait.

    `make` fills an empty project and returns what is to be known of it, its `output`.
    """
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def project_of(name, make):
        folder, output = base / name, base / f"{name}.txt"
        with open(base / f"{name}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not output.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                output.write_text(make(Project(folder)), encoding="utf-8")
        project = Project(folder)
        project.output = output.read_text(encoding="utf-8")
        return project

    return project_of


@pytest.fixture(scope="session")
def new_project(tmp_path_factory, once):
    """A function that makes a copy of the project, with what dbt has learnt by parsing it once, which saves seconds.

    It comes without the unit tests of the SQL and without orders, unless it is `whole` or has models of `orders`.
    """

    def parse(project):
        project.copy_files()
        return project.dbt("parse")[1]

    def copy(*, whole=False, orders=False):
        project = Project(tmp_path_factory.mktemp("project"))
        project.copy_files(whole=whole, orders=orders)
        if not whole and not orders:
            shutil.copytree(once("parsed", parse).folder / "target", project.folder / "target")
        return project

    return copy


def built(once, name, *, whole):
    """A project built once on the sample. Tests that change it or build in it take a copy."""

    def build(project):
        project.copy_files(whole=whole)
        return project.build()

    return once(name, build)


@pytest.fixture(scope="session")
def built_sample(once):
    """The whole project built on its own sample."""
    return built(once, "built_sample", whole=True)


@pytest.fixture(scope="session")
def built_customers(once):
    """The project built on the customers of the sample alone."""
    return built(once, "built_customers", whole=False)


@pytest.fixture(scope="session")
def copy_of(tmp_path_factory):
    """A function that makes a copy of a built project, its files included."""

    def copy(built):
        project = Project(tmp_path_factory.mktemp("project"))
        shutil.copytree(built.folder, project.folder, dirs_exist_ok=True)
        return project

    return copy


@pytest.fixture(scope="session")
def shared_data():
    """A function from a file name to the path of real data; skips where the data is absent."""

    def path_of(name):
        path = DATA / name
        if not path.exists():
            pytest.skip(f"the real data is absent: {name} is not in {DATA}")
        return path

    return path_of


@pytest.fixture(scope="session")
def spark():
    """A session of Spark for all tests of this process."""
    from spark import Spark

    session = Spark()
    yield session
    session.close()


@pytest.fixture(scope="session")
def new_spark_project(tmp_path_factory, request):
    """A function that makes a copy of the project for that session, or another one; `whole` and `orders` as in new_project.

    The rest is for SparkProject.
    """
    from spark import SparkProject

    def copy(*, whole=False, orders=False, session=None, **settings):
        project = SparkProject(tmp_path_factory.mktemp("project"), session or request.getfixturevalue("spark"), **settings)
        project.copy_files(whole=whole, orders=orders)
        return project

    return copy


@pytest.fixture(scope="session")
def hostile(once):
    """The project built on a file, a seed and labels that try to harm: markup, formulas and paths in names, values and ids."""
    project = once("hostile", build_hostile)
    project.names = HOSTILE_NAMES
    return project


HOSTILE_NAMES = ["<script>alert(1)</script>", "=cmd()", "../../etc/passwd", "@SUM(A1)", '"><img src=x onerror=alert(1)>']


def build_hostile(project):
    project.copy_files()
    block = project.block()
    block["features"][0]["label"] = "<b>age</b>"
    project.configure(
        source={"file": "hostile.csv"},
        key={"name": "member", "data_type": "varchar"},
        attributes=[{"name": "gender"}, {"name": "email"}],
        features=block["features"],
    )
    rows = []
    for line in (ROOT / "dbt_project" / "sample" / "customers.csv").read_text(encoding="utf-8").splitlines()[1:400]:
        number, gender, *features = line.split(",")
        if len(features) != 3 or not all(value.isdigit() for value in features):
            continue
        member = {"1": "-17", "2": "+351 912-000", "3": "=cmd()", "4": "@SUM(A1)", "5": "00042"}.get(number, f"m{number}")
        value = {"Female": "<script>alert(1)</script>", "Male": "=cmd()"}.get(gender, "")
        email = "" if number == "6" else f" Some.Body+{number}@Example.COM "
        rows.append(",".join([member, value, email, *features]))
    header = "Member,Gender,Email,Age,Annual Income,Spending Score"
    (project.folder / "hostile.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    with (project.folder / "dbt_project" / "seeds" / "segment_names.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["segment_id", "segment_name"], *enumerate(HOSTILE_NAMES, start=1)])
    return project.build()
