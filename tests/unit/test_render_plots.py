"""The pictures of a warehouse of 240 customers of a shop that is not the sample's.

What needs a process of its own (the same bytes again, the exit code, the lock) runs the script as a user does; all else
calls its main(), which saves the seconds that the imports take.
"""

import errno
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import duckdb
import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import render_plots

SCRIPT = Path(__file__).parents[2] / "scripts" / "render_plots.py"
PICTURES = ["sizes", "segments", "profiles", "segment_pairs", "migrations", "shares", "elbow"]
NAMES = ["Frequent, $pends a lot$", "Rare & <thrifty>", "Jo's largest"]
LABELS = ["Visits (per month)", "Spend (k$)", 'Returns "net" (%)']

WAREHOUSE = """
    create table customer_segments as
    select 'C' || i as "client no.", 1 + i % 3 as segment_id,
        ['Frequent, $pends a lot$', 'Rare & <thrifty>', 'Jo''s largest'][1 + i % 3] as segment_name, 1 as model_version,
        case when i % 40 > 0 then 10 * (i % 3) + i % 7 end as visits,
        exp(2 * (i % 3) + i % 5 / 5) as "spend in k$",
        20 * (i % 3) + i % 11 as "re""turns"
    from range(240) as customers (i);

    create table segment_profiles as
    select segment_id, segment_name, count(*) as n_customers, count(*) / 240 as share
    from customer_segments group by all;

    create table features (feature_order integer, feature varchar, feature_label varchar, transform varchar);
    insert into features values
        (1, 'visits', 'Visits (per month)', 'none'),
        (2, 'spend in k$', 'Spend (k$)', 'log1p'),
        (3, 're"turns', 'Returns "net" (%)', 'none');

    create table segment_centroids as
    select
        1 as model_version, segment_id, feature, feature_order, transform, null::double as transform_lambda,
        null::double as fill_value, 10.0 as mean, 2.0 as scale, segment_id - 2.0 as centroid_scaled,
        2.0 * segment_id as centroid_in_own_unit
    from segment_profiles cross join features;

    create table segment_feature_profiles as
    select segment_id, segment_name, feature, feature_label, feature_order, 1234.5 * segment_id as feature_mean,
        2469::double as population_mean,
        feature_order * (segment_id - 2.0) as mean_scaled
    from segment_profiles cross join features;

    create table k_scores as
    select 1 as model_version, k, 1000.0 / k as wcss, case when k > 1 then 1.0 / k end as silhouette, k = 3 as is_used,
        0.1 * k as gap, 0.01 as gap_standard_error, case when k > 1 then 0.9 / k end as compared_silhouette,
        case when k > 1 then 0.7 / k end as crowd_silhouette, case when k > 1 then 0.8 / k end as crowd_silhouette_bound,
        case k when 2 then 'elbow, silhouette' end as preferred_by, '3 are used, as n_clusters says.' as verdict
    from range(1, 7) as ks (k);

    create table builds as
    select *, cast(null as integer) as n_customers_erased
    from (values ('yesterday', 1, timestamp '2026-01-01 03:00:00'), ('today', 2, timestamp '2026-01-02 03:00:00'))
        as builds (build_id, build_number, built_at);

    -- Yesterday there was a segment 4, too; today 7 customers moved from it to segment 1, 5 because the model changed.
    create table segment_drift as
    select 'today' as build_id, segment_id, segment_name, n_customers, share from segment_profiles
    union all select 'yesterday', segment_id, segment_name, n_customers, share / 2 from segment_profiles
    union all select 'yesterday', 4, 'Those <before>', 7, 0.5;

    create table segment_migrations as
    select
        'today' as build_id, segment_id as from_segment_id, segment_id as to_segment_id, n_customers,
        0 as n_customer_changed, 0 as n_model_changed, 0 as n_both_changed
    from segment_profiles
    union all select 'today', 4, 1, 7, 2, 5, 0
    union all select 'today', null, 2, 11, 11, 0, 0
    union all select 'today', 3, null, 13, 13, 0, 0
    union all select 'yesterday', null, 2, 240, 240, 0, 0;
"""


