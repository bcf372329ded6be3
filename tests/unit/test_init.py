"""What make init writes for a table: guesses that hold on tables whose answer is known, one sentence for everything else.

Tables are looked at and tried as builds read them, without a build.
"""

import csv
import importlib
import io
import random
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from dbt_common.exceptions import DbtBaseException
from sklearn import datasets

ROOT = Path(__file__).parents[2]
CASES = ROOT.parent / "shared" / "cases"
sys.path.append(str(ROOT / "scripts"))
init = importlib.import_module("init")
guesses = importlib.import_module("guesses")
inspection = importlib.import_module("inspection")
SHIPPED = (ROOT / "dbt_project.yml").read_text(encoding="utf-8")


def table(columns):
    """{header: values} as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


@pytest.fixture
def look(tmp_path):
    """A function: a path, or a table as text or {header: values}, → (text of dbt_project.yml, its blocks, what was asked)."""

    def look_at(content, orders=None, text=SHIPPED, **source):
        path = content
        if not isinstance(content, Path):
            path = tmp_path / "customers.csv"
            path.write_text(content if isinstance(content, str) else table(content), encoding="utf-8")
        if orders:
            (tmp_path / "orders.csv").write_text(orders if isinstance(orders, str) else table(orders), encoding="utf-8")
        folder = tmp_path / "init"
        folder.mkdir()
        source = {"file": str(path), **source}
        text, _, questions = init.configured(text, source, source, orders and str(tmp_path / "orders.csv"), folder)
        shutil.rmtree(folder)
        return text, yaml.safe_load(text)["vars"], questions

    return look_at


@pytest.fixture
def block(look):
    """A function: as above → the block of the customers, of which nothing was asked."""

    def block_of(*arguments, **source):
        _, blocks, questions = look(*arguments, **source)
        assert questions == []
        return blocks["segmentation"]

    return block_of


@pytest.fixture
def answer(look):
    """A function: as above → (the blocks or None, what is asked or why nothing is written)."""

    def answer_to(*arguments):
        try:
            _, blocks, questions = look(*arguments)
        except (inspection.QuestionError, DbtBaseException) as error:
            return None, [init.in_one_line(error)]
        return blocks, questions

    return answer_to


def named(columns):
    return {column["name"]: {name: value for name, value in column.items() if name != "name"} for column in columns}


# Whole tables


def test_customers_like_those_of_the_mall(block):
    generator = np.random.default_rng(5)
    settings = block(
        {
            "CustomerID": range(1, 301),
            "Genre": generator.choice(["Male", "Female"], 300),
            "Age": generator.integers(18, 80, 300),
            "Annual Income (k$)": generator.integers(15, 140, 300),
            "Spending Score (1-100)": generator.integers(1, 101, 300),
        }
    )
    assert settings["key"] == {"name": "customer_id", "data_type": "bigint"}
    assert settings["attributes"] == [{"name": "genre"}]
    assert named(settings["features"]) == {
        "age": {"data_type": "integer", "range": [0, 120]},
        "annual_income": {"headers": ["Annual Income (k$)"], "data_type": "integer", "range": [0, None], "unit": "k$"},
        "spending_score": {
            "headers": ["Spending Score (1-100)"],
            "data_type": "integer",
            "range": [1, 100],
            "unit": "1-100",
        },
    }
    assert settings["n_clusters"] == "auto"


def test_the_real_mall(block):
    path = ROOT.parent / "shared" / "data" / "Mall_Customers.csv"
    if not path.exists():
        pytest.skip("the real data is absent")
    settings = block(path)
    assert list(named(settings["features"])) == ["age", "annual_income", "spending_score"]
    assert settings["key"]["name"] == "customer_id"


def scikit_learn(name):
    data = getattr(datasets, f"load_{name}")()
    return {
        **{header: data.data[:, place] for place, header in enumerate(data.feature_names)},
        "class": [f"class {value}" for value in data.target],
    }


def test_irises_have_no_key_and_petals_of_one_measure(block):
    settings = block(scikit_learn("iris"))
    assert settings["key"] == "row_number"
    # Length and width of petals have a rank correlation of 0.94.
    assert named(settings["features"]) == {
        name: {"headers": [f"{name.replace('_', ' ')} (cm)"], "range": [0, None], "unit": "cm"}
        for name in ("sepal_length", "sepal_width", "petal_length")
    }
    assert settings["attributes"] == [{"name": "class"}]


def test_wines_have_more_columns_than_anybody_follows(look):
    text, blocks, _ = look(scikit_learn("wine"))
    assert len(blocks["segmentation"]["features"]) == 10
    assert len(re.findall(r"^      # - \{name: ", text, re.MULTILINE)) == 3


def test_features_around_zero_have_no_range(block):
    settings = block(scikit_learn("diabetes") | {"class": range(442)})
    assert all("range" not in feature for feature in settings["features"])
    assert "sex" in named(settings["attributes"])


# Wide tables


def wide_table(n_groups=10, n_alike=20, n_rows=500):
    """Groups of columns that share half of their variance, in no order; their names say the group."""
    generator = np.random.default_rng(3)
    centres = generator.normal(size=(n_groups, n_rows))
    columns = {
        f"g{group}_{place}": (centres[group] + 0.6 * generator.normal(size=n_rows)).round(3)
        for group in range(n_groups)
        for place in range(n_alike)
    }
    order = generator.permutation(list(columns))
    return {"customer_no": range(n_rows)} | {name: columns[name] for name in order}


def test_of_a_wide_table_one_feature_of_each_group_is_taken(look):
    text, blocks, questions = look(wide_table())
    assert questions == []
    assert {feature["name"].split("_")[0] for feature in blocks["segmentation"]["features"]} == {f"g{n}" for n in range(10)}
    # The others only need their mark removed.
    lines = text.replace("      # - {name: g", "      - {name: g")
    assert len(yaml.safe_load(lines)["vars"]["segmentation"]["features"]) == 200


def test_ten_variables_explain_what_was_made_of_ten():
    generator = np.random.default_rng(0)
    causes = generator.normal(size=(3, 1000))
    mixed = np.vstack([causes, generator.normal(size=(4, 3)) @ causes])
    chosen = guesses.principal_variables(np.corrcoef(mixed), 3)
    assert np.linalg.matrix_rank(mixed[chosen]) == 3


# The key


VALUES = {"a": [n * 1.5 for n in range(1, 101)], "b": [(7 * n) % 101 + 0.5 for n in range(1, 101)]}


def test_leading_zeros_stay(block):
    assert block({"Account No": [f"{n:05}" for n in range(100)]} | VALUES)["key"] == {
        "name": "account_no",
        "data_type": "varchar",
    }


def test_ids_that_follow_each_other_are_a_key(block):
    """DuckDB estimates that 15,676 of these are different."""
    settings = block({"customer_id": range(20_000), "a": [n * 7 % 1009 for n in range(20_000)]})
    assert settings["key"] == {"name": "customer_id", "data_type": "bigint"}


def test_ids_beyond_bigint_are_texts(block):
    ids = [str(2**63 + n) for n in range(100)]
    assert block({"id": ids} | VALUES)["key"] == {"name": "id", "data_type": "varchar"}


def test_the_key_is_the_column_whose_name_says_so(block):
    assert block({"rank": range(100), "Client": [f"C{n}" for n in range(100)]} | VALUES)["key"] == {
        "name": "client",
        "data_type": "varchar",
    }


def test_mail_addresses_differ_in_more_than_case(block):
    mails = [f"{'P' if n % 3 else 'p'}erson{n}@example.org" for n in range(100)]
    assert block({"E-mail": mails} | VALUES)["key"] == {"name": "e_mail", "headers": ["E-mail"], "case": "fold"}


def test_a_key_that_repeats_is_told(look):
    text, blocks, _ = look({"customer": [*range(98), 5, 6]} | VALUES)
    assert blocks["segmentation"]["key"]["name"] == "customer"
    assert "2 will be refused" in text


def test_without_a_key_rows_are_numbered(look):
    text, blocks, _ = look({"shop": [n % 7 for n in range(100)]} | VALUES | {"a": [n % 40 for n in range(100)]})
    assert blocks["segmentation"]["key"] == "row_number"
    assert "there is no history" in " ".join(text.split()).replace("# ", "")


def test_ids_that_a_spreadsheet_has_cut_are_asked_for(look):
    ids = [f"{4 + n / 300:.5f}E+12" for n in range(100)]
    _, blocks, questions = look({"CustomerID": ids} | VALUES)
    assert len(questions) == 1
    assert re.search(r"CustomerID: 100 keys, such as 4\.33000E\+12, have lost digits", questions[0])
    assert "customer_id" not in named(blocks["segmentation"]["features"])


# Names


HEADERS = {
    "Order": "order_value",
    "segment id": "segment_id_value",
    "2024 Umsatz": "column_2024_umsatz",
    "Größe": "grosse",
    "AnnualIncome": "annual_income",
    "annual_income_2": "annual_income_2",
    "  Visits  ": "visits",
}


def test_names_are_small_letters_and_no_words_of_sql_or_of_ours(block):
    columns = {header: [(place + 3) * n % 97 for n in range(100)] for place, header in enumerate(HEADERS)}
    settings = block({"customer_id": range(100)} | columns)
    headers = {name: column.get("headers", []) for name, column in named(settings["features"]).items()}
    for header, name in HEADERS.items():
        if name in headers:
            assert headers[name] in ([], [header.strip()], [header])
    assert set(headers) <= set(HEADERS.values()) | {"groe", "gre", "groesse", "grosse"}


def test_a_name_that_is_another_header_is_not_given(block):
    settings = block({"customer_id": range(100), "age": VALUES["b"], "Age (2024)": VALUES["a"]})
    assert {column["name"]: column.get("headers") for column in settings["features"]} == {
        "age": None,
        "age_value": ["Age (2024)"],
    }


# What is left out, and what describes


def test_columns_that_say_nothing_are_left_out_with_the_reason(look):
    columns = {
        "customer_id": range(100),
        "country": ["DE"] * 100,
        "empty": [""] * 100,
        "same": [2 * value + 1 for value in VALUES["a"]],
        "few": ["1.5" if n % 3 else "" for n in range(100)],
        "remarks": [f"called on day {n}, and {n * n} times since" for n in range(100)],
        "mostly missing": [str(n * n % 53) if n % 3 == 0 else "" for n in range(100)],
    } | VALUES
    text, blocks, _ = look(columns)
    plain = " ".join(text.split()).replace("# ", "")
    for reason in (
        'country, because every known value is "DE"',
        "empty, because it is empty",
        "a, because it says nearly the same as same (rank correlation 1.00)",
        "remarks, because its values differ in most rows",
        "mostly missing, because 66 % of the rows have no value",
    ):
        assert f"Not used: {reason}." in plain
    assert list(named(blocks["segmentation"]["features"])) == ["same", "b"]


def test_yes_and_no_describe_as_such(block):
    columns = {
        "customer_id": range(100),
        "newsletter": ["yes", "no", "no", ""] * 25,
        "app": ["Ja", "Nein"] * 50,
        "always": ["yes", "Y"] * 50,
        "reply": ["yes", "no", "never", "no"] * 25,
    }
    attributes = named(block(columns | VALUES)["attributes"])
    assert {name: attribute.get("data_type") for name, attribute in attributes.items()} == {
        "newsletter": "boolean", "app": "boolean", "always": None, "reply": None
    }  # fmt: skip


def test_numbers_that_are_names_describe(block):
    settings = block({"customer_id": range(100), "zip code": [10000 + n % 40 for n in range(100)]} | VALUES)
    assert "zip_code" in named(settings["attributes"])


def test_a_value_that_is_missing_gets_the_median(block):
    values = ["" if n == 50 else str(value) for n, value in enumerate(VALUES["a"])]
    settings = named(block({"customer_id": range(100), "a": values, "b": VALUES["b"]})["features"])
    assert settings["a"]["missing"] == "median"
    assert "missing" not in settings["b"]


# Transforms


def test_a_long_tail_gets_a_logarithm_and_a_tail_below_a_power(block):
    generator = np.random.default_rng(2)
    tail = generator.lognormal(4, 1.2, 2000)
    settings = named(
        block(
            {
                "customer_id": range(2000),
                "revenue": tail.round(2),
                "balance": (-generator.lognormal(4, 1.2, 2000)).round(2),
                "height": generator.normal(170, 10, 2000).round(2),
            }
        )["features"]
    )
    assert settings["revenue"] == {"range": [0, None], "transform": "log1p"}
    assert settings["balance"] == {"transform": "yeo-johnson"}
    assert settings["height"] == {"range": [0, None]}


# The file


def test_the_rest_of_the_file_stays_as_it_is(look):
    text, _, _ = look({"customer_id": range(100)} | VALUES)
    before, after = SHIPPED.splitlines(), text.splitlines()
    start, end = (
        before.index("  segmentation:"),
        before.index("    k_range: [1, 10]             # every k from the first to the last is tried and reported in k_scores"),
    )
    assert after[: start + 1] == before[: start + 1]
    assert after[-len(before) + end :] == before[end:]
    # The explanations of the settings are still there.
    for line in before[start:end]:
        if re.match("    # ", line):
            assert line in after


def test_the_digest_is_that_of_the_block_that_is_shipped():
    """Change SHIPPED in scripts/init.py with the columns in dbt_project.yml: it tells that nobody has edited them."""
    assert init.digest_of(yaml.safe_load(SHIPPED)["vars"]["segmentation"]) == init.SHIPPED


def test_what_is_written_twice_stands_there_once(look):
    customers = {"customer_id": range(100)} | VALUES
    orders = {"customer_id": range(100), "order_date": ["2025-01-01", "2025-01-02"] * 50, "amount": range(100)}
    once, _, _ = look(customers, orders)
    assert look(customers, orders, text=once)[0] == once


def test_an_edited_block_is_not_replaced_unless_that_is_asked_for():
    block = yaml.safe_load(SHIPPED)["vars"]["segmentation"]
    init.require_a_block_to_replace(block, overwrite=False)
    for change in ({"n_clusters": 4}, {"source": {"file": "mine.csv"}}, {"attributes": []}):
        with pytest.raises(inspection.QuestionError, match="has been edited"):
            init.require_a_block_to_replace(block | change, overwrite=False)
        init.require_a_block_to_replace(block | change, overwrite=True)


# Files that cannot be used


@pytest.mark.parametrize(
    ("content", "sentence"),
    {
        "empty": ("", "is empty"),
        "header_only": ("customer_id,a,b\n", "has a header and no rows"),
        "one_column": ("customer_id\n" + "\n".join(map(str, range(50))), "no column has 10 different numbers"),
        "no_numbers": (table({"id": range(50), "word": ["a", "b"] * 25}), "no column has 10 different numbers"),
        "other_numbers_of_fields": ("a,b\n1,2,3\n4,5,6\n", "has no row with as many fields as its first line"),
        "a_title": (
            "Customers of 2025,,\nid,a,b\n1,2,3\n",
            'Skip the lines above the headers, such as two, with SOURCE="{skip_lines: 2}"',
        ),
        "a_title_alone": (
            "Customers of 2025\n\nid;a;b\n1;2;3\n4;5;6\n",
            'has "Customers of 2025" alone in its first line, and several fields, between semicolons, in those below',
        ),
        "only_unnamed": (",,\n1,2,3\n", "has no column with a header of its own"),
    }.items(),
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_a_table_that_cannot_be_segmented_is_one_sentence(answer, content, sentence):
    content, sentence = sentence
    assert sentence in " ".join(answer(content)[1])


WORDS = [
    "",
    "id",
    "a,b",
    '"',
    "select",
    "größe",
    "名前",
    "x" * 200,
    "a\tb",
    "#",
    "{{ 1 }}",
    "null",
    "-",
    "Age (1-2",
    "'",
    ": x",
    "# y",
]
VALUES_OF_ALL_KINDS = [
    "",
    "0",
    "1.5",
    "-3",
    "1e5",
    "NaN",
    "n/a",
    "abc",
    '"',
    "'; drop table",
    "1,2",
    "inf",
    "0x1F",
    "{{ x }}",
    "\\",
]


@pytest.mark.parametrize("seed", range(10))
def test_no_table_whatever_it_holds_is_a_traceback(answer, seed):
    draw = random.Random(seed)
    headers = [draw.choice(WORDS) + draw.choice(["", str(n), "_b"]) for n in range(draw.randint(1, 8))]
    rows = [[draw.choice([*VALUES_OF_ALL_KINDS, str(draw.random()), str(n)]) for _ in headers] for n in range(60)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([headers, *rows])
    blocks, said = answer(text.getvalue())
    assert blocks or re.search(r"; |\. ", said[0])


# What others have


def case_files():
    """The files of the folder of cases that have customers."""
    return sorted(path for path in CASES.glob("*/*") if path.is_file() and "orders" not in path.stem)


@pytest.mark.parametrize("path", case_files(), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_case_ends_with_a_block_that_reads_it_or_with_a_question(answer, path):
    blocks, said = answer(path)
    assert (blocks and blocks["segmentation"]["features"]) or said
    assert all(str(path) in sentence for sentence in said)


# Ways of writing


def written(texts):
    return {"customer_id": range(100), "revenue": [texts(n) for n in range(100)], "b": VALUES["b"]}


WAYS = {
    "dollars": (lambda n: f"${8000 + 37 * n:,.2f}", {"currency": "$", "decimal_separator": ".", "thousands_separator": ","}),
    "euros": (
        lambda n: f"{8000 + 37 * n:,.2f} EUR".translate(str.maketrans(",.", ".,")),
        {"currency": "EUR", "decimal_separator": ",", "thousands_separator": "."},
    ),
    "a_decimal_comma": (lambda n: f"{n},5", {"decimal_separator": ","}),
    "percent": (lambda n: f"{n + 0.5}%", {"format": "percent"}),
    "brackets": (lambda n: f"({n}.25)" if n % 3 else f"{n}.25", {"format": "accounting"}),
}


@pytest.mark.parametrize(("texts", "settings"), WAYS.values(), ids=WAYS)
def test_numbers_are_read_as_they_are_written(block, texts, settings):
    feature = named(block(written(texts))["features"])["revenue"]
    assert {name: feature.get(name) for name in settings} == settings
    assert "data_type" not in feature


def test_a_number_that_may_be_another_one_is_asked_for(look):
    _, _, questions = look(written(lambda n: f"{1 + n}.{100 + n}"))
    assert len(questions) == 1
    assert 'thousands_separator: "."' in questions[0]
    assert 'decimal_separator: "."' in questions[0]


def test_no_number_is_asked_for_that_shows_what_it_is(block):
    assert "decimal_separator" not in named(block(written(lambda n: f"{n}.{100 + n}"))["features"])["revenue"]


# Orders


def test_columns_of_orders_are_told_by_names_and_values(look):
    orders = {
        "Invoice": [n // 2 for n in range(200)],
        "Buyer": [(7 * n) % 90 for n in range(200)],
        "Invoice date": [f"{1 + n % 28:02}.{1 + n % 12:02}.2024" for n in range(200)],
        "Item": [f"thing {n % 9}" for n in range(200)],
        "Qty": [1 + n % 3 for n in range(200)],
        "Unit price": [f"{1 + n % 40},50" for n in range(200)],
    }
    _, blocks, questions = look({"Client": range(100)} | VALUES, orders)
    assert questions == []
    found = {role: settings for role, settings in blocks["orders"].items() if orders.keys() & set(settings.get("headers", []))}
    assert found == {
        "customer": {"headers": ["Buyer"]},
        "date": {"headers": ["Invoice date"], "format": "day-first"},
        "order_id": {"headers": ["Invoice"]},
        "product": {"headers": ["Item"]},
        "quantity": {"headers": ["Qty"]},
        "unit_price": {"headers": ["Unit price"], "decimal_separator": ","},
    }
    assert blocks["orders"]["source"].keys() == {"file"}


def test_which_orders_count_is_asked(look):
    orders = {
        "Client": [n % 90 for n in range(200)],
        "Date": [f"2024-{1 + n % 12:02}-11" for n in range(200)],
        "Total": [n + 0.5 for n in range(200)],
        "Status": ["paid" if n % 5 else "failed" for n in range(200)],
    }
    _, blocks, questions = look({"Client": range(100)} | VALUES, orders)
    assert [question.partition(": ")[2] for question in questions] == [
        "which of them count? paid (160 lines), failed (40 lines). Write it at orders: status: counts."
    ]
    assert blocks["orders"]["amount"] == {"headers": ["Total"]}


def test_orders_of_nobody_are_asked_for(look):
    orders = {"Shop": ["a", "b"] * 20, "Date": ["2024-05-01"] * 40, "Total": range(40)}
    _, _, questions = look({"Client": [f"C{n}" for n in range(100)]} | VALUES, orders)
    assert any("write the header of the customer" in question for question in questions)
