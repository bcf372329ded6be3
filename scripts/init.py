"""Look at a table of customers and write the configuration for it into dbt_project.yml, each guess with what it rests on.

    python scripts/init.py customers.csv
    python scripts/init.py customers.csv --orders orders.csv
    python scripts/init.py --relation "ref('crm_customers')"

The table is read as builds read it. In the block `segmentation:` source, key, attributes, features and n_clusters are written
anew, and all else stays as it is; the file before is kept as dbt_project.yml.bak. What cannot be decided is listed, and ends the
script with an error.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import yaml
from dbt_common.exceptions import DbtBaseException
from guesses import Customers, Orders
from inspection import QuestionError
from reading import ROOT, STAGING, Reading
from warehouse import plural

CONFIGURATION = ROOT / "dbt_project.yml"
BACKUP = ROOT / "dbt_project.yml.bak"
BUILD = ROOT / "build"
DBT = Path(sys.executable).with_name("dbt")
SAMPLE = "dbt_project/sample/customers.csv"
# What the shipped file says of the columns of the sample; who has changed it has work to lose.
SHIPPED = "90d5c20491634d11"
WRITTEN = ("key", "attributes", "features", "n_clusters")
# More rows are refused than a build accepts.
MAX_REJECTED_SHARE = 0.05


def digest_of(block):
    """A digest of what this script would write anew in a block, but for the source."""
    return hashlib.sha256(json.dumps([block.get(name) for name in WRITTEN]).encode()).hexdigest()[:16]


def sections_of(lines, block):
    """{setting: (first line, line behind it)} of a block of two spaces; comments above a setting are not of it."""
    start = lines.index(f"  {block}:") + 1
    sections, name = {}, None
    for number, line in enumerate([*lines[start:], "end"], start=start):
        indent = len(line) - len(line.lstrip())
        if not line.strip() or indent > 4:
            continue
        if name:
            end = number
            while not lines[end - 1].strip():
                end -= 1
            sections[name] = sections[name][0], end
            name = None
        if indent < 4:
            if line.lstrip().startswith("#"):
                continue
            break
        if not line.lstrip().startswith("#"):
            name = line.strip().split(":")[0]
            sections[name] = number, number + 1
    return start, sections


def with_settings(text, block, settings):
    """The text of dbt_project.yml with other lines, {setting: lines}, for some settings of a block."""
    lines = text.split("\n")
    start, sections = sections_of(lines, block)
    missing = [line for name, new in settings.items() if name not in sections for line in new]
    for name in sorted(settings.keys() & sections.keys(), key=lambda name: -sections[name][0]):
        first, end = sections[name]
        lines[first:end] = settings[name]
    lines[start:start] = missing
    return "\n".join(lines)


def require_a_block_to_replace(block, overwrite):
    """Raise where the block in dbt_project.yml is not the one that the project ships."""
    is_shipped = block["source"].get("file") == SAMPLE and digest_of(block) == SHIPPED
    if not is_shipped and not overwrite:
        raise QuestionError(
            "dbt_project.yml, vars, segmentation has been edited, and would be written anew; to do so give OVERWRITE=1, and the "
            "file as it is now is kept as dbt_project.yml.bak."
        )


def copy_of_relation(relation, folder):
    """The path of a Parquet file with the rows of a relation, which dbt writes."""
    path = folder / "relation.parquet"
    arguments = json.dumps({"relation": relation, "path": str(path)})
    command = [DBT, "--quiet", "--no-use-colors", "run-operation", "copy_relation", "--args", arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if not path.exists():
        lines = [line.strip() for line in f"{run.stdout}\n{run.stderr}".splitlines()]
        around = r"(>|(\d\d:){2}\d\d +Encountered)|.*Error$"
        said = next((line for line in lines if line and not re.match(around, line)), "dbt says nothing")
        raise QuestionError(
            f"{relation} cannot be read: {said.rstrip('.!')}. A model has to be built before: dbt run --select and its name."
        )
    return path


def in_one_line(error):
    return " ".join(str(getattr(error, "msg", error)).split())


def relative(path):
    """A path as dbt_project.yml has it, from its folder."""
    return path if "://" in path or os.path.isabs(path) else os.path.relpath(path, ROOT)


def trial(folder, variables, block):
    """Read a source as a build would: (rows accepted, {reason: rows refused})."""
    *_, accepted, rejected = STAGING[block]
    with duckdb.connect(folder / f"{block}.duckdb") as connection:
        Reading(connection, folder, variables).build(*STAGING[block])
        (n_accepted,) = connection.execute(f"select count(*) from {accepted}").fetchone()
        refused = connection.execute(f"select reasons, count(*) as n from {rejected} group by reasons order by n desc, reasons")
        return n_accepted, dict(refused.fetchall())


def tried(place, folder, variables, block):
    """(what is to be said of the rows that a build would accept, what is to be decided if they are too few or None)."""
    n_accepted, reasons = trial(folder, variables, block)
    n_refused = sum(reasons.values())
    n_rows = n_accepted + n_refused
    said = f"{place}: {n_accepted:,} of {plural(n_rows, 'row')} can be used."
    if n_refused <= MAX_REJECTED_SHARE * n_rows:
        return said, None
    shown = ", ".join(f"{reason} ({plural(n, 'time')})" for reason, n in list(reasons.items())[:3])
    return said, (
        f"{place}: {n_refused:,} of {plural(n_rows, 'row')} would be refused: {shown}. Change the settings or the source, "
        f"or, if these rows may go, set a higher {block}: source: max_rejected_share."
    )


def configured(text, source, read, orders, folder):
    """(the new text of dbt_project.yml, what was found, what is to be decided).

    `source` are the settings of the source of customers as they are written, `read` those of the file that is looked at, and
    `orders` the path of their orders or None.
    """
    place = source.get("relation") or source["file"]
    with duckdb.connect(folder / "table.duckdb") as connection:
        customers = Customers(connection, folder, read, place)
        text = with_settings(text, "segmentation", customers.settings(source))
        found, questions, places = customers.summary(), customers.questions, {"segmentation": place}
        if orders:
            table = Orders(connection, folder, {"file": orders}, customers)
            text = with_settings(text, "orders", table.settings())
            found, questions, places = found + table.summary(), questions + table.questions, places | {"orders": orders}
    if not questions:
        variables = yaml.safe_load(text)["vars"]
        variables["segmentation"] = dict(variables["segmentation"], source=read)
        for block in places:
            said, question = tried(places[block], folder, variables, block)
            found.append(said)
            questions += [question] if question else []
    return text, found, questions


def init(arguments):
    """Look, write and say what was found; returns whether all is decided."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    require_a_block_to_replace(yaml.safe_load(text)["vars"]["segmentation"], arguments.overwrite)
    settings = yaml.safe_load(arguments.source or "{}")
    if not isinstance(settings, dict):
        raise QuestionError(f"{arguments.source} is no list of settings of a source, such as {{encoding: windows-1252}}.")
    BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="init_") as folder:
        folder = Path(folder)
        source = {"relation": arguments.relation} if arguments.relation else {"file": arguments.file, **settings}
        read = {"file": str(copy_of_relation(arguments.relation, folder))} if arguments.relation else source
        text, found, questions = configured(text, source, read, arguments.orders, folder)
    shutil.copy2(CONFIGURATION, BACKUP)
    CONFIGURATION.write_text(text, encoding="utf-8")
    print("\n".join([*found, f"Written into {CONFIGURATION.name}, with what each guess rests on; before it was {BACKUP.name}."]))
    if questions:
        print("To be decided there before make build:")
        print("\n".join(f"{number}. {question}" for number, question in enumerate(questions, start=1)), flush=True)
    return not questions


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", help="customers: a file or a pattern of files, as file of a source")
    parser.add_argument("--relation", help="customers: a model, a source or a table, as relation of a source")
    parser.add_argument("--orders", help="a file of their orders")
    parser.add_argument("--source", metavar="SETTINGS", help="how the file is written, such as {encoding: windows-1252}")
    parser.add_argument("--overwrite", action="store_true", help="also where the configuration has been edited")
    arguments = parser.parse_args()
    if bool(arguments.file) == bool(arguments.relation):
        parser.error("give a file, or a relation by --relation")
    arguments.file = arguments.file and relative(arguments.file)
    arguments.orders = arguments.orders and relative(arguments.orders)
    os.chdir(ROOT)
    try:
        is_decided = init(arguments)
    except (QuestionError, DbtBaseException, duckdb.Error, OSError, yaml.YAMLError) as error:
        said = in_one_line(error)
        advice = (
            ' Here such a setting is given as SOURCE="{encoding: windows-1252}".' if "source: in dbt_project.yml" in said else ""
        )
        sys.exit(f"Nothing is written: {said}{advice}")
    sys.exit(not is_decided)


if __name__ == "__main__":
    main()
