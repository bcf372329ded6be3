"""Try other settings of a segmentation beside the published one, and write a page about what would become of it.

    python scripts/what_if.py --clusters 4,6
    python scripts/what_if.py --features visits,income --transforms income=log1p
    python scripts/what_if.py --segmentation rfm --clusters auto

Each candidate is a whole dbt build on the files of today, with the changed block of dbt_project.yml, that goes on from a copy of
the published file and publishes into a folder that is thrown away. So the page shows what a build with these lines would give;
the published file, the files of builds and their history stay as they are.
"""

import argparse
import copy
import json
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent

import duckdb
import yaml
from file_set import file_set
from pages import rendered
from warehouse import first_prefix, found_tables, is_segmented, plural, quoted, read_only, spread_features

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path("build")
DBT = Path(sys.executable).with_name("dbt")
RULES = ("auto", "elbow", "silhouette", "gap", "prediction_strength")
# What an attribute is as a feature, where the word is another one.
TYPES = {"varchar": "category"}
# The events that say why a command or a node has failed; others count, or say where.
ERRORS = ("MainEncounteredError", "RunResultError")
# Around the sentence in what dbt says of an error.
AROUND = re.compile(r"(Encountered an error:|.* Error in |>|compiled code at ).*|.* Error$")

NEWEST = "select build_number, built_at from builds order by build_number desc limit 1"
SEGMENTS = """
    select segment_id, segment_name, is_name_current, current_name, n_customers, share, stability
    from {prefix}segment_profiles
    order by segment_id
"""
# What the segments are formed from, in words.
FEATURES = """
    select string_agg(label || if(transform in ('none', 'category'), '', ' as ' || transform), ', ' order by place)
    from (
        select feature as name, any_value(label) as label, min(feature_order) as place from ({features}) group by feature
    )
    inner join (
        select split_part(feature, '=', 1) as name, any_value(transform) as transform
        from {prefix}segment_centroids where is_current group by all
    ) using (name)
"""
MODEL = f"""
    select
        n_clusters, (select count(*) from {{prefix}}customer_segments) as n_customers, smallest_segment_share, silhouette, wcss,
        davies_bouldin, calinski_harabasz, structure, agreement, ({FEATURES}) as features,
        (select min(stability) from {{prefix}}segment_profiles) as weakest
    from {{prefix}}segmentation_models
    where model_version = (select max(model_version) from {{prefix}}customer_segments)
"""
# From the segments of the last build to those of this one; NULL for who joined, or left.
MOVES = """
    select from_segment_id, to_segment_id, n_customers
    from {prefix}segment_migrations
    where build_id = (select max_by(build_id, build_number) from builds)
    order by from_segment_id nulls last, to_segment_id nulls last
"""


class QuestionError(Exception):
    """One sentence: what cannot be tried, and what to do."""


@dataclass
class Candidate:
    """Settings to be tried: `block` is the whole block with them, `changed` those that differ from dbt_project.yml."""

    name: str
    block: dict
    changed: dict
    # What came of it: rows of the queries above, what gates warned of, or why a build would not be published.
    model: dict = None
    segments: list = field(default_factory=list)
    moves: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    obstacle: str = None


@dataclass(frozen=True)
class Published:
    """The build that candidates are compared with, as rows of the queries above."""

    number: int
    built_at: object
    model: dict
    segments: list


def numbers_of_segments(text, n_customers):
    """The numbers and rules in a text such as "4,6" or "auto"."""
    found = []
    for word in filter(None, re.split(r"[\s,]+", text)):
        if word in RULES:
            found.append(word)
            continue
        if not re.fullmatch("[0-9]+", word) or int(word) < 1:
            raise QuestionError(
                f"K={text}: {word} is neither a number of segments, such as 4, nor a rule that chooses one ({', '.join(RULES)})"
            )
        if int(word) > n_customers:
            raise QuestionError(f"K={text}: there are only {plural(n_customers, 'customer')} for {int(word):,} segments")
        found.append(int(word))
    if not found:
        raise QuestionError("K= names no number of segments; give one or more, such as K=4,6")
    return list(dict.fromkeys(found))


