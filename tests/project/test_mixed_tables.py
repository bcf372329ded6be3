"""Categories and yes/no where people look: the pictures, the report and the dashboard of three shops that are built once."""

import re
import shutil
import sys

import duckdb
import mixed_tables
import numpy as np
import pytest
import render_plots
import serve_superset
import yaml
from browser import open_browser
from test_report import Shown, card_of, parsed, rendered, text_of

pytestmark = pytest.mark.nights

TABLES = ["telco", "retail", "answers"]


@pytest.fixture(scope="module")
def shops(new_project):
    """{name: the project built on that table}"""
    built = {}
    for name in TABLES:
        text, settings = getattr(mixed_tables, name)()
        built[name] = new_project()
        (built[name].folder / "customers.csv").write_text(text, encoding="utf-8")
        built[name].configure(source={"file": "customers.csv"}, **settings)
        built[name].build()
    return built


@pytest.fixture(scope="module")
def reports(shops, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reports")
    return {name: rendered(shop.folder / "warehouse.duckdb", folder / name) for name, shop in shops.items()}


@pytest.fixture(params=TABLES)
def shop(request, shops):
    return shops[request.param]


@pytest.fixture(params=TABLES)
def report(request, reports):
    return reports[request.param]


def segmentation(shop):
    with duckdb.connect(shop.folder / "warehouse.duckdb", read_only=True) as warehouse:
        return render_plots.read_segmentation(warehouse)


def labels_that_overlap(figure):
    """The labels of an axis, in order, that cover the next one of it."""
    figure.canvas.draw()
    found = []
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            labels = [label for label in axis.get_ticklabels() if label.get_visible() and label.get_text()]
            boxes = [label.get_window_extent() for label in labels]
            found += [
                label.get_text() for label, one, other in zip(labels, boxes, boxes[1:], strict=False) if one.overlaps(other)
            ]
    return found


def pictures(shop):
    """Every picture in which features are drawn, by the pair that is chosen and by the category with the most levels."""
    data = segmentation(shop)
    chosen = render_plots.default_pair(data.features)
    longest = data.levels["name"].value_counts().index[0]
    others = [name for name in data.features.index if name != longest]
    yield render_plots.segments(data, chosen)
    yield render_plots.segment_pairs(data, chosen)
    yield render_plots.profiles(data, chosen)
    yield render_plots.segments(data, [longest])
    for other in (others[0], others[-1]):
        yield render_plots.segments(data, [longest, other])


def test_no_label_covers_another(shop):
    for figure in pictures(shop):
        assert labels_that_overlap(figure) == []
        render_plots.plt.close(figure)


def test_where_labels_overlap_it_is_seen(shops):
    figure = render_plots.profiles(segmentation(shops["retail"]), None)
    figure.set_size_inches(4, 2)
    assert len(labels_that_overlap(figure)) > 5
    render_plots.plt.close(figure)


def test_customers_are_drawn_once_by_whatever_feature(shops):
    """Of 23 regions ten have a place of their own; everybody else is among the others."""
    data = segmentation(shops["retail"])
    levels = render_plots.levels_on_axis(data, "region", 1)
    n_by_region = dict(
        shops["retail"].query("select region, count(*) from customer_segments where region is not null group by all")
    )
    assert set(levels[:-2]) <= set(n_by_region)
    assert min(n_by_region[level] for level in levels[:-2]) >= max(n for region, n in n_by_region.items() if region not in levels)
    assert levels[-2:] == ["not given", "any other"]
    figure = render_plots.segments(data, ["region", "spend"])
    points = [point for markers in figure.axes[0].collections for point in markers.get_offsets()]
    assert len(points) == len(data.customers) + len(data.segments)
    assert "Of Region the commonest values; “any other” are all others." in " ".join(figure.get_supxlabel().split())
    n_others = sum(row > len(levels) - 1.5 for _, row in points[: len(data.customers)])
    n_missing = shops["retail"].value("select count(*) from customer_segments where region is null")
    assert n_others == len(data.customers) - n_missing - sum(n_by_region[level] for level in levels[:-2])
    render_plots.plt.close(figure)


def test_the_table_of_colours_says_shares(shops):
    figure = render_plots.profiles(segmentation(shops["telco"]), None)
    texts = [text.get_text() for text in figure.axes[0].texts]
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    place = rows.index("Payment method: Electronic check")
    share = "avg(cast(payment_method = 'Electronic check' as integer))"
    shares = shops["telco"].query(f"select {share} from customer_segments group by segment_id order by segment_id")
    assert texts[3 * place : 3 * place + 3] == [f"{share:.0%}" for (share,) in shares]
    assert "Senior: yes" in rows
    assert "Senior: no" not in rows
    assert rows[-2:] == ["Tenure (months)", "Monthly charges (USD)"]
    render_plots.plt.close(figure)


def test_the_script_draws_what_is_asked_for(shops, tmp_path, monkeypatch):
    warehouse = shops["retail"].folder / "warehouse.duckdb"
    arguments = ["--warehouse", str(warehouse), "--output", str(tmp_path), "--features", "region", "channel"]
    monkeypatch.setattr(sys, "argv", ["render_plots.py", *arguments])
    render_plots.main()
    svg = (tmp_path / "segments.svg").read_text(encoding="utf-8")
    assert "4 segments by Channel and Region" in svg
    assert "&lt;b&gt;West&lt;/b&gt;" in svg


def test_the_report_is_valid_and_has_no_empty_cell(report):
    page = parsed(report)
    for card in page.findall(".//article"):
        assert all(text_of(cell) for cell in card.iter("td"))
    text = text_of(page.find("body"))
    assert not re.search(r"\bnan\b|None to|\bTrue\b|\bFalse\b", text)
    # What a model calls a level is in the advice for those who keep the file, and nowhere else.
    for paragraph in page.findall(".//article"):
        assert not re.search(r"\((other|missing)\)|=true|=false", text_of(paragraph))


def test_cards_say_shares_and_rules_in_words(shops, reports):
    page = parsed(reports["telco"])
    everybody = shops["telco"].value("select avg(cast(internet_service = 'Fiber optic' as integer)) from customer_segments")
    (segment_id, share), *_ = shops["telco"].query(
        """
        select segment_id, avg(cast(internet_service = 'Fiber optic' as integer)) as share
        from customer_segments group by segment_id order by share desc
        """
    )
    card = card_of(page, segment_id)
    assert f"Internet service: more often Fiber optic. {share:.0%} of them, {everybody:.0%} of all customers." in card
    assert f"Internet service Fiber optic ({share:.0%})" in card
    rules = dict(shops["telco"].query("select segment_id, rule from segment_profiles"))
    assert rules[segment_id].startswith("internet_service = 'Fiber optic' and tenure <= ")
    assert f"Internet service: Fiber optic; Tenure (months) up to {rules[segment_id].split()[-1]}." in card
    assert "Grouped by contract, internet service, payment method, senior, tenure (months) and monthly charges (USD)." in text_of(
        page.find("body")
    )


def assets_of(warehouse):
    """{file of bi/superset: what is imported for this warehouse}"""
    found = serve_superset.read(warehouse)
    return {name: yaml.safe_load(text) for name, text in serve_superset.assets(found, ["#000000"]).items()}


def answers(warehouse):
    """{dataset of the dashboard: its rows}"""
    datasets = {name: asset["sql"] for name, asset in assets_of(warehouse).items() if "sql" in asset}
    with duckdb.connect(warehouse, read_only=True) as connection:
        return {name.split("/")[1].removesuffix(".yaml"): connection.sql(sql).df() for name, sql in datasets.items()}


def test_yes_and_no_and_what_is_missing_are_words(shops, reports, tmp_path):
    """The same page with rules that this table does not have, and with a drift of a category."""
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy2(shops["retail"].folder / "warehouse.duckdb", warehouse)
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            """
            update segment_profiles set rule = case segment_id
                when 1 then 'region in (''North and Isles'', ''O''''Brien County'') and not loyalty_card'
                when 2 then '(region <> ''<b>West</b>'' or region is null) and loyalty_card'
                when 3 then 'region is null and spend > 1000'
                else rule
            end;
            insert into feature_drift (build_id, feature, psi, drift_level, is_refitted)
            select build_id, 'region', 0.31, 'strong drift', false from segment_migrations limit 1;
            """
        )
    page = parsed(rendered(warehouse, tmp_path / "report"))
    assert "Region: North and Isles or O'Brien County; Loyalty card: no." in card_of(page, 1)
    assert "Region: anything but <b>West</b>, or not given; Loyalty card: yes." in card_of(page, 2)
    assert "Region: not given; Spend (EUR) over 1,000." in card_of(page, 3)
    drift = "The customers have changed in Region: strong drift since the segments were formed (index 0.31)."
    assert drift in text_of(page.find("body"))
    assert answers(warehouse)["drift"][["feature_label", "psi"]].to_numpy().tolist() == [["Region", 0.31]]


