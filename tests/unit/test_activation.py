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


@pytest.mark.parametrize("email", ["some.body@example.com", "  Some.Body@Example.COM\t", "\u00a0SOME.BODY@example.com\u200b\n"])
def test_the_same_address_has_the_same_hash(email):
    answer = duckdb.execute(f"select sha256({normalised('email')}) from (select ? as email)", [email]).fetchone()[0]
    assert answer == hashlib.sha256(b"some.body@example.com").hexdigest()


def headings(columns):
    return duckdb.sql(
        f"""
        select {", ".join(columns)}
        from (select 'a' as member, 1 as segment_id, 'b' as segment_name, 'c' as email)
        cross join (select 'd' as _hash) as addresses
        """
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


def lists(folder, capsys, monkeypatch, *options):
    """What the command says, and {name of a list: its rows}."""
    output = folder / "lists"
    command = ["activation.py", "--warehouse", str(folder / "warehouse.duckdb"), "--output", str(output), *options]
    monkeypatch.setattr(sys, "argv", command)
    activation.main()
    rows = {path.name: path.read_text().splitlines()[1:] for path in output.glob("*.csv")}
    return capsys.readouterr().out, rows


def hashed(email):
    return hashlib.sha256(email.encode()).hexdigest()


def test_an_address_of_several_customers_is_listed_once_for_the_surest(tmp_path, capsys, monkeypatch):
    """Of a and b, b has the higher confidence; of c and d, which have the same, c has the lower key; e has no address."""
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute("""
            create table customer_segments as
            select * from (
                values
                ('a', 1, 'One', 0.2, 'ab@x.org'), ('b', 2, 'Two', 0.3, ' AB@X.org'), ('c', 1, 'One', null, 'cd@x.org'),
                ('d', 2, 'Two', null, 'CD@x.org\u00a0'), ('e', 2, 'Two', 0.5, null), ('f', 2, 'Two', 0.5, 'f@x.org')
            ) as customers (member, segment_id, segment_name, confidence, email)
        """)
    said, rows = lists(tmp_path, capsys, monkeypatch, "--hash-email", "email", "--columns", "segment_id")
    assert rows["segment_1_one.csv"] == [f'"{hashed("cd@x.org")}",1']
    assert rows["segment_2_two.csv"] == [f'"{hashed("ab@x.org")}",2', f'"{hashed("f@x.org")}",2']
    assert rows["all_segments.csv"] == rows["segment_1_one.csv"] + rows["segment_2_two.csv"]
    assert "segment_1_one.csv: 1 customer, 1 with an address that is listed for somebody else is left out" in said
    assert "2 customers share an address with another one. It is listed once, for the customer with the highest" in said


def test_a_personal_address_is_read_where_the_published_build_has_worked_and_nowhere_else(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    with duckdb.connect("warehouse.duckdb") as connection:
        connection.execute("create table builds as select 1 as build_number, 'one' as build_id")
        connection.execute("""
            create table customer_segments as select 7 as member, 1 as segment_id, 'One' as segment_name, 0.5 as confidence
        """)
    options = "--hash-email", "email"
    with pytest.raises(SystemExit, match=r"only in build, where build/warehouse\.duckdb is missing; run dbt build first"):
        lists(tmp_path, capsys, monkeypatch, *options)
    with duckdb.connect("build/scratch.duckdb") as connection:
        connection.execute("create table customers as select 7 as member, 'a@x.org' as email")
        connection.execute("create view stg_customers as select * from scratch.main.customers")
    with duckdb.connect("build/warehouse.duckdb") as connection:
        connection.execute("create table published_build as select 'another' as build_id")
    with pytest.raises(SystemExit, match="no longer holds the published build; run dbt build, then this command"):
        lists(tmp_path, capsys, monkeypatch, *options)
    with duckdb.connect("build/warehouse.duckdb") as connection:
        connection.execute("update published_build set build_id = 'one'")
    _, rows = lists(tmp_path, capsys, monkeypatch, *options)
    assert rows["all_segments.csv"] == [f'"{hashed("a@x.org")}",1,"One"']
    with pytest.raises(SystemExit, match="customer_segments has no column phone; it has member, segment_id"):
        lists(tmp_path, capsys, monkeypatch, "--hash-email", "phone")
