"""The schema of the configuration, which editors check dbt_project.yml against, says what the checks of the project say.

The checks are asked, as macros, for the settings that they know; and every mistake of test_messages.py is shown to the schema.
"""

import copy
import importlib
import json
import re
import sys
from pathlib import Path

import duckdb
import jsonschema
import pytest
import test_documents
import test_messages
import yaml
from dbt_common.exceptions import CompilationError

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))
Reading = importlib.import_module("reading").Reading
TEXT = (ROOT / "dbt_project.yml").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "dbt_project" / "configuration.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
UNKNOWN = "never_a_setting"

# Mistakes that a schema cannot tell, and why.
ONLY_THE_CHECKS_TELL = {
    # It compares no two values.
    "a_range_upside_down",
    "a_range_of_k_upside_down",
    "growth_upside_down",
    "more_segments_than_tried",
    "one_name_twice",
    "one_separator_for_both",
    "an_age_without_a_day_to_count_to",
    "bounds_the_other_way_round",
    # Every number is one to it.
    "a_range_with_nan",
    "a_range_without_an_end",
    "no_number",
    # It knows neither the database, the models nor Python.
    "a_name_that_is_a_keyword",
    "a_name_that_is_another_keyword",
    "unknown_customers",
    "no_block",
}


def shipped():
    return copy.deepcopy(yaml.safe_load(TEXT)["vars"])


def errors(blocks):
    return [f"{list(error.absolute_path)}: {error.message}" for error in VALIDATOR.iter_errors({"vars": blocks})]


def resolved(schema):
    """A part of the schema, with what it refers to and without the alternative of other types."""
    schema = schema if "properties" in schema else schema.get("allOf", [schema])[0]
    if "$ref" in schema:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if "properties" in one)
    return schema


def schema_at(*path):
    schema = SCHEMA["properties"]["vars"]
    for name in path:
        schema = resolved(schema)
        patterns = (part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, str(name)))
        schema = schema["items"] if isinstance(name, int) else schema["properties"].get(name) or next(patterns)
    return resolved(schema)


def answer(tmp_path, blocks):
    """What the checks say of a configuration, None where they accept it."""
    with duckdb.connect() as connection:
        reading = Reading(connection, tmp_path, blocks)
        try:
            for question in ("segmentation('')", "orders()", "rfm_score_bounds()", "segmentation('rfm_')"):
                reading.answer(question)
        except CompilationError as error:
            return error.msg
    return None


PLACES = [
    ("segmentation",),
    ("segmentation", "source"),
    ("segmentation", "features", 0),
    ("segmentation", "gates"),
    *(("segmentation", "gates", gate) for gate in schema_at("segmentation", "gates")["properties"]),
    ("orders",),
    ("orders", "source"),
    *(("orders", role) for role in schema_at("orders")["properties"] if role != "source"),
    ("rfm_scores",),
    ("rfm_segmentation",),
    ("rfm_segmentation", "gates"),
]


def changed(place, change):
    """The shipped configuration with a change at a place, which is made where it is not there."""
    blocks = shipped()
    blocks["rfm_segmentation"].setdefault("gates", {})
    settings = blocks
    for name in place:
        settings = settings[name] if isinstance(name, int) else settings.setdefault(name, {})
    change(settings)
    return blocks


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join(map(str, place)))
def test_the_schema_has_the_settings_that_the_checks_know_and_no_others(tmp_path, place):
    said = answer(tmp_path, changed(place, lambda settings: settings.update({UNKNOWN: 1})))
    known = re.search(rf"the setting {UNKNOWN} is unknown; the settings here are ([\w, ]+)", said)[1]
    assert set(known.split(", ")) == set(schema_at(*place)["properties"])


def test_the_schema_has_the_settings_of_the_key_and_no_others(tmp_path):
    """They are checked in two steps: those of any column, and those that make one of several columns."""
    place = ("segmentation", "key")
    said = answer(tmp_path, changed(place, lambda settings: settings.update({UNKNOWN: 1})))
    known = set(re.search(r"the settings here are ([\w, ]+)", said)[1].split(", "))
    of_keys = set(schema_at(*place)["properties"]) - known
    assert known < set(schema_at(*place)["properties"])
    for setting in of_keys:
        said = answer(tmp_path, changed(place, lambda settings, setting=setting: settings.update({setting: 0})))
        assert "is unknown; the settings" not in (said or "")


