"""The lists of customers that other tools take, and the ledger of who entered and left them."""

import hashlib

import activation
import duckdb
import file_set
import pytest
from activation import file_name
from audience import normalised
from shop_file import customer, hashed, publish, rows, run


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


@pytest.fixture
def shop(tmp_path, monkeypatch, capsys):
    """A folder in which the script runs: shop(customers, *options) publishes them as the next build and returns what is said."""
    monkeypatch.chdir(tmp_path)
    builds = []

    def deliver(customers, *options, orders=()):
        builds.append(customers)
        publish(tmp_path / "warehouse.duckdb", customers, number=len(builds), orders=orders)
        return run(monkeypatch, capsys, activation, *options)

    deliver.lists = tmp_path / "exports" / "activation"
    deliver.rules = tmp_path / "activation.yml"
    return deliver


def test_columns_are_the_key_and_the_segment_or_those_asked_for(shop):
    shop([customer("a")])
    assert list(rows(shop.lists / "all_segments.csv")[0]) == ["member", "segment_id", "segment_name"]
    shop([customer("a")], "--columns", "segment_name", "member")
    assert rows(shop.lists / "all_segments.csv") == [{"segment_name": "Segment 1", "member": "a"}]


def test_with_a_hashed_address_neither_the_address_nor_the_key_is_in_the_list(shop):
    shop([customer("a")], "--hash-email", "email")
    expected = {"email_sha256": hashed("a@x.org"), "segment_id": "1", "segment_name": "Segment 1"}
    assert rows(shop.lists / "all_segments.csv") == rows(shop.lists / "added.csv") == [expected]
    shop([customer("a")], "--hash-email", "email", "--columns", "segment_id", "email")
    assert list(rows(shop.lists / "all_segments.csv")[0]) == ["segment_id", "email_sha256"]


def test_a_column_that_is_not_there_is_one_sentence(shop):
    words = "customer_segments has no column phone, and personal ones are only in build, where build/warehouse.duckdb is missing"
    assert words in shop([customer("a")], "--columns", "phone")
    assert not (shop.lists / "all_segments.csv").exists()


def test_the_list_of_a_segment_that_is_gone_is_removed_and_lists_of_others_stay(shop):
    """A segment is renamed, and somebody's list is called as ours are."""
    shop([customer("a", name="Old")])
    (shop.lists / "segment_9_gone.csv").write_text("mine")
    shop([customer("a", name="New")])
    listed = '"member",segment_id,"segment_name"\n"a",1,"New"\n'
    texts = {path.name: path.read_text() for path in shop.lists.glob("*seg*.csv")}
    assert texts == {"all_segments.csv": listed, "segment_1_new.csv": listed, "segment_9_gone.csv": "mine"}
    # The label is the number: nobody has entered or left.
    assert rows(shop.lists / "added.csv") == rows(shop.lists / "removed.csv") == []


def test_an_address_of_several_customers_is_listed_once_for_the_surest(shop):
    """Of a and b, b has the higher confidence; of c and d, which have the same, c has the lower key; e has no address."""
    customers = [
        customer("a", 1, confidence=0.2, email="ab@x.org"),
        customer("b", 2, confidence=0.3, email=" AB@X.org"),
        customer("c", 1, confidence=None, email="cd@x.org"),
        customer("d", 2, confidence=None, email="CD@x.org\u00a0"),
        customer("e", 2, email=None),
        customer("f", 2),
    ]
    said = shop(customers, "--hash-email", "email", "--columns", "segment_id")
    listed = {path.name: [tuple(row.values()) for row in rows(path)] for path in shop.lists.glob("*.csv")}
    assert listed["segment_1_segment_1.csv"] == [(hashed("cd@x.org"), "1")]
    assert listed["segment_2_segment_2.csv"] == [(hashed("ab@x.org"), "2"), (hashed("f@x.org"), "2")]
    assert listed["all_segments.csv"] == listed["segment_1_segment_1.csv"] + listed["segment_2_segment_2.csv"]
    assert "segment_1_segment_1.csv: 1 customer; left out: 1 with an address that is listed for somebody else" in said
    assert "2 customers share an address with another one. It is listed once, for the customer with the highest" in said


# The ledger