def possible_features(block, columns):
    """{name: settings} of what segments can be formed from: the features, the attributes, and other columns of their model."""
    others = {name: {"name": name} for name in columns}
    attributes = {
        attribute["name"]: attribute | {"data_type": TYPES.get(data_type, data_type)}
        for attribute in block.get("attributes") or []
        for data_type in [attribute.get("data_type", "varchar")]
    }
    return others | attributes | {feature["name"]: feature for feature in block["features"]}


def chosen_features(possible, names):
    """The settings of the features in a text such as "visits,income"."""
    found = list(dict.fromkeys(filter(None, re.split(r"[\s,]+", names))))
    check_known("FEATURES", names, found, possible)
    if not found:
        raise QuestionError(f"FEATURES= names no feature; there are {', '.join(possible)}")
    return [possible[name] for name in found]


def transformed(features, transforms):
    """The features with other transforms, from a text such as "income=log1p"."""
    pairs = [word.partition("=")[::2] for word in filter(None, re.split(r"[\s,]+", transforms))]
    check_known("TRANSFORMS", transforms, [name for name, _ in pairs], {feature["name"]: feature for feature in features})
    if not pairs or not all(transform for _, transform in pairs):
        raise QuestionError(
            f"TRANSFORMS={transforms} is not a feature with its transform, such as {features[0]['name']}=log1p; "
            "the transforms are none, log1p and yeo-johnson"
        )
    asked = dict(pairs)
    return [feature | {"transform": asked[feature["name"]]} if feature["name"] in asked else feature for feature in features]


def check_known(setting, text, names, known):
    for name in names:
        if name not in known:
            raise QuestionError(f"{setting}={text}: {name} is not known; there are {', '.join(known)}")


def changed_block(block, n_clusters, features):
    """The block with another number of segments and other features, in such a way that a build with it fits a model of them."""
    new = copy.deepcopy(block) | {"n_clusters": n_clusters, "features": features}
    if isinstance(n_clusters, int):
        first, last = block["k_range"]
        new["k_range"] = [min(first, n_clusters), max(last, n_clusters)]
    names = {feature["name"] for feature in features}
    if block.get("attributes"):
        new["attributes"] = [attribute for attribute in block["attributes"] if attribute["name"] not in names]
    # These two would keep the model that is there.
    if block.get("refit") == "never":
        new["refit"] = "auto"
    if block.get("model_version"):
        new["model_version"] = None
    return new


def check_block(name, block):
    """Refuses a block that lacks what candidates are made of; all else dbt checks."""
    columns = [block.get("features"), block.get("attributes") or []]
    has_columns = all(isinstance(found, list) and all(isinstance(column, dict) for column in found) for found in columns)
    is_named = has_columns and all("name" in column for found in columns for column in found)
    k_range = block.get("k_range")
    is_range = isinstance(k_range, list) and len(k_range) == 2 and all(isinstance(k, int) for k in k_range)
    if not (is_named and block["features"] and is_range and "n_clusters" in block):
        raise QuestionError(
            f"dbt_project.yml, vars, {name}: the columns, n_clusters or k_range are not as a build needs them; dbt build says "
            "what is wrong"
        )


def name_of(n_clusters, features=None):
    """What the page calls a candidate; with its features, where these are others."""
    number = plural(n_clusters, "segment") if isinstance(n_clusters, int) else f"As many segments as {n_clusters} takes"
    transforms = {feature["name"]: feature.get("transform", "none") for feature in features or []}
    words = [name if transform == "none" else f"{name} as {transform}" for name, transform in transforms.items()]
    return f"{number} from {', '.join(words)}" if words else number


