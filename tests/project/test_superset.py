"""The dashboard in a real Superset, on the published file of two builds: `make test-bi`.

Superset is set up in a temporary folder by the script that `make superset` runs, and asked through its own API; what
the browser shows is kept as build/superset-dashboard.png, to be looked at.
"""

import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import duckdb
import mixed_tables
import pytest
import yaml
from browser import open_browser

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-superset" / "bin" / "python"
SCRIPT = ROOT / "scripts" / "serve_superset.py"
CHARTS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "bi/superset/charts").glob("*.yaml")}
# It takes the place of the scatter where there are categories; the sample has none.
CHARTS_OF_CATEGORIES = CHARTS | {"scatter": CHARTS.pop("bars")}
# They need orders.
WORTH = ("worth", "revenue", "retention")
# {the address of a dashboard: its title}, of a build with orders.
DASHBOARDS = {"segments": "Customer segments", "rfm_segments": "Customer segments by their orders"}

pytestmark = [
    pytest.mark.superset,
    pytest.mark.skipif(not PYTHON.exists(), reason="the environment of Superset is absent: make .venv-superset/installed"),
]


class Superset:
    """A running server; a session of its administrator."""

    def __init__(self, url, password):
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        page = self.opener.open(f"{url}/login/", timeout=60).read().decode()
        token = re.search(r'csrf_token[^>]*?value="([^"]+)"', page).group(1)
        form = urllib.parse.urlencode({"username": "admin", "password": password, "csrf_token": token})
        assert "/login" not in self.opener.open(f"{url}/login/", form.encode(), timeout=60).geturl()
        self.token = self.ask("/api/v1/security/csrf_token/")["result"]

    def ask(self, path, body=None, method="POST"):
        """The answer to a GET, or to a POST (or another method) where there is a body."""
        headers = {"Content-Type": "application/json", "Referer": self.url}
        if body is not None:
            headers["X-CSRFToken"] = self.token
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method="GET" if body is None else method)
        try:
            with self.opener.open(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()[:2000]}") from error

    def all_of(self, kind):
        """Every chart, dataset or database."""
        return self.ask(f"/api/v1/{kind}/?q=(page_size:100)")["result"]

    def rows(self, chart, filters=()):
        """The rows that a chart asks for: its columns and metrics, as its parameters name them."""
        params = json.loads(chart["params"])
        names = {role: params.get(role) for role in (*COLUMNS, *METRICS)}
        query = {
            "columns": [name for role in COLUMNS for name in as_list(names[role])],
            "metrics": [name for role in METRICS for name in as_list(names[role])],
            "filters": list(filters),
            "extras": {"where": " and ".join(item["sqlExpression"] for item in params["adhoc_filters"])},
            "row_limit": params.get("row_limit", 10),
        }
        if params.get("query_mode") == "raw":
            query["metrics"] = None
        source = {"id": chart["datasource_id"], "type": "table"}
        answer = self.ask("/api/v1/chart/data", {"datasource": source, "queries": [query], "result_type": "full"})
        return answer["result"][0]["data"]


COLUMNS = ("x_axis", "groupby", "entity", "series", "source", "target", "all_columns")
METRICS = ("metric", "metrics", "x", "y", "size")


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, otherwise):
    """Return once the condition holds; fail with a sentence after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, otherwise
        time.sleep(0.25)


def serve(*arguments, log):
    """Start the script in an environment without the coverage and the settings of pytest."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUPERSET")}
    return subprocess.Popen([PYTHON, SCRIPT, *map(str, arguments)], env=environment, stdout=log, stderr=subprocess.STDOUT)