def moves(shop, name):
    return [(row["member"], int(row["segment_id"])) for row in rows(shop.lists / name)]


def on_lists(folder):
    """{(segment, value): key} of who is on a list by the ledger."""
    listed = {}
    for row in rows(folder / "ledger.csv"):
        listed[row["segment_id"], row["value"]] = row["key"] if row["change"] != "removed" else None
    return {place: key for place, key in listed.items() if key}


def test_who_entered_and_left_each_list_since_the_last_delivery(shop):
    """b moves, c leaves and d joins; e.g. b leaves the list of segment 1 and enters that of segment 2."""
    said = shop([customer("a"), customer("b"), customer("c", 2)])
    assert moves(shop, "added.csv") == [("a", 1), ("b", 1), ("c", 2)]
    assert "3 added and 0 removed in the first delivery" in said
    said = shop([customer("a"), customer("b", 2), customer("d", 3)])
    assert moves(shop, "added.csv") == [("b", 2), ("d", 3)]
    assert moves(shop, "removed.csv") == [("b", 1), ("c", 2)]
    assert "2 added and 2 removed since delivery 1" in said
    shop([customer("a"), customer("b", 2), customer("d", 3)])
    assert moves(shop, "added.csv") == moves(shop, "removed.csv") == []
    changes = [(row["delivery"], row["change"], row["segment_id"], row["key"]) for row in rows(shop.lists / "ledger.csv")]
    assert changes == [
        ("1", "added", "1", "a"),
        ("1", "added", "1", "b"),
        ("1", "added", "2", "c"),
        ("2", "removed", "1", "b"),
        ("2", "added", "2", "b"),
        ("2", "removed", "2", "c"),
        ("2", "added", "3", "d"),
    ]


def test_after_an_earlier_build_is_restored_the_lists_go_back_with_it(shop):
    first, second = [customer("a"), customer("b")], [customer("a"), customer("b", 2), customer("c")]
    for customers in (first, second, first):
        shop(customers)
    assert moves(shop, "added.csv") == [("b", 1)]
    assert moves(shop, "removed.csv") == [("c", 1), ("b", 2)]
    assert [row["build_number"] for row in rows(shop.lists / "deliveries.csv")][-1] == "3"


def test_another_address_leaves_and_enters_and_one_that_another_customer_has_stays(shop):
    """a gets a new address; that of b is c's now, who leaves no trace in the lists but is who has it from now on."""
    options = "--hash-email", "email"
    shop([customer("a", email="a1@x.org"), customer("b", email="bc@x.org")], *options)
    shop([customer("a", email="a2@x.org"), customer("b", email=None), customer("c", email="BC@x.org")], *options)
    assert [row["email_sha256"] for row in rows(shop.lists / "added.csv")] == [hashed("a2@x.org")]
    assert [row["email_sha256"] for row in rows(shop.lists / "removed.csv")] == [hashed("a1@x.org")]
    assert on_lists(shop.lists) == {("1", hashed("a2@x.org")): "a", ("1", hashed("bc@x.org")): "c"}


def test_where_customers_are_known_by_something_else_everybody_is_removed_by_the_old_and_added_by_the_new(shop):
    shop([customer("a"), customer("b", email=None)])
    said = shop([customer("a"), customer("b", email=None)], "--hash-email", "email")
    assert "Customers are known by email sha256 now, and were by member: everybody counts as removed and as added." in said
    assert [row["email_sha256"] for row in rows(shop.lists / "added.csv")] == [hashed("a@x.org")]
    assert [row["member"] for row in rows(shop.lists / "removed.csv")] == ["a", "b"]


LAYOUT = """
consent: [newsletter]
suppression: [is_blocked, {file: blocked.txt}]
destinations:
  shop:
    delimiter: ";"
    columns:
      - {column: segment_name, header: Tag}
      - {column: email, header: E-Mail, type: email}
  ads: {columns: [{column: email, header: Email, type: email, hash: md5}]}
"""


