"""A campaign is drawn once: who gets it and who is held out stay the same, whatever happens later."""

import re

import campaign
import file_set
import pytest
from shop_file import customer, hashed, publish, rows, run

CUSTOMERS = [customer(f"c{number}", 1 + number % 3) for number in range(900)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    publish(tmp_path / "warehouse.duckdb", CUSTOMERS)
    return tmp_path / "exports" / "campaigns"


@pytest.fixture
def make(folder, monkeypatch, capsys):
    """A function that runs the command: make("spring", option, …)."""
    return lambda *arguments: run(monkeypatch, capsys, campaign, *arguments)


def drawn(folder, name="spring"):
    """{key: whether held out}"""
    return {row["key"]: row["is_holdout"] == "true" for row in rows(folder / name / "members.csv")}


def listed(folder, file, name="spring"):
    return [row["member"] for row in rows(folder / name / file)]


def test_a_share_is_held_out_and_written_apart(make, folder):
    """Of 600 customers a tenth is 60, give or take four standard deviations of 7.3."""
    make("spring", "--segments", 2, 3)
    members = drawn(folder)
    assert set(members) == {row[0] for row in CUSTOMERS if row[1] > 1}
    held_out = {key for key, is_holdout in members.items() if is_holdout}
    assert 31 <= len(held_out) <= 89
    assert set(listed(folder, "holdout.csv")) == held_out
    assert set(listed(folder, "list.csv")) == set(members) - held_out
    assert len(listed(folder, "list.csv")) == len(members) - len(held_out)
    counts = rows(folder / "spring" / "campaign.csv")
    assert [(row["segment_id"], row["n_customers"]) for row in counts] == [("2", "300"), ("3", "300")]
    assert sum(int(row["n_held_out"]) for row in counts) == len(held_out)


def test_each_campaign_holds_out_other_people_and_one_name_the_same(make, folder, tmp_path):
    """Independent halves share a quarter of all, here 225, give or take four standard deviations of 13."""
    for name in ("spring", "summer"):
        make(name, "--holdout", 0.5)
    spring, summer = drawn(folder), drawn(folder, "summer")
    assert 173 <= sum(spring[key] and summer[key] for key in spring) <= 277
    make("spring", "--holdout", 0.5, "--output", tmp_path / "again")
    assert drawn(tmp_path / "again") == spring
    # Whoever is held out by a small share is by a larger one.
    make("spring", "--holdout", 0.6, "--output", tmp_path / "larger")
    assert {key for key, is_out in spring.items() if is_out} < {
        key for key, is_out in drawn(tmp_path / "larger").items() if is_out
    }


def test_it_is_frozen_and_who_may_not_be_delivered_any_more_is_left_out(make, folder, tmp_path):
    """c0 is blocked later, c1 is gone, c2 moves, and new customers come."""
    make("spring")
    before = (folder / "spring" / "members.csv").read_bytes()
    (tmp_path / "activation.yml").write_text("suppression: [is_blocked]")
    later = [customer("c0", 1, is_blocked=True), customer("c2", 1), *CUSTOMERS[3:], customer("new", 1)]
    publish(tmp_path / "warehouse.duckdb", later, number=2)
    said = make("spring")
    assert "The campaign spring was drawn on 20" in said
    assert "898 customers; left out: 1 suppressed; 1 no customers any more" in said
    assert (folder / "spring" / "members.csv").read_bytes() == before
    there = {*listed(folder, "list.csv"), *listed(folder, "holdout.csv")}
    assert there == {row[0] for row in CUSTOMERS} - {"c0", "c1"}
    # The segment is that of the draw.
    segments = {
        row["member"]: row["segment_id"] for file in ("list.csv", "holdout.csv") for row in rows(folder / "spring" / file)
    }
    assert segments["c2"] == "3"
    for row in rows(folder / "spring" / "campaign.csv"):
        parts = ("delivered", "held_out", "without_consent", "suppressed", "without_value", "duplicates", "gone")
        assert int(row["n_customers"]) == sum(int(row[f"n_{part}"]) for part in parts)


def test_who_is_held_out_gets_nothing_by_another_account_either(make, folder, tmp_path):
    """Later, everybody who is not held out has the address of the first who is, and the higher confidence."""
    (tmp_path / "activation.yml").write_text(
        "destinations: {ads: {columns: [{column: email, header: member, type: email, hash: sha256}]}}"
    )
    make("spring", "--to", "ads")
    members = drawn(folder)
    held_out = [key for key, is_holdout in members.items() if is_holdout]
    address = f"{held_out[0]}@x.org"
    later = [row if members[row[0]] else customer(row[0], row[1], email=address, confidence=0.9) for row in CUSTOMERS]
    publish(tmp_path / "warehouse.duckdb", later, number=2)
    make("spring", "--to", "ads")
    assert listed(folder, "list.csv") == []
    assert sorted(listed(folder, "holdout.csv")) == sorted(hashed(f"{key}@x.org") for key in held_out)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--holdout", 0.2], "was drawn on 20..-..-.. with --holdout 0.1, and is frozen; leave --holdout out, or give"),
        (["--segments", 1], "with --segments 2 3, and is frozen; leave --segments out, or give the campaign another name"),
        (["--prefix", "rfm_"], "with --prefix '', and is frozen"),
    ],
)
def test_a_frozen_campaign_cannot_become_another_one(make, folder, options, words):
    make("spring", "--segments", 3, 2)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert re.search(words, make("spring", *options).splitlines()[-1])
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert "600 customers" in make("spring", "--segments", 2, 3, "--holdout", 0.1)


