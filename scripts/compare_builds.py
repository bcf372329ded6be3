"""Build a git revision and the work tree on the same inputs, night after night, and say in which public tables they differ.

Run it before and after a refactoring: where it prints "equal" only, readers of the warehouse notice nothing.

    python scripts/compare_builds.py 2ed8a1f
    python scripts/compare_builds.py main --only mall genre --keep build/comparison
    python scripts/compare_builds.py 2ed8a1f --make-fixture tests/data

Both sides are built by the environment that runs this script, with one thread, so that doubles are added up in the same
order. Where the SQL of a sum changes, its last digits may still differ; --tolerance 1e-12 overlooks that.

Compared is the schema main of what they publish: the tables and views by name (a table may become a view), columns with
their order and types, comments, functions, and all rows, their order aside. Some values differ from build to build:

- a build id becomes the position of the build, and a time that belongs to a build becomes the position of the last build
  that began at or before it; the id at the end of a table's comment is taken away;
- the values of `code_version`, `duckdb_version`, `engine` and `library_versions` are left out: they name the code, not what
  it makes;
- of `dbt_scd_id` it only counts whether every row has its own;
- a list of structs is sorted, for its order is chance.

The exit status is 1 where anything differs, and 2 where a side could not be built.
"""

import argparse
import gzip
import io
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import duckdb
import numpy as np
import yaml
from warehouse import plural

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
DBT = Path(sys.executable).with_name("dbt")
SAMPLE = Path("dbt_project/sample")
WAREHOUSE = "warehouse.duckdb"

BUILD_TIMES = {"built_at", "changed_at", "from_changed_at", "fitted_at", "dbt_valid_from", "dbt_valid_to", "dbt_updated_at"}
NAMES_OF_CODE = {"code_version", "duckdb_version", "engine", "library_versions"}
ROW_ID = "dbt_scd_id"
EXAMPLES = 2  # differing rows that are shown
SHOWN_COLUMNS = 4  # of a differing row
SHOWN_CHARACTERS = 100  # of a value

RELATIONS = """
    select table_name, comment from duckdb_tables() where database_name = $database and schema_name = 'main'
    union all
    select view_name, comment from duckdb_views() where database_name = $database and schema_name = 'main' and not internal
"""
COLUMNS = """
    select table_name, column_name, data_type, comment
    from duckdb_columns()
    where database_name = $database and schema_name = 'main' and not internal
    order by table_name, column_index
"""
FUNCTIONS = """
    select function_name, concat('(', array_to_string(parameters, ', '), ') ', macro_definition)
    from duckdb_functions()
    where database_name = $database and schema_name = 'main' and not internal
"""


class ComparisonError(Exception):
    """One sentence: what is in the way."""


# Comparing two databases


@dataclass
class Side:
    """What one database publishes: its attached name, and what the reader calls it."""

    database: str
    name: str
    comments: dict = field(default_factory=dict)  # {table: comment without the build}
    columns: dict = field(default_factory=dict)  # {table: {column: (type, comment)}}, in the order of the table
    functions: dict = field(default_factory=dict)  # {function: parameters and definition}
    builds: list = field(default_factory=list)  # [(build id, when it began)], the oldest first


def read_side(connection, database, name):
    """The Side of an attached database."""
    side = Side(database, name)
    for table, comment in connection.execute(RELATIONS, {"database": database}).fetchall():
        side.comments[table] = re.sub(r"\s*Build [0-9a-f-]{36}$", "", comment or "")
        side.columns[table] = {}
    for table, column, data_type, comment in connection.execute(COLUMNS, {"database": database}).fetchall():
        side.columns[table][column] = (data_type, comment or "")
    side.functions = dict(connection.execute(FUNCTIONS, {"database": database}).fetchall())
    if {"build_id", "built_at"} <= set(side.columns.get("builds", {})):
        # Version 1.0.0 had no numbers.
        order = "build_number" if "build_number" in side.columns["builds"] else "built_at, build_id"
        builds = f"select build_id, built_at from {quoted(database, 'main', 'builds')} order by {order}"
        side.builds = connection.execute(builds).fetchall()
    return side