def later_customers(sample, path):
    """The sample some weeks later: some customers are gone, some earn more (the last column but one)."""
    header, *rows = sample.read_text(encoding="utf-8").splitlines()
    records = [row.split(",") for number, row in enumerate(rows) if number % 40 != 7]
    for record in records[::12]:
        if len(record) == 5 and record[3].isdigit():
            record[3] = str(int(record[3]) + 40)
    path.write_text("\n".join([header, *map(",".join, records)]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def two_builds(new_project):
    """A project with orders built twice, the second time on other customers; first.duckdb is what the first build published."""
    project = new_project(whole=True)
    sample = project.folder / "dbt_project" / "sample" / "customers.csv"
    first = shutil.copy(sample, project.folder / "first.csv")
    # The sample's orders are for the sample's customers.
    orders = shutil.copy(sample.with_name("orders.csv"), project.folder / "orders.csv")
    later_customers(sample, project.folder / "later.csv")
    project.build(file=first, orders=orders)
    shutil.copy(project.folder / "warehouse.duckdb", project.folder / "first.duckdb")
    header, *lines = orders.read_text(encoding="utf-8").splitlines()
    kept = [line for number, line in enumerate(lines) if number % 7]
    orders.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    project.build(file=project.folder / "later.csv", orders=orders)
    return project


@contextmanager
def running(folder, warehouse):
    """Superset, set up and served by the script, with its own data in a folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "log"
    with log.open("w") as output:
        server = serve("--warehouse", warehouse, "--state", folder / "state", "--port", port, log=output)

    def is_up():
        assert server.poll() is None, log.read_text(encoding="utf-8")
        try:
            return urllib.request.urlopen(f"{url}/health", timeout=5).status == 200
        except OSError:
            return False

    try:
        wait_for(is_up, 300, "Superset did not start")
        superset = Superset(url, (folder / "state" / "admin_password").read_text(encoding="utf-8"))
        superset.folder, superset.log = folder, log
        yield superset
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture(scope="module")
def superset(two_builds, tmp_path_factory):
    """Set up twice: the second time finds what the first has made, a chart that somebody has renamed, and no password."""
    folder = tmp_path_factory.mktemp("superset")
    warehouse = two_builds.folder / "warehouse.duckdb"
    with running(folder, warehouse) as first:
        first.ask(f"/api/v1/chart/{first.all_of('chart')[0]['id']}", {"slice_name": "Renamed"}, method="PUT")
    # As a full disk leaves it; who logs in below does so with the one that is made anew.
    (folder / "state" / "admin_password").write_text("")
    with running(folder, warehouse) as second:
        yield second


def charts_of(superset, dashboard):
    """{name of the asset's file: the chart in Superset}, of the dashboard with this title."""
    by_name = {
        chart["slice_name"]: chart
        for chart in superset.all_of("chart")
        if [place["dashboard_title"] for place in chart["dashboards"]] == [dashboard]
    }
    assert len(by_name) == len(CHARTS)
    return {name: by_name[asset["slice_name"]] for name, asset in CHARTS.items()}


@pytest.fixture(scope="module")
def charts(superset):
    return charts_of(superset, "Customer segments")


@pytest.fixture(scope="module")
def charts_of_orders(superset):
    return charts_of(superset, "Customer segments by their orders")


def test_it_says_where_the_dashboard_is_and_keeps_the_secrets_to_their_owner(superset):
    said = superset.log.read_text(encoding="utf-8")
    for address in DASHBOARDS:
        assert f"{superset.url}/superset/dashboard/{address}/" in said
    assert f"{superset.folder / 'state' / 'admin_password'} is empty or cut, and is made anew." in said
    for name in ("secret_key", "admin_password"):
        secret = superset.folder / "state" / name
        assert secret.stat().st_mode & 0o077 == 0
        assert len(secret.read_text(encoding="utf-8")) >= 32


def test_run_again_it_restores_the_charts_of_the_repository_and_doubles_none(superset):
    names = sorted(chart["slice_name"] for chart in superset.all_of("chart"))
    assert names == sorted(len(DASHBOARDS) * [chart["slice_name"] for chart in CHARTS.values()])
    titles = {dashboard["slug"]: dashboard["dashboard_title"] for dashboard in superset.all_of("dashboard")}
    assert titles == DASHBOARDS
    assert len(superset.all_of("database")) == 1


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_every_chart_has_rows(superset, charts, charts_of_orders, name):
    assert superset.rows(charts[name])
    assert superset.rows(charts_of_orders[name])


@pytest.mark.parametrize("prefix", ["", "rfm_"])
def test_a_dashboard_says_what_its_segments_are_worth(superset, charts, charts_of_orders, two_builds, prefix):
    of_segmentation = charts_of_orders if prefix else charts
    last_year = f"month > (select max(month) - interval 12 month from {prefix}segment_values)"
    worth = two_builds.published(f"""
        select sum(n_orders), round(sum(revenue), 2) from {prefix}segment_values
        where basis = 'today' and {last_year} group by segment_name order by all
    """)
    found = superset.rows(of_segmentation["worth"])
    assert sorted((row["orders"], round(row["revenue_today"], 2)) for row in found) == worth
    assert sum(row["share_today"] for row in found) == pytest.approx(1)
    again = f"select share_ordered_again from {prefix}segment_retention where basis = 'today' and n_customers >= 5"
    shares = [row["ordered_again"] for row in superset.rows(of_segmentation["retention"])]
    assert sorted(shares) == pytest.approx(sorted(share for (share,) in two_builds.published(again)))


def test_the_charts_show_what_the_warehouse_says(superset, charts, two_builds):
    sizes = two_builds.query("select n_customers from segment_profiles order by segment_id")
    assert [row["n_customers"] for row in sorted(superset.rows(charts["segments"]), key=lambda row: row["segment"])] == [
        n_customers for (n_customers,) in sizes
    ]
    moved = "from_segment_id is distinct from to_segment_id and build_id = (select max_by(build_id, build_number) from builds)"
    n_moved = two_builds.value(f"select sum(n_customers) from segment_migrations where {moved}")
    assert sum(row["n_customers"] for row in superset.rows(charts["moves"])) == n_moved > 0
    assert len({row["build"] for row in superset.rows(charts["shares"])}) == 2
    assert len(superset.rows(charts["scatter"])) == 1500


def test_the_filter_of_the_dashboard_narrows_what_has_segments_and_leaves_the_rest(superset, charts):
    segment = sorted(row["segment"] for row in superset.rows(charts["segments"]))[1]
    chosen = [{"col": "segment", "op": "IN", "val": [segment]}]
    narrowed = {name: superset.rows(chart, chosen) for name, chart in charts.items()}
    assert [row["segment"] for row in narrowed["segments"]] == [segment]
    assert {row["segment"] for row in narrowed["profiles"]} == {segment}
    assert narrowed["scores"] == superset.rows(charts["scores"])
    assert all(narrowed.values())


def test_the_columns_of_the_customers_are_those_of_the_warehouse(superset, two_builds):
    dataset = next(item for item in superset.all_of("dataset") if item["table_name"] == "customer_segments")
    columns = superset.ask(f"/api/v1/dataset/{dataset['id']}")["result"]["columns"]
    described = two_builds.query("select column_name from (describe customer_segments)")
    assert {column["column_name"] for column in columns} == {name for (name,) in described}


def test_a_new_generation_is_seen_and_its_writer_never_waits(superset, charts, two_builds):
    """The file is replaced by a rename, as a build publishes it, while Superset answers."""
    warehouse = two_builds.folder / "warehouse.duckdb"
    second = shutil.copy(warehouse, two_builds.folder / "second.duckdb")
    sizes = {}
    for path in (two_builds.folder / "first.duckdb", second):
        with duckdb.connect(path, read_only=True) as connection:
            sizes[path] = connection.sql("select count(*) from customer_segments").fetchone()[0]
        superset.rows(charts["scatter"])
        shutil.copy(path, two_builds.folder / "new.duckdb")
        os.replace(two_builds.folder / "new.duckdb", warehouse)
        assert [row["customers"] for row in superset.rows(charts["n_customers"])] == [sizes[path]]
        # Between two queries the file is closed: whoever writes to it in place is not locked out either.
        duckdb.connect(warehouse).close()
    assert len(set(sizes.values())) == 2


def test_the_pages_load_pictures_from_this_machine_only(superset):
    """Superset's own pages hold a pixel that reports their use."""
    with superset.opener.open(f"{superset.url}/superset/welcome/", timeout=60) as page:
        policy = page.headers["Content-Security-Policy"].split("; ")
    assert "img-src 'self' blob: data:" in policy


def test_nothing_can_be_written_through_superset(superset, charts):
    database = superset.all_of("database")[0]["id"]
    statement = {"database_id": database, "sql": "drop table main.segment_profiles", "runAsync": False}
    with pytest.raises(AssertionError, match=r"DML|not allowed|read-only"):
        superset.ask("/api/v1/sqllab/execute/", statement)
    assert superset.rows(charts["segments"])


def assert_drawn(superset, titles, picture, address="segments"):
    """Every chart has rows and is drawn in a browser; what it shows is kept in build/."""
    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1600, "height": 5000})
        cookies = [{"name": cookie.name, "value": cookie.value, "url": superset.url} for cookie in superset.cookies]
        page.context.add_cookies(cookies)
        finished = []
        page.on("requestfinished", lambda request: finished.append(request))
        page.goto(f"{superset.url}/superset/dashboard/{address}/")

        def answers():
            return [request.response() for request in finished if "/api/v1/chart/data" in request.url]

        def is_drawn():
            shown = page.inner_text("body")
            drawing = page.locator('[data-test="loading-indicator"], .loading').count()
            return all(title in shown for title in titles) and drawing == 0 and len(answers()) >= len(titles)

        wait_for(is_drawn, 120, "the charts were not drawn")
        page.wait_for_timeout(3000)  # the charts come with an animation
        (ROOT / "build").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "build" / picture)
        assert [answer.text() for answer in answers() if answer.status != 200] == []
        empty = [answer.text() for answer in answers() if not all(result["rowcount"] for result in answer.json()["result"])]
        assert empty == []
        assert not re.search(r"Unexpected error|No results were returned|Data error", page.inner_text("body"))


