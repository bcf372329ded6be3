"""The rules of the house."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


ALL_MODELS = sorted((ROOT / "dbt_project" / "models").rglob("*.sql"))
# Those of a further segmentation say only which model of the first they are like.
MODELS = [path for path in ALL_MODELS if "{{ like('" not in path.read_text(encoding="utf-8")]
SQL_FILES = sorted((ROOT / "dbt_project").rglob("*.sql"))
PYTHON_MODELS = sorted((ROOT / "python_models").glob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
PREFIXES = {"staging": ("base_", "stg_", "rejected_"), "intermediate": ("int_",)}


def described(folder):
    """{name: its entry} of the models in the YAML files of a folder."""
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in folder.glob("_*__models.yml")]
    return {entry["name"]: entry for content in contents for entry in content["models"]}


def test_models_are_named_after_their_folder():
    for path in MODELS:
        prefixes = PREFIXES.get(path.parent.name)
        if prefixes:
            assert path.stem.startswith(prefixes), path
        else:
            assert not path.stem.startswith(sum(PREFIXES.values(), ())), path


@pytest.mark.parametrize("path", MODELS + PYTHON_MODELS, ids=lambda path: path.stem)
def test_every_model_says_first_what_a_row_is(path):
    assert described(path.parent)[path.stem]["description"].startswith("One row per ")


def test_nothing_is_described_that_does_not_exist():
    names = {path.stem for path in MODELS + PYTHON_MODELS}
    folders = {path.parent for path in MODELS + PYTHON_MODELS}
    assert {name for folder in folders for name in described(folder)} == names


@pytest.mark.parametrize("path", [path for path in MODELS if path.parent.name == "marts"], ids=lambda path: path.stem)
def test_every_column_of_a_mart_has_a_type_and_a_description(path):
    for column in described(path.parent)[path.stem]["columns"]:
        assert column["data_type"]
        assert column["description"].endswith(".")


def data_tests(entry):
    yield from entry.get("data_tests", [])
    for column in entry.get("columns", []):
        yield from column.get("data_tests", [])


def test_every_data_test_is_named_after_its_model():
    for folder in {path.parent for path in MODELS}:
        for name, entry in described(folder).items():
            for test in data_tests(entry):
                assert next(iter(test.values()))["name"].startswith(f"{name}__"), test
    names = {path.stem for path in MODELS}
    for path in (ROOT / "dbt_project" / "tests").glob("*.sql"):
        assert path.stem.split("__")[0] in names, path


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_sql_ends_by_selecting_its_last_step(path):
    lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    assert "select * from final" in lines[-2:]


def test_features_are_named_in_the_configuration_only():
    blocks = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    block = blocks["segmentation"]
    names = [column["name"] for column in block["attributes"] + block["features"]]
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.name != "make_sample.py"]
    code = SQL_FILES + sorted((ROOT / "python_models").rglob("*.py")) + scripts
    for path in code:
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(rf"\b({'|'.join(names)})\b", text), path


@pytest.mark.parametrize("path", PYTHON_MODELS, ids=lambda path: path.stem)
def test_python_models_are_thin(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^(?:def|class) (\w+)", text, re.MULTILINE) == ["model"]
    assert len(text.splitlines()) <= 60


def test_the_library_knows_neither_dbt_nor_files():
    for path in (ROOT / "python_models" / "segmentation").glob("*.py"):
        assert not re.search(r"\b(dbt|duckdb|open\(|print\()", path.read_text(encoding="utf-8").split('"""', 2)[2]), path


def test_scripts_do_not_fit():
    for path in SCRIPTS:
        assert not re.search(r"^(?:from|import) (sklearn|segmentation)", path.read_text(encoding="utf-8"), re.MULTILINE), path
