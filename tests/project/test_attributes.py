"""Attributes: numbers, dates, yes and no, which cost nobody the segment, and what is personal, which nobody sees."""

import csv
import datetime
import hashlib
import json
import statistics
import sys

import activation
import duckdb
import export
import pytest
import render_report
from dbt_common.exceptions import DbtBaseException
from staging import Staging

HEADER = "CustomerID,E-Mail,Revenue,Since,Visits,Member,Age,Annual Income,Spending Score"
ATTRIBUTES = [
    {"name": "email", "headers": ["E-Mail"], "personal": True},
    {"name": "revenue", "data_type": "double"},
    {"name": "since", "data_type": "date"},
    {"name": "visits", "data_type": "integer"},
    {"name": "member", "data_type": "boolean"},
]


@pytest.fixture
def staged(tmp_path):
    """A function: (lines or a query for a Parquet file, attributes) → a Staging of the customers, or of the orders."""

    def staged(content, attributes=ATTRIBUTES, block="segmentation", **source):
        (tmp_path / "build").mkdir(exist_ok=True)
        path = tmp_path / ("data.csv" if isinstance(content, list) else "data.parquet")
        if isinstance(content, list):
            path.write_text("\n".join(content) + "\n", encoding="utf-8")
        else:
            duckdb.sql(f"copy ({content}) to '{path}' (format parquet)")
        settings = {"segmentation": {"attributes": attributes}}
        settings.setdefault(block, {})["source"] = {"file": str(path)} | source
        if block == "orders":
            settings["segmentation"]["source"] = {"file": "customers.csv"}
        return Staging(tmp_path / "build", block, path, settings)

    return staged


def test_a_value_that_is_not_of_its_type_is_not_given_and_the_customer_is_kept(staged):
    """Line 3 has no value of its type, line 4 none at all, line 5 what only looks like one; line 6 is refused for its age."""
    lines = [
        HEADER,
        "1,a@x.org,12.5,2024-01-31,3,yes,20,30,40",
        "2,b@x.org,much,31.01.2024,3.5,maybe,20,30,40",
        "3,c@x.org,,n/a,,,20,30,40",
        "4,d@x.org,1e300,epoch,9999999999,no,20,30,40",
        "5,e@x.org,much,,,,999,30,40",
    ]
    with staged(lines) as staging:
        accepted = [row[:5] for row in staging.accepted]
        assert accepted == [
            (1, 12.5, datetime.date(2024, 1, 31), 3, True),
            (2, None, None, None, None),
            (3, None, None, None, None),
            (4, None, None, None, False),
        ]
        assert [row[1:3] for row in staging.rejected] == [(6, "age is above 120")]
        assert staging.not_counted is None
        places = [sentence.split("; ")[0].rpartition(", ")[2] for sentence in staging.warnings]
        assert staging.warnings[1].startswith("2 values of revenue are no numbers and count as not given, the first one in ")
        assert staging.warnings[0].startswith("1 value of member is neither yes nor no and counts as not given, in ")
        assert places == ["line 3"] * 4


def test_dates_are_read_by_their_format_and_numbers_by_the_separator_of_the_source(staged):
    attributes = [{"name": "since", "data_type": "date", "format": "day-first"}, {"name": "revenue", "data_type": "double"}]
    lines = ["CustomerID;Since;Revenue;Age;Annual Income;Spending Score", "1;31.1.2124;12,5;20;30;40"]
    with staged(lines, attributes, decimal_separator=",") as staging:
        assert staging.accepted[0][1:3] == (datetime.date(2124, 1, 31), 12.5)
        assert staging.warnings == []