@pytest.mark.parametrize(
    ("address", "picture"), [("segments", "superset-dashboard.png"), ("rfm_segments", "superset-dashboard-of-orders.png")]
)
def test_the_dashboard_is_drawn_in_a_browser(superset, address, picture):
    assert_drawn(superset, [chart["slice_name"] for chart in CHARTS.values()], picture, address)


def test_a_dashboard_of_categories_is_drawn_in_a_browser(new_project, tmp_path):
    project = new_project()
    text, settings = mixed_tables.retail()
    customers = project.folder / "customers.csv"
    customers.write_text(text, encoding="utf-8")
    project.configure(source={"file": "customers.csv"}, **settings)
    project.build()
    header, *rows = text.splitlines()
    customers.write_text("\n".join([header, *(row for number, row in enumerate(rows) if number % 9)]) + "\n", encoding="utf-8")
    project.build()
    with running(tmp_path, project.folder / "warehouse.duckdb") as superset:
        titles = [
            chart["slice_name"].replace("${level_label}", "Loyalty card")
            for name, chart in CHARTS_OF_CATEGORIES.items()
            if name not in WORTH
        ]
        assert_drawn(superset, titles, "superset-dashboard-of-categories.png")
        (drift,) = [chart for chart in superset.all_of("chart") if chart["slice_name"] == CHARTS["drift"]["slice_name"]]
        labels = {"Region", "Channel", "Loyalty card", "Spend (EUR)", "Visits"}
        assert {row["feature_label"] for row in superset.rows(drift)} == labels


