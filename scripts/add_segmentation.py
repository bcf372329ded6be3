"""Write the files of a further segmentation: each names the file of the first one whose SQL it shares, and what it reads.

The block `<name>_segmentation:` in dbt_project.yml and the features model that it names are written by hand before. When the
first segmentation has changed, the same command writes the files anew.
"""

import argparse
import csv
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
DBT = ROOT / "dbt_project"
# Of the project as a whole, whatever they read.
SHARED = ("int_build", "builds")
HEADING = "# Written by scripts/add_segmentation.py from the file of the first segmentation: change that one, and run it again.\n"


def text_of(path):
    return path.read_text(encoding="utf-8")


def project_vars():
    return yaml.safe_load(text_of(ROOT / "dbt_project.yml"))["vars"]


def refs_of(path):
    return list(dict.fromkeys(re.findall(r"""\bref\(["'](\w+)["']\)""", text_of(path))))


def first_segmentation():
    """{name: path} of the models of the first segmentation; those of others, and of the orders, stand in folders below."""
    others = [block for name, block in project_vars().items() if name.endswith("_segmentation") and block]
    features_models = {block.get("customers") for block in others}
    folders = [DBT / "models" / "intermediate", DBT / "models" / "marts", ROOT / "python_models"]
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in (".sql", ".py")]
    return {path.stem: path for path in paths if path.stem not in {*SHARED, "frames", "tables", *features_models}}


def condition_of(seed):
    """What YAML files say where dbt builds something only if there are customers, or orders, as the macros has_... do."""
    seeds = yaml.safe_load(text_of(DBT / "seeds" / "_seeds.yml"))["seeds"]
    return next(entry["config"]["enabled"] for entry in seeds if entry["name"] == seed)


class Names:
    """What stands in the segmentation `name` where the first has something else."""

    def __init__(self, name, block, family):
        self.name = name
        self.prefix = f"{name}_"
        self.family = {*family, "segment_names"}
        self.read = {"stg_customers": block["customers"]}
        if block.get("needs") == "orders":
            self.read["rejected_customers"] = "rejected_orders"

    def __getitem__(self, name):
        if name in self.read:
            return self.read[name]
        if name not in self.family:
            return name
        return f"int_{self.prefix}{name[4:]}" if name.startswith("int_") else self.prefix + name

    def in_text(self, text):
        """The same text about this segmentation: its tables, the names of data tests and the settings of the configuration."""
        text = re.sub(r"\b([a-z_0-9]+?)(?=__|\b)", lambda found: self[found[1]], text)
        text = re.sub(r"var\('n_clusters'", f"var('{self.prefix}n_clusters'", text)
        return re.sub(r"var\('segmentation'\)(?!\.key)", f"var('{self.prefix}segmentation')", text)

    def in_yaml(self, value):
        if isinstance(value, dict):
            return {key: self.in_yaml(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.in_yaml(item) for item in value]
        return self.in_text(value) if isinstance(value, str) else value


def thin(path, names):
    """The SQL file of this segmentation for that of the first."""
    configuration = "".join(re.findall(r"\{\{ config\(.+?\) \}\}\n", text_of(path)))
    configuration = configuration.replace("segmentation()", f"segmentation('{names.prefix}')")
    # The macro sql_of() says when there is such a node.
    needs_orders = ", needs_orders=true" if "has_orders()" in configuration else ""
    configuration = re.sub(r"enabled=has_customers\(\)( and has_orders\(\))?(, )?", "", configuration)
    configuration = configuration.replace("{{ config() }}\n", "")
    tables = "".join(f"    '{table}': ref('{names[table]}'),\n" for table in refs_of(path))
    return f"{configuration}{{{{ sql_of('{path.stem}', segmentation='{names.name}'{needs_orders}, reading={{\n{tables}}}) }}}}\n"


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
    write(path, HEADING + yaml.dump({"version": 2, kind: entries}, Dumper=Dumper, sort_keys=False, width=130, allow_unicode=True))


def described(path, kind, names, chosen):
    """The entries of a YAML file of the first segmentation, about this one."""
    return [names.in_yaml(entry) for entry in yaml.safe_load(text_of(path))[kind] if entry["name"] in chosen]


def add(name):
    block = project_vars().get(f"{name}_segmentation")
    if not block or not block.get("customers"):
        raise SystemExit(f"dbt_project.yml has no vars: {name}_segmentation: with customers: and features:; write it first")
    family = first_segmentation()
    if not block.get("attributes"):
        family.pop("segment_attribute_profiles")
        family.pop("segment_attribute_statistics")
    names = Names(name, block, family)
    enabled = {"enabled": condition_of("rfm_classes" if block.get("needs") == "orders" else "segment_names")}

    for folder in (DBT / "models" / "intermediate", DBT / "models" / "marts"):
        for model, path in family.items():
            if path.parent == folder:
                write(folder / name / f"{names[model]}.sql", thin(path, names))
        entries = described(folder / f"_{folder.name}__models.yml", "models", names, family)
        write_yaml(folder / name / f"_{name}__models.yml", "models", entries)
    for path in sorted((DBT / "tests").glob("*.sql")):
        if path.stem.split("__")[0] in family:
            write(DBT / "tests" / name / f"{names.in_text(path.stem)}.sql", thin(path, names))

    for model, path in family.items():
        if path.suffix == ".py":
            write(path.parent / name / f"{names[model]}.py", names.in_text(text_of(path)))
    entries = described(ROOT / "python_models" / "_python_models__models.yml", "models", names, family)
    for entry in entries:
        entry["config"] |= enabled | {"meta": {"segmentation": name} | entry["config"]["meta"]}
    write_yaml(ROOT / "python_models" / name / f"_{name}__models.yml", "models", entries)

    seed = names["segment_names"]
    path = DBT / "seeds" / f"{seed}.csv"
    if not path.exists():
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(["segment_id", "segment_name"])
    (entry,) = described(DBT / "seeds" / "_seeds.yml", "seeds", names, ["segment_names"])
    entry["config"] |= enabled | {"meta": {"segmentation": name}}
    write_yaml(DBT / "seeds" / f"_{name}__seeds.yml", "seeds", [entry])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="one word, such as rfm: the block is rfm_segmentation, the tables start with rfm_")
    arguments = parser.parse_args()
    taken = ("int", "segment", "customer", "feature", "k", "orders")
    if not re.fullmatch("[a-z][a-z0-9]*", arguments.name) or arguments.name in taken:
        raise SystemExit(f"{arguments.name} is not a word of small letters and digits that no table of the first starts with")
    add(arguments.name)