def change(path, sql):
    with duckdb.connect(path) as connection:
        connection.execute(sql)


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    change(path, WAREHOUSE)
    return path


def options(warehouse, *features):
    return ["--warehouse", str(warehouse), "--output", str(warehouse.parent / "reports"), *features]


def render_as_user(warehouse):
    return subprocess.run([sys.executable, SCRIPT, *options(warehouse)], capture_output=True, text=True)


@pytest.fixture
def render(monkeypatch):
    def call_main(warehouse, *features):
        monkeypatch.setattr(sys, "argv", ["render_plots.py", *options(warehouse, *features)])
        render_plots.main()
        return warehouse.parent / "reports"

    return call_main


@pytest.fixture
def refusal(render):
    """What the script says when it gives up: SystemExit with a text prints it to stderr and ends with exit code 1."""

    def call_main(warehouse, *features):
        with pytest.raises(SystemExit) as refused:
            render(warehouse, *features)
        assert isinstance(refused.value.code, str)
        assert len(refused.value.code.splitlines()) == 1
        return refused.value.code

    return call_main


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def svg_text(path):
    """The words of an SVG, with the line breaks that a long name was given taken out."""
    texts = re.findall(r"<(?:text|tspan)[^>]*>([^<]*)<", path.read_text(encoding="utf-8"))
    return " ".join(unescape(" ".join(texts)).split())


def test_every_picture_is_drawn_and_twice_the_same(warehouse):
    before = warehouse.read_bytes()
    run = render_as_user(warehouse)
    assert (run.returncode, run.stderr) == (0, "")
    reports = warehouse.parent / "reports"
    assert run.stdout.splitlines() == [f"Reading {warehouse} ...", *(f"{reports / picture}.png, .svg" for picture in PICTURES)]
    drawn = contents(reports)
    assert sorted(drawn) == sorted(f"{picture}.{kind}" for picture in PICTURES for kind in ("png", "svg"))

    for picture in PICTURES:
        pixels = matplotlib.image.imread(reports / f"{picture}.png")
        assert pixels.shape[1] >= 1200
        assert pixels[0, 0, :3].tolist() == [1, 1, 1]
        assert pixels.std() > 0.05
    for picture in ("segments", "segment_pairs", "profiles", "sizes"):
        for name in NAMES:
            assert name in svg_text(reports / f"{picture}.svg")
    for picture in ("segment_pairs", "profiles"):
        for label in LABELS:
            assert label in svg_text(reports / f"{picture}.svg")

    text = svg_text(reports / "elbow.svg")
    assert "3 segments in use; the elbow of the curve is at 2" in text
    assert "a crowd without groups" in text
    assert "3 are used, as n_clusters says." in text
    # The centroids lie furthest apart in the second and the third feature.
    assert '3 segments by Spend (k$) and Returns "net" (%)' in svg_text(reports / "segments.svg")
    assert "80 (33.3%)" in svg_text(reports / "sizes.svg")
    assert "2,469" in svg_text(reports / "profiles.svg")

    render_as_user(warehouse)
    assert contents(reports) == drawn
    assert warehouse.read_bytes() == before


def test_the_features_asked_for_are_drawn_without_missing_values(warehouse, render):
    text = svg_text(render(warehouse, "--features", 're"turns', "visits") / "segments.svg")
    assert '3 segments by Returns "net" (%) and Visits (per month)' in text
    assert "Without a value, and so left out: 6 in Visits (per month), of 240 customers." in text