def test_the_schema_has_the_settings_of_attributes_and_no_others(tmp_path):
    """Which there are depends on what an attribute is."""
    place, known = ("segmentation", "attributes", 0), set()
    for data_type in ("varchar", "double", "date"):
        said = answer(tmp_path, changed(place, lambda settings, kind=data_type: settings.update({"data_type": kind, UNKNOWN: 1})))
        settings = set(re.search(r"the settings here are ([\w, ]+)", said)[1].split(", "))
        for name in set(schema_at(*place)["properties"]) - settings:
            change = {"data_type": data_type, name: {"currency": "EUR", "format": "iso"}.get(name, ",")}
            assert errors(changed(place, lambda settings, change=change: settings.update(change)))
        known |= settings
    assert known == set(schema_at(*place)["properties"])


def test_names_that_are_taken_are_those_of_the_checks(tmp_path):
    with duckdb.connect() as connection:
        taken = Reading(connection, tmp_path, shipped()).answer("_names_of_our_own()")
    assert SCHEMA["definitions"]["name"]["not"]["enum"] == taken


def test_the_configuration_that_is_shipped_is_valid(tmp_path):
    assert errors(shipped()) == []
    assert answer(tmp_path, shipped()) is None


def test_editors_find_the_schema():
    (path,) = re.findall(r"^# yaml-language-server: \$schema=(.+)$", TEXT, re.MULTILINE)
    assert (ROOT / path).exists()
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def documented():
    """(document, configuration): each block that the documents show, where it is a part the rest as shipped."""
    for document, content, _ in test_documents.blocks("yaml"):
        block, blocks = yaml.safe_load(content), shipped()
        in_vars = {name: part for name, part in block.items() if name in blocks or name.endswith("_segmentation")}
        in_first = {name: part for name, part in block.items() if name in schema_at("segmentation")["properties"]}
        for name, part in in_vars.items():
            blocks[name] = (blocks.get(name) or {}) | part if isinstance(part, dict) else part
        blocks["segmentation"] |= in_first
        if in_vars or in_first:
            yield pytest.param(blocks, id=document)


def test_the_documents_show_configurations():
    assert len(list(documented())) >= 5


@pytest.mark.parametrize("blocks", list(documented()))
def test_what_the_documents_show_is_valid(blocks):
    assert errors(blocks) == []


def mistakes():
    """(name, blocks with the mistake)."""
    for name, (change, _) in test_messages.CONFIGURATIONS.items():
        yield name, changed(("segmentation",), change)
    for name, (settings, _) in test_messages.MISTAKES_IN_ORDERS.items():
        blocks = shipped()
        source = blocks["orders"]["source"] | settings.get("source", {})
        blocks["orders"] |= settings | {"source": source}
        yield name, blocks
    for name, (settings, _) in test_messages.MISTAKES_IN_RFM_SCORES.items():
        yield name, shipped() | {"rfm_scores": settings}
    for name, (change, _) in test_messages.MISTAKES_IN_A_FURTHER_SEGMENTATION.items():
        blocks = shipped()
        change(blocks)
        yield name, blocks


@pytest.mark.parametrize(("name", "blocks"), [pytest.param(*case, id=case[0]) for case in mistakes()])
def test_a_mistake_is_one_to_the_schema_too(name, blocks):
    assert bool(errors(blocks)) != (name in ONLY_THE_CHECKS_TELL)


def test_the_list_of_what_only_the_checks_tell_has_no_other_names():
    assert {name for name, _ in mistakes()} >= ONLY_THE_CHECKS_TELL


def meanings():
    """[(setting, what a table of docs/sources.md says that it means)], without where it says more."""
    page = test_documents.TEXTS["docs/sources.md"]
    for names, meaning in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]+ \| (.+) \|$", page, re.MULTILINE):
        plain = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", re.sub(r", see \[[^\]]+\]\(#[^)]*\)", "", meaning))
        for name in re.findall(r"\w+", names):
            yield name, plain.replace("`", "")


@pytest.mark.parametrize(("setting", "meaning"), list(meanings()))
def test_a_setting_means_what_the_documents_say(setting, meaning):
    """The schema may say more behind it."""
    places = [("segmentation", "source"), ("segmentation", "attributes", 0), ("segmentation", "features", 0)]
    said = [schema_at(*place)["properties"].get(setting, {}).get("description", "") for place in places]
    assert any(description.startswith(meaning.rstrip(".")) for description in said)