def quoted(*names):
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def differences(connection, before, after, tolerance=0.0):
    """What differs between two attached databases in the eyes of their readers, as sentences; none where they are equal.

    `before` and `after` are pairs (name of the attached database, what the sentences call it). Doubles may differ by
    `tolerance`, relative to the larger of the two, or to 1 where both are smaller, and so may the constants in functions.
    """
    before, after = read_side(connection, *before), read_side(connection, *after)
    for table in only_in_one(before, after, "comments"):
        yield table
    for function in only_in_one(before, after, "functions"):
        yield function
    for function in sorted(set(before.functions) & set(after.functions)):
        if not are_equal(*(with_numbers(side.functions[function]) for side in (before, after)), tolerance):
            yield f"{function}: the function is {side_by_side(before.functions[function], after.functions[function])}"
    for table in sorted(set(before.columns) & set(after.columns)):
        yield from (f"{table}: {words}" for words in table_differences(connection, before, after, table, tolerance))


def with_numbers(text):
    """The pieces of a text, decimal numbers among them as numbers."""
    pieces = re.split(r"(\d+\.\d+(?:e[+-]?\d+)?)", text)
    return [float(piece) if place % 2 else piece for place, piece in enumerate(pieces)]


def only_in_one(before, after, kind):
    noun = {"comments": "the table", "functions": "the function"}[kind]
    for side, other in ((before, after), (after, before)):
        for name in sorted(set(getattr(side, kind)) - set(getattr(other, kind))):
            yield f"{name}: {noun} is only in {side.name}"


def table_differences(connection, before, after, table, tolerance):
    """What differs in one table that both have."""
    if before.comments[table] != after.comments[table]:
        yield f"the comment of the table is {side_by_side(before.comments[table], after.comments[table])}"
    columns_before, columns_after = before.columns[table], after.columns[table]
    for side, other in ((before, after), (after, before)):
        for column in side.columns[table]:
            if column not in other.columns[table]:
                yield f"the column {column} is only in {side.name}"
    common = [column for column in columns_before if column in columns_after]
    order_after = [column for column in columns_after if column in columns_before]
    if common != order_after:
        yield f"the order of the columns is {side_by_side(', '.join(common), ', '.join(order_after))}"
    for column in common:
        for what, value_before, value_after in zip(
            ("type", "comment"), columns_before[column], columns_after[column], strict=True
        ):
            if value_before != value_after:
                yield f"the {what} of {column} is {side_by_side(value_before, value_after)}"
    if ROW_ID in common:
        yield from row_id_differences(connection, before, after, table)
    yield from row_differences(connection, before, after, table, common, tolerance)


def row_id_differences(connection, before, after, table):
    unique = f"select count(*) = count(distinct {ROW_ID}) from "
    are_unique = [connection.execute(unique + quoted(side.database, "main", table)).fetchone()[0] for side in (before, after)]
    if are_unique[0] != are_unique[1]:
        yield f"{ROW_ID} identifies the rows only in {(before if are_unique[0] else after).name}"


def row_differences(connection, before, after, table, common, tolerance):
    compared = [column for column in common if column not in NAMES_OF_CODE | {ROW_ID}]
    types = [(before.columns[table][column][0], after.columns[table][column][0]) for column in compared]
    rows = {}
    for side in (before, after):
        values = [comparable(side, column, *types) for column, types in zip(compared, types, strict=True)]
        # Kept, as a view adds up anew each time that it is asked, in an order of its own.
        kept = quoted(f"compared_{side.database}")
        connection.execute(
            f"create or replace temp table {kept} as select {', '.join(values)} from {quoted(side.database, 'main', table)}"
        )
        rows[side.name] = f"select * from {kept}"
    count = "select count(*) from "
    n_rows = [connection.execute(count + quoted(side.database, "main", table)).fetchone()[0] for side in (before, after)]
    if n_rows[0] != n_rows[1]:
        yield f"the number of rows is {side_by_side(*n_rows)}"
    only_before, only_after = (
        connection.execute(f"{rows[side.name]} except all {rows[other.name]}").fetchall()
        for side, other in ((before, after), (after, before))
    )
    if not only_before and not only_after:
        return
    key = key_columns(connection, rows.values(), compared, types)
    pairs = [
        (row_before, row_after)
        for row_before, row_after in paired(only_before, only_after, [compared.index(column) for column in key])
        if row_before is None or row_after is None or not are_equal(row_before, row_after, tolerance)
    ]
    if pairs:
        shown = "; ".join(described(pair, compared, key, before.name, after.name) for pair in pairs[:EXAMPLES])
        yield f"{len(pairs)} of {max(n_rows)} rows differ: {shown}"