# In segment 1 all 80 are from one region. In each of the others 40 are, of 3 no region is known, 3 are from one that no model
# has, and 34 from a fourth one. Of segment 3 72 have the app, and nobody else has.
CATEGORIES = """
    create table extended as
    select
        customers.*,
        case
            when segment_id = 1 or i % 2 = 0 then 'North and <Isles>'
            when i % 30 = 1 then null
            when i % 30 = 5 then 'seen by no model'
            else 'it''s east'
        end as region,
        segment_id = 3 and i % 10 > 0 as has_app
    from (select *, cast(substr("client no.", 2) as integer) // 3 as i from customer_segments) as customers;
    drop table customer_segments;
    alter table extended rename to customer_segments;

    create table shares as
    select
        segment_id, segment_name, feature, feature_label, feature_order,
        avg(cast(feature in (
            'has_app=' || has_app,
            'region=' || case when region is null then '(missing)' when region like 'seen%' then '(other)' else region end
        ) as integer)) as share
    from customer_segments
    cross join (values
        ('region=North and <Isles>', 'Region: North and <Isles>', 4), ('region=it''s east', 'Region: it''s east', 5),
        ('region=(missing)', 'Region: (missing)', 6), ('region=(other)', 'Region: (other)', 7),
        ('has_app=false', 'Has app: no', 8), ('has_app=true', 'Has app: yes', 9)
    ) as levels (feature, feature_label, feature_order)
    group by all;

    insert into segment_feature_profiles
    select
        segment_id, segment_name, feature, feature_label, feature_order, share, avg(share) over of_level,
        (share - avg(share) over of_level) / sqrt(avg(share) over of_level * (1 - avg(share) over of_level))
    from shares
    window of_level as (partition by feature);
    insert into segment_centroids
    select 1, segment_id, feature, feature_order, 'category', null, null, 0, 1, share, share from shares;
"""


def test_a_category_is_one_feature_with_its_levels(warehouse, refusal):
    # Of visits, 2/3 of the variance lie between the segments; of the other numbers less.
    change(warehouse, "update segment_feature_profiles set mean_scaled = mean_scaled / 10 where feature <> 'visits'")
    change(warehouse, CATEGORIES)
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    assert dict(data.features["label"]) == dict(
        zip(["visits", "spend in k$", 're"turns', "region", "has_app"], [*LABELS, "Region", "Has app"], strict=True)
    )
    # Of the app (2/3 * 0.3 * 0.3 + 1/3 * 0.6 * 0.6) / (0.3 * 0.7), which is 6/7: as one feature, and not as yes and as no.
    pair = render_plots.default_pair(data.features)
    assert pair == ["visits", "has_app"]
    assert render_plots.levels_on_axis(data, "has_app", 1) == ["no", "yes"]
    assert render_plots.levels_on_axis(data, "region", 1) == ["North and <Isles>", "it's east", "not given", "any other"]
    sizes = {"North and <Isles>": 160, "it's east": 68, "not given": 6, "any other": 6}
    assert data.customers["region"].value_counts().to_dict() == sizes
    assert data.centroids["has_app"].tolist() == ["no", "no", "yes"]
    # One row of the table of colours tells yes and no.
    columns = render_plots.profiled_columns(data)["label"].tolist()
    assert columns[3:] == [
        "Region: North and <Isles>",
        "Region: it's east",
        "Region: not given",
        "Region: any other",
        "Has app: yes",
    ]

    figure = render_plots.segments(data, pair)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["no", "yes"]
    assert figure.get_suptitle() == "3 segments by Visits (per month) and Has app"
    # The 234 with visits and 3 centroids; each at the level that it has.
    places = [row[1] for points in figure.axes[0].collections for row in points.get_offsets()]
    assert len(places) == 237
    assert sum(place > 0.5 for place in places) == 73 - sum(data.customers["visits"].isna() & data.customers["has_app"].eq("yes"))

    message = "region=it's east is not a feature; the features are visits, spend in k$, re\"turns, region, has_app"
    assert refusal(warehouse, "--features", "region=it's east", "visits") == message