def run_to_the_end(*arguments):
    run = subprocess.run([PYTHON, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)
    return run.returncode, run.stderr.strip()


def test_a_missing_warehouse_is_said_in_one_sentence(tmp_path):
    code, said = run_to_the_end("--warehouse", tmp_path / "none.duckdb", "--state", tmp_path / "state")
    assert (code, said) == (1, f"{tmp_path / 'none.duckdb'} does not exist; run dbt build first")


def test_a_warehouse_without_segments_is_said_in_one_sentence(tmp_path):
    duckdb.connect(tmp_path / "empty.duckdb").close()
    code, said = run_to_the_end("--warehouse", tmp_path / "empty.duckdb", "--state", tmp_path / "state")
    assert (code, said) == (1, f"{tmp_path / 'empty.duckdb'} does not hold the segments: run `make build` until it passes.")


def test_a_port_that_is_taken_is_said_in_one_sentence(two_builds, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = run_to_the_end(
            "--warehouse", two_builds.folder / "warehouse.duckdb", "--state", tmp_path / "state", "--port", port
        )
    assert code == 1
    assert said.startswith(f"Port {port} is taken")
    assert "\n" not in said


def block_of_the_page(language, containing):
    page = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"```{language}\n(.+?)\n```", page, re.DOTALL)
    return next(block for block in blocks if containing in block)


def test_the_example_for_sqlalchemy_runs(two_builds):
    code = block_of_the_page("python", "create_engine")
    run = subprocess.run([PYTHON, "-c", code], cwd=two_builds.folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    names = two_builds.query("select segment_name from segment_profiles order by segment_id")
    assert [line.rsplit(" ", 1)[0] for line in run.stdout.splitlines()] == [name for (name,) in names]


def test_the_example_for_the_command_line_runs(two_builds):
    command = block_of_the_page("sh", "duckdb -readonly")
    environment = os.environ | {"PATH": f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(command, shell=True, cwd=two_builds.folder, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for (name,) in two_builds.query("select segment_name from segment_profiles"):
        assert name in run.stdout
