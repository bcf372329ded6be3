"""The report for those who only look: what it says, that it is valid, safe and accessible, and how a real browser shows it."""

import base64
import errno
import os
import re
import shutil
import sys
from itertools import pairwise
from xml.etree import ElementTree

import duckdb
import html5lib
import pytest
import render_report
from browser import open_browser

# (text, background) of the page. WCAG 2.2 asks for 4.5 to 1; the edge of a warning, which is no text, for 3 to 1.
PAIRS = [
    ("text", "page", 4.5), ("text", "card", 4.5), ("quiet", "page", 4.5), ("quiet", "card", 4.5), ("link", "page", 4.5),
    ("link", "card", 4.5), ("warning-text", "warning", 4.5), ("quiet", "code", 4.5), ("text", "code", 4.5),
    ("warning-edge", "page", 3),
]  # fmt: skip


def rendered(warehouse, folder):
    """Write the report as its script does; returns its path."""
    before = sys.argv
    sys.argv = ["render_report.py", "--warehouse", str(warehouse), "--output", str(folder)]
    try:
        render_report.main()
    finally:
        sys.argv = before
    return folder / "index.html"


@pytest.fixture(scope="module")
def sample_report(built_sample, tmp_path_factory):
    return rendered(built_sample.folder / "warehouse.duckdb", tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def hostile_report(hostile, tmp_path_factory):
    return rendered(hostile.folder / "warehouse.duckdb", tmp_path_factory.mktemp("report"))


@pytest.fixture(params=["sample_report", "hostile_report"])
def report(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def changed(built_sample, tmp_path):
    """A function that renders the sample's report after changes to a copy of its tables."""

    def render(sql):
        warehouse = tmp_path / "warehouse.duckdb"
        shutil.copy2(built_sample.folder / "warehouse.duckdb", warehouse)
        with duckdb.connect(warehouse) as connection:
            connection.execute(sql)
        return rendered(warehouse, tmp_path / "reports")

    return render


def parsed(path):
    """The page as browsers read it; what they would have to mend is an error."""
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(path.read_text(encoding="utf-8"))


# The title of the segments from orders.
ORDERS = "2,624 customers by their orders in 5 segments"


def text_of(element):
    for cell in [*element.iter("td"), *element.iter("th")]:
        cell.tail = " "
    return " ".join("".join(element.itertext()).split())


def card_of(page, segment_id, prefix=""):
    return text_of(page.find(f".//article[@id='{prefix}segment-{segment_id}']"))


def test_it_is_valid_and_accessible(report):
    page = parsed(report)
    assert page.get("lang") == "en"
    assert page.find("head/title").text
    levels = [int(element.tag[1]) for element in page.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    images = list(page.iter("img"))
    assert len(images) >= 5
    assert all(len(image.get("alt")) > 20 for image in images)
    headers = list(page.iter("th"))
    assert headers
    assert {header.get("scope") for header in headers} == {"col", "row"}
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = [link.get("href") for link in page.iter("a")]
    assert "#segment-1" in links
    assert {link.removeprefix("#") for link in links} <= set(ids)
    # What scrolls is reached with the keyboard and has a name.
    for region in page.findall(".//div[@class='scroll']"):
        assert (region.get("tabindex"), region.get("role")) == ("0", "region")
        assert region.get("aria-label")


def test_it_stands_alone(report):
    page = parsed(report)
    assert [element.tag for element in page.iter() if element.tag in ("script", "link", "iframe", "object", "base")] == []
    assert all(element.get("src", "data:").startswith("data:image/svg+xml;base64,") for element in page.iter("img"))
    assert not re.search(r"url\(|@import", page.find("head/style").text)
    handlers = [name for element in page.iter() for name in element.attrib if name.startswith("on")]
    assert handlers == []


def luminance(colour):
    """Relative luminance of #rrggbb, 0 to 1 (WCAG 2.2)."""
    channels = (int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_colours_have_contrast_by_day_and_by_night(sample_report):
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    style = parsed(sample_report).find("head/style").text
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root \{(.*?--code.*?)\}", style, re.DOTALL)
    )
    assert set(light) == set(dark)
    for colours in (light, dark):
        assert set(colours) == {name for pair in PAIRS for name in pair[:2]} | {"line", "bar"}
        for text, background, least in PAIRS:
            assert contrast(colours[text], colours[background]) >= least, (text, background)


def test_it_says_what_the_tables_say(built_sample, sample_report):
    page = parsed(sample_report)
    text = text_of(page.find("body"))
    assert "3,000 customers in 5 segments" in text
    assert "12 rows of the customer file could not be used (0.4% of 3,012)" in text
    n_used = built_sample.value("select n_order_lines_accepted from builds")
    n_refused = built_sample.value("select count(*) from rejected_orders")
    assert f"{n_refused} rows of the order file could not be used (0.1% of {n_used + n_refused:,})" in text
    assert "ordered_at is not a date" in text
    assert "age is missing: 2 rows" in text
    profiles = built_sample.query("select segment_id, segment_name, n_customers, share, rule, stability from segment_profiles")
    for segment_id, name, n_customers, share, rule, stability in profiles:
        card = card_of(page, segment_id)
        assert card.startswith(f"{name} {n_customers:,} customers, {share:.1%} of all")
        assert f"In SQL: {rule}" in card
        assert f"stability {stability:.2f}" in card
    card = card_of(page, 2)
    assert "Spending score (1-100): above average. 76.5 on average, 51.2 over all customers (49% more)." in card
    assert "Age (years) 25 20 to 30" in card
    assert "Age (years) up to 29.5; Annual income (k$) up to 59.5." in card
    assert "in everything they are close to the average customer" in card_of(page, 1)
    assert (
        "this number was set by hand. Of the measures, elbow prefers 4; silhouette, Davies-Bouldin, Calinski-Harabasz prefer 5."
        in text
    )
    assert "This is the first build" in text
    (build,) = built_sample.query("select build_number, built_at from builds")
    assert f"As of build {build[0]} of {build[1].day} {build[1]:%B %Y}, {build[1]:%H:%M} UTC" in text
    assert "Customers: dbt_project/sample/customers.csv 3,000 12 0" in text
    assert f"Orders: dbt_project/sample/orders.csv {n_used:,} {n_refused} 0 31 December 2025" in text


def test_it_says_what_segments_and_classes_are_worth(built_sample, sample_report):
    text = text_of(parsed(sample_report).find("body"))
    # Of the first build, no order is by the segment of then.
    assert "By the segment that they were in when they ordered" not in text
    for prefix in ("", "rfm_"):
        values = built_sample.query(f"""
            select segment_name, sum(n_orders), sum(revenue), sum(n_new_customers), sum(n_lapsed_customers)
            from {prefix}segment_values
            where basis = 'today' and month between '2025-01-01' and '2025-12-31' and segment_id is not null
            group by segment_name
        """)
        assert len(values) == 5
        for name, n_orders, revenue, n_new, n_lapsed in values:
            assert re.search(rf"{name} {n_orders:,} {revenue:,.0f} [\d.]+% [\d.,]+ {n_new:,} {n_lapsed:,} ", text)
        retention = f"select segment_name, share_ordered_again, n_customers from {prefix}segment_retention where n_months = 1"
        for name, share, n_customers in built_sample.query(f"{retention} and basis = 'today'", "warehouse.duckdb"):
            assert f"{name} {share:.0%} ({n_customers:,}) " in text
    for name, n_customers, value_share in built_sample.query(
        "select rfm_class, n_customers, value_share from rfm_class_profiles"
    ):
        assert re.search(rf"{name} {n_customers:,} [\d.]+% {value_share:.1%} ", text)


def test_it_tells_the_segment_of_then_from_that_of_today(changed):
    text = text_of(
        parsed(
            changed(
                """
                insert into segment_values
                select 'then', date '2025-12-01', 2, 'Young', 7, 10, 1234.56, 200, 123.456, 1, 3, 4
                union all
                select 'then', date '2025-12-01', null, '(before the first build)', 7, 30, 3703.68, null, 123.456, 1, 3, 4;
                create table retained as from segment_retention;
                drop view segment_retention;
                alter table retained rename to segment_retention;
                insert into segment_retention values
                ('then', 2, 'Young', 1, 40, 30, 0.75, 10, 0.25), ('then', 3, 'High', 1, 4, 3, 0.75, 1, 0.25);
                """
            )
        ).find("body")
    )
    then, today = (
        text.index("By the segment that they were in when they ordered"),
        text.index("By the segment that they are in today"),
    )
    assert then < today
    # 40 orders of 4,938.24 in that month, of which a quarter is the segment's; those of before are the sample's other months.
    assert re.search(r"Young 10 1,235 [\d.]+% 200 123.46 3 4", text[then:today])
    assert "(before the first build)" in text[then:today]
    assert "Young 75% stayed, 25% ordered (40)" in text
    assert "High 75% stayed" not in text


def test_the_same_warehouse_gives_the_same_bytes(built_sample, sample_report, tmp_path):
    assert rendered(built_sample.folder / "warehouse.duckdb", tmp_path).read_bytes() == sample_report.read_bytes()


def test_an_error_keeps_the_report_of_the_last_run(built_sample, tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("the last report")

    def fail(chapter):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(render_report, "with_pictures", fail)
    with pytest.raises(SystemExit, match="cannot be written: No space left on device"):
        rendered(built_sample.folder / "warehouse.duckdb", tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"index.html": "the last report"}


def test_names_and_values_are_shown_as_they_are_and_do_nothing(hostile, hostile_report):
    page = parsed(hostile_report)
    for segment_id, name in enumerate(hostile.names, start=1):
        assert card_of(page, segment_id).startswith(name)
    text = text_of(page.find("body"))
    assert "Gender <script>alert(1)</script>" in text
    assert "<b>age</b> (years)" in text.lower()
    # Nobody's e-mail is a typical one.
    assert "@example.com" not in text.lower()
    for image in page.iter("img"):
        picture = ElementTree.fromstring(base64.b64decode(image.get("src").partition(",")[2]))
        assert not [part.tag for part in picture.iter() if part.tag.endswith(("script", "foreignObject"))]


def test_it_warns(changed):
    text = text_of(
        parsed(
            changed(
                """
                update segment_profiles set stability = 0.41 where segment_id = 3;
                update segmentation_models set structure = 'none', silhouette = 0.2, fitted_at = fitted_at - interval 200 day;
                update segment_profiles set is_name_current = false, current_name = 'Senior <b>' where segment_id = 5;
                create table marked as select * replace (customer_id <= 30 as has_imputed_features) from customer_segments;
                drop view customer_segments;
                alter table marked rename to customer_segments;
                insert into feature_drift
                select build_id, built_at, 1, 'age', 0.31, 'strong drift', 0.05, false, 0.01, 0.88, 0.1
                from segment_migrations limit 1;
                update feature_diagnostics set advice = 'age and spending_score say the same.' where feature <> 'annual_income_k';
                delete from rejected_customers;
                delete from rejected_orders;
                """
            )
        ).find("body")
    )
    advice = "other settings for age (years) and spending score (1-100): age and spending_score say the same."
    assert text.count(advice) == 1
    assert "“High spending score, high annual income, young” is a weak segment: " in text
    assert "(stability 0.41, 0.6 and more is wanted)" in text
    assert "The segments are cuts, not groups: customers are no more separated than a crowd without groups." in text
    assert "“Senior, low spending score, low annual income” is not what it was: " in text
    assert "Named today, it would be “Senior <b>”." in text
    assert text.count("The name no longer holds. Named today: Senior <b>.") == 1
    assert "That makes it no group." in text
    assert "Very firm: " not in text.split(ORDERS)[0]
    assert "The segments lie close together: " in text
    assert "formed more than half a year before this build" in text
    assert "30 customers (1.0%) lacked a value" in text
    assert "The customers have changed in Age (years): strong drift since the segments were formed (index 0.31; 5.0% of" in text
    assert "The features no longer go together as they did: more customers lie far from the centres" in text
    assert "could not be used" not in text
    assert "Names 1 of 5 names no longer holds." in text
    assert "Customers They have changed since in 1 of 1 feature." in text
    assert "Model Model 1, formed on " in text


def test_it_tells_ranges_from_groups(changed):
    text = text_of(parsed(changed("update segmentation_models set structure = 'ranges'")))
    assert "The segments are ranges, not groups: the features part customers as clearly each by itself." in text


def test_without_reason_it_does_not_warn(changed):
    page = parsed(changed("delete from rejected_customers; delete from rejected_orders"))
    assert page.find(".//div[@class='warning']") is None
    text = text_of(page)
    assert text.count("Nothing: the customers are like those the segments were formed from, and every segment holds up.") == 2
    assert text.count("Names All hold. Customers The segments were formed from these.") == 2


def test_it_says_that_valuable_customers_have_moved_down_and_that_a_model_is_not_the_newest(changed):
    text = text_of(
        parsed(
            changed(
                """
                insert into rfm_segment_movers by name select 1 as customer_id, true as customer_changed, 2 as to_segment_id;
                insert into rfm_segment_movers by name select 2 as customer_id, true as customer_changed;
                insert into rfm_segment_movers by name select 3 as customer_id, false as customer_changed;
                update segment_drift set unpinned_model_version = 4;
                """
            )
        ).find("body")
    )
    moved = "2 valuable customers moved to segments that are worth less, or left, since the last build."
    assert moved in text.split(ORDERS)[-1]
    assert text.count("valuable customers moved") == 1
    assert "It is not the newest: the configuration asks for it in place of model 4." in text


def test_what_is_left_out_as_a_matter_of_course_is_said_and_warns_of_nothing(changed):
    words = "'status <b>failed</b> does not count'"
    page = parsed(changed(f"delete from rejected_customers; update rejected_orders set is_left_out = true, reasons = {words}"))
    assert page.find(".//div[@class='warning']") is None
    text = text_of(page.find("body"))
    assert "order file are left out, as the configuration says: status <b>failed</b> does not count (12 rows)." in text


def test_a_build_of_before_lines_were_left_out_can_be_reported(changed):
    assert "12 rows of the order file could not be used" in text_of(
        parsed(changed("alter table rejected_orders drop column is_left_out")).find("body")
    )


def test_it_says_what_has_changed_since_the_last_build(changed):
    page = parsed(
        changed(
            """
            create temp table next as
            select 'next' as build_id, built_at + interval 1 day as built_at from segment_migrations limit 1;
            insert into builds
            select builds.* replace (next.build_id as build_id, builds.built_at - interval 1 day as built_at, 2 as build_number)
            from builds cross join next;
            insert into segment_migrations
            select build_id, built_at, 1, from_segment_id, to_segment_id, n_customers, 0, 0, 0
            from next cross join (values
                (1, 1, 690), (9, 1, 7), (null, 1, 10), (1, 2, 3), (1, null, 2),
                (2, 2, 671), (null, 3, 570), (2, 3, 6), (4, 4, 572), (5, 5, 471)
            ) as moves (from_segment_id, to_segment_id, n_customers);
            insert into segment_drift
            select * replace (9 as segment_id, 'Those <before>' as segment_name, 7 as n_customers) from segment_drift limit 1;
            """
        )
    )
    assert "+12 customers: 10 joined, 7 came from other segments, 3 went to others, 2 left." in card_of(page, 1)
    assert "\N{MINUS SIGN}3 customers: 0 joined, 3 came from other segments, 6 went to others, 0 left." in card_of(page, 2)
    assert "New: it was not there before. 570 customers joined, 6 customers came from other segments." in card_of(page, 3)
    assert "Nobody came and nobody went." in card_of(page, 4)
    text = text_of(page.find("body"))
    assert "No more: Those <before>, which had 7 customers." in text
    assert "16 customers moved between segments in the last build" in text


def test_a_second_segmentation_is_a_second_chapter(built_sample, sample_report):
    page = parsed(sample_report)
    n_customers = built_sample.value("select count(*) from rfm_customer_segments")
    chapters = [text_of(heading) for heading in page.iter("h2")]
    assert chapters == [
        "The data",
        "3,000 customers in 5 segments",
        f"{n_customers:,} customers by their orders in 5 segments",
        f"{n_customers:,} customers in RFM classes",
        "Glossary",
    ]
    assert card_of(page, 1).startswith("Close to the average 707 customers")
    name, size = built_sample.query("select segment_name, n_customers from rfm_segment_profiles where segment_id = 1")[0]
    assert card_of(page, 1, prefix="rfm_").startswith(f"{name} {size} customers")
    # Both files were refused in part.
    assert len(page.findall(".//div[@class='warning']")) == 2


def test_half_a_second_segmentation_is_left_out(changed):
    page = parsed(changed("drop table rfm_segment_drift"))
    assert not [heading for heading in page.iter("h2") if "by their orders" in text_of(heading)]


def test_a_third_segmentation_is_a_chapter_by_itself(changed, built_sample):
    """As `make segmentation NAME=money` would add it, with a tab of its own in the table of contents."""
    tables = built_sample.query(
        "select table_name from information_schema.tables where table_schema = 'main' and table_name similar to "
        "'(segment_|segmentation_models|customer_segments$|k_scores|feature_d).*'",
        "warehouse.duckdb",
    )
    page = parsed(changed("".join(f"create table money_{table} as from {table};" for (table,) in tables)))
    assert "3,000 customers by money in 5 segments" in [text_of(heading) for heading in page.iter("h2")]
    assert card_of(page, 1, prefix="money_").startswith("Close to the average 707 customers")
    contents = [(link.get("href"), text_of(link)) for link in page.find(".//nav").iter("a")]
    assert ("#money_segmentation", "3,000 customers by money in 5 segments") in contents


class Shown:
    """A page shown in a window of so many CSS pixels; one narrower than 600 is a phone.

    `messages` are the errors and warnings of its console and its scripts, `requests` the addresses that it asked for.
    """

    def __init__(self, browser, path, *, width=1280, dark=False):
        scheme = "dark" if dark else "light"
        self.page = browser.new_page(viewport={"width": width, "height": 844}, is_mobile=width < 600, color_scheme=scheme)
        self.messages, self.requests = [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.resolve().as_uri())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.page.close()

    def ask(self, expression):
        """The value of a JavaScript expression."""
        return self.page.evaluate(expression)


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_shows_it_whole_and_in_silence(browser, report, width, dark):
    with Shown(browser, report, width=width, dark=dark) as shown:
        assert shown.ask("innerWidth") == width
        assert shown.ask("document.documentElement.scrollWidth") <= width
        assert shown.ask("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
        assert shown.ask("document.scripts.length") == 0
        background = shown.ask("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(22, 24, 27)" if dark else "rgb(246, 246, 244)")
    assert shown.messages == []
    assert [address for address in shown.requests if not address.startswith("data:")] == [report.resolve().as_uri()]


def test_the_browser_would_notice(browser, tmp_path):
    """The checks above can fail: a page too wide that runs, fetches, complains and breaks."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><title>bad</title><div style='width: 2000px'>.</div><img src='missing.png'>"
        "<script>console.error('no'); nothing.at.all</script>",
        encoding="utf-8",
    )
    with Shown(browser, page, width=390) as shown:
        assert shown.ask("document.documentElement.scrollWidth") > 390
    assert "no" in shown.messages
    assert any("nothing is not defined" in message for message in shown.messages)
    assert shown.requests == [page.as_uri(), page.with_name("missing.png").as_uri()]


def test_it_prints_on_paper_in_black_on_white(browser, sample_report, tmp_path):
    with Shown(browser, sample_report, dark=True) as shown:
        shown.page.emulate_media(media="print")
        assert shown.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert shown.ask("getComputedStyle(document.body).color") == "rgb(28, 28, 28)"
        shown.page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