def test_typed_columns_of_parquet_are_read_as_they_are(staged):
    query = """
        select 1 as customer_id, 'a@x.org' as email, 12.5::double as revenue, date '2024-01-31' as since, 3 as visits,
            true as member, 20 as age, 30 as annual_income_k, 40 as spending_score
        union all select 2, 'b@x.org', 'nan'::double, null, null, null, 999, 30, 40
    """
    with staged(query, decimal_separator=",", max_rejected_share=1) as staging:
        assert staging.accepted[0][:5] == (1, 12.5, datetime.date(2024, 1, 31), 3, True)
        record = json.loads(staging.rejected[0][3])
        assert record["email"] == "(personal)"
        assert record["age"] == "999" or record["age"] == 999


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("1,a@x.org,,,,,999,30,40", "1,(personal),,,,,999,30,40"),
        ('1,"a@x.org, b@x.org",,,,,999,30,40', "1,(personal),,,,,999,30,40"),
        ('1,"a@x.org\n""b@x.org""","1,5",,,,999,30,40', '1,(personal),"1,5",,,,999,30,40'),
        ("1,,,,,,999,30,40", "1,,,,,,999,30,40"),
        ("1,a@x.org,b@x.org,,,,,20,30,40", None),
        ("1,a@x.org", None),
        ('1,"a@x.org,,,,,20,30,40', None),
    ],
)
def test_personal_values_of_rejected_rows_are_hidden(staged, line, shown):
    """With them goes the whole text where the fields cannot be told apart."""
    with staged([HEADER, line], max_rejected_share=1) as staging:
        ((_, _, _, text),) = staging.rejected
        assert text == (shown or "(hidden: where its personal values are cannot be told)")


def test_where_trailing_fields_may_be_missing_personal_values_are_still_told(staged):
    lines = ["CustomerID,E-Mail,Age,Annual Income,Spending Score,Note", "1,a@x.org,999,30,40", "1,a@x.org,999,30"]
    with staged(lines, [{"name": "email", "headers": ["E-Mail"], "personal": True}], max_rejected_share=1) as staging:
        assert [text for *_, text in staging.rejected] == [
            "1,(personal),999,30,40",
            "(hidden: where its personal values are cannot be told)",
        ]


def test_personal_values_of_json_lines_are_hidden(staged):
    """An e-mail that is not given stays so; what is no object is hidden."""
    lines = [
        '{"CustomerID": 1, "E-Mail": "a@x.org", "Age": 20, "Annual Income": 30, "Spending Score": 40}',
        '{"CustomerID": 2, "E-Mail": "a@x.org", "Age": 999, "Annual Income": 30, "Spending Score": 40}',
        '{"CustomerID": 3, "Age": 999, "Annual Income": 30, "Spending Score": 40}',
        '{"CustomerID": 4, "E-Mail": "a@x.org", "Age": 20',
    ]
    with staged(lines, [{"name": "email", "headers": ["E-Mail"], "personal": True}], max_rejected_share=1) as staging:
        two, three, four = (text for *_, text in staging.rejected)
        assert json.loads(two) == {"CustomerID": 2, "E-Mail": "(personal)", "Age": 999, "Annual Income": 30, "Spending Score": 40}
        assert json.loads(three) == json.loads(lines[2])
        assert four == "(hidden: where its personal values are cannot be told)"


def test_of_a_relation_personal_values_are_hidden_and_values_of_another_type_have_no_line(tmp_path):
    """The row of an unusable record has the names of the relation, that of a duplicate those of the configuration."""
    table = """
        create table crm as
        select * from (
            values (1, 'a@x.org', '12', 20, 30, 40), (1, 'b@x.org', 'much', 21, 30, 40), (2, 'c@x.org', '5', 999, 30, 40),
            (3, 'd@x.org', 'much', 21, 30, 40)
        ) as crm (CustomerID, "E-Mail", Revenue, Age, "Annual Income", spending_score)
    """
    settings = {"segmentation": {"source": {"relation": "ref('crm')", "max_rejected_share": 1}, "attributes": ATTRIBUTES[:2]}}
    with Staging(tmp_path, "segmentation", None, settings, tables=[table]) as staging:
        assert sorted(row[:2] for row in staging.accepted) == [(1, 12), (3, None)]
        records = [json.loads(text) for *_, text in staging.rejected]
        assert [(record.get("E-Mail"), record.get("email")) for record in records] == [("(personal)", None), (None, "(personal)")]
        assert staging.warnings == [
            "1 value of revenue is no number and counts as not given, in ref('crm'); mend it there, or adapt the attribute in "
            "dbt_project.yml, vars, segmentation."
        ]


def test_personal_values_of_duplicates_are_hidden(staged):
    with staged([HEADER, "1,a@x.org,,,,,20,30,40", "1,b@x.org,,,,,20,30,40"]) as staging:
        assert [row[2:] for row in staging.rejected] == [("customer_id is a duplicate", "1,(personal),,,,,20,30,40")]


