"""Hostile inputs, each of which must be read exactly or refused with a sentence: `make faults` tries thousands.

The environment variables INPUTS and INPUTS_SEED say how many, and which ones. INPUTS=1 INPUTS_FIRST=17 tries one of them again.
"""

import datetime
import os
from collections import Counter

import hostile_inputs
import pytest
from dbt_common.exceptions import DbtBaseException
from staging import Staging

INPUTS = int(os.environ.get("INPUTS", "240"))
FIRST = int(os.environ.get("INPUTS_FIRST", "0"))
SEED = int(os.environ.get("INPUTS_SEED", "1"))


@pytest.fixture(scope="module")
def counts():
    """Counts what has become of the inputs, and says so in the end."""
    counts = Counter()
    yield counts
    print(f"\n{counts['inputs']} inputs of seed {SEED}: {counts['refused']} refused, {counts['read']} read with ", end="")
    print(f"{counts['records']} records, of which {counts['accepted']} were accepted and {counts['rejected']} rejected")


@pytest.fixture
def outcome(tmp_path, monkeypatch):
    """A function: Input → what became of it: a sentence, or a Staging."""
    (tmp_path / "build").mkdir()
    (tmp_path / "incoming").mkdir()
    monkeypatch.setattr(hostile_inputs.parquet, "folder", tmp_path, raising=False)

    def outcome_of(one):
        for name, content in one.files.items():
            path = tmp_path / "incoming" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content == "pipe":
                os.mkfifo(path)
            elif content == "folder":
                path.mkdir()
            elif content == "link to nowhere":
                path.symlink_to(tmp_path / "nowhere")
            else:
                path.write_bytes(content)
        try:
            return Staging(tmp_path / "build", one.block, tmp_path / "incoming" / one.file, one.settings)
        except DbtBaseException as error:
            return error.msg

    return outcome_of


def sortable(rows):
    return sorted(rows, key=repr)


@pytest.mark.parametrize("number", range(FIRST, FIRST + INPUTS))
def test_an_input_is_read_exactly_or_refused_with_a_sentence(number, outcome, counts, tmp_path):
    one = hostile_inputs.hostile_input(SEED, number)
    found = outcome(one)
    counts["inputs"] += 1
    if isinstance(found, str):
        counts["refused"] += 1
        assert one.refusal, f"{one.files} must be read, and is refused: {found}"
        require_one_sentence(found, one, tmp_path)
        return
    with found as staging:
        assert not one.refusal or one.or_refused, f"{one.kind}: {one.files} must be refused, and is read: {staging.accepted}"
        counts["read"] += 1
        counts["records"] += one.n_records
        counts["accepted"] += len(staging.accepted)
        counts["rejected"] += len(staging.rejected)
        folder = f"{tmp_path}/incoming/"
        rejected = [(path.removeprefix(folder), line, reasons, text) for path, line, reasons, text in staging.rejected]
        # A row of Parquet has no text; it is shown as JSON.
        without_text = {(path, line) for path, line, _, text in one.rejected if text is None}
        rejected = [(*row[:3], None if row[:2] in without_text else row[3]) for row in rejected]
        assert sortable(rejected) == sortable(one.rejected)
        assert sortable(staging.accepted) == sortable(one.accepted)
        assert len(staging.accepted) + len(staging.rejected) == one.n_records
        assert staging.not_counted is None


def require_one_sentence(said, one, tmp_path):
    """What a refusal must be: one line with the name of the file, where in it, and a remedy; nothing of how it came about."""
    place = -1
    for text in one.refusal:
        place = said.find(text, place + 1)
        assert place >= 0, f"{one.kind}: {text!r} is not in {said!r}"
    assert str(tmp_path / "incoming") in said
    assert said.isprintable()
    assert said.endswith((".", "?"))
    for word in ("Traceback", "Error", "Exception", "line 0", "NULL", "0x"):
        assert word not in said


CUSTOMERS = "CustomerID,Gender,Age,Annual Income,Spending Score"
GENDER_FIRST = "Gender,CustomerID,Age,Annual Income,Spending Score"
ORDERS = "customer_id,date,amount"
DATES = {"orders": {"date": {"format": "YYYYMMDD"}}}
DAY_FIRST = {"orders": {"date": {"format": "day-first"}}}
JANUARY = datetime.datetime(2025, 1, 2)
NO_KEY = "customer_id is not a whole number"
NO_DATE = "ordered_at is not a date"

