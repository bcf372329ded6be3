"""What activation.yml says of who may be delivered, and what is made of wrong words in it."""

from pathlib import Path

import audience
import duckdb
import pytest
import yaml
from audience import Audience, Column, Rule, make_customers, read_audience
from shop_file import customer, publish

ROOT = Path(__file__).parents[2]


@pytest.fixture
def rules(tmp_path):
    """A function that writes the rules and reads them."""

    def read(text, destination=None):
        path = tmp_path / "activation.yml"
        path.write_text(text, encoding="utf-8")
        return read_audience(path, destination)

    return read


def test_the_rules_of_a_destination_come_on_top_of_those_of_all(rules, tmp_path):
    text = """
        consent: [newsletter]
        suppression: [{file: blocked.txt, of: email}]
        destinations:
          ads:
            columns: [email, {column: age, header: Age, hash: md5}]
            delimiter: "\\t"
            consent: [{file: ads.txt}]
    """
    (column, keys), (blocked,) = rules(text, "ads").consent, rules(text, "ads").suppression
    assert (column.column, keys.file, keys.of) == ("newsletter", tmp_path / "ads.txt", None)
    assert (blocked.file, blocked.of) == (tmp_path / "blocked.txt", "email")
    assert rules(text, "ads").columns == (Column("email", "email"), Column("age", "Age", False, "md5"))
    assert rules(text, "ads").delimiter == "\t"
    assert rules(text).consent == rules(text, "ads").consent[:1]
    assert rules(text).columns == ()


def test_every_destination_that_is_shipped_can_be_read():
    names = yaml.safe_load((ROOT / "activation.yml").read_text(encoding="utf-8"))["destinations"]
    assert len(names) >= 5
    for name in names:
        assert read_audience(ROOT / "activation.yml", name).columns


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("consent: []\ndestinations: [", "activation.yml cannot be read: line 2: "),
        ("[1]", "activation.yml: it should be a mapping with consent, suppression, destinations"),
        ("konsent: [a]", "activation.yml: it has konsent, which is none of consent, suppression, destinations"),
        ("consent: newsletter", "activation.yml, consent: it should be a list"),
        ("consent: [5]", r"activation.yml, consent\[1\]: it should be a mapping with file, of"),
        ("consent: [a, {of: email}]", r"activation.yml, consent\[2\]: it should name a column, or a file"),
        ("consent: [{file: 5}]", r"activation.yml, consent\[1\].file: it should be a text, not 5"),
        ("destinations: [ads]", "activation.yml, destinations: it should be a mapping of names to layouts"),
        ("destinations: {shop: {}}", "activation.yml, destinations: there is no ads, but shop"),
        ("consent: []", "activation.yml, destinations: there is no ads, but none"),
        ("destinations: {ads: }", "destinations.ads: it should be a mapping with columns, delimiter, consent, suppression"),
        ("destinations: {ads: {columns: []}}", "destinations.ads.columns: it should have a column"),
        ("destinations: {ads: {columns: [{header: A}]}}", r"destinations.ads.columns\[1\]: it should name a column"),
        ("destinations: {ads: {columns: [{column: a, hsah: md5}]}}", r"columns\[1\]: it has hsah, which is none of column"),
        (
            "destinations: {ads: {columns: [{column: a, hash: sha1}]}}",
            r"columns\[1\].hash: it is sha256, md5 or absent, not 'sha1'",
        ),
        ("destinations: {ads: {columns: [{column: a, type: phone}]}}", r"columns\[1\].type: it is email or absent, not 'phone'"),
        ("destinations: {ads: {columns: [a, A]}}", "destinations.ads.columns: the header a is there twice"),
        ("destinations: {ads: {columns: [a], delimiter: x}}", "destinations.ads.delimiter: it is"),
    ],
)
def test_what_is_wrong_is_one_sentence(rules, text, words):
    with pytest.raises(SystemExit, match=words) as error:
        rules(text, "ads")
    assert len(str(error.value).splitlines()) == 1


def test_a_destination_cannot_be_called_like_a_path(rules):
    with pytest.raises(SystemExit, match="a name has letters, digits, - and _, because a folder is called so"):
        rules("destinations: {../up: {columns: [a]}}", "../up")


def test_rules_that_are_not_there_are_none_but_those_that_are_asked_for_must_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_audience(audience.RULES) == Audience()
    for path, destination in ((Path("other.yml"), None), (audience.RULES, "ads")):
        with pytest.raises(SystemExit, match=f"{path} cannot be read: No such file or directory"):
            read_audience(path, destination)


@pytest.fixture
def reasons(tmp_path):
    """A function from customers and an audience to {key: what becomes of the customer}."""

    def of(customers, asked, *, prefix="", orders=()):
        publish(tmp_path / "warehouse.duckdb", customers, orders=orders)
        with duckdb.connect(tmp_path / "warehouse.duckdb", read_only=True) as warehouse:
            make_customers(warehouse, prefix, asked)
            return dict(warehouse.execute("select member, _reason from customers").fetchall())

    return of