def test_where_two_categories_meet_bars_are_as_long_as_customers_are_many(warehouse):
    change(warehouse, CATEGORIES)
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    figure, ax = render_plots.plt.subplots()
    render_plots.draw_bars(data, "has_app", "region", ax)
    assert len(ax.collections) == 0
    lengths = {}
    for bar in ax.patches:
        place = (round(bar.get_x() + 0.1), round(bar.get_y() + bar.get_height() / 2))
        lengths[place] = lengths.get(place, 0) + bar.get_width()
    # North without the app: all 80 of segment 1, 40 of segment 2, and 8 of segment 3 (those with i = 0, 10, 20 and so on).
    assert lengths[0, 0] / lengths[1, 0] == pytest.approx(128 / 32)
    assert lengths[1, 1] / lengths[0, 1] == pytest.approx(34 / 34)
    assert {text.get_text() for text in ax.texts} >= {"53%", "13%", "14%"}
    render_plots.plt.close(figure)


FIFTYFOLD = """
    insert into customer_segments
    select c.* replace ("client no." || '-' || i as "client no.")
    from customer_segments as c cross join range(1, 50) as copies (i);
    update segment_profiles set n_customers = 50 * n_customers;
"""


def test_a_sample_of_very_many_is_full_and_like_the_table(warehouse, monkeypatch):
    """Every twelfth of 12,000 customers comes into question for 50 places; 16.7 of a segment, with a deviation of 3.3."""
    monkeypatch.setattr(render_plots, "SAMPLE_SIZE", 50)
    change(warehouse, FIFTYFOLD)
    with duckdb.connect(warehouse, read_only=True) as connection:
        drawn = [render_plots.read_segmentation(connection).customers for _ in range(2)]
    assert drawn[0].equals(drawn[1])
    assert len(drawn[0]) == 50
    assert drawn[0]["segment_id"].value_counts().between(4, 30).tolist() == [True] * 3


def test_a_large_table_is_sampled_and_the_picture_says_so(warehouse, render):
    change(warehouse, FIFTYFOLD)
    reports = render(warehouse)
    for picture in ("segments", "segment_pairs"):
        assert "A sample of 10,000 of 12,000 customers." in svg_text(reports / f"{picture}.svg")


def test_a_single_feature_and_a_single_segment_are_drawn(warehouse, render):
    change(
        warehouse,
        """
        delete from segment_feature_profiles where feature_order != 2 or segment_id != 1;
        delete from segment_profiles where segment_id != 1;
        delete from customer_segments where segment_id != 1;
        """,
    )
    reports = render(warehouse)
    assert "1 segment by Spend (k$)" in svg_text(reports / "segments.svg")
    assert not (reports / "segment_pairs.svg").exists()


def test_a_missing_warehouse_is_one_sentence_and_exit_code_1(tmp_path):
    run = render_as_user(tmp_path / "none.duckdb")
    assert run.returncode == 1
    assert run.stderr == f"{tmp_path / 'none.duckdb'} does not exist; run dbt build first\n"


def test_a_locked_warehouse_is_one_sentence_and_exit_code_1(warehouse):
    with duckdb.connect(warehouse):
        run = render_as_user(warehouse)
    assert run.returncode == 1
    assert run.stderr == f"{warehouse} is open for writing in another program; close it there and try again\n"


def test_a_log_of_writes_beside_the_warehouse_is_named(warehouse, refusal):
    """Whatever file it was written for, a reader would take it for a part of this one."""
    wal = warehouse.with_name(f"{warehouse.name}.wal")
    wal.touch()
    message = refusal(warehouse)
    wal.unlink()
    assert message.startswith(f"{wal} shows that a program writes to {warehouse}, which is only to be read")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path, refusal):
    path = tmp_path / "warehouse.duckdb"
    path.write_bytes(b"not a database " * 1000)
    assert "cannot be read" in refusal(path)