def comparable(side, column, type_before, type_after):
    """The SQL of a column's values with builds in the place of their ids and times."""
    value = quoted(column)
    if column == "build_id":
        ids = f"cast({[str(build_id) for build_id, _ in side.builds]} as varchar[])"
        value = f"case when {value} is not null then coalesce(list_position({ids}, cast({value} as varchar)), 0) end"
    elif column in BUILD_TIMES and {type_before, type_after} == {"TIMESTAMP"}:
        begun = " + ".join(f"cast({value} >= timestamp '{built_at}' as integer)" for _, built_at in side.builds)
        value = f"case when {value} is not null then {begun or 0} end"
    elif type_before == type_after and re.fullmatch(r"STRUCT\(.*\)\[\]", type_before):
        value = f"list_sort({value})"  # written in the order in which they were found, which is chance
    elif type_before != type_after:
        value = f"cast({value} as varchar)"
    return f"{value} as {quoted(column)}"


def key_columns(connection, queries, columns, types):
    """The fewest first columns that identify the rows of both queries, without doubles, which may be rounded.

    Where nothing does, all columns but those with doubles.
    """
    exact = [column for column, pair in zip(columns, types, strict=True) if not any("DOUBLE" in name for name in pair)]
    for length in range(1, len(exact) + 1):
        names = ", ".join(quoted(column) for column in exact[:length])
        is_key = f"select count(*) = count(distinct row({names})) from "
        if all(connection.execute(f"{is_key} ({query})").fetchone()[0] for query in queries):
            return exact[:length]
    return exact


def paired(rows_before, rows_after, key):
    """[(row, row)] of the rows with equal values at the positions `key`, None where one side has no more of them."""
    groups = defaultdict(lambda: ([], []))
    for place, rows in enumerate((rows_before, rows_after)):
        for row in rows:
            groups[str([row[position] for position in key])][place].append(row)
    for group in groups.values():
        yield from zip_longest(*(sorted(rows, key=sortable) for rows in group))


def sortable(row):
    return [(value is None, str(value) if value is None or isinstance(value, (list, dict)) else value) for value in row]


def are_equal(before, after, tolerance):
    if isinstance(before, float) and isinstance(after, float):
        is_close = math.isclose(before, after, rel_tol=tolerance, abs_tol=tolerance)
        return is_close or (math.isnan(before) and math.isnan(after))
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and are_equal(list(before.values()), list(after.values()), tolerance)
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        return len(before) == len(after) and all(are_equal(*pair, tolerance) for pair in zip(before, after, strict=True))
    return before == after


def described(pair, columns, key, name_before, name_after):
    """One differing row: by what it is known, and its values side by side."""
    row_before, row_after = pair
    known_by = dict(zip(columns, row_before or row_after, strict=True))
    place = ", ".join(f"{column} {known_by[column]}" for column in key)[: 2 * SHOWN_CHARACTERS]
    if row_before is None or row_after is None:
        return f"the one at {place} is only in {name_after if row_before is None else name_before}"
    values = [
        f"{column} is {side_by_side(value_before, value_after)}"
        for column, value_before, value_after in zip(columns, row_before, row_after, strict=True)
        if not are_equal(value_before, value_after, 0.0)
    ]
    more = [f"and {plural(len(values) - SHOWN_COLUMNS, 'column')} more"] if len(values) > SHOWN_COLUMNS else []
    return f"at {place} " + ", ".join(values[:SHOWN_COLUMNS] + more)


def side_by_side(before, after):
    """Both values, long ones from shortly before the place where they part."""
    texts = [str(before), str(after)]
    n_alike = next((place for place, (one, other) in enumerate(zip_longest(*texts)) if one != other), 0)
    start = max(0, n_alike - 20) if max(map(len, texts)) > SHOWN_CHARACTERS else 0
    before, after = (
        ("…" if start else "") + text[start : start + SHOWN_CHARACTERS] + ("…" if len(text) > start + SHOWN_CHARACTERS else "")
        for text in texts
    )
    return f"[{before}] | [{after}]"


# What is built: scenarios, each a sequence of nights


@dataclass
class Night:
    """The files of a build, {path in the project: bytes}, and what dbt is told."""

    files: dict
    arguments: list = field(default_factory=list)