def test_what_becomes_of_each_customer_is_counted_and_sums_up(shop):
    """One of each: without consent, suppressed by a column and by a file, without an address, with a shared one, delivered."""
    shop.rules.write_text(LAYOUT)
    (shop.rules.parent / "blocked.txt").write_text("file\nnobody\n")
    customers = [
        customer("no", newsletter="No"),
        customer("unasked", newsletter=None),
        customer("column", is_blocked=True),
        customer("file", is_blocked=False),
        customer("none", email="no address"),
        customer("first", email="One@x.org", confidence=0.9),
        customer("second", email="one@x.org "),
        customer("other", 2),
    ]
    said = shop(customers, "--to", "shop")
    folder = shop.lists / "shop"
    assert rows(folder / "all_segments.csv", ";") == [
        {"Tag": "Segment 1", "E-Mail": "one@x.org"},
        {"Tag": "Segment 2", "E-Mail": "other@x.org"},
    ]
    counts = [{name: int(n) for name, n in row.items() if name.startswith("n_")} for row in rows(folder / "deliveries.csv")]
    assert counts[0] == {
        "n_customers": 7,
        "n_delivered": 1,
        "n_without_consent": 2,
        "n_suppressed": 2,
        "n_without_value": 1,
        "n_duplicates": 1,
        "n_added": 1,
        "n_removed": 0,
    }
    left_out = "2 without consent, 2 suppressed, 1 without an address, 1 with an address that is listed for somebody else"
    assert f"segment_1_segment_1.csv: 1 customer; left out: {left_out}" in said
    assert "blocked.txt: 2 lines, of which 1 belong to nobody" in said
    # Who withdraws consent leaves the lists.
    shop([customer("other", 2, newsletter="no")], "--to", "shop")
    assert rows(folder / "added.csv", ";") == []
    removed = [{"segment_id": "1", "Tag": "Segment 1", "E-Mail": "one@x.org"}]
    assert rows(folder / "removed.csv", ";") == [*removed, {"segment_id": "2", "Tag": "Segment 2", "E-Mail": "other@x.org"}]


def test_each_destination_has_a_ledger_of_its_own_and_so_has_each_segmentation(shop):
    shop.rules.write_text(LAYOUT)
    (shop.rules.parent / "blocked.txt").write_text("")
    customers = [customer("a"), customer("b", newsletter="no"), customer("c")]
    shop(customers, "--to", "ads")
    assert "1 added" in shop(
        customers, "--to", "ads", "--prefix", "rfm_", orders=[customer("a", 7), customer("b", 7), customer("x", 7)]
    )
    hashes = [hashlib.md5(address.encode()).hexdigest() for address in ("a@x.org", "c@x.org")]
    assert [row["Email"] for row in rows(shop.lists / "ads" / "all_segments.csv")] == hashes
    # The address and the consent are of the first segmentation; x, who is in the orders alone, has given none.
    assert [row["Email"] for row in rows(shop.lists / "ads" / "rfm" / "segment_7_segment_7.csv")] == hashes[:1]
    assert rows(shop.lists / "ads" / "rfm" / "deliveries.csv")[0]["n_without_consent"] == "2"
    assert "rfm is a segmentation" in shop(customers, "--to", "rfm", orders=customers)


def test_nobody_but_the_owner_reads_the_lists(shop):
    shop.lists.mkdir(parents=True, mode=0o755)
    (shop.rules.parent / "blocked.txt").write_text("")
    shop.rules.write_text(LAYOUT)
    shop([customer("a")], orders=[customer("a")])
    shop([customer("a")], "--to", "ads")
    shop([customer("a")], "--prefix", "rfm_", orders=[customer("a")])
    modes = {path: path.stat().st_mode & 0o777 for path in [shop.lists, *shop.lists.rglob("*")]}
    assert len(modes) == 3 * 8
    assert {path: mode for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)} == {}


def test_a_folder_of_somebody_else_stays_as_it_is(shop):
    shop.lists.mkdir(parents=True, mode=0o755)
    (shop.lists / "mine.txt").write_text("mine")
    shop([customer("a")])
    assert shop.lists.stat().st_mode & 0o777 == 0o755
    assert (shop.lists / "ledger.csv").stat().st_mode & 0o777 == 0o600


def interrupted(shop, monkeypatch, module, function, step, customers):
    """Deliver, and stop at the call of a function with this number; returns whether it came to it."""
    calls, real = [], getattr(module, function)

    def stop(*arguments, **options):
        calls.append(arguments)
        if len(calls) == step:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(module, function, stop)
        try:
            shop(customers)
        except KeyboardInterrupt:
            return True
    return False