def test_what_is_personal_of_customers_is_hidden_in_refused_orders_too(staged):
    lines = ["customer_id,e-mail,order_date,amount", "1,a@x.org,never,5", "1,a@x.org,2024-01-31,5"]
    with staged(lines, block="orders") as staging:
        assert [row[2:] for row in staging.rejected] == [("ordered_at is not a date", "1,(personal),never,5")]


def test_a_first_line_that_is_no_header_is_not_shown_where_something_is_personal(staged):
    with pytest.raises(DbtBaseException) as error:
        staged(["1,a@x.org,,,,,20,30,40"])
    assert "has no column for customer_id" in error.value.msg
    assert "a@x.org" not in error.value.msg


def test_e_mail_addresses_that_nobody_has_called_personal_are_pointed_out(staged):
    rows = [f"{number},c{number}@x.org,20,30,40" for number in range(9)]
    lines = ["CustomerID,Contact,Age,Annual Income,Spending Score", *rows, "9,,20,30,40"]
    with staged(lines, [{"name": "contact"}]) as staging:
        assert len(staging.warnings) == 1
        assert staging.warnings[0].startswith("The attribute contact holds e-mail addresses")
        assert "x.org" not in staging.warnings[0]


@pytest.mark.parametrize(
    ("attribute", "sentence"),
    [
        ({"name": "since", "data_type": "timestamp"}, "data_type of since: timestamp is unknown; use varchar or double or"),
        ({"name": "since", "data_type": "date", "format": "american"}, "format of since: american is unknown"),
        ({"name": "email", "personal": "yes"}, "personal of email: yes is neither true nor false"),
        ({"name": "email", "missing": "reject"}, "attribute email: the setting missing is unknown"),
        ({"name": "email", "format": "iso"}, "attribute email: the setting format is unknown"),
        ({"name": "email", "secret": True}, "attribute email: the setting secret is unknown"),
    ],
)
def test_a_mistake_in_the_settings_of_an_attribute_is_one_sentence(staged, attribute, sentence):
    with pytest.raises(DbtBaseException) as error:
        staged([HEADER], [attribute])
    assert sentence in error.value.msg


class Shop:
    """A project built on 120 customers in two groups: each has an e-mail, which is personal, and one of 60 cities."""

    def __init__(self, project):
        self.project = project
        self.revenues = {number: 5 * number for number in range(120) if number % 10}
        rows = [
            f"{number},mail{number}@x.org,city{number % 60},{self.revenues.get(number, '')},2024-01-{1 + number % 28:02},"
            f"{'yes' if number % 3 else 'no'},{20 + number % 5 + number % 2 * 40},{30 + number % 2 * 60},{90 - number % 2 * 80}"
            for number in range(120)
        ]
        rows[2] = rows[2].replace("2024-01-03", "long ago")
        rows += ["500,mail500@x.org,city1,5,,,999,30,40", "501,mail501@x.org", "3,mail502@x.org,,,,,20,30,40"]
        rows += ["600,MAIL7@X.org ,city1,,,,22,30,90"]
        header = "CustomerID,Email,City,Revenue,Since,Member,Age,Annual Income,Spending Score"
        (project.folder / "customers.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        attributes = [
            {"name": "email", "personal": True},
            {"name": "city"},
            {"name": "revenue", "data_type": "double"},
            {"name": "since", "data_type": "date"},
            {"name": "member", "data_type": "boolean"},
        ]
        source = {"file": "customers.csv", "max_rejected_share": 0.1}
        project.configure(source=source, attributes=attributes, n_clusters=2, k_range=[2, 3])
        self.output = project.build()

    def run(self, monkeypatch, script, *options):
        monkeypatch.chdir(self.project.folder)
        monkeypatch.setattr(sys, "argv", [f"{script.__name__}.py", *options])
        script.main()


@pytest.fixture(scope="module")
def shop(new_project):
    return Shop(new_project())


