"""Erasing customers from small files made without dbt, uncompressed, so that their bytes can be searched."""

import csv
import fcntl
import hashlib
import os
import stat
import subprocess
import sys

import activation
import campaign
import duckdb
import erase
import pytest
from file_set import file_set

KEY = "erase-me-7f3a9"
OTHER = "keep-me-5c2d8"
UNCOMPRESSED = {"force_compression": "uncompressed"}


def write_build(path, number, *, keys=(OTHER, KEY), data_type="varchar", records=()):
    """A file as build `number` publishes it: 500 more customers, who have an e-mail each, and refused `records`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    more = "'c' || range" if data_type == "varchar" else "range + 1000"
    with duckdb.connect(path, config=UNCOMPRESSED) as database:
        database.execute(f"create table given (customer_id {data_type})")
        database.executemany("insert into given values (?)", [[key] for key in keys])
        database.execute(f"insert into given select {more} from range(500)")
        database.execute(f"""
            create schema main_internal;
            create schema main_carried;
            create table main_internal.customer_clusters as
            select customer_id, customer_id || '@example.org' as email, 'all' as colour, 1 as segment_id from given;
            create table main_carried.rfm_customer_clusters as
            select customer_id, 1 as segment_id from given order by hash(customer_id);
            create view customer_segments as
            select customer_id, segment_id, email, colour from main_internal.customer_clusters;
            create table customers_360 (note varchar default 'none', customer_id {data_type} not null, check (note <> ''));
            insert into customers_360 select 'of ' || customer_id, customer_id from given;
            create table segment_changes as select customer_id, 'joined' as change from given;
            create view customer_segment_history as from segment_changes;
            create table segment_attribute_profiles as
            select 'email' as attribute, email as attribute_value, count(*) as n_customers from customer_segments group by email
            union all select 'colour', 'all', 502
            union all select 'colour', null, 1
            union all select 'email', 'more than 50 values', 502;
            create table rejected_customers (source_file varchar, raw_record varchar);
            create macro nearest(age) as age + 1;
            comment on table customers_360 is 'Everybody. Build 00000000-0000-0000-0000-000000000001';
            comment on column customers_360.note is 'A note.';
            comment on view customer_segments is 'Segments.';
            create table builds as
            select
                'id ' || range as build_id, timestamp '2026-01-01' + to_days(cast(range as integer)) as built_at,
                'customers.csv' as source_file, 502 as n_accepted, cast(range as integer) as build_number
            from range({number}, 0, -1);
            drop table given
        """)
        database.executemany(
            "insert into rejected_customers values ('customers.csv', ?)", [[record] for record in records or ["-"]]
        )


@pytest.fixture
def empty_folder(tmp_path, monkeypatch):
    """The script runs in this folder, and writes what can be searched."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(erase, "CONFIG", erase.CONFIG | UNCOMPRESSED)
    mask = os.umask(0o022)
    yield tmp_path
    os.umask(mask)


@pytest.fixture
def folder(empty_folder):
    """Two kept builds, the second of which is published."""
    write_build(empty_folder / "kept_builds" / "1.duckdb", 1, records=[f'"{KEY}",x', "c1,y"])
    write_build(empty_folder / "warehouse.duckdb", 2)
    os.link(empty_folder / "warehouse.duckdb", empty_folder / "kept_builds" / "2.duckdb")
    return empty_folder


def run(monkeypatch, capsys, *arguments):
    """What the script prints, with the sentence that it ends with where it fails."""
    monkeypatch.setattr(sys, "argv", ["erase.py", *arguments])
    try:
        erase.main()
    except SystemExit as end:
        return capsys.readouterr().out + str(end.code)
    return capsys.readouterr().out


def query(path, sql):
    with duckdb.connect(path, read_only=True) as reader:
        return reader.execute(sql).fetchall()