@pytest.mark.parametrize(("module", "function"), [(activation, "copy_csv"), (file_set.os, "replace"), (file_set, "synchronise")])
def test_a_delivery_that_is_interrupted_has_happened_or_not(shop, monkeypatch, module, function):
    """At every list, every rename and every file that goes to the disk; the next one has what the interrupted one lacks."""
    number, step = 0, 0
    shop([customer("a"), customer("b")])
    is_interrupted = True
    while is_interrupted:
        number, step = number + 1, step + 1
        before = on_lists(shop.lists)
        customers = [customer("a", 1 + number % 2), customer(f"new{number}")]
        is_interrupted = interrupted(shop, monkeypatch, module, function, step, customers)
        shop(customers)
        expected = {(str(row[1]), row[0]): row[0] for row in customers}
        assert on_lists(shop.lists) == expected
        # Each change is noted once, all of them with one delivery.
        noted = rows(shop.lists / "ledger.csv")
        newest = [(row["change"], row["segment_id"], row["value"]) for row in noted if row["delivery"] == noted[-1]["delivery"]]
        added, removed = expected.keys() - before.keys(), before.keys() - expected.keys()
        assert sorted(newest) == sorted([*(("added", *place) for place in added), *(("removed", *place) for place in removed)])
        assert [row["change"] for row in noted if row["value"] == f"new{number}"] == ["added"]
    assert step > 5


@pytest.mark.parametrize("text", ["", "delivery,change\n", "LEDGER", "x" * 100])
def test_a_ledger_that_somebody_has_changed_stops_the_delivery(shop, text):
    shop([customer("a")])
    ledger = shop.lists / "ledger.csv"
    text = ledger.read_text().replace('1,"added"', 'one;"added"') if text == "LEDGER" else text
    ledger.write_text(text)
    before = {path: path.read_bytes() for path in shop.lists.iterdir()}
    said = shop([customer("b")])
    assert f"{ledger.relative_to(shop.rules.parent)} is not as it was written (" in said
    assert said.splitlines()[-1].endswith("take it from a backup")
    assert {path: path.read_bytes() for path in shop.lists.iterdir()} == before


def test_keys_and_names_that_look_like_formulas_or_have_quotes_last(shop):
    keys = ["=cmd()", '"quoted"', "line\nbreak", "00042", "-17", "a,b;c"]
    shop([customer(key, name="=Name") for key in keys])
    shop([customer(key, name="=Name") for key in keys])
    assert rows(shop.lists / "added.csv") == rows(shop.lists / "removed.csv") == []
    shop([customer("x")])
    assert {row["member"] for row in rows(shop.lists / "removed.csv")} == {"'=cmd()", *keys[1:]}


# What is personal


def test_a_personal_address_is_read_where_the_published_build_has_worked_and_nowhere_else(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build").mkdir()
    with duckdb.connect("warehouse.duckdb") as connection:
        connection.execute("create table builds as select 1 as build_number, 'one' as build_id")
        connection.execute("""
            create table customer_segments as select 7 as member, 1 as segment_id, 'One' as segment_name, 0.5 as confidence
        """)

    def said(column="email"):
        return run(monkeypatch, capsys, activation, "--hash-email", column)

    assert "only in build, where build/warehouse.duckdb is missing; run dbt build first" in said()
    with duckdb.connect("build/scratch.duckdb") as connection:
        connection.execute("create table customers as select 7 as member, 'a@x.org' as email")
        connection.execute("create view stg_customers as select * from scratch.main.customers")
    with duckdb.connect("build/warehouse.duckdb") as connection:
        connection.execute("create table published_build as select 'another' as build_id")
    assert "no longer holds the published build; run dbt build, then this command" in said()
    with duckdb.connect("build/warehouse.duckdb") as connection:
        connection.execute("update published_build set build_id = 'one'")
    said()
    listed = {"email_sha256": hashed("a@x.org"), "segment_id": "1", "segment_name": "One"}
    assert rows(tmp_path / "exports" / "activation" / "all_segments.csv") == [listed]
    assert "customer_segments has no column phone; it has member, segment_id" in said("phone")
