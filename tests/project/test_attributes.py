"""Attributes: numbers, dates, yes and no, which cost nobody the segment, and what is personal, which nobody sees."""

import datetime
import json

import duckdb
import pytest
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
        ({"name": "since", "format": "american"}, "format of since: american is unknown"),
        ({"name": "email", "personal": "yes"}, "personal of email: yes is neither true nor false"),
        ({"name": "email", "secret": True}, "attribute email: the setting secret is unknown"),
    ],
)
def test_a_mistake_in_the_settings_of_an_attribute_is_one_sentence(staged, attribute, sentence):
    with pytest.raises(DbtBaseException) as error:
        staged([HEADER], [attribute])
    assert sentence in error.value.msg