EMAILS = (Column("email", "email", True, "sha256"),)


@pytest.mark.parametrize(
    ("word", "consents"), [("yes", True), ("TRUE", True), (" 1 ", True), ("no", False), ("0", False), ("", False), (None, False)]
)
def test_consent_is_a_yes_and_nothing_else(reasons, word, consents):
    found = reasons([customer("a", newsletter=word), customer("b")], Audience(consent=(Rule("newsletter"),)))
    assert found == {"a": "delivered" if consents else "consent", "b": "delivered"}


def test_a_word_that_is_neither_yes_nor_no_is_one_sentence(reasons):
    rule = Rule("newsletter", place="activation.yml, consent[1]")
    for asked in (Audience(consent=(rule,)), Audience(suppression=(rule,))):
        with pytest.raises(SystemExit, match=r"consent\[1\]: the column newsletter holds 'maybe', which is neither yes nor no"):
            reasons([customer("a"), customer("b", newsletter="maybe")], asked)


def test_an_address_of_somebody_who_is_suppressed_or_without_consent_is_not_delivered_by_another_one(reasons):
    """Also where that one is in no segment of this segmentation."""
    customers = [
        customer("a", email="1@x.org", is_blocked=True),
        customer("b", email=" 1@X.org"),
        customer("c", email="2@x.org", newsletter="no"),
        customer("d", email="2@x.org"),
        customer("e", email=None),
        customer("f", email=None, is_blocked=True),
    ]
    asked = Audience(EMAILS, consent=(Rule("newsletter"),), suppression=(Rule("is_blocked"),))
    suppressed = {"a": "suppressed", "b": "suppressed", "c": "consent", "d": "consent", "e": "value", "f": "suppressed"}
    assert reasons([*customers, customer("z")], asked) == suppressed | {"z": "delivered"}
    orders = [customer("b", 7), customer("d", 7), customer("z", 7)]
    found = reasons([*customers, customer("z")], asked, prefix="rfm_", orders=orders)
    assert found == {"b": "suppressed", "d": "consent", "z": "delivered"}


def test_files_list_keys_or_addresses(reasons, tmp_path, capsys):
    (tmp_path / "keys.txt").write_text("\ufeffa\n\n b \nA\n")
    (tmp_path / "addresses.txt").write_text("C@X.ORG\nnobody@x.org\n\u00a0\n")
    customers = [customer(key) for key in "abcde"] + [customer("f", email=" ")]
    rules = (Rule(file=tmp_path / "keys.txt"), Rule(file=tmp_path / "addresses.txt", of="email"))
    suppressed = dict.fromkeys("abc", "suppressed")
    assert reasons(customers, Audience(suppression=rules)) == dict.fromkeys("abcdef", "delivered") | suppressed
    said = capsys.readouterr().out
    assert "keys.txt: 3 lines, of which 1 belong to nobody" in said
    assert "addresses.txt: 3 lines, of which 1 belong to nobody" in said
    consent = dict.fromkeys("abcdef", "consent") | dict.fromkeys("ab", "delivered")
    assert reasons(customers, Audience(consent=rules[:1])) == consent


def test_a_file_of_numbers_is_read_as_keys_are(tmp_path):
    def delivered(text):
        path = tmp_path / "keys.txt"
        path.unlink(missing_ok=True)
        if text:
            path.write_text(text)
        with duckdb.connect() as warehouse:
            keys = "select range as id, 1 as segment_id, 'One' as segment_name from range(7, 10)"
            warehouse.execute(f"create table customer_segments as {keys}")
            make_customers(warehouse, "", Audience(suppression=(Rule(file=path, place="here"),)))
            return warehouse.execute("select id from customers where _reason = 'delivered'").fetchall()

    assert delivered("0007\n8.0\n") == [(9,)]
    with pytest.raises(SystemExit, match=r"here: .*keys.txt, line 2: 'seven' is no id, which is of the type bigint; correct it"):
        delivered("7\nseven\n")
    with pytest.raises(SystemExit, match=r"here: .*keys.txt cannot be read: No such file"):
        delivered(None)


def test_a_column_without_an_address_is_one_sentence(reasons):
    words = "no customer has an e-mail in the column newsletter; name the column that holds it"
    with pytest.raises(SystemExit, match=words):
        reasons([customer("a")], Audience((Column("newsletter", "E-Mail", True),)))


def test_without_rules_it_says_so(reasons, capsys):
    reasons([customer("a")], Audience())
    assert "No rules for consent and suppression are given: nobody is left out for these reasons." in capsys.readouterr().out