@dataclass
class Scenario:
    """Nights that are built one after the other in one project; `environment` names its files, `settings` its configuration."""

    nights: list
    environment: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)


REFIT = ["--vars", "{refit: true, n_clusters: 6}"]
SCORE = ["--vars", "{n_clusters: 6}"]  # as the night before, so that it is no reason to fit again


def sample():
    """The sample with its orders: changes, a refit with another k, and the return of those who left."""
    customers, orders = (
        (ROOT / SAMPLE / name).read_text(encoding="utf-8").splitlines() for name in ("customers.csv", "orders.csv")
    )
    generator = random.Random(1)
    changed, left = next_customers(customers, generator)
    changed_again, _ = next_customers(changed, generator)
    nights = []
    for number, (lines, arguments) in enumerate(
        [(customers, []), (changed, []), (changed_again, REFIT), (changed_again + left, SCORE)], start=1
    ):
        if number > 1:
            orders = next_orders(orders, lines, number, generator)
        files = {SAMPLE / "customers.csv": encoded(lines), SAMPLE / "orders.csv": encoded(orders)}
        nights.append(Night(files, arguments))
    return Scenario(nights)


def mall(data):
    """Mall Customers, without orders: changes, then a refit with another k."""
    customers = shared(data, "Mall_Customers.csv").decode().splitlines()
    generator = random.Random(2)
    changed, left = next_customers(customers, generator)
    changed_again, _ = next_customers(changed, generator)
    nights = [(customers, []), (changed, []), (changed_again + left, REFIT)]
    return Scenario(
        [Night({"customers.csv": encoded(lines)}, arguments) for lines, arguments in nights], {"CUSTOMERS_FILE": "customers.csv"}
    )


def genre(data):
    """The other copy of Mall Customers in circulation, as it is."""
    content = shared(data, "Mall_Customers_genre_crlf.csv")
    return Scenario([Night({"customers.csv": content})], {"CUSTOMERS_FILE": "customers.csv"})


def large():
    """300,000 customers with hardly two rows alike, so that the fit draws a sample; some rates are missing, some rows refused."""
    generator = np.random.default_rng(3)
    n = 300_000
    kind = generator.integers(4, size=n)
    amount = np.array([40.0, 900.0, 900.0, 12000.0])[kind] * generator.lognormal(sigma=0.5, size=n)
    weekly = np.array([2.0, 3.0, 9.0, 6.0])[kind] + generator.normal(scale=0.8, size=n)
    rate = np.array([0.2, 0.7, 0.3, 0.5])[kind] + generator.normal(scale=0.08, size=n)
    has_rate = generator.random(n) >= 0.03
    lines = ["member,region,amount,weekly,rate"]
    for number in range(n):
        text = f"{rate[number]:.5f}" if has_rate[number] else ""
        lines.append(f"{number + 1},{'north' if number % 3 else 'south'},{amount[number]:.2f},{weekly[number]:.4f},{text}")
    lines[1000:1000] = [
        f"{n + 1},north,-5.00,3.1,0.4",
        f"{n + 2},south,much,3.1,0.4",
        "1,north,70.00,2.5,0.3",
        f"{n + 3},north,70.00",
    ]
    features = [
        {"name": "amount", "range": [0, None], "transform": "log1p", "unit": "EUR"},
        {"name": "weekly"},
        {"name": "rate", "missing": "median"},
    ]
    settings = {
        "source": {"file": "customers.csv"},
        "key": {"name": "member", "data_type": "bigint"},
        "attributes": [{"name": "region"}],
        "features": features,
        "n_clusters": 4,
        "k_range": [1, 8],
    }
    return Scenario([Night({"customers.csv": encoded(lines)})], settings=settings)


def small():
    """Some 150 customers of the sample and 600 lines of their orders, as files of one's own: changes, a refit, a return."""
    customers, orders = sample_files()
    customers = [customers[0], *of_every_twentieth(customers, place=0)]
    orders = [orders[0], *of_every_twentieth(orders, place=1)[-600:]]
    generator = random.Random(4)
    changed, left = next_customers(customers, generator)
    changed_again, _ = next_customers(changed, generator)
    nights = []
    for number, (lines, arguments) in enumerate(
        [(customers, []), (changed, ["--vars", "{refit: true}"]), (changed_again + left, [])], start=1
    ):
        if number > 1:
            orders = next_orders(orders, lines, number, generator)
        nights.append(Night({"customers.csv": encoded(lines), "orders.csv": encoded(orders)}, arguments))
    return Scenario(nights, {"CUSTOMERS_FILE": "customers.csv", "ORDERS_FILE": "orders.csv"})