def test_a_damaged_database_is_one_sentence(warehouse, refusal):
    damaged = bytearray(warehouse.read_bytes())
    damaged[20_000:] = bytes(len(damaged) - 20_000)
    warehouse.write_bytes(damaged)
    assert "cannot be read" in refusal(warehouse)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("drop table k_scores", "has no table k_scores; run dbt build"),
        ("delete from customer_segments", "does not hold a finished build"),
        ("delete from customer_segments where segment_id = 1", "does not hold a finished build"),
        ("delete from segment_centroids where segment_id = 1", "does not hold a finished build"),
        ("update k_scores set is_used = false", "does not hold a finished build"),
        ("alter table k_scores drop column verdict", "cannot be read"),
        ("drop table builds", "has no table builds; run dbt build"),
    ],
)
def test_an_unfinished_build_is_one_sentence(warehouse, refusal, sql, words):
    change(warehouse, sql)
    assert words in refusal(warehouse)


def test_customers_who_were_erased_explain_the_difference_of_sums(warehouse):
    change(warehouse, "delete from customer_segments where rowid < 3")
    change(warehouse, "insert into builds values ('erased', 3, timestamp '2026-01-02 04:00:00', 2)")
    with duckdb.connect(warehouse, read_only=True) as reader, pytest.raises(SystemExit, match="does not hold a finished build"):
        render_plots.check_build(reader, warehouse)
    change(warehouse, "insert into builds values ('erased again', 4, timestamp '2026-01-02 05:00:00', 1)")
    with duckdb.connect(warehouse, read_only=True) as reader:
        render_plots.check_build(reader, warehouse)


def test_unknown_and_repeated_features_are_one_sentence(warehouse, refusal):
    sentence = refusal(warehouse, "--features", "visits", "age")
    assert sentence == 'age is not a feature; the features are visits, spend in k$, re"turns'
    assert refusal(warehouse, "--features", "visits", "visits") == "--features needs two different features"


def test_an_output_that_cannot_be_written_is_one_sentence(warehouse, refusal):
    (warehouse.parent / "reports").write_text("a file, not a folder")
    assert "reports cannot be written" in refusal(warehouse)


def test_log_axes_show_every_customer(warehouse):
    """Both axes under log1p, of amounts over five orders of magnitude: the limits are numbers and hold all points."""
    change(
        warehouse,
        """
        update customer_segments set "re""turns" = exp(random() * 11);
        update features set transform = 'log1p' where feature_order > 1;
        update segment_centroids set transform = 'log1p' where feature_order > 1;
        """,
    )
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    for pair in (["spend in k$", 're"turns'], ["visits", 're"turns'], ['re"turns', "spend in k$"]):
        figure, ax = render_plots.plt.subplots()
        render_plots.draw_customers(data, *pair, ax)
        figure.canvas.draw()
        for (low, high), feature in zip((ax.get_xlim(), ax.get_ylim()), pair, strict=True):
            values = data.customers[feature].dropna()
            assert low < values.min()
            assert values.max() < high
        render_plots.plt.close(figure)


def test_migrations_tell_customers_from_the_model(warehouse, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["render_plots.py", *options(warehouse)])
    render_plots.main()
    text = svg_text(warehouse.parent / "reports" / "migrations.svg")
    assert "7 customers moved between segments in the last build" in text
    assert "2 changed themselves" in text
    assert "5 moved because the model changed" in text
    for words in ("Joined", "Left", "Those <before>", "11", "13"):
        assert words in text


def test_a_full_disk_keeps_the_pictures_of_the_last_run(warehouse, render, refusal, monkeypatch):
    reports = render(warehouse)
    before = contents(reports)
    savefig, saved = render_plots.plt.Figure.savefig, []

    def fail(figure, path, **options):
        if len(saved) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        saved.append(savefig(figure, path, **options))

    monkeypatch.setattr(render_plots.plt.Figure, "savefig", fail)
    change(warehouse, "update segment_profiles set segment_name = 'New'")
    assert refusal(warehouse) == f"{reports} cannot be written: No space left on device"
    assert contents(reports) == before
    assert [path.name for path in reports.iterdir() if path.name.startswith(".")] == [".pictures.json"]