# What the generator has found, and what it does not make because only the documents say what is right:
# {what: (lines, settings, accepted rows, line numbers and reasons of the rejected ones)}.
FOUND = {
    "a first field of several lines, whose last one looks like a record": (
        [GENDER_FIRST, '"two', 'lines",1,30,40,50'], {}, [(1, "two\nlines", 30, 40, 50)], [],
    ),
    "and with delimiters in it": (
        ["Gender,Name,CustomerID,Age,Annual Income,Spending Score", '"","x,', ',y",1,30,40,50'], {}, [(1, None, 30, 40, 50)], [],
    ),
    "spaces on a line of a field": ([CUSTOMERS, '1,"a', "  ", 'b",30,40,50'], {}, [(1, "a\n  \nb", 30, 40, 50)], []),
    "a line that ends a record and could begin one": (
        [GENDER_FIRST, '"', '",1,30,40,50', '",2,30,40,50'], {}, [(1, "\n", 30, 40, 50)], [(4, "quotes are not balanced")],
    ),
    "a line of a field that is a record by itself": (
        [CUSTOMERS, '1,"a', "7,x,30,40,50", 'b",31,41,51'], {}, [(7, "x", 30, 40, 50)],
        [(2, "quotes are not balanced"), (4, "too few fields")],
    ),
    "a hundred line breaks in a field": (
        [CUSTOMERS, '1,"a', *["x"] * 99, 'b",31,41,51'], {}, [(1, "a\n" + "x\n" * 99 + "b", 31, 41, 51)], [],
    ),
    "a hundred and one": (
        [CUSTOMERS, '1,"a', *["x"] * 100, 'b",31,41,51'], {}, [],
        [(2, "quotes are not balanced"), *((line, "too few fields") for line in range(3, 104))],
    ),
    "keys that only DuckDB takes for numbers": (
        [CUSTOMERS, "0x1F,,30,40,50", "0b11,,30,40,50", "1.2E+11,,30,40,50", "07.00,,30,40,50"], {},
        [(7, None, 30, 40, 50)], [(2, NO_KEY), (3, NO_KEY), (4, f"customer_id {hostile_inputs.EXPONENT}")],
    ),
    "words that only DuckDB takes for dates": (
        [ORDERS, "1,epoch,1", "1,infinity,1", "1,-infinity,1", "1,1970-01-01,1", "1,1900-01-01,1"], {},
        [(1, None, datetime.datetime(year, 1, 1), 1, None, None, False, None) for year in (1900, 1970)],
        [(2, NO_DATE), (3, NO_DATE), (4, NO_DATE)],
    ),
    "words that only DuckDB takes for dates of another format": (
        [ORDERS, "1,epoch,1", "1,infinity,1", "1,-infinity,1", "1,2.1.2025,1"], DAY_FIRST,
        [(1, None, JANUARY, 1, None, None, False, None)], [(2, NO_DATE), (3, NO_DATE), (4, NO_DATE)],
    ),
    "tabs around a date": ([ORDERS, "1,\t20250102 ,1"], DATES, [(1, None, JANUARY, 1, None, None, False, None)], []),
}  # fmt: skip


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found(what, outcome):
    lines, settings, accepted, rejected = FOUND[what]
    block = "orders" if lines[0] == ORDERS else "segmentation"
    one = hostile_inputs.Input(what, block, {"a.csv": "\n".join(lines).encode()}, settings=settings)
    with outcome(one) as staging:
        assert sortable(staging.accepted) == accepted
        assert [(line, reasons) for _, line, reasons, _ in staging.rejected] == rejected
        assert staging.not_counted is None


def test_numbers_in_parquet_have_a_point_whatever_texts_have(outcome):
    names = ["CustomerID", "Gender", "Age", "Annual Income", "Spending Score"]
    columns = list(zip(names, ["double", "varchar", "double", "varchar", "float"], strict=True))
    content = hostile_inputs.parquet(columns, [["3", "x", "30", "40,0", "50"], ["4", "x", "30", "40.0", "50"]])
    settings = {"segmentation": {"source": {"decimal_separator": ","}}}
    with outcome(hostile_inputs.Input("", "segmentation", {"a.parquet": content}, settings=settings)) as staging:
        assert staging.accepted == [(3, "x", 30, 40, 50)]
        assert [(line, reasons) for _, line, reasons, _ in staging.rejected] == [
            (2, "annual_income_k is not a number, but has points: set thousands_separator")
        ]