def candidates(block, columns, arguments, n_customers):
    """The candidates that the command asks for, one for each number of segments."""
    features = block["features"]
    if arguments.features is not None:
        features = chosen_features(possible_features(block, columns), arguments.features)
    if arguments.transforms is not None:
        features = transformed(features, arguments.transforms)
    numbers = [block["n_clusters"]]
    if arguments.clusters is not None:
        numbers = numbers_of_segments(arguments.clusters, n_customers)
    found = []
    for n_clusters in numbers:
        new = changed_block(block, n_clusters, features)
        changed = {setting: value for setting, value in new.items() if value != block.get(setting)}
        found.append(Candidate(name_of(n_clusters, changed.get("features")), new, changed))
    return found


def lines_of(block_name, changed):
    """The lines of dbt_project.yml with the settings of a candidate."""
    style = {"sort_keys": False, "allow_unicode": True, "width": 160}
    # A list of numbers or words stands in one line, as in the file that is shipped.
    settings = [
        yaml.safe_dump({name: value}, default_flow_style=None if isinstance(value, list) else False, **style)
        for name, value in changed.items()
    ]
    return f"vars:\n  {block_name}:\n{indent(''.join(settings), '    ')}"


def profile_beside(text, name, folder):
    """The profile in the `text` of profiles.yml, as text, so that it builds and publishes in `folder`.

    Raises a QuestionError where its target is not DuckDB.
    """
    profile = yaml.safe_load(text.replace("{{ flags.PROFILES_DIR }}", str(ROOT)))[name]
    output = profile["outputs"].get(profile["target"])
    if not output or output["type"] != "duckdb":
        raise QuestionError(
            f"profiles.yml, target {profile['target']}: other settings are tried on DuckDB alone; "
            "on Spark build with them into another schema"
        )
    output["path"] = str(folder / "build" / "warehouse.duckdb")
    for attached in output["attach"]:
        if attached.get("alias") == "scratch":
            attached["path"] = str(folder / "build" / "scratch.duckdb")
    for plugin in output["plugins"]:
        if plugin["module"] == "publishing":
            plugin["config"]["path"] = str(folder / "warehouse.duckdb")
    return yaml.safe_dump({name: profile | {"outputs": {profile["target"]: output}}}, sort_keys=False)


def said_in(message):
    """The sentence in what dbt says of an error, which stands between where and why."""
    lines = [line.strip() for line in message.splitlines()]
    found = next((line for line in lines if line and not AROUND.fullmatch(line)), "dbt says nothing")
    return re.sub(r"^[A-Z][\w ]* Error: ", "", found)


def run_dbt(folder, variables):
    """Run a whole dbt build in `folder`; returns what went wrong, sentences, and what was warned of, (node, sentence)."""
    flags = ["--no-use-colors", "--log-format", "json", "--log-level", "warn", "--log-path", folder / "logs"]
    places = ["--project-dir", ROOT, "--profiles-dir", folder, "--target-path", folder / "target"]
    command = [DBT, *flags, "build", *places, "--vars", yaml.safe_dump(variables, sort_keys=False)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    errors, warnings = said_by_dbt(f"{run.stdout}\n{run.stderr}")
    return (errors or [f"dbt ended with {run.returncode}"]) if run.returncode else [], warnings


def said_by_dbt(log):
    """What went wrong, sentences, and what was warned of, (node, sentence), by a log of JSON lines."""
    errors, warnings = [], []
    for line in log.splitlines():
        try:
            event = json.loads(line)
            info, data = event["info"], event["data"]
        except (ValueError, TypeError, KeyError):
            continue
        if info["name"] in ERRORS:
            errors.append(said_in(info["msg"]))
        elif info["name"] == "JinjaLogWarning":
            warnings.append((data.get("node_info", {}).get("node_name", ""), info["msg"]))
    return errors, warnings


def rows(warehouse, query, prefix):
    """The rows of a query about the tables with a prefix, as dictionaries."""
    answer = warehouse.execute(query.format(prefix=prefix, features=spread_features(prefix)))
    columns = [name for name, *_ in answer.description]
    return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]


