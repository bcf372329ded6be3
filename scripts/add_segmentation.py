"""Write the thin files of a further segmentation: they say which model of the first one they are like, and what they read.

The block `<name>_segmentation:` in dbt_project.yml and the features model that it names are written by hand before.
"""

import argparse
import csv
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
DBT = ROOT / "dbt_project"
# Of the project as a whole, whatever they read.
SHARED = ("builds", "customers_360")
# As in the macro has_orders().
HAS_ORDERS = (
    "{{ var('orders_file', env_var('ORDERS_FILE', '') or ((var('orders', none) or {}).source or {}).file or '') "
    "not in [none, '', '' if var('customers_file', env_var('CUSTOMERS_FILE', '') or var('segmentation').source.file) "
    "== 'dbt_project/sample/customers.csv' else 'dbt_project/sample/orders.csv'] }}"
)
HEADING = "# Written by scripts/add_segmentation.py; descriptions, types and SQL are those of the first segmentation.\n"


def text_of(path):
    return path.read_text(encoding="utf-8")


def refs_of(path):
    return list(dict.fromkeys(re.findall(r"""\bref\(["'](\w+)["']\)""", text_of(path))))


def first_segmentation():
    """{name: path} of the models behind stg_customers that are written out, in the order of the folders."""
    folders = [DBT / "models" / "intermediate", DBT / "models" / "marts"]
    blocks = yaml.safe_load(text_of(ROOT / "dbt_project.yml"))["vars"]
    others = {name.removesuffix("segmentation"): block or {} for name, block in blocks.items() if name.endswith("_segmentation")}
    # The features models of the others may read stg_customers, too.
    features_models = {block.get("customers") for block in others.values()}
    paths = {path.stem: path for folder in folders for path in sorted(folder.glob("*.sql"))}
    paths |= {path.stem: path for path in sorted((ROOT / "python_models").glob("*.py"))}
    paths = {
        name: path
        for name, path in paths.items()
        if name not in features_models and not name.removeprefix("int_").startswith(tuple(others))
    }
    found = {"stg_customers"}
    while new := {name for name, path in paths.items() if name not in found and found & set(refs_of(path))} - set(SHARED):
        found |= new
    return {name: path for name, path in paths.items() if name in found}


class Names:
    """What stands in the segmentation `name` where the first has something else."""

    def __init__(self, name, customers, family):
        self.prefix = f"{name}_"
        self.customers = customers
        self.family = {*family, "segment_names", "customer_segment_history"}

    def __getitem__(self, name):
        if name == "stg_customers":
            return self.customers
        if name not in self.family:
            return name
        return f"int_{self.prefix}{name[4:]}" if name.startswith("int_") else self.prefix + name

    def in_text(self, text):
        """The same text about this segmentation: refs, the names of data tests and the settings of the configuration."""
        text = re.sub(r"""\bref\((["'])(\w+)\1\)""", lambda found: f"ref({found[1]}{self[found[2]]}{found[1]})", text)
        text = re.sub(r"\b([a-z_]+?)__", lambda found: f"{self[found[1]]}__", text)
        text = re.sub(r"var\('n_clusters'", f"var('{self.prefix}n_clusters'", text)
        return re.sub(r"var\('segmentation'\)(?!\.key)", f"var('{self.prefix}segmentation')", text)

    def in_yaml(self, value):
        if isinstance(value, dict):
            return {key: self.in_yaml(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.in_yaml(item) for item in value]
        return self.in_text(value) if isinstance(value, str) else value


def thin(path, names):
    configuration = "".join(re.findall(r"\{\{ config\(.+?\) \}\}\n", text_of(path)))
    tables = "\n".join(f"    ref('{names[name]}')," for name in refs_of(path))
    return f"{configuration}{{{{ like('{path.stem}', [\n{tables}\n]) }}}}\n"


def data_tests(entry, names):
    """What the YAML of a further segmentation says of a model: its data tests, and no more than dbt asks for beside them."""
    columns = [
        {"name": column["name"]} | ({"data_tests": column["data_tests"]} if "data_tests" in column else {})
        for column in entry.get("columns", [])
    ]
    tested = [column for column in columns if "data_tests" in column]
    found = {"columns": tested or columns[:1], "data_tests": entry.get("data_tests")}
    own = names.in_yaml({key: value for key, value in found.items() if value})
    return {"name": names[entry["name"]], "description": f"As {entry['name']}, in this segmentation."} | own


class Dumper(yaml.SafeDumper):
    """Lists are indented, and text in double quotes where it needs quotes."""

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def represent_text(dumper, text):
    if len(text) > 120:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=">")
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if "{{" in text else None)