def test_the_newest_build_is_the_last_one_also_where_the_clock_was_put_back(warehouse, render):
    change(warehouse, "update builds set built_at = timestamp '2026-01-03 03:00:00' where build_id = 'yesterday'")
    assert "7 customers moved between segments in the last build" in svg_text(render(warehouse) / "migrations.svg")


def test_a_file_that_somebody_writes_to_is_one_sentence(warehouse, refusal):
    """What a program that crashed has left beside the file would be read as published."""
    wal = Path(f"{warehouse}.wal")
    wal.write_bytes(b"")
    link = warehouse.with_name("link.duckdb")
    link.symlink_to(warehouse)
    for path in (warehouse, link):
        assert refusal(path) == (
            f"{wal} shows that a program writes to {path}, which is only to be read: close that program; "
            f"if there is none any more, delete {wal}"
        )


def test_the_pictures_get_the_permissions_of_the_warehouse(warehouse, render):
    warehouse.chmod(0o600)
    assert {path.stat().st_mode & 0o777 for path in render(warehouse).iterdir()} == {0o600}


def test_shares_follow_every_segment_that_was(warehouse, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["render_plots.py", *options(warehouse)])
    render_plots.main()
    text = svg_text(warehouse.parent / "reports" / "shares.svg")
    assert "over 2 days with a build" in text
    # All segments had half as large a share yesterday, when there was a fourth one.
    assert text.count("from 16.7% to 33.3%") == 3
    assert "those that are no more: Those <before> (until 2026-01-01)" in text


def test_a_long_history_has_a_panel_for_each_segment_and_two_days_below_it(warehouse):
    change(
        warehouse,
        """
        insert into builds
        select 'build ' || i, -i, timestamp '2025-12-31' - i * interval 6 day, null from range(60) as days (i);
        insert into segment_drift
        select 'build ' || i, segment_id, segment_name, n_customers, 0.2 + i / 300
        from segment_profiles cross join range(60) as days (i);
        """,
    )
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    figure = render_plots.shares(data, None)
    panels = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left").splitlines()[0] for ax in panels] == NAMES
    assert all([label.get_text() for label in ax.get_xticklabels()] == ["2025-01-11", "2026-01-02"] for ax in panels)
    coloured = [[line for line in ax.lines if line.get_linewidth() == 2] for ax in panels]
    assert [len(lines) for lines in coloured] == [1, 1, 1]
    assert len(coloured[0][0].get_xdata()) == 62
    render_plots.plt.close(figure)


def test_what_needs_a_second_build_is_left_out_of_the_first(warehouse, render):
    change(
        warehouse,
        """
        delete from builds where build_id = 'yesterday';
        update segment_migrations set from_segment_id = null;
        """,
    )
    drawn = {path.stem for path in render(warehouse).glob("*.png")}
    assert drawn == set(PICTURES) - {"migrations", "shares"}


def test_customers_are_scaled_as_the_model_has_them():
    customers = pd.DataFrame(
        {"spend": [np.e - 1, 0, np.nan], "age": [30.0, 50.0, 40.0], "region": ["north", "any other", "north"]}
    )
    columns = pd.DataFrame(
        [
            ("spend", "spend", False, None, "log1p", np.nan, np.e**3 - 1, 1.0, 2.0),
            ("age", "age", False, None, "yeo-johnson", 1.0, np.nan, 40.0, 10.0),
            ("region=north", "region", True, "north", "category", np.nan, np.nan, 0.5, 0.25),
        ],
        columns=["feature", "name", "is_level", "level_label", "transform", "transform_lambda", "fill_value", "mean", "scale"],
    )
    # ln(1 + spend) is 1 and 0, and 3 where the model fills in; a power of 1 leaves values as they are.
    scaled = render_plots.scaled_customers(customers, columns)
    assert scaled["spend"].tolist() == pytest.approx([0, -0.5, 1])
    assert scaled["age"].tolist() == pytest.approx([-1, 1, 0])
    assert scaled["region=north"].tolist() == pytest.approx([2, -2, 2])