def is_gate_of(node, prefix, others):
    """Whether a data test is a gate of the segmentation with a prefix; `others` are the prefixes of all."""
    name = node.removeprefix("int_")
    return (
        "__gate_" in name
        and name.startswith(prefix)
        and not any(name.startswith(other) for other in others if len(other) > len(prefix))
    )


@contextmanager
def opened_copy(path):
    """A connection to a copy of the published file and where it is, for a build may be published meanwhile."""
    with read_only(path):
        BUILD.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="what_if_") as folder:
        copied = Path(folder).absolute() / "published.duckdb"
        shutil.copyfile(path, copied)
        with read_only(copied) as warehouse:
            yield warehouse, copied


def try_out(candidate, folder, published_copy, block_name, prefix, prefixes, profile):
    """Build the candidate in a new `folder`, on from a copy of the published file, and read what came of it."""
    folder.mkdir()
    warehouse = folder / "warehouse.duckdb"
    (folder / "profiles.yml").write_text(profile_beside(*profile, folder), encoding="utf-8")
    shutil.copyfile(published_copy, warehouse)
    errors, warnings = run_dbt(folder, {block_name: candidate.block, "kept_builds": 0})
    candidate.warnings = [sentence for node, sentence in warnings if is_gate_of(node, prefix, prefixes)]
    if errors:
        candidate.obstacle = errors[0].replace(f"{folder}/", "")
        return
    with read_only(warehouse) as session:
        candidate.segments = rows(session, SEGMENTS, prefix)
        if candidate.segments:
            (candidate.model,) = rows(session, MODEL, prefix)
            candidate.moves = rows(session, MOVES, prefix)
        else:
            (candidate.obstacle,) = session.execute("select max_by(not_segmented, build_number) from builds").fetchone()


def read_published(warehouse, prefix):
    ((number, built_at),) = warehouse.execute(NEWEST).fetchall()
    return Published(number, built_at, rows(warehouse, MODEL, prefix)[0], rows(warehouse, SEGMENTS, prefix))


def columns_of_model(warehouse, block):
    """The columns, but for the key, of the features model of a further segmentation, where it is a published table of numbers."""
    model = block.get("customers")
    if not model or model not in found_tables(warehouse):
        return []
    described = warehouse.execute(f"describe {quoted(model)}").fetchall()[1:]
    return [name for name, data_type, *_ in described if data_type in ("DOUBLE", "INTEGER", "BIGINT")]


def asked_for(warehouse, path, variables, arguments):
    """(name of the block, prefix of its tables, candidates, the published build) of a command."""
    found = found_tables(warehouse)
    if "builds" not in found:
        raise QuestionError(f"{path} holds no published build; run dbt build first")
    name = arguments.segmentation or first_prefix(found).removesuffix("_")
    prefix = f"{name}_" if name else ""
    block_name = f"{prefix}segmentation"
    names = [other.removesuffix("_segmentation") for other in variables if other.endswith("_segmentation")]
    if not isinstance(variables.get(block_name), dict):
        there = f"there {'is' if len(names) == 1 else 'are'} {', '.join(names)}" if names else "there are no further ones"
        raise QuestionError(f"SEGMENTATION={name}: dbt_project.yml has no block {block_name}; {there}")
    if not is_segmented(warehouse, prefix):
        raise QuestionError(f"{path} has no segments of {block_name} to compare with; run dbt build first")
    published = read_published(warehouse, prefix)
    block = variables[block_name]
    check_block(block_name, block)
    asked = candidates(block, columns_of_model(warehouse, block), arguments, published.model["n_customers"])
    return block_name, prefix, [f"{name}_" for name in names], asked, published


