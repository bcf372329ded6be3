"""The rules of the house."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


DBT = ROOT / "dbt_project"
MODELS = sorted((DBT / "models").rglob("*.sql"))
# Those of a further segmentation say only whose SQL of the first one they share.
WRITTEN_OUT = [path for path in MODELS if "{{ sql_of('" not in path.read_text(encoding="utf-8")]
SHARED = [path for path in MODELS if path not in WRITTEN_OUT]
SQL_FILES = sorted(DBT.rglob("*.sql"))
PYTHON_MODELS = sorted(
    path
    for path in (ROOT / "python_models").rglob("*.py")
    if "segmentation" not in path.parts and path.stem not in ("frames", "tables")
)
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
PREFIXES = {"staging": ("base_", "stg_", "rejected_"), "intermediate": ("int_",), "marts": ()}

# What DuckDB alone reads, or reads otherwise than Spark, and what to write instead: other words, or a macro of dialects.sql.
NOT_PORTABLE = {
    r"\bqualify\b": "a window column and where",
    r"\bstring_agg\(": "joined_texts",
    r"\barray_to_string\(": "joined_list",
    r"(?<!\?)::": "cast",
    r"\bvarchar\b": "string",
    r"\bisfinite\(|\bisinf\(": "a comparison with infinity",
    # Spark says of NULL that it is a number.
    r"\bisnan\(": "nullif(..., cast('nan' as double))",
    r"\bprintf\(": "plain_number",
    r"\bround\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*, \d+\)": "rounded",
    r"\barg_(min|max)\(": "min_by or max_by",
    r"\bstruct_pack\(": "made_row",
    r"\b(epoch\w*|strptime|regexp_matches|regexp_full_match|regexp_extract_all|date_sub)\(": "a macro of dialects.sql",
    r"\b(hugeint|u(?:big|huge)?int)\b": "bigint, or a decimal",
    r"(?<![:/])//(?!/)": "floor of a quotient",
    r"\bunnest\(": "unnested",
    r"\bgenerate_series\(": "places_in",
    r"\bdate_diff\(": "days_between",
    r"\bhash\(": "drawn_number",
    r"\bmd5_number\(": "fingerprint",
    r"\bquantile_\w+\(": "percentile",
    r"\b(list|array)_\w+\(": "a table in place of a list",
    r"(?<![_.\w])error\(": "raised",
    r"\browid\b": "a column",
    r"\bas (not )?materialized\b": "nothing",
    r"\b(asof|lambda|exclude)\b": "words that both engines have",
    r"\[[^\]\n]* for \w+ in ": "a table in place of a list",
}


def text_of(path):
    return path.read_text(encoding="utf-8")


def layer(path):
    """staging, intermediate or marts, whatever folder below it the model stands in."""
    return path.relative_to(DBT / "models").parts[0]


def described(folder):
    """{name: its entry} of the models in the YAML files of a folder."""
    contents = [yaml.safe_load(text_of(path)) for path in folder.glob("_*__models.yml")]
    return {entry["name"]: entry for content in contents for entry in content["models"]}


def test_models_are_named_after_their_folder():
    for path in MODELS:
        others = sum((names for folder, names in PREFIXES.items() if folder != layer(path)), ())
        assert path.stem.startswith(PREFIXES[layer(path)] or ("",)), path
        assert not path.stem.startswith(others), path


@pytest.mark.parametrize("path", MODELS + PYTHON_MODELS, ids=lambda path: path.stem)
def test_every_model_says_first_what_a_row_is(path):
    assert described(path.parent)[path.stem]["description"].startswith("One row per ")


def test_nothing_is_described_that_does_not_exist():
    names = {path.stem for path in MODELS + PYTHON_MODELS}
    folders = {path.parent for path in MODELS + PYTHON_MODELS}
    assert {name for folder in folders for name in described(folder)} == names


@pytest.mark.parametrize("path", [path for path in MODELS if layer(path) == "marts"], ids=lambda path: path.stem)
def test_every_column_of_a_mart_has_a_type_and_a_description(path):
    for column in described(path.parent)[path.stem]["columns"]:
        assert column["data_type"]
        assert column["description"].endswith(".")


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.stem)
def test_a_further_segmentation_describes_the_same_columns_in_the_same_order(path):
    first = re.search(r"sql_of\('(\w+)'", text_of(path))[1]
    own, other = described(path.parent)[path.stem], described(path.parent.parent)[first]
    assert [(column["name"], column.get("data_type")) for column in own.get("columns", [])] == [
        (column["name"], column.get("data_type")) for column in other.get("columns", [])
    ]
    assert all(column["description"] for column in own.get("columns", []))


def macros(path):
    """{name: its arguments} of the macros in a file, without those that dbt dispatches to."""
    found = re.findall(r"{%-? macro (\w+)\((.*?)\) -?%}", text_of(path))
    arguments = {name: [part.split("=")[0].strip() for part in given.split(",") if part.strip()] for name, given in found}
    return {name: given for name, given in arguments.items() if not name.startswith(("default__", "duckdb__", "spark__"))}


@pytest.mark.parametrize("folder", ["configuration", "publishing", "reading", "segmentation", "."])
def test_every_macro_is_described_with_its_arguments(folder):
    folder = DBT / "macros" / folder
    (file,) = folder.glob("_*macros.yml")
    entries = {entry["name"]: entry for entry in yaml.safe_load(text_of(file))["macros"]}
    here = {name: given for path in folder.glob("*.sql") for name, given in macros(path).items()}
    assert {name for name in entries if "duckdb__" not in name} == set(here)
    for name, given in here.items():
        assert entries[name]["description"].endswith("."), name
        if not name.startswith("_"):
            assert [argument["name"] for argument in entries[name].get("arguments", [])] == given, name


def test_private_macros_are_called_in_their_own_folder_only():
    for home in (DBT / "macros").rglob("*.sql"):
        for name in macros(home):
            if name.startswith("_"):
                callers = [path for path in SQL_FILES if re.search(rf"(?<!\w){name}\(", text_of(path))]
                assert {path.parent for path in callers} == {home.parent}, name


def test_sql_is_spelled_so_that_two_engines_read_it():
    dialects = [path for path in SQL_FILES if path.stem == "dialects" or "publishing" in path.parts]
    for path in [path for path in SQL_FILES if path not in dialects]:
        # The type of a setting or of a source's column, and the position of a row, which Spark gets by and_positions.
        reads = {"configuration", "reading", "staging"} & set(path.parts) or path.stem.startswith("rejected_")
        allowed = {r"\bvarchar\b", r"\browid\b"} if reads else set()
        text = re.sub(r"\{#.*?#\}|--[^\n]*", "", text_of(path), flags=re.DOTALL)
        for pattern, instead in NOT_PORTABLE.items():
            found = re.search(pattern, text)
            assert not found or pattern in allowed, f"{path}: {found[0]}; use {instead}"


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
    for path in (DBT / "tests").rglob("*__*.sql"):
        assert path.stem.split("__")[0] in names, path


@pytest.mark.parametrize("path", WRITTEN_OUT, ids=lambda path: path.stem)
def test_sql_ends_by_selecting_its_last_step(path):
    lines = path.read_text(encoding="utf-8").rstrip().splitlines()
    assert "select * from final" in lines[-2:]


def test_features_are_named_in_the_configuration_only():
    blocks = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    block = blocks["segmentation"]
    names = [column["name"] for column in block["attributes"] + block["features"]]
    # One makes the sample, the other knows what numbers a column of that name has.
    knowing = ("make_sample.py", "inspection.py")
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file() and path.name not in knowing]
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
    # But for those that measure how good the method is.
    measuring = {"structure_errors.py", "compare_rules.py", "compare_partitions.py", "compare_weights.py"}
    for path in [path for path in SCRIPTS if path.name not in measuring]:
        assert not re.search(r"^(?:from|import) (sklearn|segmentation)", path.read_text(encoding="utf-8"), re.MULTILINE), path


@pytest.mark.parametrize("path", sorted(DBT.rglob("_*.yml")), ids=lambda path: path.stem)
def test_descriptions_of_columns_fit_into_a_hive_metastore(path):
    """It stores 256 characters as the comment of a column; what is longer would be cut for readers on Spark."""
    content = yaml.safe_load(text_of(path))
    for node in (content.get("models") or []) + (content.get("seeds") or []):
        for column in node.get("columns") or []:
            assert len(column.get("description") or "") <= 256, f"{node['name']}.{column['name']}"
