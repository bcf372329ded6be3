"""The real project, copied into a temporary folder, built by a subprocess and read back read-only."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
DBT = Path(sys.executable).with_name("dbt")
COLOURS = re.compile(r"\x1b\[\d+m")


class Project:
    """A copy of the project in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
        for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0"):
            if name and (ROOT / name).exists() and not name.startswith("tests/"):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)

    def block(self):
        """The configuration block `segmentation:`."""
        return yaml.safe_load((self.folder / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]["segmentation"]

    def configure(self, block="segmentation", **settings):
        """Replace settings of the block `segmentation:` or another one; `source` is merged."""
        path = self.folder / "dbt_project.yml"
        project = yaml.safe_load(path.read_text(encoding="utf-8"))
        block = project["vars"][block]
        settings["source"] = block["source"] | settings.get("source", {})
        block.update(settings)
        path.write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")

    def dbt(self, *arguments, file=None, orders=None):
        """Run dbt; returns (exit code, what it printed, without colours and line breaks)."""
        files = {"CUSTOMERS_FILE": file, "ORDERS_FILE": orders}
        environment = {name: value for name, value in os.environ.items() if name not in files}
        environment |= {name: str(path) for name, path in files.items() if path}
        run = subprocess.run(
            [DBT, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        return run.returncode, " ".join(COLOURS.sub("", run.stdout + run.stderr).split())

    def build(self, *arguments, **files):
        """Run dbt build, which must succeed; returns what it printed."""
        code, output = self.dbt("build", *arguments, **files)
        assert code == 0, output[-3000:]
        return output

    def query(self, sql, file="build/warehouse.duckdb"):
        """Rows of the file that builds work in, which is there whether or not they were published."""
        with duckdb.connect(self.folder / file, read_only=True) as warehouse:
            return warehouse.sql(sql).fetchall()

    def frame(self, sql, file="build/warehouse.duckdb"):
        with duckdb.connect(self.folder / file, read_only=True) as warehouse:
            return warehouse.sql(sql).df()

    def value(self, sql):
        return self.query(sql)[0][0]


@pytest.fixture(scope="session")
def new_project(tmp_path_factory):
    """A function that makes a copy of the project, with what dbt has learnt by parsing it once, which saves seconds."""
    parsed = Project(tmp_path_factory.mktemp("parsed"))
    parsed.dbt("parse")

    def copy():
        project = Project(tmp_path_factory.mktemp("project"))
        shutil.copytree(parsed.folder / "target", project.folder / "target")
        return project

    return copy


@pytest.fixture(scope="session")
def built_sample(new_project):
    """The project built on its own sample. Tests that change it or build in it take a copy."""
    project = new_project()
    project.output = project.build()
    return project


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
def hostile(new_project):
    """The project built on a file, a seed and labels that try to harm: markup, formulas and paths in names, values and ids."""
    project = new_project()
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
    names = ["<script>alert(1)</script>", "=cmd()", "../../etc/passwd", "@SUM(A1)", '"><img src=x onerror=alert(1)>']
    with (project.folder / "dbt_project" / "seeds" / "segment_names.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["segment_id", "segment_name"], *enumerate(names, start=1)])
    project.names = names
    project.build()
    return project