# The segments are told apart by the last two of the features alone, each of which parts one pair of them: 1 from the others by
# f7, and 2 from 3 by f8. All others are the same for everybody, up to a hundredth, but f1, which is wide and says nothing.
EIGHT = """
    create table points as
    select
        *, 1 + i % 3 as segment_id, case when i % 3 = 0 then 4.0 else 0 end as f7, case when i % 3 = 1 then 4.0 else 0 end as f8,
        case when i // 3 % 2 = 0 then 9.0 else -9 end as f1, 0.01 * (i % 5) as f2, 0.01 * (i % 7) as f3, 0.01 * (i % 11) as f4,
        0.01 * (i % 13) as f5, 0.01 * (i % 17) as f6
    from range(240) as customers (i);
    create or replace table customer_segments as select i as customer_id, *, 'x' as segment_name, 1 as model_version from points;
    create or replace table features as
    select i as feature_order, 'f' || i as feature, 'Feature ' || i as feature_label, 'none' as transform
    from range(1, 9) as f (i);
    create or replace table segment_centroids as
    select
        1 as model_version, segment_id, feature, feature_order, transform, null::double as transform_lambda,
        null::double as fill_value, 0.0 as mean, 1.0 as scale,
        case when feature_order = 6 + segment_id then 4.0 else 0 end as centroid_scaled,
        centroid_scaled as centroid_in_own_unit
    from segment_profiles cross join features;
    create or replace table segment_feature_profiles as
    select segment_id, segment_name, feature, feature_label, feature_order, 1 as feature_mean, 1 as population_mean,
        case when feature_order = 6 + segment_id then 4.0 else 0 end as mean_scaled
    from segment_profiles cross join features;
"""


def test_of_many_features_the_pairs_that_tell_most_apart_are_drawn(warehouse):
    change(warehouse, EIGHT)
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    told_apart = render_plots.pairs_told_apart(data)
    assert len(told_apart) == 28
    assert told_apart["f7", "f8"] == 1
    # By one of the two, a third of the customers are told from the others, who go to the lower of the two segments.
    assert told_apart["f2", "f7"] == pytest.approx(2 / 3)
    figure = render_plots.segment_pairs(data, None)
    panels = [ax for ax in figure.axes if ax.axison]
    assert (panels[0].get_xlabel(), panels[0].get_ylabel(), panels[0].get_title()) == (
        "Feature 7",
        "Feature 8",
        "100% told apart",
    )
    assert len(panels) == 6
    assert figure.get_suptitle().startswith("3 segments in 6 pairs of 8 features")
    assert render_plots.projection in render_plots.pictures_of(data)
    render_plots.plt.close(figure)


def test_a_projection_is_named_by_what_counts_in_it(warehouse):
    change(warehouse, EIGHT)
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    weights, shares = render_plots.principal_components(data)
    # f1 varies most and with nothing else; f7 and f8 exclude one another.
    assert weights[0].abs().idxmax() == "f1"
    assert weights.loc["f1", 0] == pytest.approx(1, abs=0.001)
    assert weights[1].abs().round(2).to_dict() == {f"f{i}": 0.71 if i > 6 else 0 for i in range(1, 9)}
    figure = render_plots.projection(data, None)
    assert figure.axes[0].get_xlabel().startswith("More Feature 1 (")
    assert re.match(r"More Feature (7; less Feature 8|8; less Feature 7) \(", " ".join(figure.axes[0].get_ylabel().split()))
    assert 0.8 < shares[0] < 1
    assert "3 segments in a projection of 8 features" in figure.get_suptitle()
    render_plots.plt.close(figure)