def of_every_twentieth(lines, place):
    """The whole lines of the customers 20, 40, ..., whose number is the field `place`."""
    whole = [line for line in lines if re.fullmatch(r"\d+,[^,]+(,[^,]+)+", line)]
    return [line for line in whole if (number := line.split(",")[place]).isdigit() and int(number) % 20 == 0]


def sample_files():
    return ((ROOT / SAMPLE / name).read_text(encoding="utf-8").splitlines() for name in ("customers.csv", "orders.csv"))


def shared(data, name):
    path = data / name
    if not path.exists():
        raise ComparisonError(f"{name} is not in {data}; give its folder with --data, or leave its scenario out with --only.")
    return path.read_bytes()


def encoded(lines):
    return ("\n".join(lines) + "\n").encode()


def next_customers(lines, generator):
    """The customers of the night after, and the lines of those who left.

    Of every hundred, three leave and five take the values of somebody else; three new ones come. Lines that are not in order
    stay as they are.
    """
    header, *records = lines
    whole = [line for line in records if re.fullmatch(r"\d+,\w*(,\d+)+", line) and line.count(",") == header.count(",")]
    left = set(generator.sample(whole, len(whole) * 3 // 100))
    staying = [line for line in whole if line not in left]
    changing = set(generator.sample(staying, len(whole) * 5 // 100))

    def with_values_of_somebody(number):
        return ",".join([str(number), *generator.choice(whole).split(",")[1:]])

    changed = [with_values_of_somebody(line.split(",")[0]) if line in changing else line for line in records if line not in left]
    last = max(int(line.split(",")[0]) for line in whole) + 100  # beyond the numbers of lines that are not in order
    new = [with_values_of_somebody(last + number) for number in range(1, len(whole) * 3 // 100 + 1)]
    return [header, *changed, *new], [line for line in records if line in left]


def next_orders(lines, customers, number, generator):
    """The orders of night `number`: those before, and for every hundred of them two new ones of customers who are there."""
    whole = [line for line in lines if re.fullmatch(r"\d+,\d+,2[\d-]+,-?[\d.]+", line)]
    numbers = [line.split(",")[0] for line in customers if re.match(r"\d+,", line)]
    last = max(int(line.split(",")[0]) for line in lines if re.match(r"\d+,", line))
    new = [
        f"{last + offset},{generator.choice(numbers)},2026-01-{number:02},{generator.choice(whole).split(',')[3]}"
        for offset in range(1, len(whole) * 2 // 100 + 1)
    ]
    return lines + new


SCENARIOS = {"sample": lambda _: sample(), "mall": mall, "genre": genre, "large": lambda _: large()}


# Building both sides


def unpack_revision(revision, folder):
    """The files of a git revision of this repository."""
    run = subprocess.run(["git", "archive", "--format=zip", revision], cwd=ROOT, capture_output=True, check=False)
    if run.returncode:
        raise ComparisonError(f"{revision} is no revision of the repository in {ROOT}: {run.stderr.decode().strip()}")
    zipfile.ZipFile(io.BytesIO(run.stdout)).extractall(folder)


def copy_work_tree(source, folder):
    """The files of a work tree as they are, without those that git ignores."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    run = subprocess.run(listed, cwd=source, capture_output=True, text=True, check=False) if source.is_dir() else None
    if run is None or run.returncode:
        raise ComparisonError(f"{source} is no work tree of git; --against takes the folder of one.")
    for name in run.stdout.split("\0"):
        if name and (source / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, folder / name)


def configure(folder, settings):
    """Replace settings of the block `segmentation:`; `source` is merged."""
    path = folder / "dbt_project.yml"
    project = yaml.safe_load(path.read_text(encoding="utf-8"))
    block = project["vars"]["segmentation"]
    block.update(settings | {"source": block["source"] | settings["source"]})
    path.write_text(yaml.safe_dump(project, sort_keys=False), encoding="utf-8")


def use_one_thread(folder):
    """Let DuckDB work with one thread: with more, it adds doubles up in an order that is chance, and the last digits differ."""
    path = folder / "profiles.yml"
    profiles = yaml.safe_load(path.read_text(encoding="utf-8"))
    for profile in profiles.values():
        for output in profile["outputs"].values():
            if output["type"] == "duckdb":
                output.setdefault("settings", {})["threads"] = 1
    path.write_text(yaml.safe_dump(profiles, sort_keys=False), encoding="utf-8")


def build(folder, scenario, night):
    """Run `dbt build` on the files of a night in the project in `folder`; what dbt says is added to its build.log."""
    for name, content in night.files.items():
        (folder / name).write_bytes(content)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("DBT_") and name not in ("CUSTOMERS_FILE", "ORDERS_FILE")
    }
    environment |= scenario.environment | {"OMP_NUM_THREADS": "1"}  # as use_one_thread(), for scikit-learn
    with open(folder / "build.log", "a+", encoding="utf-8") as log:
        command = [DBT, "--no-use-colors", "build", *night.arguments]
        code = subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=False).returncode
        if code:
            log.seek(0)
            last_lines = "".join(log.readlines()[-15:])
            raise ComparisonError(f"dbt build failed in {folder}, its last lines were:\n{last_lines}")


def compare_scenario(name, scenario, unpack, folder, tolerance):
    """Build both sides of a scenario night after night and print the differences; how many there are.

    `unpack` is {what the reader calls the side: function that fills a folder with its project}.
    """
    n_differences = 0
    sides = {side: folder / name / place for side, place in zip(unpack, ("before", "after"), strict=True)}
    for side, project in sides.items():
        project.mkdir(parents=True)
        unpack[side](project)
        use_one_thread(project)
        if scenario.settings:
            configure(project, scenario.settings)
    for number, night in enumerate(scenario.nights, start=1):
        for side, project in sides.items():
            print(f"{name}, night {number}: building {side} ...", file=sys.stderr, flush=True)
            build(project, scenario, night)
        with duckdb.connect() as connection:
            for database, project in zip(("before", "after"), sides.values(), strict=True):
                connection.execute(f"attach '{project / WAREHOUSE}' as {database} (read_only)")
            found = list(differences(connection, *zip(("before", "after"), sides, strict=True), tolerance=tolerance))
        for words in found or ["equal"]:
            print(f"{name}, night {number}: {words}", flush=True)
        n_differences += len(found)
    return n_differences


def make_fixture(revision, folder):
    """Write what a revision publishes after the nights of small(), packed, and the files of the last night."""
    with tempfile.TemporaryDirectory() as project:
        project = Path(project)
        unpack_revision(revision, project)
        use_one_thread(project)
        scenario = small()
        for night in scenario.nights:
            build(project, scenario, night)
        folder.mkdir(parents=True, exist_ok=True)
        for name in night.files:
            shutil.copy(project / name, folder / name)
        packed = gzip.compress((project / WAREHOUSE).read_bytes(), mtime=0)
        (folder / f"warehouse_{revision}.duckdb.gz").write_bytes(packed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("revision", help="of this repository, such as main or 2ed8a1f")
    parser.add_argument("--against", type=Path, default=ROOT, help="another work tree than that of this script")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), help="these scenarios, not all of them")
    parser.add_argument(
        "--tolerance", type=float, default=0.0, help="difference up to which doubles are equal, such as 1e-12; relative above 1"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="build in this new folder and leave it")
    parser.add_argument(
        "--make-fixture",
        type=Path,
        metavar="FOLDER",
        help="compare nothing, and write there what the revision publishes of a small table",
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the Mall Customers files")
    arguments = parser.parse_args()
    unpack = {
        arguments.revision: lambda folder: unpack_revision(arguments.revision, folder),
        "work tree": lambda folder: copy_work_tree(arguments.against.resolve(), folder),
    }
    try:
        if arguments.make_fixture:
            return make_fixture(arguments.revision, arguments.make_fixture)
        if arguments.keep and arguments.keep.exists():
            raise ComparisonError(f"{arguments.keep} exists; give a new folder to --keep.")
        scenarios = {name: SCENARIOS[name](arguments.data) for name in arguments.only}
        with nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory() as folder:
            folder = Path(folder).resolve()
            n_differences = sum(
                compare_scenario(name, scenario, unpack, folder, arguments.tolerance) for name, scenario in scenarios.items()
            )
    except ComparisonError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    sys.exit(1 if n_differences else 0)


if __name__ == "__main__":
    main()