def test_attributes_are_described_by_segment(shop):
    of_segment = {}
    for number, segment in shop.project.published(
        "select customer_id, segment_id from customer_segments where customer_id < 120"
    ):
        of_segment.setdefault(segment, []).append(number)
    query = """
        select segment_id, n_customers, n_missing, attribute_mean, attribute_median, attribute_min, attribute_max
        from segment_attribute_statistics where attribute = 'revenue'
    """
    found = {segment: row for segment, *row in shop.project.published(query)}
    assert set(found) == set(of_segment) == {1, 2}
    for segment, numbers in of_segment.items():
        values = [shop.revenues[number] for number in numbers if number in shop.revenues]
        n_missing = 61 - len(values) if 0 in numbers else 60 - len(values)
        middle = statistics.mean(values), statistics.median(values), min(values), max(values)
        assert found[segment] == pytest.approx([len(values), n_missing, *middle])
    dates = "select min(date_min), max(date_max), sum(n_missing), count(attribute_mean) from segment_attribute_statistics"
    first, last = datetime.date(2024, 1, 1), datetime.date(2024, 1, 28)
    assert shop.project.published(f"{dates} where attribute = 'since'") == [(first, last, 2, 0)]
    assert "1 value of since is no date and counts as not given, in customers.csv, line 4" in shop.output

    profiles = "select attribute, attribute_value, sum(n_customers) from segment_attribute_profiles group by all order by all"
    assert shop.project.published(profiles) == [
        ("city", "more than 50 values", 121),
        ("member", "false", 40),
        ("member", "true", 80),
        ("member", None, 1),
    ]


def test_what_is_personal_is_in_nothing_that_is_published_or_made_of_it(shop, monkeypatch):
    """It is looked for in every file but the source, and those in which builds work."""
    folder = shop.project.folder
    shop.run(monkeypatch, export)
    shop.run(monkeypatch, render_report)
    with shop.project.reader("warehouse.duckdb") as reader:
        tables = [name for (name,) in reader.sql("show tables").fetchall()]
        assert (
            "email" not in reader.sql("select column_name from duckdb_columns() where not internal").df()["column_name"].to_list()
        )
        for table in tables:
            assert not reader.sql(f"select * from {table} as row where contains(lower(row::varchar), '@x.org')").fetchall()
    records = shop.project.published("select line_number, raw_record from rejected_customers")
    assert records == [
        (122, "500,(personal),city1,5,,,999,30,40"),
        (123, "(hidden: where its personal values are cannot be told)"),
        (124, "3,(personal),,,,,20,30,40"),
    ]
    made = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] != "build"]
    assert {"index.html", "segments.xlsx", "dbt.log"} <= {path.name for path in made}
    holding = [path.name for path in made if b"@x.org" in path.read_bytes().lower()]
    assert holding == ["customers.csv"]
    assert "@x.org" not in shop.output.lower()


def test_activation_hashes_what_is_personal_and_lists_who_shares_it_once(shop, monkeypatch, capsys):
    shop.run(monkeypatch, activation, "--hash-email", "email")
    folder = shop.project.folder / "exports" / "activation"
    lists = {path.name: path.read_text().splitlines()[1:] for path in folder.glob("*segment*.csv")}
    everybody = lists.pop("all_segments.csv")
    assert sorted(everybody) == sorted(row for rows in lists.values() for row in rows)
    found = [row[0] for row in csv.reader(everybody)]
    assert sorted(found) == sorted(hashlib.sha256(f"mail{number}@x.org".encode()).hexdigest() for number in range(120))
    assert "1 customer shares an address with another one." in capsys.readouterr().out


def test_the_report_shows_numbers_and_dates_by_segment(shop, monkeypatch):
    shop.run(monkeypatch, render_report)
    page = (shop.project.folder / "reports" / "index.html").read_text(encoding="utf-8")
    (section,) = [part for part in page.split("<h3>") if part.startswith("What else is known of them")]
    assert section.count("<h4>Revenue</h4>") == section.count("<h4>Since</h4>") == 1
    (mean,) = shop.project.published(
        "select population_mean from segment_attribute_statistics where attribute = 'revenue' limit 1"
    )[0]
    assert f'<td class="n">{mean:,.0f}</td>' in section
    assert "1 Jan 2024" in section


def test_the_key_cannot_be_personal(tmp_path):
    (tmp_path / "data.csv").write_text(HEADER)
    settings = {"segmentation": {"key": {"name": "email", "data_type": "varchar", "personal": True}}}
    with pytest.raises(DbtBaseException) as error:
        Staging(tmp_path, "segmentation", tmp_path / "data.csv", settings)
    assert "key: it names the customer in every table, so it cannot be personal; take a customer number" in error.value.msg
