"""The rules of the house, and what the README says."""

import re
import subprocess
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
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n(.+?)\n```\n\n((?:\|[^\n]*\n)+)", README, re.DOTALL)


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


def test_the_commands_of_the_readme_exist():
    verbs = set(re.findall(r"`?make ([a-z]+)\b", README))
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert verbs
    assert verbs <= set(re.findall(r"make (\w+)", listed)) | {"help"}


def test_the_files_of_the_readme_exist():
    paths = re.findall(r"\]\((?!https?:)([^)#]+)\)", README) + re.findall(r"scripts/\w+\.py", README)
    layout = re.search(r"## Layout\n\n```\n(.+?)```", README, re.DOTALL).group(1)
    paths += [line.split()[0] for line in layout.splitlines()]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("query", "table"), EXAMPLES, ids=[f"example_{number}" for number in range(1, len(EXAMPLES) + 1)])
def test_the_examples_of_the_readme_give_what_it_shows(built_sample, query, table):
    header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    answer = built_sample.frame(query, "warehouse.duckdb")
    assert header == list(answer.columns)
    rows_of_answer = built_sample.query(query, "warehouse.duckdb")
    assert rows == [["" if value is None else str(value) for value in row] for row in rows_of_answer]


def test_the_readme_has_examples():
    assert len(EXAMPLES) >= 5


def test_every_public_table_is_in_the_readme():
    marts = [path.stem for path in MODELS if path.parent.name == "marts"]
    assert [name for name in marts if f"| `{name}` |" not in README] == []