def test_what_cannot_be_drawn_is_one_sentence_and_leaves_nothing(make, folder, tmp_path):
    assert "there is no segment 7 in customer_segments; there are 1, 2, 3" in make("spring", "--segments", 1, 7)
    (tmp_path / "activation.yml").write_text("consent: [is_blocked]")
    assert "nobody in these segments may be delivered, so there is no campaign" in make("spring")
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    for arguments in (["Spring 1"], ["../up"], ["spring", "--holdout", "1"], ["spring", "--holdout", "-0.1"]):
        assert make(*arguments).endswith("2")


def test_a_further_segmentation_has_campaigns_too(make, folder, tmp_path):
    publish(tmp_path / "warehouse.duckdb", CUSTOMERS, orders=[customer("c1", 7), customer("x", 7), customer("c2", 8)])
    make("orders", "--prefix", "rfm_", "--segments", 7)
    assert set(drawn(folder, "orders")) == {"c1", "x"}
    assert "2 customers" in make("orders")


def test_nobody_but_the_owner_reads_a_campaign(make, folder):
    make("spring")
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
    files = [".campaign.json", "campaign.csv", "holdout.csv", "list.csv", "members.csv"]
    assert modes == dict.fromkeys(["campaigns", "spring"], 0o700) | dict.fromkeys(files, 0o600)


def test_a_draw_that_is_interrupted_has_happened_or_not(make, folder, monkeypatch):
    """At every rename: the next run finishes it, and draws the same people."""
    real, step, is_interrupted = file_set.os.replace, 0, True
    while is_interrupted:
        step += 1
        calls = []

        def stop(*arguments, calls=calls, step=step):
            calls.append(arguments)
            if len(calls) == step:
                raise KeyboardInterrupt
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(file_set.os, "replace", stop)
            try:
                make(f"c{step}")
                is_interrupted = False
            except KeyboardInterrupt:
                pass
        make(f"c{step}")
        members = drawn(folder, f"c{step}")
        assert set(listed(folder, "holdout.csv", f"c{step}")) == {key for key, is_holdout in members.items() if is_holdout}
        assert len(members) == 900
        deliveries = [row["delivery"] for row in rows(folder / f"c{step}" / "campaign.csv")]
        assert deliveries == ["1"] * 3 + ["2"] * 3
    assert step > 4
