"""What the documents say holds: queries answer as shown, commands run or at least exist, links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from dbt.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in DOCUMENTS}
README = TEXTS["README.md"]
FENCE = re.compile(r"^ *```([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
TABLE_BEHIND = re.compile(r"\n\n((?:\|[^\n]*\n)+)")
# What a block may be in: text is never run, so nothing that can be run is written as text.
LANGUAGES = {"sql", "jinja", "jinja2", "sh", "yaml", "python", "text"}


def blocks(*languages):
    """[(document, content, the table right behind it or None)] of every block in one of these languages."""
    found = []
    for document, text in TEXTS.items():
        for fence in FENCE.finditer(text):
            if fence[1] in languages:
                table = TABLE_BEHIND.match(text, fence.end())
                found.append((document, dedent(fence[2]), table and table[1]))
    return found


def prose(document):
    """A document without its blocks."""
    return FENCE.sub("", TEXTS[document])


def numbered(cases):
    """Each case under the name of its document and a number, for pytest."""
    return [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(cases, start=1)]


def command_lines():
    """[(document, command)] of the shell blocks: a line each, without comments; a backslash continues it."""
    for document, content, _ in blocks("sh"):
        for line in content.replace("\\\n", " ").splitlines():
            if shlex.split(line, comments=True):
                yield document, line


def inline_commands():
    """[(document, command)] of the code spans that begin with make, dbt or a script."""
    for document in TEXTS:
        for command in re.findall(r"`((?:make|dbt|python|\.venv/bin/python) [a-z][^`]*)`", prose(document)):
            if "…" not in command and "..." not in command and not command.startswith("python -c"):
                yield document, command


# Queries


@pytest.fixture(scope="module")
def campaign_folder(built_sample, tmp_path_factory):
    """A folder in which a campaign named spring was drawn of all customers of the sample."""
    folder = tmp_path_factory.mktemp("campaigns")
    # Queries also read the files of the sample, by the path that they have in the project.
    (folder / "dbt_project").symlink_to(ROOT / "dbt_project")
    script = [sys.executable, ROOT / "scripts" / "campaign.py", "spring", "--output", folder / "exports" / "campaigns"]
    subprocess.run([*script, "--warehouse", built_sample.folder / "warehouse.duckdb"], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("document", "query", "table"), numbered(blocks("sql")))
def test_a_query_runs_and_answers_what_is_shown(built_sample, campaign_folder, monkeypatch, document, query, table):
    monkeypatch.chdir(campaign_folder)
    answer = built_sample.frame(query, "warehouse.duckdb")
    assert list(answer.columns)
    if table:
        header, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
        assert header == list(answer.columns)
        rows_of_answer = built_sample.query(query, "warehouse.duckdb")
        assert rows == [["" if value is None else str(value) for value in row] for row in rows_of_answer]


def test_there_are_queries_with_answers():
    assert len([table for *_, table in blocks("sql") if table]) >= 5


def test_models_that_the_documents_show_run(built_sample, copy_of):
    """SQL with Jinja, run by dbt as models of a project that has been built; what reads another database is marked jinja2."""
    project = copy_of(built_sample)
    names = []
    for number, (_, content, _) in enumerate(blocks("jinja"), start=1):
        names.append(f"int_example_{number}")
        model = project.folder / "dbt_project" / "models" / "intermediate" / f"{names[-1]}.sql"
        model.write_text(content, encoding="utf-8")
    assert names
    code, output = project.dbt("run", "--select", *names)
    assert code == 0, output[-3000:]
    for name in names:
        assert project.value(f"select count(*) from {name}") == project.value("select count(*) from stg_customers")


# Commands. A command is run, unless its first word stands in CHECKED: then it is only checked, for the reason given there.


@pytest.fixture(scope="module")
def workplace(built_sample, copy_of):
    """The built sample with this environment as its .venv, for commands as the documents write them."""
    project = copy_of(built_sample)
    (project.folder / ".venv").symlink_to(sys.prefix)
    return project


def check_make(words):
    """The target exists, and the Makefile reads the variables."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in (word.split("=")[0] for word in words[1:] if "=" in word):
        assert re.search(rf"\$\({name}\)|ifdef {name}\b|\$\(or \$\({name}\)", makefile), f"the Makefile does not read {name}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    run = subprocess.run(
        ["make", "--dry-run", *words[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def check_dbt(words):
    """The command line of dbt takes the command with its options, and something in the project reads the variables."""
    command, rest = cli, words[1:]
    while hasattr(command, "commands"):
        name, *rest = rest
        command = command.commands[name]
    context = command.make_context(command.name, rest)
    files = [path for path in (ROOT / "dbt_project").rglob("*") if path.suffix in (".sql", ".yml")]
    read = "".join(path.read_text(encoding="utf-8") for path in files)
    for name in context.params.get("vars") or {}:
        # A further segmentation has its own; `rfm` is the one that is there, `money` the example.
        assert f"'{re.sub('^(rfm|money)_', '', name)}'" in read, f"nothing reads the variable {name}"


def check_script(words):
    """The script exists and knows the options."""
    script = next(word for word in words if word.endswith(".py"))
    run = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", run.stdout))


def check_paths(words):
    """The files that are named exist."""
    paths = [word for word in words if word.endswith((".py", "/"))]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def check_elsewhere(words):
    """Another test runs it."""


CHECKED = {
    # They take minutes, make environments or start a server. The scripts that they call have tests of their own.
    "make": check_make,
    # Builds take most of the time of the tests. The other files in this folder run them, with most of these options.
    "dbt": check_dbt,
    # Half an hour.
    ".venv/bin/python scripts/benchmark.py": check_script,
    # Ten seconds of drawing, which tests/unit/test_render_plots.py does, too.
    ".venv/bin/python scripts/render_plots.py": check_script,
    # The tests themselves.
    ".venv/bin/pytest": check_paths,
    # The environment of Spark is made by make spark.
    ". .venv-spark/bin/activate": check_elsewhere,
    # DuckDB's command line is not part of the environment; test_superset.py runs the example.
    "duckdb": check_elsewhere,
}


def check_of(words):
    """The check for a command, or None where it is run."""
    return next((check for start, check in CHECKED.items() if words[: len(start.split())] == start.split()), None)


def split(command):
    """The words of a command, without the environment variables in front, which something in the project reads."""
    words = shlex.split(command, comments=True)
    configuration = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("profiles.yml", "dbt_project.yml", "Makefile"))
    while re.match(r"[A-Z_]+=", words[0]):
        assert words[0].split("=")[0] in configuration, f"nothing reads {words[0]}"
        words = words[1:]
    return words


@pytest.mark.parametrize(("document", "command"), numbered(command_lines()))
def test_a_command_runs_or_exists(workplace, document, command):
    words = split(command)
    if check := check_of(words):
        check(words)
        return
    run = subprocess.run(["bash", "-c", command], cwd=workplace.folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(("document", "command"), numbered(inline_commands()))
def test_a_command_within_a_sentence_exists(document, command):
    words = split(command)
    (check_of(words) or check_script)(words)


# Links, tables and pages


@pytest.mark.parametrize("document", TEXTS)
def test_every_block_is_in_a_language_that_is_tested(document):
    fences = list(FENCE.finditer(TEXTS[document]))
    assert {fence[1] for fence in fences} <= LANGUAGES
    assert TEXTS[document].count("```") == 2 * len(fences)


@pytest.mark.parametrize(("document", "content", "table"), numbered(blocks("python")))
def test_python_can_be_compiled(document, content, table):
    """It is not run here, because it needs the packages of Superset's environment; test_superset.py runs it there."""
    compile(content, document, "exec")


def documented_settings():
    """The settings that the page on sources names in its tables."""
    return set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]+)\|", TEXTS["docs/sources.md"], re.MULTILINE))))


