"""Trying other settings beside the published build: none is published, and the page shows what a build with its lines gives."""

import hashlib
import subprocess
import sys

import html5lib
import pytest
import yaml

pytestmark = pytest.mark.nights


def what_if(project, *arguments):
    command = [sys.executable, "scripts/what_if.py", *arguments]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)


def digests(project):
    """{name: digest} of all files that builds leave: the published one, those that are kept, and those that builds work in."""
    files = [path for pattern in ("*.duckdb*", "kept_builds/*", "build/**/*") for path in project.folder.glob(pattern)]
    return {
        str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()
    }


def shown(project):
    """(sizes {segment: (name, customers)}, cross-table {(name in use, name): customers}, settings of the lines) of the page."""
    text = (project.folder / "reports" / "what_if.html").read_text(encoding="utf-8")
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    _, segments, moves = page.iter("table")

    def words(cell):
        return " ".join("".join(cell.itertext()).split())

    def own(cell):
        return (cell.text or "").strip()

    sizes = {}
    for row in segments.find("tbody"):
        number, name, n_customers, *_ = row
        sizes[int(words(number))] = (own(name), int(words(n_customers).replace(",", "")))
    _, _, *names = [words(cell) for cell in moves.find("thead/tr")]
    crossed = {}
    for row in moves.find("tbody"):
        origin, _, *cells = row
        for name, cell in zip(names, cells, strict=True):
            if own(cell):
                crossed[words(origin), name] = int(own(cell).replace(",", ""))
    return sizes, crossed, yaml.safe_load(page.find(".//pre").text)["vars"]


def test_a_build_with_the_lines_of_the_page_gives_what_the_page_shows(built_customers, copy_of):
    project = copy_of(built_customers)
    in_use = dict(project.published("select segment_id, segment_name from segment_profiles"))
    before = digests(project)
    assert "warehouse.duckdb" in before
    # A transform as well as a number, and a number outside of k_range.
    run = what_if(project, "--clusters", "11", "--transforms", "annual_income_k=log1p")
    assert run.returncode == 0, run.stdout + run.stderr
    assert digests(project) == before
    sizes, crossed, changed = shown(project)
    assert len(sizes) == 11
    assert set(changed) == {"segmentation"}
    assert set(changed["segmentation"]) == {"features", "n_clusters", "k_range"}

    project.configure(**changed["segmentation"])
    project.build()
    profiles = project.published("select segment_id, segment_name, n_customers from segment_profiles")
    assert sizes == {number: (name, n_customers) for number, name, n_customers in profiles}
    now = {number: f"{name} ({number})" for number, (name, _) in sizes.items()}
    with project.reader("warehouse.duckdb") as reader:
        reader.execute(f"attach '{project.folder / 'kept_builds' / '1.duckdb'}' as before (read_only)")
        counted = reader.sql(
            """
            select earlier.segment_id, later.segment_id, count(*)
            from customer_segments as later inner join before.main.customer_segments as earlier using (customer_id)
            group by all
            """
        ).fetchall()
    assert crossed == {(in_use[origin], now[destination]): n for origin, destination, n in counted}


def test_what_cannot_be_tried_is_said_in_one_sentence_and_changes_nothing(built_customers, copy_of):
    project = copy_of(built_customers)
    before = digests(project)
    sentences = {
        (): "Nothing was tried: say what to try: K=4,6, ",
        ("--clusters", "0"): "Nothing was tried: K=0: ",
        ("--clusters", "3001"): "Nothing was tried: K=3001: there are only 3,000 customers for 3,001 segments.",
        ("--features", "shoe_size"): "Nothing was tried: FEATURES=shoe_size: shoe_size is not known; there are gender, age,",
        ("--segmentation", "money", "--clusters", "4"): "Nothing was tried: SEGMENTATION=money: dbt_project.yml has no block",
    }
    for arguments, sentence in sentences.items():
        run = what_if(project, *arguments)
        assert run.returncode == 1
        assert run.stderr.startswith(sentence)
        assert run.stderr.count("\n") == 1
    assert digests(project) == before
    assert not (project.folder / "reports").exists()
    # What dbt refuses is said as dbt says it.
    run = what_if(project, "--transforms", "age=sqrt")
    assert run.returncode == 1
    assert run.stdout.endswith("transform of age: sqrt is unknown; use none or log1p or yeo-johnson.\n")
    assert digests(project) == before
    (project.folder / "warehouse.duckdb").unlink()
    run = what_if(project, "--clusters", "4")
    assert run.stderr == "warehouse.duckdb does not exist; run dbt build first\n"