def test_what_sets_them_apart_are_the_levels_that_are_clearly_more_frequent(shops, reports):
    """By half of Cohen's h or more, computed here from the customers."""
    page = parsed(reports["answers"])
    customers = shops["answers"].frame("select * from customer_segments")
    for segment_id, members in customers.groupby("segment_id"):
        card = card_of(page, segment_id)
        for category in ("means", "home", "how_often"):
            everywhere = np.arcsin(np.sqrt(customers[category].value_counts(normalize=True)))
            here = np.arcsin(np.sqrt(members[category].value_counts(normalize=True))).reindex(everywhere.index, fill_value=0)
            told = {level for level in everywhere.index if f": more often {level}." in card}
            assert told == set(everywhere.index[2 * (here - everywhere) >= 0.5])


@pytest.mark.parametrize("width", [390, 1280])
def test_a_browser_shows_the_page_whole(reports, width):
    with open_browser() as browser:
        for report in reports.values():
            with Shown(browser, report, width=width) as shown:
                assert shown.ask("document.documentElement.scrollWidth") <= width
                assert shown.messages == []


def test_the_dashboard_finds_features_and_levels(shop):
    """Every dataset answers; bars take the place of the scatter where a category is among the two features that part most."""
    warehouse = shop.folder / "warehouse.duckdb"
    found, rows = assets_of(warehouse), answers(warehouse)
    data = segmentation(shop)
    assert data.features["is_category"][render_plots.default_pair(data.features)].any()
    assert "charts/bars.yaml" in found
    assert "charts/scatter.yaml" not in found
    titles = {asset["uuid"]: asset["slice_name"] for name, asset in found.items() if name.startswith("charts/")}
    position = found["dashboards/segments.yaml"]["position"].values()
    places = [place["meta"] for place in position if isinstance(place, dict) and place["type"] == "CHART"]
    assert {place["uuid"]: place["sliceName"] for place in places} == titles
    assert rows["levels"]["n_customers"].sum() == len(data.customers)
    labels = set(rows["profiles"]["feature_label"])
    assert not {label for label in labels if re.search(r"\((other|missing)\)|=", label)}
    assert all(sum(label.startswith(f"{category}: ") for label in labels) <= 6 for category in data.features["label"])
    assert len(labels) >= len(data.features)