Dumper.add_representer(str, represent_text)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_yaml(path, kind, entries):
    write(path, HEADING + yaml.dump({"version": 2, kind: entries}, Dumper=Dumper, sort_keys=False, width=150, allow_unicode=True))


def add(name):
    block = yaml.safe_load(text_of(ROOT / "dbt_project.yml"))["vars"].get(f"{name}_segmentation")
    if not block or not block.get("customers"):
        raise SystemExit(f"dbt_project.yml has no vars: {name}_segmentation: with customers: and features:; write it first")
    family = first_segmentation()
    if not block.get("attributes"):
        family.pop("segment_attribute_profiles")
    names = Names(name, block["customers"], family)
    enabled = {"enabled": HAS_ORDERS} if block.get("needs") == "orders" else {}
    python = {model: path for model, path in family.items() if path.suffix == ".py"}

    for folder in ("intermediate", "marts"):
        described = yaml.safe_load(text_of(DBT / "models" / folder / f"_{folder}__models.yml"))["models"]
        for model, path in family.items():
            if path.parent.name == folder:
                write(path.parent / name / f"{names[model]}.sql", thin(path, names))
        entries = [data_tests(entry, names) for entry in described if entry["name"] in family]
        write_yaml(DBT / "models" / folder / name / f"_{name}__models.yml", "models", entries)
    for path in sorted((DBT / "tests").glob("*.sql")):
        if path.stem.split("__")[0] in family:
            write(DBT / "tests" / name / f"{names.in_text(path.stem)}.sql", thin(path, names))

    for model, path in python.items():
        write(path.with_stem(names[model]), re.sub(r'ref\("(\w+)"\)', lambda found: f'ref("{names[found[1]]}")', text_of(path)))
    described = yaml.safe_load(text_of(ROOT / "python_models" / "_python_models__models.yml"))["models"]
    configured = [
        names.in_yaml(entry) | {"name": names[entry["name"]], "config": enabled | names.in_yaml(entry["config"])}
        for entry in described
        if entry["name"] in python
    ]
    write_yaml(ROOT / "python_models" / f"_{name}__models.yml", "models", configured)

    seed, snapshot = names["segment_names"], names["customer_segment_history"]
    path = DBT / "seeds" / f"{seed}.csv"
    if not path.exists():
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(["segment_id", "segment_name"])
    for kind, first, own in (("seeds", "segment_names", seed), ("snapshots", "customer_segment_history", snapshot)):
        entries = yaml.safe_load(text_of(DBT / kind / f"_{kind}.yml"))[kind]
        entry = names.in_yaml(next(entry for entry in entries if entry["name"] == first)) | {"name": own}
        entry["config"] = enabled | entry["config"]
        write_yaml(DBT / kind / f"_{name}__{kind}.yml", kind, [entry])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="one word, such as rfm: the block is rfm_segmentation, the tables start with rfm_")
    arguments = parser.parse_args()
    if not re.fullmatch("[a-z][a-z0-9]*", arguments.name) or arguments.name in ("int", "segment", "customer", "feature", "k"):
        raise SystemExit(f"{arguments.name} is not a word of small letters and digits that no table of the first starts with")
    add(arguments.name)