def test_the_heat_map_of_many_features_fits_a_page(warehouse):
    change(warehouse, EIGHT)
    with duckdb.connect(warehouse, read_only=True) as connection:
        data = render_plots.read_segmentation(connection)
    assert not render_plots.is_upright(data)
    more = pd.concat([data.features, data.features.rename(index=lambda name: name + "b")])
    assert render_plots.is_upright(render_plots.replace(data, features=more))


MONEY = """
    create table money_{0} as from {0};
"""


def test_every_segmentation_has_its_pictures(warehouse, render, refusal):
    for table in render_plots.TABLES:
        change(warehouse, MONEY.format(table))
    change(
        warehouse,
        """
        delete from money_segment_feature_profiles where feature = 'visits';
        update money_segment_profiles set segment_name = 'By money: ' || segment_name;
        """,
    )
    reports = render(warehouse)
    drawn = {path.stem for path in reports.glob("*.svg")}
    assert drawn == set(PICTURES) | {f"money_{picture}" for picture in PICTURES if picture != "segment_pairs"}
    assert "By money: Jo's largest" in svg_text(reports / "money_sizes.svg")
    assert "By money" not in svg_text(reports / "sizes.svg")
    render(warehouse, "--features", "visits", "spend in k$")
    assert "3 segments by Visits" in svg_text(reports / "segments.svg")
    assert "3 segments by Spend" in svg_text(reports / "money_segments.svg")
    change(warehouse, "delete from segment_feature_profiles where feature = 'spend in k$'")
    message = refusal(warehouse, "--features", "visits", "spend in k$")
    assert message.startswith("visits and spend in k$ are of different segmentations; the features are ")


RFM = """
    -- Nobody has the recency score 3; the cells of recency 1 and 2 with the least frequent are one class.
    create table rfm_classes as
    select r as recency_score, fm as frequency_monetary_score,
        case when r <= 2 and fm = 1 then 'Lost & <gone>' else 'Class ' || r || fm end as rfm_class
    from range(1, 6) as recency (r) cross join range(1, 6) as frequency_monetary (fm);

    create table rfm_scores as
    select recency_score, frequency_monetary_score, 100 * (5 - recency_score) + frequency_monetary_score as recency_days
    from rfm_classes cross join range(5)
    where recency_score <> 3;
    insert into rfm_scores select 1, 1, 1499 from range(1100);
"""


def test_the_grid_is_drawn_where_there_are_orders(warehouse, render):
    change(warehouse, RFM)
    reports = render(warehouse)
    text = svg_text(reports / "rfm_grid.svg")
    # 20 cells of 5 customers each, and 1100 more in one of the two cells of the largest class.
    assert 'The largest class, "Lost & <gone>", has 92% of 1,200 customers with orders' in text
    for words in (
        "Class 55 5 (0.4%)",
        "Lost & <gone> 1,105 (92.1%)",
        "Class 31 0 (0.0%)",
        "1 to 5 days",
        "401 to 1,499 days",
        "nobody",
    ):
        assert words in text
    assert matplotlib.image.imread(reports / "rfm_grid.png").std() > 0.05


def test_the_grid_has_the_most_recent_on_top_and_fences_between_classes(warehouse):
    change(warehouse, RFM)
    with duckdb.connect(warehouse, read_only=True) as connection:
        cells = render_plots.read_rfm_cells(connection)
    figure, ax = render_plots.plt.subplots()
    render_plots.draw_rfm_grid(cells.sample(frac=1, random_state=1), ax)
    assert [label.get_text()[0] for label in ax.get_yticklabels()] == list("54321")
    places = {text.get_text().splitlines()[0]: text.get_position() for text in ax.texts}
    assert places["Class 55"] == (4.5, 0.5)
    assert places["Class 15"] == (4.5, 4.5)
    # All 20 inner edges to the right and all 20 below, but for the one within the class of two cells.
    assert len(ax.lines) == 39
    assert ([0, 1], [4, 4]) not in [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines]
    render_plots.plt.close(figure)


def test_a_build_without_orders_has_no_grid(warehouse, render):
    assert not (render(warehouse) / "rfm_grid.svg").exists()