@pytest.mark.parametrize(("document", "content", "table"), numbered(blocks("yaml")))
def test_configuration_can_be_read_and_has_documented_settings(document, content, table):
    block = yaml.safe_load(content)
    for settings in [block, *(value for value in block.values() if isinstance(value, dict))]:
        for feature in settings.get("features", []):
            assert set(feature) <= documented_settings(), feature


@pytest.mark.parametrize("document", sorted(TEXTS.keys() - {"CHANGELOG.md"}))
def test_files_and_folders_that_are_named_exist(document):
    """The changelog names what is gone; further-segmentations.md has the reader write one."""
    paths = re.findall(r"`((?:dbt_project|python_models|scripts|tests|bi|docs|\.ci)[/.][\w./-]+)`", prose(document))
    assert [path for path in paths if not (ROOT / path).exists() and "_money" not in path] == []


def anchors(text):
    """The anchors that the headings of a document get."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", TEXTS)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose(document)):
        path, _, anchor = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), target


def test_the_readme_is_short_and_leads_to_every_page():
    assert len(README.splitlines()) <= 170
    assert [name for name in TEXTS if name != "README.md" and f"]({name})" not in README] == []


@pytest.mark.parametrize("document", sorted(TEXTS.keys() - {"README.md"}))
def test_a_page_says_first_who_should_read_it(document):
    title, _, first = TEXTS[document].splitlines()[:3]
    assert title.startswith("# ")
    assert re.match(r"For .+: (this page|each entry) ", first)


def test_every_public_table_is_in_the_readme(built_sample):
    """The README names the tables of a further segmentation by two examples only."""
    tables = {name for (name,) in built_sample.query("show tables", "warehouse.duckdb")}
    first = {name for name in tables if name.removeprefix("rfm_") not in tables - {name}}
    # The registry that segmentation_models is made of is kept for the next build.
    assert sorted(name for name in first - {"segmentation_fits"} if f"| `{name}` |" not in README) == []
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\|( `[^|]+)\|", README, re.MULTILINE)))
    assert [name for name in named if name not in tables] == []


def test_every_decision_can_be_found_and_says_why():
    text = TEXTS["DECISIONS.md"]
    contents, *entries = re.split(r"^### ", text, flags=re.MULTILINE)
    assert entries
    for entry in entries:
        title = entry.splitlines()[0]
        assert f"[{title}](#" in contents, title
        assert re.findall(r"^- \*\*(.+?):\*\*", entry, re.MULTILINE) == ["Decision", "Why", "Would change our mind"], title
