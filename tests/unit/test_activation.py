import hashlib
import sys

import activation
import duckdb
import pytest
from activation import chosen_columns, file_name, normalised

FOUND = [("member", "VARCHAR"), ("segment_id", "INTEGER"), ("segment_name", "VARCHAR"), ("email", "VARCHAR")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Young, low income", "segment_3_young_low_income.csv"),
        ("../../etc/passwd", "segment_3_etc_passwd.csv"),
        ("<script>alert(1)</script>", "segment_3_script_alert_1_script.csv"),
        ("Café", "segment_3_cafe.csv"),
        ("\u65e5\u672c", "segment_3.csv"),
        ("CON", "segment_3_con.csv"),
        ("x" * 300, f"segment_3_{'x' * 70}.csv"),
    ],
)
def test_file_names_are_safe_whatever_a_segment_is_called(name, expected):
    assert file_name(3, name) == expected


@pytest.mark.parametrize("email", ["some.body@example.com", "  Some.Body@Example.COM\t", "\u00a0SOME.BODY@example.com\n"])
def test_the_same_address_has_the_same_hash(email):
    answer = duckdb.execute(f"select sha256({normalised('email')}) from (select ? as email)", [email]).fetchone()[0]
    assert answer == hashlib.sha256(b"some.body@example.com").hexdigest()


def headings(columns):
    return duckdb.sql(
        f"select {', '.join(columns)} from (select 'a' as member, 1 as segment_id, 'b' as segment_name, 'c' as email)"
    ).columns


def test_columns_are_the_key_and_the_segment_or_those_asked_for():
    assert headings(chosen_columns(FOUND, None, None)) == ["member", "segment_id", "segment_name"]
    assert headings(chosen_columns(FOUND, ["segment_name", "member"], None)) == ["segment_name", "member"]


def test_with_a_hashed_address_neither_the_address_nor_the_key_is_in_the_list():
    assert headings(chosen_columns(FOUND, None, "email")) == ["email_sha256", "segment_id", "segment_name"]
    assert headings(chosen_columns(FOUND, ["segment_id"], "email")) == ["email_sha256", "segment_id"]
    assert headings(chosen_columns(FOUND, ["segment_id", "email"], "email")) == ["segment_id", "email_sha256"]


def test_a_column_that_is_not_there_is_one_sentence():
    with pytest.raises(SystemExit, match="customer_segments has no column phone; it has member, segment_id, segment_name, email"):
        chosen_columns(FOUND, ["phone"], None)


def test_the_list_of_a_segment_that_is_gone_is_removed_and_lists_of_others_stay(tmp_path, monkeypatch):
    """A segment is renamed, and somebody's list is called as ours are."""
    warehouse, output = tmp_path / "warehouse.duckdb", tmp_path / "lists"
    monkeypatch.setattr(sys, "argv", ["activation.py", "--warehouse", str(warehouse), "--output", str(output)])
    with duckdb.connect(warehouse) as connection:
        connection.execute("create table customer_segments as select 'a' as member, 1 as segment_id, 'Old' as segment_name")
    activation.main()
    (output / "segment_9_gone.csv").write_text("mine")
    with duckdb.connect(warehouse) as connection:
        connection.execute("update customer_segments set segment_name = 'New'")
    activation.main()
    texts = {path.name: path.read_text() for path in output.glob("*.csv")}
    listed = '"member",segment_id,"segment_name"\n"a",1,"New"\n'
    assert texts == {"all_segments.csv": listed, "segment_1_new.csv": listed, "segment_9_gone.csv": "mine"}