def rows_with(path, text):
    """{table: number of rows in which a column, read as text, holds `text`}."""
    with duckdb.connect(path, read_only=True) as reader:
        tables = reader.execute("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        count = "select count(*) from {}.{} as r where contains(cast(r as varchar), '{}')"
        counts = {f"{schema}.{name}": reader.execute(count.format(schema, name, text)).fetchone()[0] for schema, name in tables}
    return {table: n for table, n in counts.items() if n}


def files_with(folder, text):
    """Names of files whose bytes hold `text`."""
    found = [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def make_other_files(folder):
    """Everything else that may hold a key: sets, leftovers of interrupted programs, files of builds, of dbt and of others."""
    with file_set(folder / "exports", "exports", like=folder / "warehouse.duckdb") as new:
        (new / "csv").mkdir()
        (new / "csv" / "customers_360.csv").write_text(KEY)
    with file_set(folder / "exports" / "activation" / "rfm", "lists") as new:
        (new / "all_segments.csv").write_text(KEY)
    with file_set(folder / "reports", "report", like=folder / "warehouse.duckdb") as new:
        (new / "index.html").write_text(KEY)
    for name in (
        "exports/activation/.lists.new/all_segments.csv",
        "build/warehouse.duckdb.wal",
        "build/part.csv",
        "target/compiled/a.sql",
        "target/manifest.json",
        "logs/dbt.log",
        "warehouse.duckdb.publishing",
        "warehouse.duckdb.tmp/spilled",
        "kept_builds/3.duckdb.part",
        "kept_builds/1.duckdb.publishing",
        "exports/csv/mine.csv",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(KEY)
    write_build(folder / "build" / "scratch.duckdb", 2)


def test_a_customer_is_in_no_file_any_more(folder, monkeypatch, capsys):
    make_other_files(folder)
    databases = ["kept_builds/1.duckdb", "kept_builds/2.duckdb", "warehouse.duckdb"]
    assert set(databases) < set(files_with(folder, KEY))

    output = run(monkeypatch, capsys, KEY)
    assert "Erased 1 customer: 16 rows in warehouse.duckdb and in 2 kept builds; 1 of them are refused rows" in output
    assert "Left alone, because no ledger names it: exports/csv/mine.csv." in output
    assert "comes back with the next build" in output
    assert "exports/activation/rfm: ledgers are written anew without them, and lists removed." in output.splitlines()
    assert files_with(folder, KEY) == ["exports/csv/mine.csv"]
    assert {path.name for path in folder.glob("build/*")} == {"warehouse.lock"}
    for name in databases:
        assert rows_with(folder / name, KEY) == {}
        assert set(rows_with(folder / name, OTHER)) == {
            "main.customers_360",
            "main.segment_attribute_profiles",
            "main.segment_changes",
            "main_carried.rfm_customer_clusters",
            "main_internal.customer_clusters",
        }
    assert set(databases) < set(files_with(folder, OTHER))


def test_a_delete_would_leave_the_bytes(folder):
    with duckdb.connect(folder / "warehouse.duckdb") as database:
        for table in rows_with_key(database):
            database.execute(f"delete from {table} as r where contains(cast(r as varchar), '{KEY}')")
        database.execute("checkpoint")
    assert rows_with(folder / "warehouse.duckdb", KEY) == {}
    assert "warehouse.duckdb" in files_with(folder, KEY)


def rows_with_key(database):
    return [
        f"{schema}.{name}" for schema, name in database.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    ]


def test_everything_else_stays_as_it_was(folder, monkeypatch, capsys):
    path = folder / "warehouse.duckdb"
    order = "select customer_id from main_carried.rfm_customer_clusters order by rowid"
    before = [row for row in query(path, order) if row != (KEY,)]
    columns = "select schema_name, table_name, column_name, data_type, is_nullable, column_default, comment from duckdb_columns()"
    columns += " where table_name <> 'builds' order by all"
    constraints = "select table_name, constraint_type, expression from duckdb_constraints() order by all"
    version = "select tags['storage_version'] from duckdb_databases() where not internal"
    asked = [columns, constraints, version, "select sql from duckdb_views() where not internal order by all"]
    answers = [query(path, sql) for sql in asked]
    run(monkeypatch, capsys, KEY)
    assert query(path, order) == before
    assert [query(path, sql) for sql in asked] == answers
    assert query(path, "select nearest(1), count(*) from customer_segments") == [(2, 501)]
    assert query(path, "select attribute_value from segment_attribute_profiles where attribute = 'colour'") == [("all",), (None,)]
    listed = (
        "select count(*), count(*) filter (where n_customers = 502) from segment_attribute_profiles where attribute = 'email'"
    )
    assert query(path, listed) == [(502, 1)]


def test_the_erasure_is_a_build_that_says_when_and_how_many(folder, monkeypatch, capsys):
    run(monkeypatch, capsys, KEY)
    path = folder / "warehouse.duckdb"
    builds = query(path, "select build_number, n_accepted, n_customers_erased, restored_build_number from builds order by rowid")
    assert builds == [(2, 502, None, None), (1, 502, None, None), (3, 502, 1, None)]
    ((build_id, is_now),) = query(
        path, "select max_by(build_id, build_number), max(built_at) > max(built_at) filter (build_number < 3) from builds"
    )
    assert is_now
    assert query(path, "select comment from duckdb_tables() where table_name = 'customers_360'") == [
        (f"Everybody. Build {build_id}",)
    ]
    assert query(folder / "kept_builds" / "2.duckdb", "select count(*) from builds") == [(2,)]
    assert (folder / "kept_builds" / "3.duckdb").samefile(path)


def test_a_file_of_keys(folder, monkeypatch, capsys):
    lines = [OTHER, "", f" {KEY}\t", KEY, "nobody", *(f"c{number}" for number in range(0, 500, 2)), *map(str, range(3000))]
    (folder / "keys.txt").write_text("\n".join(lines))
    output = run(monkeypatch, capsys, "--keys", "keys.txt")
    assert "3,001 keys of 3,254 in no build (keys.txt, line 5, 256, 257, 258, 259 and others)." in output
    assert "Erased 252 customers" in output
    assert query(folder / "warehouse.duckdb", "select count(*) from customer_segments") == [(250,)]


@pytest.mark.parametrize(
    ("key", "records", "kept"),
    [
        ("7", ["0007,x", "7,y", "7e0,z", "77,a", "17.5,b", "a7,c", "+7", "x,-7"], ["77,a", "17.5,b"]),
        ("0007.0", ["7", "8"], ["8"]),
        ("-12", ["-12,x", "0012", "2012-1-1", "120"], ["2012-1-1", "120"]),
    ],
)
def test_refused_rows_with_a_number(empty_folder, monkeypatch, capsys, key, records, kept):
    write_build(empty_folder / "warehouse.duckdb", 1, keys=[7, -12], data_type="bigint", records=records)
    assert "Erased 1 customer" in run(monkeypatch, capsys, "--", key)
    path = empty_folder / "warehouse.duckdb"
    assert query(path, "select raw_record from rejected_customers") == [(record,) for record in kept]
    assert query(path, "select count(*) from customer_segments") == [(501,)]
    assert not (empty_folder / "kept_builds").exists()


@pytest.mark.parametrize(
    ("key", "records", "kept"),
    [
        ("m1", ["m1,x", '"m1"', "am1,x", "m12,x", "M1,x", "x m1"], ["am1,x", "m12,x", "M1,x"]),
        ('a "b" c', ['"a ""b"" c",x', '{"id":"a \\"b\\" c"}', "a b c"], ["a b c"]),
        ("=cmd(.*)", ["=cmd(.*),x", "=cmd(abc),x"], ["=cmd(abc),x"]),
        ("***", ["***;x", "**;x"], ["**;x"]),
        ("Zoë", ["Zoë;x", "Zo;x"], ["Zo;x"]),
    ],
)
def test_refused_rows_with_a_text(empty_folder, monkeypatch, capsys, key, records, kept):
    write_build(empty_folder / "warehouse.duckdb", 1, records=records)
    assert "Erased 0 customers" in run(monkeypatch, capsys, "--", key)
    found = query(empty_folder / "warehouse.duckdb", "select raw_record from rejected_customers")
    assert found == [(record,) for record in kept]


def test_a_key_that_is_nowhere_changes_nothing(folder, monkeypatch, capsys):
    make_other_files(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert run(monkeypatch, capsys, "nobody") == "Nothing was erased: The key is in no build."
    (folder / "keys.txt").write_text("nobody\nno one")
    words = "Nothing was erased: None of the keys in keys.txt is in any build."
    assert run(monkeypatch, capsys, "--keys", "keys.txt") == words
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before


def test_a_key_of_the_wrong_type(empty_folder, monkeypatch, capsys):
    write_build(empty_folder / "warehouse.duckdb", 1, keys=[7], data_type="bigint")
    (empty_folder / "keys.txt").write_text("7\n7.5\n")
    output = run(monkeypatch, capsys, "--keys", "keys.txt")
    assert output == "Nothing was erased: keys.txt, line 2: '7.5' is no customer_id, which is of the type bigint; correct it."
    output = run(monkeypatch, capsys, "abc")
    assert output == "Nothing was erased: 'abc' is no customer_id, which is of the type bigint; correct it."


def test_what_stands_in_the_way(folder, monkeypatch, capsys):
    make_other_files(folder)
    assert "gone.duckdb does not exist" in run(monkeypatch, capsys, "--warehouse", "gone.duckdb", KEY)
    (folder / "keys.txt").write_bytes(b"\xff\xfe\x00")
    assert "keys.txt cannot be read" in run(monkeypatch, capsys, "--keys", "keys.txt")
    with duckdb.connect(folder / "old.duckdb") as database:
        database.execute("create table builds as select 'id' as build_id, 'customers.csv' as source_file")
    assert run(monkeypatch, capsys, "--warehouse", "old.duckdb", KEY) == (
        "Nothing was erased: old.duckdb was not published by this version of the project; run dbt build first."
    )
    with open(folder / "build" / "warehouse.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another dbt command" in run(monkeypatch, capsys, KEY)
    write = "import duckdb, sys; c = duckdb.connect('kept_builds/1.duckdb'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", write], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        assert "it is open for writing in" in run(monkeypatch, capsys, KEY)
    (folder / "kept_builds" / "1.duckdb").write_bytes(b"garbage")
    assert "kept_builds/1.duckdb cannot be read" in run(monkeypatch, capsys, KEY)
    assert set(rows_with(folder / "warehouse.duckdb", KEY)) > {"main.segment_changes"}
    assert (folder / "exports" / ".exports.json").exists()


def test_an_interrupted_erasure_is_finished_by_the_next_one(folder, monkeypatch, capsys):
    make_other_files(folder)
    write_anew = erase.write_anew

    def fail(session, file, finish):
        if file.path.name == "warehouse.duckdb":
            raise KeyboardInterrupt
        return write_anew(session, file, finish)

    monkeypatch.setattr(erase, "write_anew", fail)
    assert "run the same command again" in run(monkeypatch, capsys, KEY)
    assert query(folder / "warehouse.duckdb", "select count(*) from customer_segments") == [(502,)]
    assert query(folder / "kept_builds" / "1.duckdb", "select count(*) from customer_segments") == [(501,)]
    monkeypatch.setattr(erase, "write_anew", write_anew)
    assert "Erased 1 customer" in run(monkeypatch, capsys, KEY)
    assert files_with(folder, KEY) == ["exports/csv/mine.csv"]


def test_what_was_delivered_is_written_anew_last_and_found_after_an_interruption(folder, monkeypatch, capsys):
    with file_set(folder / "exports" / "ads", "lists") as new:
        rows = [",".join(erase.ledgers.LEDGER), *(f"1,added,1,One,key,{key},{key}" for key in (KEY, OTHER))]
        (new / "ledger.csv").write_text("\n".join(rows) + "\n")
    forget_deliveries = erase.forget_deliveries

    def fail(session):
        raise KeyboardInterrupt

    monkeypatch.setattr(erase, "forget_deliveries", fail)
    assert "run the same command again" in run(monkeypatch, capsys, KEY)
    assert files_with(folder, KEY) == ["exports/ads/ledger.csv"]
    monkeypatch.setattr(erase, "forget_deliveries", forget_deliveries)
    output = run(monkeypatch, capsys, KEY)
    assert "Erased 1 customer" in output
    assert output.count("Writing exports/ads anew ...") == 1
    assert "exports/ads: ledgers are written anew without them, and lists removed. 1 of them were on lists from there" in output
    assert files_with(folder, KEY) == []
    assert "exports/ads/ledger.csv" in files_with(folder, OTHER)


def test_links_and_modes_stay(folder, monkeypatch, capsys):
    real = folder / "published" / "real.duckdb"
    real.parent.mkdir()
    (folder / "warehouse.duckdb").rename(real)
    (folder / "kept_builds").rename(real.parent / "kept_builds")
    (folder / "warehouse.duckdb").symlink_to(real)
    real.chmod(0o600)
    run(monkeypatch, capsys, KEY)
    assert (folder / "warehouse.duckdb").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert sorted(path.name for path in real.parent.rglob("*")) == [
        "1.duckdb",
        "2.duckdb",
        "3.duckdb",
        "kept_builds",
        "real.duckdb",
    ]
    assert rows_with(real, KEY) == {}


def test_who_still_has_the_old_file_is_named(folder, monkeypatch, capsys):
    os.link(folder / "kept_builds" / "1.duckdb", folder / "backup.duckdb")
    read = "import duckdb, sys; c = duckdb.connect('warehouse.duckdb', read_only=True); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", read]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        reader.stdout.readline()
        output = run(monkeypatch, capsys, KEY)
    assert "The old kept_builds/1.duckdb has a second name" in output
    assert "The old kept_builds/2.duckdb" not in output
    assert "A program still reads the old warehouse.duckdb" in output


# Deliveries and campaigns


@pytest.fixture
def delivered(empty_folder, monkeypatch, capsys):
    """A build that was delivered by keys and by hashes, and had a campaign; customer_segments is a table in it."""
    with duckdb.connect("warehouse.duckdb") as database:
        database.execute(f"""
            create table builds as
            select 1 as build_number, 'one' as build_id, timestamp '2026-01-01' as built_at, 'customers.csv' as source_file;
            create table customer_segments as
            select key as customer_id, 1 as segment_id, 'One' as segment_name, 0.5 as confidence, key || '@x.org' as email
            from (select unnest(['{KEY}', '{OTHER}', '=a', '"b'] || [format('c{{}}', number) for number in range(50)]) as key);
            create table segment_attribute_profiles (attribute varchar, attribute_value varchar);
        """)
    for script, *options in (
        (activation,),
        (activation, "--hash-email", "email", "--output", "exports/ads"),
        (campaign, "spring", "--holdout", "0.5"),
    ):
        monkeypatch.setattr(sys, "argv", [script.__name__, *options])
        script.main()
    capsys.readouterr()
    return empty_folder


PLACES = ["exports/activation", "exports/ads", "exports/campaigns/spring"]


def test_ledgers_and_campaigns_go_on_without_the_customers(delivered, monkeypatch, capsys):
    """Lists are removed; what was counted stays, and the keys of others, also those that are written with quotes."""
    before = {
        name: (delivered / name).read_text() for name in ("exports/activation/deliveries.csv", "exports/ads/deliveries.csv")
    }
    hashed = hashlib.sha256(f"{KEY}@x.org".encode()).hexdigest()
    assert len(files_with(delivered, hashed)) == 4
    output = run(monkeypatch, capsys, KEY)
    assert "Erased 1 customer" in output
    for place in PLACES[:2]:
        words = "1 of them were on lists from there: have them taken out of the tool that has these."
        assert f"{place}: ledgers are written anew without them, and lists removed. {words}" in output.splitlines()
    assert "Left alone" not in output
    assert files_with(delivered, KEY) == files_with(delivered, hashed) == []
    found = sorted(path.relative_to(delivered).as_posix() for path in (delivered / "exports").rglob("*.csv"))
    assert found == [
        *(f"{place}/{name}" for place in PLACES[:2] for name in ("deliveries.csv", "ledger.csv")),
        *(f"{PLACES[2]}/{name}" for name in ("campaign.csv", "members.csv")),
    ]
    assert {name: (delivered / name).read_text() for name in before} == before
    for path in delivered.rglob("exports/**/*.csv"):
        assert path.stat().st_mode & 0o777 == 0o600
    keys = {row["key"] for row in csv_rows(delivered / PLACES[1] / "ledger.csv")}
    assert keys == {OTHER, "'=a", '"b', *(f"c{number}" for number in range(50))}
    assert {row["key"] for row in csv_rows(delivered / PLACES[2] / "members.csv")} == keys

    for key in ("=a", '"b'):
        run(monkeypatch, capsys, "--", key)
    assert {row["key"] for row in csv_rows(delivered / PLACES[1] / "ledger.csv")} == keys - {"'=a", '"b'}
    # The next delivery goes on where the last one ended: nobody is new, and nobody has left.
    monkeypatch.setattr(sys, "argv", ["activation.py"])
    activation.main()
    assert "0 added and 0 removed since delivery 1" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["campaign.py", "spring"])
    campaign.main()
    assert "exports/campaigns/spring: 51 customers" in capsys.readouterr().out


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_who_is_in_a_ledger_alone_can_be_erased(delivered, monkeypatch, capsys):
    """No build knows the customer any more."""
    with duckdb.connect("warehouse.duckdb") as database:
        database.execute("create table left_over as from customer_segments where customer_id <> ?", [KEY])
        database.execute("drop table customer_segments")
        database.execute("alter table left_over rename to customer_segments")
    assert "Erased 1 customer: 0 rows in warehouse.duckdb" in run(monkeypatch, capsys, KEY)
    assert [name for name in files_with(delivered, KEY) if name.startswith("exports")] == []


def test_a_ledger_that_cannot_be_read_stops_before_anything_is_changed(delivered, monkeypatch, capsys):
    (delivered / "exports/ads/ledger.csv").write_text("something else")
    before = {path: path.read_bytes() for path in delivered.rglob("*") if path.is_file() and path.parent.name != "build"}
    assert "Nothing was erased: exports/ads/ledger.csv is not as it was written" in run(monkeypatch, capsys, KEY)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("step", [1, 3, 5, 8])
def test_an_erasure_that_is_interrupted_among_ledgers_is_finished_by_the_next_one(delivered, monkeypatch, capsys, step):
    """At a rename: of the files of a set, or of the set itself."""
    calls, real = [], os.replace

    def stop(*arguments, **options):
        calls.append(arguments)
        if len(calls) == step:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop)
        assert "run the same command again" in run(monkeypatch, capsys, KEY)
    assert "Erased 1 customer" in run(monkeypatch, capsys, KEY)
    assert files_with(delivered, KEY) == []
    for place in PLACES[:2]:
        assert len(csv_rows(delivered / place / "ledger.csv")) == 53
    assert len(csv_rows(delivered / PLACES[2] / "members.csv")) == 53


def test_keys_that_are_numbers_are_found_in_ledgers_however_they_are_written(empty_folder, monkeypatch, capsys):
    with duckdb.connect("warehouse.duckdb") as database:
        database.execute("""
            create table builds as
            select 1 as build_number, 'one' as build_id, timestamp '2026-01-01' as built_at, 'customers.csv' as source_file;
            create table customer_segments as
            select range as customer_id, 1 as segment_id, 'One' as segment_name, 0.5 as confidence from range(5, 9);
            create table segment_attribute_profiles (attribute varchar, attribute_value varchar);
        """)
    monkeypatch.setattr(sys, "argv", ["activation.py"])
    activation.main()
    assert "Erased 1 customer" in run(monkeypatch, capsys, "0007")
    assert [row["key"] for row in csv_rows(empty_folder / "exports/activation/ledger.csv")] == ["5", "6", "8"]