def crossed(candidate, published):
    """The rows of a cross-table: {name, n_customers, cells: [(number, share of the row)]}, by the segments of the candidate.

    The last cell is of who left, and the last row of who joined; each is there only if there is somebody.
    """
    destinations = [segment["segment_id"] for segment in candidate.segments]
    counts = {(move["from_segment_id"], move["to_segment_id"]): move["n_customers"] for move in candidate.moves}
    destinations += [None] if any(to is None for _, to in counts) else []
    origins = [(segment["segment_id"], segment["segment_name"]) for segment in published.segments]
    origins += [(None, None)] if any(origin is None for origin, _ in counts) else []
    table = []
    for origin, name in origins:
        numbers = [counts.get((origin, to), 0) for to in destinations]
        total = sum(numbers)
        cells = [(n, n / total if total else 0) for n in numbers]
        table.append({"name": name, "n_customers": total, "cells": cells})
    return {"rows": table, "has_left": destinations[-1:] == [None]}


def kept_share(candidate):
    """Of the customers in both builds, the share whose segment would keep its number, and so its place."""
    both = [move for move in candidate.moves if move["from_segment_id"] and move["to_segment_id"]]
    kept = sum(move["n_customers"] for move in both if move["from_segment_id"] == move["to_segment_id"])
    return kept / sum(move["n_customers"] for move in both) if both else None


def page(block_name, tried, published):
    """The text of the page."""
    return rendered(
        "what_if.html.jinja",
        [plural, kept_share],
        block=block_name,
        candidates=tried,
        published=published,
        lines={candidate.name: lines_of(block_name, candidate.changed) for candidate in tried},
        # Other features, or others of their transforms, make another scale.
        is_comparable="features" not in tried[0].changed,
        tables={candidate.name: crossed(candidate, published) for candidate in tried if candidate.model},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clusters", metavar="NUMBERS", help="numbers of segments, or rules that choose one: 4,6 or auto")
    parser.add_argument("--features", metavar="NAMES", help="what the segments are formed from: visits,income")
    parser.add_argument("--transforms", metavar="PAIRS", help="of features: income=log1p; none takes one away")
    parser.add_argument("--segmentation", metavar="NAME", help="a further segmentation, such as rfm; default: the first one")
    parser.add_argument("--warehouse", type=Path, default=Path("warehouse.duckdb"), help="the published file")
    parser.add_argument("--output", type=Path, default=Path("reports"), help="the folder for the page")
    arguments = parser.parse_args()
    try:
        if arguments.clusters is None and arguments.features is None and arguments.transforms is None:
            raise QuestionError("say what to try: K=4,6, FEATURES=visits,income or TRANSFORMS=income=log1p")
        project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
        profile = (ROOT / "profiles.yml").read_text(encoding="utf-8"), project["profile"]
        with opened_copy(arguments.warehouse) as (warehouse, copied):
            block_name, prefix, prefixes, tried, published = asked_for(warehouse, arguments.warehouse, project["vars"], arguments)
            for place, candidate in enumerate(tried, start=1):
                print(
                    f"{candidate.name} ({place} of {len(tried)}): a whole build beside the published one ...",
                    flush=True,
                )
                folder = copied.parent / str(place)
                try_out(candidate, folder, copied, block_name, prefix, prefixes, profile)
                shutil.rmtree(folder)
                if candidate.obstacle:
                    print(f"{candidate.name}: not possible. {candidate.obstacle}", flush=True)
        if not any(candidate.model for candidate in tried):
            sys.exit(1)
    except (QuestionError, OSError, yaml.YAMLError, duckdb.Error) as error:
        sys.exit(f"Nothing was tried: {' '.join(str(error).split())}.")
    except KeyboardInterrupt:
        sys.exit("Interrupted: no page is written, and what is published is as it was.")
    with file_set(arguments.output, "what_if", like=arguments.warehouse) as new:
        (new / "what_if.html").write_text(page(block_name, tried, published), encoding="utf-8")
    print(f"{arguments.output / 'what_if.html'}: what would become of the segments, to be opened in a browser")


if __name__ == "__main__":
    main()
