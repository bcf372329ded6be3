"""Customers and orders in other databases and in an object store, read from real ones: `make test-databases`."""

import importlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments import create
from dbt_common.context import set_invocation_context
from dbt_common.exceptions import DbtRuntimeError
from servers import HOST, PASSWORD, MySQL, ObjectStore, PostgreSQL
from staging import Staging, shipped_settings

databases = importlib.import_module("databases")
pytestmark = pytest.mark.databases

CUSTOMERS = (
    "CustomerID integer, Gender varchar(10), Age smallint, Annual_Income decimal(10, 2), Spending_Score integer, note text"
)
ORDERS = "customer_id integer, order_date timestamp, amount decimal(10, 2), note text"
# 1000 customers, one of them twice, one without an age and one whose age nobody has.
MADE_CUSTOMERS = """
    select
        number % 999 as CustomerID,
        case number % 3 when 0 then 'Female' when 1 then 'Male' end as Gender,
        case number when 500 then null when 501 then 230 else 18 + number * number % 60 end as Age,
        15 + number * 7 % 120 as Annual_Income,
        1 + number * 13 % 100 as Spending_Score,
        'Grüße, "' || number || '"' as note
    from range({}) as numbers (number)
"""
MADE_ORDERS = """
    select
        number % 500 as customer_id,
        timestamp '2025-01-01 10:00:00' + interval (number % 300) day as order_date,
        cast(number % 77 + 0.5 as decimal(10, 2)) as amount,
        'none' as note
    from range(2000) as numbers (number)
"""


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


@pytest.fixture(scope="session")
def postgres(made):
    server = PostgreSQL()
    with server.start():
        server.execute(f"create role reader login password {literal(PASSWORD)}; create database crm;", "postgres")
        for name, columns in (("customers", CUSTOMERS), ("orders", ORDERS)):
            server.execute(
                f"create table {name} ({columns}); copy {name} from stdin csv header;\n" + made[name].read_text("utf-8")
            )
            server.execute(f"grant select on {name} to reader")
        yield server
    server.remove()


@pytest.fixture(scope="session")
def mysql(made):
    server = MySQL()
    with server.start():
        server.execute(f"create user reader@'{HOST}' identified by {literal(PASSWORD)}; create database crm;", "mysql")
        server.execute(f"grant select on crm.* to reader@'{HOST}'")
        for name, columns in (("customers", CUSTOMERS), ("orders", ORDERS)):
            rows = duckdb.sql(f"from read_csv({literal(made[name])})").fetchall()
            rows = ",".join("(" + ",".join("null" if value is None else literal(value) for value in row) + ")" for row in rows)
            server.execute(f"create table {name} ({columns}); insert into {name} values {rows}")
        yield server
    server.remove()


@pytest.fixture(scope="session")
def store(made):
    server = ObjectStore()
    with server.start():
        server.put("shop")
        for name in ("customers.csv", "customers.parquet", "orders.csv"):
            server.put(f"shop/{name}", (made["folder"] / name).read_bytes())
        yield server
    server.remove()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The customers and the orders as CSV, Parquet, a DuckDB file and a SQLite file: {name: path}; `folder` is theirs."""
    folder = tmp_path_factory.mktemp("made")
    with duckdb.connect(folder / "crm.duckdb") as connection:
        for name, columns, query in (
            ("customers", CUSTOMERS, MADE_CUSTOMERS.format(1000)),
            ("orders", ORDERS, MADE_ORDERS),
        ):
            connection.execute(f"create table {name} ({columns})")
            connection.execute(f"insert into {name} {query}")
            connection.execute(f"copy {name} to {literal(folder / f'{name}.csv')}")
            connection.execute(f"copy {name} to {literal(folder / f'{name}.parquet')}")
    make_sqlite(folder / "crm.sqlite", folder)
    return {"folder": folder, "customers": folder / "customers.csv", "orders": folder / "orders.csv"}


def make_sqlite(path, folder):
    """What SQLite makes of the same columns: numbers as they are, dates as texts."""
    with sqlite3.connect(path) as connection:
        for name, columns in (("customers", CUSTOMERS), ("orders", ORDERS)):
            rows = duckdb.sql(f"from read_csv({literal(folder / f'{name}.csv')}, all_varchar = true)").fetchall()
            connection.execute(f"create table {name} ({columns})")
            connection.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)
    connection.close()


SOURCES = ["duckdb", "sqlite", "postgres", "mysql"]


@pytest.fixture
def profile(made, request):
    """A function: name of a source → what the profile lists under attach: and secrets:, and the schema of the tables."""

    def of(source):
        if source in ("duckdb", "sqlite"):
            return [{"path": str(made["folder"] / f"crm.{source}"), "alias": "crm", "read_only": True}], [], "main"
        server = request.getfixturevalue(source)
        secret = {"type": source, "name": "crm_user", "host": HOST, "port": server.port, "user": "reader", "password": PASSWORD}
        attach = {"path": "", "alias": "crm", "type": source, "secret": "crm_user", "read_only": True}
        return [attach], [secret | {"database": "crm"}], "public" if source == "postgres" else "crm"

    return of


@pytest.fixture
def connect(tmp_path, request):
    """A function: attach: and secrets: of the profile → a connection, as dbt-duckdb opens it."""

    def opened(attach=(), secrets=()):
        set_invocation_context(os.environ)
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        profile = {"path": str(folder / "warehouse.duckdb"), "attach": list(attach), "secrets": list(secrets)}
        environment = create(DuckDBCredentials.from_dict(profile | {"plugins": [{"module": "databases"}], "schema": "main"}))
        request.addfinalizer(environment.close)
        environment.handle()
        return environment.conn

    return opened


def reading(folder, block, source, connection, **settings):
    """All that is read, (accepted rows, reasons of the rejected ones), with some settings of the block."""
    with Staging(folder, block, source.get("file"), {block: {"source": source, **settings}}, connection=connection) as found:
        assert found.not_counted is None
        return sorted(found.accepted, key=str), sorted(reasons for _, _, reasons, _ in found.rejected)


@pytest.mark.parametrize("source", SOURCES)
def test_a_table_reads_like_its_export(made, profile, connect, tmp_path, source):
    attach, secrets, schema = profile(source)
    for block, name in (("segmentation", "customers"), ("orders", "orders")):
        exported = reading(tmp_path, block, {"file": str(made[name])}, None)
        assert len(exported[0]) > 900
        relation = {"relation": f"crm.{schema}.{name}"}
        assert reading(tmp_path, block, relation, connect(attach, secrets)) == exported
    assert exported[1] == []


def test_objects_in_a_store_read_like_files(made, store, connect, tmp_path):
    expected = reading(tmp_path, "segmentation", {"file": str(made["customers"])}, None)
    for pattern in ("customers.csv", "customers.parquet", "cust*.parquet"):
        found = reading(tmp_path, "segmentation", {"file": f"s3://shop/{pattern}"}, connect(secrets=[store.secret()]))
        assert found == expected


@pytest.mark.parametrize("source", SOURCES)
def test_only_the_columns_and_rows_that_are_asked_for_are_fetched(profile, connect, source):
    attach, secrets, schema = profile(source)
    ages = "cast(Age as integer)" if source == "sqlite" else "Age"
    plan = (
        connect(attach, secrets).execute(f"explain select CustomerID from crm.{schema}.customers where {ages} > 70").fetchone()[1]
    )
    assert "note" not in plan
    assert "Spending_Score" not in plan
    # As its values are texts, SQLite sends them all.
    assert ("FILTER " in plan) == (source == "sqlite"), plan


def test_postgresql_is_asked_for_no_other_column_or_row(postgres, profile, connect, tmp_path):
    attach, secrets, _ = profile("postgres")
    before = len(postgres.log())
    reading(tmp_path, "segmentation", {"relation": "crm.public.customers"}, connect(attach, secrets))
    connect(attach, secrets).execute("select CustomerID from crm.public.customers where Age > 70").fetchall()
    asked = [line for line in postgres.log()[before:].lower().splitlines() if '"customers"' in line]
    assert any("spending_score" in line for line in asked), asked
    assert not any("note" in line for line in asked), asked
    assert any("spending_score" not in line and "where \"age\" > '70'" in line for line in asked), asked


def test_values_that_a_file_could_not_hold(postgres, profile, connect, tmp_path):
    """NUMERIC with and without a scale, NaN, infinity, an enum, a uuid, a boolean, and a time with a zone."""
    postgres.execute("""
        create type gender as enum ('F', 'M');
        create table odd (
            customer_id uuid, gender gender, age numeric, annual_income_k double precision, spending_score numeric(5, 1)
        );
        insert into odd
        select ('00000000-0000-0000-0000-00000000000' || number)::uuid, 'F', 30, 40, 50 from generate_series(1, 7) as number;
        update odd set age = 'NaN' where customer_id::text like '%2';
        update odd set age = 30.5 where customer_id::text like '%3';
        update odd set annual_income_k = 'NaN' where customer_id::text like '%4';
        update odd set annual_income_k = 'Infinity' where customer_id::text like '%5';
        update odd set gender = null, spending_score = 50.5 where customer_id::text like '%6';
        update odd set customer_id = null where customer_id::text like '%7';
        grant select on odd to reader;
        create table times (customer_id bigint, order_date timestamptz, amount numeric);
        insert into times values (1, '2025-03-01 23:30:00+00', 1), (2, 'infinity', 1), (3, '2025-03-01', 'NaN'), (4, null, 1);
        grant select on times to reader;
    """)
    attach, secrets, _ = profile("postgres")
    key, relation = {"name": "customer_id", "headers": [], "data_type": "varchar"}, {"relation": "crm.public.odd"}
    found = reading(tmp_path, "segmentation", relation, connect(attach, secrets), key=key)
    assert found[0] == [("00000000-0000-0000-0000-000000000001", "F", 30, 40, 50)]
    assert len(found[1]) == 6
    assert "customer_id is missing" in found[1]
    accepted, rejected = reading(tmp_path, "orders", {"relation": "crm.public.times"}, connect(attach, secrets))
    assert [row[0] for row in accepted] == [1]
    assert len(rejected) == 3


def test_a_text_in_a_number_of_sqlite_costs_its_row(connect, tmp_path):
    with sqlite3.connect(tmp_path / "loose.db") as loose:
        loose.execute(
            "create table customers (customer_id integer, gender, age integer, annual_income_k real, spending_score numeric)"
        )
        rows = [(1, "F", 30, 40.5, 50), (2, "F", "abc", 40, 50), (3, "F", 30, "n/a", 50), (4, "F", 30, 40, "50")]
        loose.executemany("insert into customers values (?, ?, ?, ?, ?)", rows)
    loose.close()
    age, income, score = shipped_settings()["segmentation"]["features"]
    connection = connect([{"path": str(tmp_path / "loose.db"), "alias": "crm", "read_only": True}])
    features = [age, income | {"data_type": "double"}, score]
    accepted, rejected = reading(tmp_path, "segmentation", {"relation": "crm.main.customers"}, connection, features=features)
    assert [row[0] for row in accepted] == [1, 4]
    assert rejected == ["age is not a number", "annual_income_k is missing"]


def test_a_key_above_what_a_number_holds(mysql, profile, connect, tmp_path):
    mysql.execute("""
        create table wide (customer_id bigint unsigned, gender text, age int, annual_income_k int, spending_score int);
        insert into wide values (18446744073709551615, 'F', 30, 40, 50), (9223372036854775807, 'F', 30, 40, 50);
    """)
    attach, secrets, _ = profile("mysql")
    accepted, rejected = reading(tmp_path, "segmentation", {"relation": "crm.crm.wide"}, connect(attach, secrets))
    assert [row[0] for row in accepted] == [9223372036854775807]
    assert len(rejected) == 1


def shut(port=9):
    return f"host={HOST} port={port} dbname=crm user=reader password={PASSWORD}"


@pytest.mark.parametrize(("profile", "sentence"), [
    ({"attach": [{"path": shut(), "alias": "crm", "type": "postgres"}]}, "crm cannot be attached: connection to server at"),
    ({"attach": [{"path": shut(), "alias": "crm", "type": "mysql"}]}, "crm cannot be attached: "),
    ({"attach": [{"path": "nowhere.db", "alias": "crm", "type": "sqlite"}]}, "there is no file nowhere.db"),
    ({"attach": [{"path": "nowhere.duckdb", "alias": "crm", "read_only": True}]}, "crm cannot be attached: Cannot open database"),
    ({"secrets": [{"type": "s3", "secrte": PASSWORD}]}, "profiles.yml, secrets:, entry 1: Unknown parameter 'secrte'"),
    ({"secrets": [{"type": "nothing", "secret": PASSWORD}]}, "profiles.yml, secrets:, entry 1: Secret type 'nothing' not found"),
])  # fmt: skip
def test_what_cannot_be_reached_is_one_sentence_without_a_password(connect, profile, sentence):
    with pytest.raises(DbtRuntimeError) as refused:
        connect(**profile)
    said = str(refused.value)
    assert sentence in said
    assert "4711" not in said
    assert "\n" not in said.strip().removeprefix("Runtime Error\n")


def test_a_wrong_password_and_a_table_that_may_not_be_read(postgres, profile, connect, tmp_path):
    postgres.execute("create table hidden (customer_id integer)")
    attach, secrets, _ = profile("postgres")
    wrong = [{"path": postgres.where(password="falsch-4711"), "alias": "crm", "type": "postgres"}]
    with pytest.raises(DbtRuntimeError, match=r"crm cannot be attached: .*password authentication failed for user") as refused:
        connect(wrong)
    assert "4711" not in str(refused.value)
    connection = connect(attach, secrets)
    with pytest.raises(DbtRuntimeError, match=r"crm.public.hidden cannot be read: permission denied for table hidden") as refused:
        reading(tmp_path, "segmentation", {"relation": "crm.public.hidden"}, connection)
    assert "4711" not in str(refused.value)


def test_an_extension_that_is_not_there_and_cannot_be_downloaded(connect, tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "link_extensions", lambda folder: False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://{HOST}:9")
    with pytest.raises(DbtRuntimeError, match=r"needs its extension postgres_scanner, and cannot download it.*DATABASES=yes"):
        connect([{"path": shut(), "alias": "crm", "type": "postgres"}])


@pytest.mark.parametrize("path", [
    "host=a password=geheim4711 user=b", "host=a password='geheim4711'", "postgres://user:geheim4711@host/x",
    "host=a;passwd=geheim4711", "postgresql://host/x?user=b&password=geheim4711&x=1",
])  # fmt: skip
def test_passwords_are_found_however_they_are_written(path):
    assert databases.passwords(SimpleNamespace(secrets=None, attach=[SimpleNamespace(path=path)])) == ["geheim4711"]


def public_tables(project):
    """{name of a table or view: its rows}, without what differs from one build to another and where a row stood."""
    found = {}
    with project.reader("warehouse.duckdb") as reader:
        columns = "select table_name, column_name from duckdb_columns() where schema_name = 'main' and not internal order by all"
        columns = reader.execute(columns)
        for name, column in columns.fetchall():
            told = (
                "valid_",
                "scd_id",
                "source_file",
                "line_number",
                "raw_record",
                "build",
                "_at",
                "_on",
                "version",
                "seconds",
                "gates",
            )
            if not any(word in column for word in told) and not name.startswith(("builds", "published")):
                found.setdefault(name, []).append(f'"{column}"')
        return {
            name: sorted(reader.execute(f"select {', '.join(names)} from {name}").fetchall(), key=str)
            for name, names in found.items()
        }


def test_a_build_on_postgresql_publishes_what_one_on_its_export_does(new_project, made, postgres, profile):
    """As users build it; with a model and a source of one's own, and no password in anything that is written."""
    exported, project = new_project(), new_project()
    exported.build(file=made["customers"])
    attach, secrets, _ = profile("postgres")
    secrets[0]["password"] = "{{ env_var('CRM_PASSWORD') }}"
    path = project.folder / "profiles.yml"
    configured = yaml.safe_load(path.read_text(encoding="utf-8"))
    output = configured["customer_segmentation"]["outputs"]["duckdb"]
    output["attach"] += attach
    output["secrets"] = secrets
    path.write_text(yaml.safe_dump(configured), encoding="utf-8")
    folder = project.folder / "dbt_project" / "models" / "crm"
    folder.mkdir()
    (folder / "_crm__sources.yml").write_text(
        "sources: [{name: crm, database: crm, schema: public, tables: [{name: customers}]}]", encoding="utf-8"
    )
    (folder / "crm_customers.sql").write_text(
        "{{ config(materialized='table', database='scratch') }}\nselect * from {{ source('crm', 'customers') }}", encoding="utf-8"
    )
    project.configure(source={"file": None, "relation": "ref('crm_customers')"})
    environment = os.environ | {"CRM_PASSWORD": PASSWORD}
    dbt = Path(sys.executable).with_name("dbt")

    def run(*arguments, **more):
        ran = subprocess.run(
            [dbt, *arguments],
            cwd=project.folder,
            env=environment | more,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    code, said = run("build")
    assert code == 0, said[-3000:]
    assert public_tables(project) == public_tables(exported)
    project.configure(source={"relation": "crm.public.customers"})
    code, refused = run("build", CRM_PASSWORD="falsch-4711")
    assert code != 0
    assert "The database crm cannot be attached" in refused
    assert "Traceback" not in refused
    written = [path.read_bytes() for path in project.folder.rglob("*") if path.is_file()]
    for secret in ("Geheim", "falsch-4711"):
        assert secret not in said + refused
        assert not any(secret.encode() in content for content in written)
    assert "build_id" in str(project.published("describe builds"))


class TimedStaging(Staging):
    """Adds up what the models take, without what the test does with their rows."""

    wall = cpu = 0

    def build(self, name):
        begin = time.perf_counter(), time.process_time()
        super().build(name)
        self.wall += time.perf_counter() - begin[0]
        self.cpu += time.process_time() - begin[1]


@pytest.mark.parametrize("n_customers", [1_000_000])
def test_a_million_customers(postgres, profile, connect, tmp_path, n_customers):
    """Prints the table of docs/databases.md: --capture no."""
    path = tmp_path / "customers.csv"
    with duckdb.connect(tmp_path / "crm.duckdb") as connection:
        connection.execute(f"create table customers ({CUSTOMERS})")
        numbered = MADE_CUSTOMERS.format(n_customers).replace("number % 999 as", "number as")
        connection.execute(f"insert into customers {numbered}")
        connection.execute(f"copy customers to {literal(path)}")
    with sqlite3.connect(tmp_path / "crm.sqlite") as connection, duckdb.connect(tmp_path / "crm.duckdb") as rows:
        connection.execute(f"create table customers ({CUSTOMERS})")
        rows = rows.execute("select * replace (cast(Annual_Income as double) as Annual_Income) from customers").fetchall()
        connection.executemany("insert into customers values (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    postgres.execute(f"create table million ({CUSTOMERS}); copy million from stdin csv header;\n{path.read_text('utf-8')}")
    postgres.execute("grant select on million to reader")
    sources = {
        "CSV": ({"file": str(path)}, None),
        "PostgreSQL": ({"relation": "crm.public.million"}, connect(*profile("postgres")[:2])),
    }
    for kind in ("duckdb", "sqlite"):
        attach = [{"path": str(tmp_path / f"crm.{kind}"), "alias": "crm", "read_only": True}]
        sources[kind] = {"relation": "crm.main.customers"}, connect(attach)
    found = {}
    for name, (source, connection) in sources.items():
        with TimedStaging(
            tmp_path, "segmentation", source.get("file"), {"segmentation": {"source": source}}, connection=connection
        ) as staging:
            counts = len(staging.accepted), sorted(reasons for _, _, reasons, _ in staging.rejected)
            found[name] = staging.wall, staging.cpu, counts
    csv = found["CSV"]
    print("\n| source | time | CPU |\n|---|---|---|")
    for name, (wall, cpu, counts) in found.items():
        print(f"| {name} | {wall / csv[0]:.1f} ({wall:.1f} s) | {cpu / csv[1]:.1f} ({cpu:.1f} s) |")
        assert counts == csv[2]
        assert cpu < 4 * csv[1]
